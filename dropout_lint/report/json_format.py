"""A JSON list with the keys of ruff's JSON, and a few more."""

from __future__ import annotations

import json
import os
from typing import Any

from dropout_lint import rulebook
from dropout_lint.diagnostic import Diagnostic, Fix, Span, place
from dropout_lint.report.view import Result, View
from dropout_lint.syntax.comments import Layout, read_layout


def render(result: Result, view: View) -> str:
    """A JSON list; ``[]`` when nothing was found."""
    layouts: dict[str, Layout | None] = {}
    entries = []
    for diagnostic in result.diagnostics:
        where = place(diagnostic)
        if where not in layouts:
            text = view.sources(where)
            layouts[where] = None if text is None else read_layout(text)
        entries.append(_entry(diagnostic, layouts[where]))
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _entry(diagnostic: Diagnostic, layout: Layout | None) -> dict[str, Any]:
    rule = rulebook.rules().get(diagnostic.code)
    start, end = _locations(diagnostic.span)
    return {
        "cell": diagnostic.cell,
        "code": diagnostic.code,
        "name": rule.name if rule else None,
        "severity": diagnostic.severity.value,
        "confidence": diagnostic.confidence.value,
        "message": diagnostic.message,
        "filename": os.path.abspath(diagnostic.path),
        "location": start,
        "end_location": end,
        "fix": _fix(diagnostic.fix) if diagnostic.fix else None,
        "noqa_row": layout.comment_row(diagnostic.span.line) if layout else diagnostic.span.line,
        "url": rule.url if rule else None,
        "engines": list(diagnostic.engines),
        "modules": list(diagnostic.modules),
        "verdict": diagnostic.verdict or None,
        "evidence": diagnostic.evidence or None,
        "related": [
            {
                "cell": related.cell,
                "filename": os.path.abspath(related.path),
                "location": _locations(related.span)[0],
                "end_location": _locations(related.span)[1],
                "message": related.message,
            }
            for related in diagnostic.related
        ],
    }


def _locations(span: Span) -> tuple[dict[str, int], dict[str, int]]:
    return {"row": span.line, "column": span.column}, {"row": span.end_line, "column": span.end_column}


def _fix(fix: Fix) -> dict[str, Any]:
    edits = []
    for edit in fix.edits:
        start, end = _locations(edit.span)
        edits.append({"content": edit.replacement, "location": start, "end_location": end})
    return {
        "applicability": fix.applicability.value,
        "message": fix.message,
        "edits": edits,
        "imports": list(fix.imports),
    }
