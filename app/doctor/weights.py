"""Weights that ship with the package."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from models import hub

UNKNOWN_LICENCE = "not stated"


@dataclass(frozen=True)
class ShippedWeights:
    """One folder of weights.

    Attributes:
        name: By which `load_pretrained` takes it.
        bytes: Size of its safetensors file.
        sha256: Hash of that file.
        licence: As its model card states.
    """

    name: str
    bytes: int
    sha256: str
    licence: str


def shipped_weights() -> list[ShippedWeights]:
    """All weights of the installation, by name."""
    files = sorted(hub.WEIGHTS.glob("*/model.safetensors"))
    return [
        ShippedWeights(
            name=file.parent.name,
            bytes=file.stat().st_size,
            sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
            licence=stated_licence(file.with_name("MODEL_CARD.md")),
        )
        for file in files
    ]


def stated_licence(card: Path) -> str:
    """Value of the line "license: ..." of a model card."""
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    found = re.search(r"^\W*licen[cs]e\W*[:|]\W*(\S.*?)\W*$", text, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else UNKNOWN_LICENCE
