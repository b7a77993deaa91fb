"""Lets the tests import the modules beside them by name, as the scripts that they start do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
