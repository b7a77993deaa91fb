"""`recon train`: from a YAML preset to weights."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, Namespace  # pyright: ignore[reportPrivateImportUsage]

from recon.configs import find_config
from recon.errors import FormatError, InputError, LimitError

HELP = "Train a network on captures with known cameras."
CODE_KEYS = frozenset({"class_path", "init_args", "_target_", "dict_kwargs"})
"""Keys by which other programs let a config name code; here a config is data."""
MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
_OPENING = (
    yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken
)  # fmt: skip
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


class PresetFile(ActionConfigFile):
    """Takes the name of a preset or a file, and refuses one that names code."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        """Apply the file."""
        path = find_config(values)
        require_sections(path, require_plain_data(path), parser.get_defaults())
        super().__call__(parser, cfg, str(path), option_string)


def require_plain_data(path: Path) -> Any:
    """Refuse a YAML file that holds more than a tree of mappings, lists and scalars with none of `CODE_KEYS`.

    Returns:
        What it holds.

    Raises:
        InputError: The file cannot be read.
        LimitError: It is larger than `MAX_BYTES`.
        FormatError: It is no YAML, names code, is deeply nested, or holds aliases, by which a few lines unfold to any
            size.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error})") from error
    if len(data) > MAX_BYTES:
        raise LimitError(f"{path} holds more than {MAX_BYTES:,} bytes", hint="a config is a few lines of settings")
    try:
        text = data.decode("utf-8")
        _require_small_tree(path, text)
        content = yaml.safe_load(text)
        found = CODE_KEYS & set(_keys(content))
    except (yaml.YAMLError, ValueError, IndexError) as error:  # the last: `!!int` of nothing
        raise FormatError(f"{path} is not plain YAML: {error}", hint="a config holds data, never code") from error
    if found:
        raise FormatError(f"{path} holds {', '.join(sorted(found))}", hint="a config holds data and cannot name code")
    return content


def require_sections(path: Path, content: Any, defaults: Namespace) -> None:
    """Refuse a file that gives a single value, or none, where a section of settings belongs, or none for a setting.

    Args:
        path: For the message.
        content: What the file holds.
        defaults: Settings as the parser nests them.

    Raises:
        FormatError: Something else than a mapping stands for a section, or nothing for a setting that has a value.
    """
    if not isinstance(content, dict):
        raise FormatError(f"{path} holds {_kind(content)}, expected settings by name")
    for name, value in content.items():
        default = defaults.get(str(name))
        hint = f"leave {name} out to take its default"
        if isinstance(default, Namespace) and not isinstance(value, dict):
            raise FormatError(f"{path}: {name} is {_kind(value)}, expected settings by name", hint=hint)
        if isinstance(default, Namespace):
            require_sections(path, value, default)
        elif value is None and default is not None:
            raise FormatError(f"{path}: {name} has no value", hint=hint)


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _require_small_tree(path: Path, text: str) -> None:
    depth = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if isinstance(token, yaml.AliasToken):
            raise FormatError(f"{path} holds an alias (*name)", hint="write the value out: a config is a plain tree")
        if depth > MAX_DEPTH:
            raise FormatError(
                f"{path} is nested more than {MAX_DEPTH} deep", hint="a config is a few lines of settings"
            )


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
    parser.add_argument(
        "--dry-run", action="store_true", help="Tell what the run would take, in numbers, and do nothing."
    )
    parser.add_class_arguments(TrainConfig)


def run(arguments: Namespace) -> int:
    """Train, then print where the weights are."""
    from models.training import TrainConfig, train
    from models.training.dry_run import dry_run

    config = TrainConfig(**{part.name: arguments[part.name] for part in fields(TrainConfig)})
    if arguments.dry_run:
        for name, value in dry_run(config).items():
            print(f"{name:32} {value:,}" if isinstance(value, int | float) else f"{name:32} {value}")
        return 0
    weights = train(config)
    if os.environ.get("LOCAL_RANK", "0") == "0":  # one of several processes speaks for all
        print(weights)
    return 0
