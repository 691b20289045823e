"""One line for each finding, in the form that editors and grep parse."""

from __future__ import annotations

from dropout_lint.diagnostic import Diagnostic, place
from dropout_lint.report.view import (
    Result,
    View,
    is_fixable,
    mark,
    one_line,
    paint,
    render_summary,
    seen_by,
    severity_style,
)


def render(result: Result, view: View) -> str:
    """Lines ``path:line:column: CODE [*] message``, and the summary."""
    color = view.color
    lines = [
        f"{_place(d, color)} {headline(d, color, view.summary.unsafe_fixes)}{in_brackets(d)}\n"
        for d in result.diagnostics
    ]
    return "".join(lines) + render_summary(result, color, view.summary)


def headline(diagnostic: Diagnostic, color: bool, unsafe_fixes: bool) -> str:
    """``CODE [*] message``."""
    code = paint(diagnostic.code, severity_style(diagnostic.severity), color)
    fixable = f"{mark(color)} " if is_fixable(diagnostic, unsafe_fixes=unsafe_fixes) else ""
    return f"{code} {fixable}{one_line(diagnostic.message)}"


def in_brackets(diagnostic: Diagnostic) -> str:
    """What a run of the model adds to a one-line message, in brackets."""
    seen = seen_by(diagnostic)
    return f" ({one_line(seen)})" if seen else ""


def _place(diagnostic: Diagnostic, color: bool) -> str:
    path = paint(one_line(place(diagnostic)), "bold", color)
    return f"{path}:{diagnostic.span.line}:{diagnostic.span.column}:"
