"""The tabs of a result. A new one is a file here, with TITLE, build, fill and is_shown, and a name in TABS."""

from types import ModuleType

from app.web.page.tabs import depth, files, look, mesh, photographs, quality, video

TABS: tuple[ModuleType, ...] = (look, mesh, video, photographs, depth, quality, files)
