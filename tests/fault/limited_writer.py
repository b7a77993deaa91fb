"""Write results where no file may be larger than a limit: limited_writer.py FOLDER BYTES...

Prints one JSON list with what happened for each limit. A process of its own, for the limit holds for all that it does.
"""

import json
import resource
import sys
from pathlib import Path

from small_results import is_whole, write_results

from recon.errors import ExportError


def attempt(out: Path, limit: int) -> dict:
    """Try to write; what is visible afterwards."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        write_results(out)
        said = ""
    except ExportError as error:
        said = str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    return {
        "limit": limit,
        "said": said,
        "whole": out.exists() and is_whole(out),
        "left": len(list(out.parent.iterdir())),
    }


if __name__ == "__main__":
    base = Path(sys.argv[1])
    outcomes = []
    for word in sys.argv[2:]:
        (base / word).mkdir()
        outcomes.append(attempt(base / word / "out", int(word)))
    sys.stdout.write(json.dumps(outcomes))
