"""Theme, style sheet and script, as Gradio's `launch` takes them."""

from pathlib import Path
from typing import Any

from app.web.page.theme import make_theme

HERE = Path(__file__).parent


def launch_arguments() -> dict[str, Any]:
    """Arguments of `launch`."""
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return {
        "theme": make_theme(),
        "css": (HERE / "style.css").read_text(encoding="utf-8"),
        "head": f'<meta name="color-scheme" content="light dark"><script>{script}</script>',
    }
