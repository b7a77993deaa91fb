"""What every tab can use."""

from dataclasses import dataclass

import gradio as gr

from app.web.engine import Engine


@dataclass(frozen=True)
class TabContext:
    """What there is besides a tab's own components.

    Attributes:
        engine: Runs the jobs.
        job: Holds the id of the job that is shown; its value stays on the server.
    """

    engine: Engine
    job: gr.State
