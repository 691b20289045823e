"""SARIF 2.1.0, which GitHub code scanning and many editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. Columns count characters, as everywhere in this
tool, and the document says so (``columnKind``). A fix is whole: the imports that it needs are among its replacements.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dropout_lint import __version__, rulebook
from dropout_lint.baselines.fingerprints import Numbered, number
from dropout_lint.diagnostic import (
    Confidence,
    Diagnostic,
    Edit,
    Failure,
    Related,
    Severity,
    Span,
    file_span,
    located,
    relative_posix,
)
from dropout_lint.fixing.edits import edits_with_imports
from dropout_lint.fixing.fixer import is_sound
from dropout_lint.report.view import Result, View

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_RANKS = {Confidence.PROVEN: 100.0, Confidence.LIKELY: 50.0, Confidence.POSSIBLE: 10.0}
_FOLLOWS_RUNS = "DRP2"
"""The rules whose related places are the steps of a run."""
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(result: Result, view: View) -> str:
    """A log with one run. Paths are relative to the working directory, which is in ``originalUriBaseIds``."""
    here = Path.cwd()
    named = {d.code for d in result.diagnostics} | {f.code for f in result.failures}
    codes = sorted(named & rulebook.rules().keys())
    run = {
        "tool": {
            "driver": {
                "name": "dropout-lint",
                "informationUri": "https://github.com/dropout-lint/dropout-lint",
                "version": __version__,
                "rules": [_rule(rulebook.rules()[code]) for code in codes],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not result.failures,
                "toolExecutionNotifications": [_notification(failure, here, codes) for failure in result.failures],
            }
        ],
        "originalUriBaseIds": {_ROOT: {"uri": here.as_uri().removesuffix("/") + "/"}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": [_result(item, view, here, codes) for item in number(result.diagnostics, view.sources)],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: rulebook.Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.text, "markdown": rule.text},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["pytorch", "dropout"], "problem.severity": _github_severity(rule.severity)},
    }


def _github_severity(severity: Severity) -> str:
    """The value of GitHub's ``problem.severity``."""
    return "recommendation" if severity is Severity.INFO else str(severity)


def _result(numbered: Numbered, view: View, here: Path, codes: Sequence[str]) -> dict[str, Any]:
    diagnostic = numbered.diagnostic
    found = {
        "ruleId": diagnostic.code,
        **({"ruleIndex": codes.index(diagnostic.code)} if diagnostic.code in codes else {}),
        "level": _LEVELS[diagnostic.severity],
        "rank": _RANKS[diagnostic.confidence],
        "properties": {"confidence": diagnostic.confidence.value},
        "message": {"text": _message(diagnostic)},
        "locations": [_location(diagnostic, here)],
        "partialFingerprints": {"dropoutLint/v1": numbered.digest(relative_posix(diagnostic.path, here))},
    }
    if diagnostic.related:
        related = [{**_location(one, here), "message": {"text": located(one)}} for one in diagnostic.related]
        found["relatedLocations"] = [{"id": at, **place} for at, place in enumerate(related, 1)]
        if len(related) > 1 and diagnostic.code.startswith(_FOLLOWS_RUNS):
            found["codeFlows"] = [{"threadFlows": [{"locations": [{"location": place} for place in related]}]}]
    if fix := _fix(diagnostic, view, here):
        found["fixes"] = [fix]
    return found


def _message(diagnostic: Diagnostic) -> str:
    message = located(diagnostic)
    return f"{message}\nHelp: {diagnostic.fix.message}" if diagnostic.fix else message


def _fix(diagnostic: Diagnostic, view: View, here: Path) -> dict[str, Any] | None:
    if diagnostic.cell is not None:  # its lines are not those of the file
        return None
    text = view.sources(diagnostic.path)
    if diagnostic.fix is None or text is None or not is_sound(text, diagnostic):
        return None
    edits = edits_with_imports(text, diagnostic.fix)
    change = {"artifactLocation": _artifact(diagnostic.path, here), "replacements": [_replacement(e) for e in edits]}
    return {
        "description": {"text": diagnostic.fix.message},
        "artifactChanges": [change],
        "properties": {"applicability": str(diagnostic.fix.applicability)},
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}


def _notification(failure: Failure, here: Path, codes: Sequence[str]) -> dict[str, Any]:
    rule = {"associatedRule": {"id": failure.code}} if failure.code in codes else {}
    location = {"physicalLocation": {"artifactLocation": _artifact(failure.path, here)}}
    return {"level": "error", "message": {"text": failure.reason}, "locations": [location], **rule}


def _location(found: Diagnostic | Related, here: Path) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(found.path, here), "region": _region(file_span(found))}}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _artifact(path: str, here: Path) -> dict[str, str]:
    relative = relative_posix(path, here)
    if relative.startswith("../") or Path(relative).is_absolute():
        return {"uri": Path(path).absolute().as_uri()}
    return {"uri": quote(relative, errors="surrogateescape"), "uriBaseId": _ROOT}
