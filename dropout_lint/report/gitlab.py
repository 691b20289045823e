"""GitLab: a Code Quality report, shown in merge requests.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dropout_lint.baselines.fingerprints import number
from dropout_lint.diagnostic import Diagnostic, Related, Severity, file_span, located, relative_posix
from dropout_lint.report.view import Result, View

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def render(result: Result, view: View) -> str:
    """A JSON list. Paths are relative to GitLab's project folder, or to the working directory."""
    project = Path(os.environ.get("CI_PROJECT_DIR") or Path.cwd())
    entries = []
    for numbered in number(result.diagnostics, view.sources):
        diagnostic = numbered.diagnostic
        others = [_location(related, project) for related in diagnostic.related]
        entries.append(
            {
                "description": f"{diagnostic.code}: {located(diagnostic)}",
                "check_name": diagnostic.code,
                "fingerprint": numbered.digest(relative_posix(diagnostic.path, project)),
                "severity": _SEVERITIES[diagnostic.severity],
                "location": _location(diagnostic, project),
                **({"other_locations": others} if others else {}),
            }
        )
    return json.dumps(entries, indent=2) + "\n"


def _location(found: Diagnostic | Related, project: Path) -> dict[str, Any]:
    span = file_span(found)
    return {"path": relative_posix(found.path, project), "lines": {"begin": span.line, "end": span.end_line}}
