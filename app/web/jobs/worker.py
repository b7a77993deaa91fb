"""The process that works on one job: `python -m app.web.jobs.worker FOLDER`.

It reads `FOLDER/job.json`, works below FOLDER only, and writes events to standard output. Whatever libraries print
goes to standard error. It ends when its standard input does, that is, when the server is gone.
"""

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.web import texts
from app.web.child import be_the_first_to_go
from app.web.jobs.events import Done, Event, Failed, Progress, failure, to_line
from recon.errors import ReconError

STAGES_BEGIN_WITH = "load"
INPUT = "input"
"""Folder of the uploads in that of the job."""


class EventPipe:
    """Writes events to what was standard output.

    Args:
        folder: Of the job; its path, and that of the uploads in it, is taken out of all that is said.
    """

    def __init__(self, folder: Path):
        sys.stdout.flush()
        self._file: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._folder = str(folder)
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one line."""
        line = to_line(event)
        for place in (f"{self._folder}/", self._folder, f"{INPUT}/"):
            line = line.replace(place, "")
        with self._lock:
            self._file.write(line.encode() + b"\n")


def main(folder: Path) -> int:
    """Work on a job; the exit code is 0 unless there was an error that the program does not know."""
    end_with_the_server()
    be_the_first_to_go()
    os.chdir(folder)  # so that no path of the server gets into a result
    tell = EventPipe(folder)
    start = time.monotonic()
    tell(Progress(STAGES_BEGIN_WITH, texts.GETTING_READY, 0.0))  # what follows imports for some seconds
    try:
        from app.web.jobs.work import reconstruct_job

        files = reconstruct_job(tell)
    except ReconError as error:
        tell(failure(error))
    except MemoryError:
        tell(Failed("ResourceError", texts.NO_MEMORY, texts.LESS_WORK))
    except Exception as error:  # the server must hear of every end
        traceback.print_exc()
        tell(Failed("InternalError", texts.UNKNOWN_ERROR.format(kind=type(error).__name__), texts.TRY_AGAIN))
        return 1
    else:
        tell(Done(tuple(files), round(time.monotonic() - start, 2)))
    return 0


def end_with_the_server() -> None:
    """Watch standard input, whose other end is the server's, and end this whole group of processes with it."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="watch", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
