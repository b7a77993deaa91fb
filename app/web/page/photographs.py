"""What was uploaded and not yet sent off: a strip of thumbnails that can be reordered and thinned out."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from app.web import texts
from app.web.page.markup import tag, text
from app.web.uploads.kinds import FAMILIES
from app.web.uploads.thumbnails import thumbnail_of
from recon.io.names import natural_key

SHOWN_AS_IMAGE = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SHOWN_AS_VIDEO = (".mp4", ".m4v", ".webm", ".mov")
FILE_TYPES = [suffix for suffixes in FAMILIES.values() for suffix in suffixes]

STRIP_SCRIPT = (Path(__file__).parent / "strip.js").read_text(encoding="utf-8")


def with_added(draft: Sequence[str], added: Sequence[str]) -> list[str]:
    """The draft and what is new in `added`, which goes to the end in natural order of names."""
    new = [path for path in dict.fromkeys(added) if path not in draft]
    return [*draft, *sorted(new, key=lambda path: natural_key(Path(path).name))]


def edited(draft: Sequence[str], change: object, index: object, to: object = None) -> list[str]:
    """The draft after "remove", "earlier", "later", "move" or "clear"; anything else a client says changes nothing."""
    files = list(draft)
    if change == "clear":
        return []
    if type(index) is not int or not 0 <= index < len(files):
        return files
    if change == "remove":
        del files[index]
        return files
    goal = {"earlier": index - 1, "later": index + 1, "move": to}.get(str(change), index)
    if type(goal) is int and 0 <= goal < len(files):
        files.insert(goal, files.pop(index))
    return files


def strip(draft: Sequence[str], examples: Path | None) -> str:
    """HTML of the thumbnails.

    Args:
        draft: Paths of the files.
        examples: Folder of the sample, whose files have an address of their own.
    """
    if not draft:
        return ""
    num = texts.ONE_ADDED if len(draft) == 1 else texts.ADDED.format(num=len(draft))
    bar = tag("span", text(num)) + tag("button", text(texts.CLEAR), type="button", data_do="clear")
    items = "".join(_item(i, Path(path), len(draft), examples) for i, path in enumerate(draft))
    return tag("div", bar, class_="bar") + tag("ol", items)


def has_thumbnails(draft: Sequence[str]) -> bool:
    """Whether a strip shows more of a draft now than before it was looked at."""
    return any(thumbnail_of(Path(path)).is_file() for path in draft)


def _item(index: int, path: Path, num: int, examples: Path | None) -> str:
    name = path.name
    buttons = [("remove", texts.REMOVE, "\u00d7")]
    if index < num - 1:
        buttons.insert(0, ("later", texts.LATER, "\u2192"))
    if index > 0:
        buttons.insert(0, ("earlier", texts.EARLIER, "\u2190"))
    tools = "".join(_tool(do, words.format(name=name), sign, index) for do, words, sign in buttons)
    picture = _picture(path, examples) + tag("span", text(name), class_="name")
    return tag("li", picture + tag("span", tools, class_="tools"), data_index=index, draggable="true", title=name)


def _tool(do: str, words: str, sign: str, index: int) -> str:
    return tag("button", sign, type="button", data_do=do, data_index=index, aria_label=words, title=words)


def _picture(path: Path, examples: Path | None) -> str:
    is_example = examples is not None and path.parent == examples
    address = f"examples/{quote(path.name)}" if is_example else _address(path)
    thumbnail = thumbnail_of(path)
    if thumbnail.is_file():
        return tag("img", src=_address(thumbnail), alt=path.name, decoding="async", draggable="false")
    if path.suffix.lower() in SHOWN_AS_IMAGE:
        return tag("img", src=address, alt=path.name, loading="lazy", decoding="async", draggable="false")
    if path.suffix.lower() in SHOWN_AS_VIDEO:
        return tag("video", src=f"{address}#t=0.1", preload="metadata", muted=True, playsinline=True)
    return tag("span", text(path.suffix.lstrip(".").upper() or "?"), class_="plain")


def _address(upload: Path) -> str:
    return f"gradio_api/file={quote(str(upload))}"
