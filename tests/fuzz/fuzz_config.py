"""YAML presets of `recon train`, up to the dataclasses that they fill."""

from dataclasses import fields
from functools import cache
from pathlib import Path

from jsonargparse import ArgumentParser

from app.commands.train import add_arguments
from app.console import parse
from models.training.config import TrainConfig, require_usable
from recon.configs import config_names, find_config


@cache
def parser() -> ArgumentParser:
    made = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    add_arguments(made)
    return made


def seeds() -> list[bytes]:
    scalars = b"seed: 0x10\ntrainer:\n  max_steps: !!int '5'\n  precision: ~\n# a comment\n"
    return [*(find_config(name).read_bytes() for name in config_names()), b"{}\n", scalars]


def feed(data: bytes, folder: Path) -> object:
    path = folder / "x.yaml"
    path.write_bytes(data)
    parsed = parse(parser(), ["--config", str(path)], "recon train")
    config = TrainConfig(**{part.name: parsed[part.name] for part in fields(TrainConfig)})
    require_usable(config)
    return config
