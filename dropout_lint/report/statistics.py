"""The number of findings of each rule, highest first."""

from __future__ import annotations

import json
from collections import Counter

from dropout_lint import rulebook
from dropout_lint.report.view import Result, Summary, View, fixable_mark, is_fixable, paint, render_summary


def render(result: Result, view: View) -> str:
    """A line for each rule: count, code, ``[*]`` if all findings are fixable, name; then the summary."""
    rows, color = _rows(result, view.summary), view.color
    width = max((len(str(count)) for _, count, _ in rows), default=0)
    lines = []
    for code, count, fixable in rows:
        mark = (
            (fixable_mark(color) if fixable == count else "[-]" if fixable else "[ ]")
            if any(r[2] for r in rows)
            else ""
        )
        rule = rulebook.rules().get(code)
        parts = [
            paint(str(count).rjust(width), "bold", color),
            paint(code, "red", color),
            mark,
            rule.name if rule else "",
        ]
        lines.append("  ".join(filter(None, parts)) + "\n")
    return "".join(lines) + render_summary(result, color, view.summary)


def render_json(result: Result, view: View) -> str:
    """The same as a JSON list."""
    rules = rulebook.rules()
    entries = [
        {"code": code, "name": rules[code].name if code in rules else None, "count": count, "fixable_count": fixable}
        for code, count, fixable in _rows(result, view.summary)
    ]
    return json.dumps(entries, indent=2) + "\n"


def _rows(result: Result, summary: Summary) -> list[tuple[str, int, int]]:
    counts = Counter(d.code for d in result.diagnostics)
    fixable = Counter(d.code for d in result.diagnostics if is_fixable(d, unsafe_fixes=summary.unsafe_fixes))
    return sorted(((code, n, fixable[code]) for code, n in counts.items()), key=lambda row: (-row[1], row[0]))
