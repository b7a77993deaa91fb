"""How handlers of the page are connected: no cover over what they change, and nothing of them for programs."""

from typing import Any

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
NO_LIMIT = None
"""Of calls at the same time."""
