"""What the process that decodes is asked, and what it answers; both travel as JSON."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from recon.io.limits import Limits


@dataclass(frozen=True)
class Request:
    """Which frames to take.

    Attributes:
        video: The file.
        folder: Where pictures are written.
        window: Length in seconds of the stretches of which the sharpest frame is taken.
        capacity: Stretches that are kept at most.
        num: Frames to come out at most; None for one of every stretch, where more than `capacity` are refused.
        limits: Bounds.
        parent: Number of the process that asks; when it is gone, decoding ends.
    """

    video: str
    folder: str
    window: float
    capacity: int
    num: int | None
    limits: Limits
    parent: int = 0

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Request":
        """From text of `to_json`."""
        content = json.loads(text)
        return cls(**content | {"limits": Limits(**content["limits"])})


@dataclass(frozen=True)
class TakenFrame:
    """One picture that was written.

    Attributes:
        index: Its place among all decoded frames.
        seconds: Time since the first frame.
        size: Width and height as a player shows it, before reduction.
    """

    index: int
    seconds: float
    size: tuple[int, int]

    @property
    def file_name(self) -> str:
        """Name of the picture in the folder."""
        return f"frame_{self.index:06d}.jpg"


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        frames: In order of time.
        num_frames: Decoded frames.
        num_damaged: Packets that could not be decoded.
        seconds: Time of the last frame.
        window: Length of the stretches in the end.
        error: Kind, message and hint of a typed error, instead of all that.
    """

    frames: tuple[TakenFrame, ...] = ()
    num_frames: int = 0
    num_damaged: int = 0
    seconds: float = 0.0
    window: float = 0.0
    error: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Answer":
        """From text of `to_json`."""
        content: dict[str, Any] = json.loads(text)
        frames = tuple(TakenFrame(f["index"], f["seconds"], (f["size"][0], f["size"][1])) for f in content["frames"])
        content["frames"] = frames
        return cls(**content)
