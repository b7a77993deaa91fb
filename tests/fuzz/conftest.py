"""Lets the tests import the modules beside them by name, as the harnesses do when scripts/fuzz runs them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
