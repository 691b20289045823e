"""Reads a TOML table by its keys, with messages that name file, key and the nearest valid key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dropout_lint.suggestions import did_you_mean


class ConfigError(ValueError):
    """The configuration cannot be used; one sentence that names the file, the key and what is wrong."""


class WrongValueError(ValueError):
    """A value has the wrong type; the text says what is expected."""


def read_table(
    table: Mapping[str, object], keys: Mapping[str, Callable[[object], object]], file: str, name: str
) -> dict[str, Any]:
    """Convert a table to keyword arguments, checking each value. Raises ConfigError that begins with ``file``."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in keys:
            hint = did_you_mean(key.lower(), keys) or f"; valid keys are {', '.join(keys)}"
            raise ConfigError(f"{file}unknown key '{key}' in {name}{hint}")
        try:
            values[key.replace("-", "_")] = keys[key](value)
        except WrongValueError as error:
            raise ConfigError(f"{file}'{key}' in {name} must be {error}, not {described(value)}") from None
    return values


def described(value: object) -> str:
    """Describe a wrong value for a message."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'the string "{value}"'
        case int() | float():
            return f"the number {value}"
        case list():
            return "this list" if value else "an empty list"
        case dict():
            return "this table"
        case _:
            return str(value)
