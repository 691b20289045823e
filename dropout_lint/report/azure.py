"""Azure Pipelines: logging commands, shown as errors and warnings of the build.

https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""

from __future__ import annotations

from dropout_lint.diagnostic import Diagnostic, Severity, file_span, located, visible
from dropout_lint.report.view import Result, View, one_line

_ESCAPES = {"%": "%AZP25", ";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D"}


def render(result: Result, _view: View) -> str:
    """One logging command for each finding. Azure has errors and warnings only."""
    return "".join(_command(diagnostic) for diagnostic in result.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = file_span(diagnostic)
    properties = {
        "type": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "sourcepath": diagnostic.path,
        "linenumber": span.line,
        "columnnumber": span.column,
        "code": diagnostic.code,
    }
    listed = "".join(f"{key}={_escape(str(value))};" for key, value in properties.items())
    return f"##vso[task.logissue {listed}]{_escape(one_line(located(diagnostic)))}\n"


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in visible(text, "\r\n"))
