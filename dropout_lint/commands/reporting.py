"""Printing what a run found, and whether that makes it fail; the same for every command that finds something."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropout_lint.commands.linted import Linted
from dropout_lint.commands.messages import use_color, write_report
from dropout_lint.commands.options import SharedOptions
from dropout_lint.config import Settings

if TYPE_CHECKING:
    from dropout_lint.linter import LintResult


def report(options: SharedOptions, settings: Settings, linted: Linted) -> None:
    """Print the findings in the output format asked for, or write them to a file. Raises CannotWriteError."""
    from dropout_lint.report import Summary, render
    from dropout_lint.source.text import UnreadableSource, read_source

    @lru_cache(maxsize=1)
    def source_of(name: str) -> str | None:
        if name in linted.texts:
            return linted.texts[name]
        try:
            return read_source(Path(name)).text
        except UnreadableSource:
            return None

    summary = Summary(
        fixed=linted.fixed,
        statistics=options.statistics,
        quiet=options.quiet,
        checked=linted.result.checked,
        unsafe_fixes=settings.unsafe_fixes,
    )
    color = options.output_file is None and use_color(options.color)
    text = render(linted.result, settings.output_format, sources=source_of, color=color, summary=summary)
    if linted.stdout_taken and options.output_file is None:
        click.echo(text, err=True, color=color)
    else:
        write_report(text, options.output_file, color=color)


def reaches_fail_level(result: LintResult, settings_for: Callable[[Path], Settings]) -> bool:
    """Whether a finding is at or above the fail level of its file."""
    return any(item.severity.rank >= settings_for(Path(item.path)).fail_level.rank for item in result.diagnostics)
