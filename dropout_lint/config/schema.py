"""The keys of ``[tool.dropout-lint]``: their types, and messages that name file, key and the nearest valid key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dropout_lint.config.models import declared_models
from dropout_lint.config.output_formats import FORMATS
from dropout_lint.config.tables import ConfigError, WrongValueError, described, read_table
from dropout_lint.diagnostic import Confidence, Severity
from dropout_lint.suggestions import did_you_mean
from dropout_lint.targets.target import ModelTarget

TABLE = "[tool.dropout-lint]"
RATE_KINDS = ("transformer", "linear", "conv", "input")


@dataclass(frozen=True, slots=True)
class Options:
    """What one source (a file or the command line) sets; None for what it does not set."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] | None = None
    respect_gitignore: bool | None = None
    fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] | None = None
    unsafe_fixes: bool | None = None
    preview: bool | None = None
    confidence: Confidence | None = None
    fail_level: Severity | None = None
    output_format: str | None = None
    cache_dir: str | None = None
    baseline: str | None = None
    mode_managed_bases: tuple[str, ...] | None = None
    mc_dropout_names: tuple[str, ...] | None = None
    rates: Mapping[str, tuple[float, float]] | None = None
    models: tuple[ModelTarget, ...] | None = None
    removed_keys: tuple[str, ...] = ()
    """Keys of `REMOVED_KEYS` that the source still has."""


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("true or false")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError("a string")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise WrongValueError("a list of strings")
    return tuple(value)


def _tables(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise WrongValueError("tables, each under [[tool.dropout-lint.models]]")
    return value


def _choice(*choices: str) -> Callable[[object], str]:
    def convert(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise WrongValueError("one of " + ", ".join(f'"{choice}"' for choice in choices))
        return value

    return convert


def _severity(value: object) -> Severity:
    return Severity(_choice(*Severity)(value))


def _confidence(value: object) -> Confidence:
    return Confidence(_choice(*Confidence)(value))


def _codes_by_pattern(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    expected = 'a table from file patterns to lists of rules, such as {"tests/*" = ["DRP101"]}'
    if not isinstance(value, dict):
        raise WrongValueError(expected)
    try:
        return tuple((pattern, _strings(codes)) for pattern, codes in value.items())
    except WrongValueError:
        raise WrongValueError(expected) from None


def _rates(value: object) -> dict[str, tuple[float, float]]:
    if not isinstance(value, dict):
        raise WrongValueError("a table such as {linear = [0.1, 0.5]}")
    rates = {}
    for kind, bounds in value.items():
        if kind not in RATE_KINDS:
            raise WrongValueError(
                f"a table of the keys {', '.join(RATE_KINDS)} only" + did_you_mean(kind.lower(), RATE_KINDS)
            )
        numbers = isinstance(bounds, list) and all(type(bound) in (int, float) for bound in bounds)
        if not numbers or len(bounds) != 2 or not 0 <= bounds[0] <= bounds[1] <= 1:
            raise WrongValueError(f"a table where {kind} is [lowest, highest], two numbers from 0 to 1")
        rates[kind] = (float(bounds[0]), float(bounds[1]))
    return rates


KEYS: dict[str, Callable[[object], object]] = {
    "select": _strings,
    "ignore": _strings,
    "extend-select": _strings,
    "per-file-ignores": _codes_by_pattern,
    "exclude": _strings,
    "extend-exclude": _strings,
    "respect-gitignore": _boolean,
    "fixable": _strings,
    "unfixable": _strings,
    "unsafe-fixes": _boolean,
    "preview": _boolean,
    "confidence": _confidence,
    "fail-level": _severity,
    "output-format": _choice(*FORMATS),
    "cache-dir": _string,
    "baseline": _string,
    "mode-managed-bases": _strings,
    "mc-dropout-names": _strings,
    "rates": _rates,
    "models": _tables,
}

REMOVED_KEYS = ("target-torch", "dropout-modules", "keep-probability-modules")
"""Keys of earlier versions that never had an effect. They are ignored with a warning, whatever their value."""


def read_options(file: Path) -> Options | None:
    """Read the table of a TOML file; None if it has none. Raises ConfigError."""
    try:
        document = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from None
    tools = document.get("tool", {})
    if not isinstance(tools, dict):
        return None
    for misspelt in ("dropout_lint", "dropoutlint"):
        if misspelt in tools:
            raise ConfigError(f"{file}: the table [tool.{misspelt}] must be called {TABLE}")
    if "dropout-lint" not in tools:
        return None
    return _parse_table(tools["dropout-lint"], file)


def _parse_table(table: object, file: Path) -> Options:
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: 'tool.dropout-lint' must be a table, not {described(table)}")
    kept = {key: value for key, value in table.items() if key not in REMOVED_KEYS}
    values = read_table(kept, KEYS, f"{file}: ", TABLE)
    if "models" in values:
        values["models"] = declared_models(values["models"], file)
    return Options(**values, removed_keys=tuple(key for key in table if key in REMOVED_KEYS))
