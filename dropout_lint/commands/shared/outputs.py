"""The reports of a run: one on the terminal, and any number in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from dropout_lint.config.output_formats import FORMATS


@dataclass(frozen=True, slots=True)
class Output:
    """The format of a report, and its file; None for the terminal."""

    format: str
    file: Path | None = None


class OutputType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on only
    """``FORMAT`` or ``FORMAT=FILE``."""

    name = "format"
    _formats = click.Choice(list(FORMATS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """Raises click.BadParameter on an unknown format and on an empty file name."""
        format, equals, file = str(value).partition("=")
        name = self._formats.convert(format, param, ctx)
        if equals and not file:
            self.fail(f"'{value}' names no file.", param, ctx)
        return Output(name, Path(file) if file else None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The formats."""
        return self._formats.shell_complete(ctx, param, incomplete)


def without_file(given: Sequence[Output]) -> str | None:
    """The format without a file. Of several the last wins, so that an alias or a hook can be overridden."""
    formats = [output.format for output in given if output.file is None]
    return formats[-1] if formats else None


def planned(given: Sequence[Output], output_file: Path | None, configured: str) -> tuple[Output, ...]:
    """The reports of a run, the terminal's first. Raises click.UsageError.

    With ``--output-file``, the format without a file goes there, and the terminal shows the configured format.
    """
    unfiled = without_file(given)
    files = [output for output in given if output.file is not None]
    if output_file is not None:
        files.append(Output(unfiled or configured, output_file))
    if len({output.file for output in files}) < len(files):
        raise click.UsageError("Two reports cannot be written to the same file.")
    return (Output(configured if output_file or not unfiled else unfiled), *files)
