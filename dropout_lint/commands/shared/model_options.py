"""The options of commands that run models: models, inputs and limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from dropout_lint.commands.shared.options import SharedOptions, shared_options, with_options

_SIZE = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>[KMGT]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions(SharedOptions):
    """The options of ``trace`` and ``validate``. ``memory`` is in bytes, ``timeout`` in seconds."""

    targets: tuple[str, ...]
    kwargs: str | None
    inputs: tuple[str, ...]
    discover: bool
    timeout: float | None
    memory: int | None


def _bytes(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    match = _SIZE.fullmatch(text.strip())
    if match is None or not float(match["number"]):
        raise click.BadParameter(f"'{text}' is not a size such as 4GB or 500MB.")
    return int(float(match["number"]) * _UNITS[match["unit"].upper()])


_OPTIONS = (
    click.argument("targets", nargs=-1, metavar="[TARGET]..."),
    click.option("--kwargs", metavar="JSON", help="Arguments of the class or function, such as '{\"dim\": 64}'."),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="SHAPE",
        help="An input of forward, such as '2,3,224,224', 'i64:2,16<1000' or 'mask=bool:2,16'; once for each.",
    ),
    click.option("--discover", is_flag=True, help="Import this folder's files, and try all modules without arguments."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="How long each model may take; the default is 60.",
    ),
    click.option(
        "--memory",
        metavar="SIZE",
        callback=_bytes,
        help="How much memory each model may take, such as 4GB; the default is three quarters of the machine's.",
    ),
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function with the arguments and options of ModelOptions."""
    return with_options(_OPTIONS)(shared_options(command))
