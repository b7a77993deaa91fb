"""`recon train`: from a YAML preset to weights."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, Namespace  # pyright: ignore[reportPrivateImportUsage]

from recon.configs import find_config
from recon.errors import FormatError

HELP = "Train a network on rendered rooms."
CODE_KEYS = frozenset({"class_path", "init_args", "_target_", "dict_kwargs"})
"""Keys by which other programs let a config name code; here a config is data."""


class PresetFile(ActionConfigFile):
    """Takes the name of a preset or a file, and refuses one that names code."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Apply the file."""
        path = find_config(values)
        require_plain_data(path)
        super().__call__(parser, cfg, str(path), option_string)


def require_plain_data(path: Path) -> None:
    """Raise FormatError unless the YAML file holds only mappings, lists and scalars with none of `CODE_KEYS`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not plain YAML: {error}", hint="a config holds data, never code") from error
    found = CODE_KEYS & set(_keys(content))
    if found:
        raise FormatError(f"{path} holds {', '.join(sorted(found))}", hint="a config holds data and cannot name code")


def _keys(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [str(key) for key in content] + [key for value in content.values() for key in _keys(value)]
    return [key for value in content for key in _keys(value)] if isinstance(content, list) else []


def add_arguments(parser: ArgumentParser) -> None:
    """The tree of `TrainConfig` as dotted options."""
    from models.training import TrainConfig

    parser.add_argument(
        "--config", action=PresetFile, help="Name of a preset, such as experiment/rooms_nano, or a YAML file."
    )
    parser.add_argument("--resume", type=Path, default=None, help="Checkpoint of an interrupted run to go on from.")
    parser.add_class_arguments(TrainConfig)


def run(arguments: Namespace) -> int:
    """Train, then print where the weights are."""
    from models.training import TrainConfig, train

    config = TrainConfig(**{part.name: arguments[part.name] for part in fields(TrainConfig)})
    print(train(config, resume=arguments.resume))
    return 0
