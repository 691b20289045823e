"""One line for each finding, in the form that editors and grep read."""

from __future__ import annotations

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.report import (
    Result,
    Summary,
    is_fixable,
    mark,
    one_line,
    paint,
    place,
    render_summary,
    severity_style,
)


def render(result: Result, color: bool, summary: Summary) -> str:
    """``path:line:column: CODE [*] message`` lines and the summary."""
    lines = [f"{_place(d, color)} {headline(d, color, summary.unsafe_fixes)}\n" for d in result.diagnostics]
    return "".join(lines) + render_summary(result, color, summary)


def headline(diagnostic: Diagnostic, color: bool, unsafe_fixes: bool) -> str:
    """``CODE [*] message``."""
    code = paint(diagnostic.code, severity_style(diagnostic.severity), color)
    fixable = f"{mark(color)} " if is_fixable(diagnostic, unsafe_fixes) else ""
    return f"{code} {fixable}{one_line(diagnostic.message)}"


def _place(diagnostic: Diagnostic, color: bool) -> str:
    path = paint(one_line(place(diagnostic)), "bold", color)
    return f"{path}:{diagnostic.span.line}:{diagnostic.span.column}:"
