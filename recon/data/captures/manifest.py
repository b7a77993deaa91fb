"""What a data set holds: every capture with hashes, and what was skipped, with reasons."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recon.data.captures.capture import Capture, CaptureSource
from recon.data.captures.checks import reason_of
from recon.data.captures.vector18 import vectors_of_cameras
from recon.errors import FormatError, InputError
from recon.io.json_file import read_json, write_json

FORMAT = "recon-captures-1"
MANIFEST = "manifest.json"
MISSING = "missing.json"
SHOWN = 5


@dataclass(frozen=True)
class CaptureRecord:
    """One capture.

    Attributes:
        name: Its key.
        num_frames: Of its frames.
        cameras_sha256: Of its `recon.data.captures.vector18` numbers, float32, little-endian.
        frames_sha256: Of the files of its frames one after the other, each behind its length as 8 bytes, little-endian;
            of the bytes of the decoded pixels where `frames` is "pixels".
        frames: "encoded" or "pixels".
        num_missing: Of frames that were published and have no picture.
    """

    name: str
    num_frames: int
    cameras_sha256: str
    frames_sha256: str
    frames: str = "encoded"
    num_missing: int = 0


@dataclass(frozen=True)
class Manifest:
    """A data set.

    Attributes:
        captures: In the order of the source.
        skipped: Names by reason.
    """

    captures: tuple[CaptureRecord, ...] = ()
    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def num_frames(self) -> int:
        """Of all captures."""
        return sum(record.num_frames for record in self.captures)

    def summary(self) -> str:
        """A line of totals, and one for each reason with the first names."""
        lines = [f"{len(self.captures):,} captures with {self.num_frames:,} frames"]
        if incomplete := tuple(record.name for record in self.captures if record.num_missing):
            lines.append(f"some frames have no picture: {len(incomplete):,} ({_shown(incomplete)})")
        for reason, names in sorted(self.skipped.items(), key=lambda item: -len(item[1])):
            lines.append(f"skipped, {reason}: {len(names):,} ({_shown(names)})")
        return "\n".join(lines)


@dataclass(frozen=True)
class MissingReport:
    """Which of the wanted captures a data set has.

    Attributes:
        num_wanted: Of distinct names that were asked for.
        missing: Those that are not there, in the order of the question.
    """

    num_wanted: int
    missing: tuple[str, ...]

    def __str__(self) -> str:
        found = self.num_wanted - len(self.missing)
        text = f"{found:,} of {self.num_wanted:,} wanted captures are there"
        return f"{text}; {len(self.missing):,} are missing: {_shown(self.missing)}" if self.missing else text


def build_manifest(source: CaptureSource) -> Manifest:
    """Read every capture of a source; those that cannot be used are counted, never an error."""
    records: list[CaptureRecord] = []
    skipped: dict[str, list[str]] = {}
    for index, name in enumerate(source.names):
        try:
            records.append(record_of(source[index]))
        except InputError as error:
            skipped.setdefault(reason_of(error), []).append(name)
    return Manifest(tuple(records), {reason: tuple(names) for reason, names in skipped.items()})


def record_of(capture: Capture) -> CaptureRecord:
    """Hashes of a capture, whose frames are read for it.

    Raises:
        FormatError: A frame is damaged.
    """
    if capture.encoded is not None:
        frames = (capture.encoded(i) for i in range(len(capture)))
        return record_of_files(capture, frames)
    return record_of_files(capture, (capture.picture(i).tobytes() for i in range(len(capture))), "pixels")


def record_of_files(capture: Capture, frames: Iterable[bytes], kind: str = "encoded") -> CaptureRecord:
    """As `record_of`, of frames that are at hand."""
    digest = hashlib.sha256()
    for data in frames:
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    vectors = vectors_of_cameras(capture.cameras).numpy().astype("<f4")
    cameras = hashlib.sha256(vectors.tobytes()).hexdigest()
    return CaptureRecord(capture.name, len(capture), cameras, digest.hexdigest(), kind, len(capture.missing))


def report_missing(source: CaptureSource, keys: Iterable[str]) -> MissingReport:
    """Which captures that an evaluation index or a list names are not in a source."""
    wanted, present = list(dict.fromkeys(keys)), set(source.names)
    return MissingReport(len(wanted), tuple(key for key in wanted if key not in present))


def write_missing(path: Path, report: MissingReport) -> None:
    """Write all names as JSON, whole or not at all.

    Raises:
        ExportError: The disk does not take the file.
    """
    write_json(path, {"wanted": report.num_wanted, "missing": list(report.missing)})


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write as JSON, whole or not at all.

    Raises:
        ExportError: The disk does not take the file.
    """
    totals = {"captures": len(manifest.captures), "frames": manifest.num_frames}
    totals["skipped"] = sum(map(len, manifest.skipped.values()))
    skipped = {
        reason: {"count": len(names), "names": list(names)} for reason, names in sorted(manifest.skipped.items())
    }
    captures = [asdict(record) for record in manifest.captures]
    write_json(path, {"format": FORMAT, "totals": totals, "skipped": skipped, "captures": captures})


def read_manifest(path: Path) -> Manifest:
    """Read what `write_manifest` wrote.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not such a file.
    """
    content = read_json(path)
    if content.get("format") != FORMAT:
        raise FormatError(f"{path}: format {content.get('format')!r}, expected {FORMAT!r}")
    try:
        captures = tuple(CaptureRecord(**record) for record in content["captures"])
        skipped = {str(reason): _names(entry["names"]) for reason, entry in content["skipped"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: not a manifest of captures ({error!r})") from error
    return Manifest(captures, skipped)


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError("names are not a list of texts")
    return tuple(value)


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
