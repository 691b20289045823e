"""Findings grouped by file."""

from __future__ import annotations

from itertools import groupby

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.report.concise import headline
from dropout_lint.report.view import Result, View, one_line, paint, render_summary


def render(result: Result, view: View) -> str:
    """For each file ``path:`` and indented lines ``line:column  CODE [*] message``; then the summary."""
    blocks = []
    for path, group in groupby(result.diagnostics, key=lambda d: d.path):
        found = [(_where(d), d) for d in group]
        width = max(len(place) for place, _ in found)
        lines = [
            f"  {place.ljust(width)}  {headline(d, view.color, view.summary.unsafe_fixes)}\n" for place, d in found
        ]
        blocks.append(f"{paint(one_line(path), 'bold', view.color)}:\n{''.join(lines)}\n")
    return "".join(blocks) + render_summary(result, view.color, view.summary)


def _where(diagnostic: Diagnostic) -> str:
    cell = "" if diagnostic.cell is None else f"cell {diagnostic.cell}:"
    return f"{cell}{diagnostic.span.line}:{diagnostic.span.column}"
