"""The models that a project declares: ``[[tool.dropout-lint.models]]`` in ``pyproject.toml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dropout_lint.config.tables import ConfigError, WrongValueError, read_table
from dropout_lint.targets.errors import TargetError
from dropout_lint.targets.inputs import InputSpec, parse_all
from dropout_lint.targets.target import ModelTarget

_NAME = "[[tool.dropout-lint.models]]"


def declared_models(tables: Sequence[Mapping[str, object]], file: Path) -> tuple[ModelTarget, ...]:
    """The target of each table; paths and imports are relative to the folder of ``file``. Raises ConfigError."""
    return tuple(_target(table, number, file) for number, table in enumerate(tables, 1))


def _target(table: Mapping[str, object], number: int, file: Path) -> ModelTarget:
    name = f"{_NAME} number {number}"
    try:
        values = read_table(table, _KEYS, f"{file}: ", name)
        if "target" not in values:
            raise ConfigError(f"{file}: {name} has no 'target', such as \"package.module:Model\"")
        return ModelTarget(values.pop("target"), **values, root=str(file.absolute().parent))
    except TargetError as error:
        raise ConfigError(f"{file}: {name}: {error}") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise WrongValueError("a string that is not empty")
    return value


def _kwargs(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValueError("a table of arguments, such as {dim = 64}")
    return value


def _inputs(value: object) -> tuple[InputSpec, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise WrongValueError('a list of inputs, such as ["2,3,224,224", "mask=bool:2,16"]')
    return parse_all(texts)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise WrongValueError("a number of seconds above 0")
    return float(value)


_KEYS: dict[str, Callable[[object], object]] = {
    "target": _text,
    "kwargs": _kwargs,
    "inputs": _inputs,
    "name": _text,
    "timeout": _seconds,
}
