"""Configs of networks from JSON, strictly: nothing unknown, nothing of another type."""

import math
from dataclasses import is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Config = TypeVar("Config")
MAX_WHOLE = 2**53
"""Whole numbers below are floats too; those above are of no use as a setting, and become infinite."""


def config_from_json(kind: type[Config], settings: Any, *, within: str = "config") -> Config:
    """A config dataclass from what a JSON file holds; settings that are left out keep their defaults.

    Args:
        kind: A dataclass of plain values, `Literal`s and further such dataclasses.
        settings: An object with any of its fields; a whole number may stand for a float.
        within: Name of these settings in messages.

    Raises:
        TypeError: It is not an object, has an unknown field, or a value of another type than its field; says which.
    """
    if not isinstance(settings, dict):
        raise TypeError(f"{within} is a {type(settings).__name__}, expected an object")
    fields = get_type_hints(kind)
    if unknown := sorted(settings.keys() - fields.keys()):
        raise TypeError(f"{within} has an unknown setting {unknown[0][:60]!r}")
    return kind(**{name: _value(fields[name], value, f"{within}.{name}") for name, value in settings.items()})


def _value(expected: Any, value: Any, name: str) -> Any:
    if is_dataclass(expected):
        return config_from_json(expected, value, within=name)  # type: ignore[arg-type]
    if get_origin(expected) is Literal:
        if not isinstance(value, str) or value not in get_args(expected):
            raise TypeError(f"{name} is {value!r}, expected one of {', '.join(get_args(expected))}")
    elif expected is float and type(value) is int:
        return float(value) if abs(value) < MAX_WHOLE else math.inf
    elif type(value) is not expected:
        raise TypeError(f"{name} is a {type(value).__name__}, expected {expected.__name__}")
    return value
