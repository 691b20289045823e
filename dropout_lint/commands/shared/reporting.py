"""Writes the reports of a run, and compares its findings with the fail level.

``check``, ``trace`` and ``validate`` call it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropout_lint.commands.shared.linted import Linted
from dropout_lint.commands.shared.messages import columns, use_color, write_report
from dropout_lint.commands.shared.options import SharedOptions
from dropout_lint.commands.shared.outputs import Output
from dropout_lint.config.resolver import Settings

if TYPE_CHECKING:
    from dropout_lint.linting.stages import LintResult


def report(options: SharedOptions, settings: Settings, linted: Linted, outputs: Sequence[Output]) -> None:
    """Print the findings, and write them to the requested files. Raises CannotWriteError."""
    from dropout_lint.report import render
    from dropout_lint.report.cells import by_cells
    from dropout_lint.report.view import Summary

    summary = Summary(
        fixed=linted.fixed,
        statistics=options.statistics,
        quiet=options.quiet,
        unsafe_fixes=settings.unsafe_fixes,
        left_out=linted.left_out,
        not_checked=linted.not_checked,
    )
    sources = linted.sources()
    result = replace(linted.result, diagnostics=by_cells(linted.result.diagnostics, sources))
    for output in outputs:
        color = output.file is None and use_color(options.color)
        width = columns() if output.file is None else None
        text = render(result, output.format, sources=sources, color=color, summary=summary, columns=width)
        if linted.stdout_taken and output.file is None:
            click.echo(text, err=True, color=color)
        else:
            write_report(text, output.file, color=color)


def reaches_fail_level(result: LintResult, settings_for: Callable[[Path], Settings]) -> bool:
    """True if a finding is at or above the fail level of its file."""
    return any(item.severity.rank >= settings_for(Path(item.path)).fail_level.rank for item in result.diagnostics)
