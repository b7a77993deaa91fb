"""Theme, style sheet and script, as Gradio's `launch` takes them."""

from pathlib import Path
from typing import Any

from app.web import texts
from app.web.page.theme import make_theme

HERE = Path(__file__).parent


def launch_arguments() -> dict[str, Any]:
    """Arguments of `launch`."""
    style = (HERE / "style.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return {
        "theme": make_theme(),
        "css": f":root {{ --drop-words: {_css_string(texts.DROP)}; }}\n{style}",
        "head": f'<meta name="color-scheme" content="light dark"><script>{script}</script>',
    }


def _css_string(words: str) -> str:
    """Words as a string of a style sheet; new lines stay."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\A ")
    return f'"{escaped}"'
