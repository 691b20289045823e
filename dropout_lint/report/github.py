"""GitHub Actions: workflow commands, shown as annotations of the changed lines."""

from __future__ import annotations

import os

from dropout_lint.diagnostic import Diagnostic, Severity, file_span, hedged, place, visible
from dropout_lint.report.concise import bracketed_note
from dropout_lint.report.view import Result, View, related_notes

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(result: Result, _view: View) -> str:
    """One workflow command for each finding."""
    return "".join(_command(diagnostic) for diagnostic in result.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = file_span(diagnostic)
    properties = {
        "title": f"dropout-lint ({diagnostic.code})",
        "file": os.path.abspath(diagnostic.path),
        "line": span.line,
        "endLine": span.end_line,
        "col": span.column,
        "endColumn": span.end_column,
    }
    listed = ",".join(
        f"{key}={_escape(str(value)).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    text = (
        f"{place(diagnostic)}:{diagnostic.span.line}:{diagnostic.span.column}: {diagnostic.code} "
        f"{hedged(diagnostic)}{bracketed_note(diagnostic)}"
    )
    text = "\n".join((text, *related_notes(diagnostic)))
    return f"::{_COMMANDS[diagnostic.severity]} {listed}::{_escape(text)}\n"


def _escape(text: str) -> str:
    return visible(text, "\r\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
