"""Renders the result of a run in an output format. Each format is a module with ``render``."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from dropout_lint.config.output_formats import FORMATS
from dropout_lint.report.view import Result, Sources, Summary, View


class _Format(Protocol):
    def render(self, result: Result, view: View) -> str: ...


def render(
    result: Result, format: str, *, sources: Sources, color: bool, summary: Summary, columns: int | None = None
) -> str:
    """Render a run; the text ends in a newline unless it is empty. Raises ValueError on an unknown format.

    The formats for people only count failures; ``render_failures`` lists them for stderr.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown output format '{format}': choose from {', '.join(FORMATS)}")
    view = View(sources, color, summary, columns)
    if summary.statistics and format in ("full", "concise", "grouped", "json"):
        from dropout_lint.report import statistics

        return statistics.render_json(result, view) if format == "json" else statistics.render(result, view)
    module: _Format = import_module(f"dropout_lint.report.{FORMATS[format]}")
    return module.render(result, view)
