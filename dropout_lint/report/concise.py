"""One line for each finding, in the form that editors and grep parse."""

from __future__ import annotations

from dropout_lint.diagnostic import Diagnostic, hedged, place
from dropout_lint.report.view import (
    Result,
    View,
    fixable_mark,
    is_fixable,
    one_line,
    paint,
    render_summary,
    run_note,
    severity_style,
)


def render(result: Result, view: View) -> str:
    """Lines ``path:line:column: CODE [*] message``, and the summary."""
    color = view.color
    lines = [
        f"{_place(d, color)} {headline(d, color, view.summary.unsafe_fixes)}{bracketed_note(d)}\n"
        for d in result.diagnostics
    ]
    return "".join(lines) + render_summary(result, color, view.summary)


def headline(diagnostic: Diagnostic, color: bool, unsafe_fixes: bool) -> str:
    """``CODE [*] message``; at its end the confidence, unless the finding is proven."""
    code = paint(diagnostic.code, severity_style(diagnostic.severity), color)
    fixable = f"{fixable_mark(color)} " if is_fixable(diagnostic, unsafe_fixes=unsafe_fixes) else ""
    return f"{code} {fixable}{one_line(hedged(diagnostic))}"


def bracketed_note(diagnostic: Diagnostic) -> str:
    """The note of ``run_note`` in brackets, to follow a message on one line."""
    note = run_note(diagnostic)
    return f" ({one_line(note)})" if note else ""


def _place(diagnostic: Diagnostic, color: bool) -> str:
    path = paint(one_line(place(diagnostic)), "bold", color)
    return f"{path}:{diagnostic.span.line}:{diagnostic.span.column}:"
