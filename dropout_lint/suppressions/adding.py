"""Adds suppression comments to a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.suppressions.directives import Directive, directives
from dropout_lint.syntax.comments import read_layout
from dropout_lint.syntax.positions import Lines

_NOT_SUPPRESSED = {"DRP001", "DRP002", "DRP004"}


def add_suppressions(text: str, diagnostics: Sequence[Diagnostic], style: Literal["native", "noqa"]) -> str:
    """Add a comment to the line of each finding, or its code to an existing comment. Idempotent.

    If the line ends inside a string or with a backslash, the comment goes to the last line of the statement. Findings
    about the whole file get none, and a text that Python cannot tokenize is not changed. Raises ValueError for
    findings outside of the text.
    """
    layout = read_layout(text)
    if not layout.complete:
        return text
    wanted: dict[int, set[str]] = {}
    for diagnostic in diagnostics:
        if diagnostic.code not in _NOT_SUPPRESSED:
            wanted.setdefault(layout.comment_row(diagnostic.span.line), set()).add(diagnostic.code)
    index = Lines(text)
    comments = {comment.line: comment for comment in layout.comments}
    kind = "ignore" if style == "native" else "noqa"
    for row in sorted(wanted, reverse=True):
        comment = comments.get(row)
        found = [d for d in directives(comment, layout) if d.kind == kind] if comment else []
        codes = sorted(code for code in wanted[row] if not any(_covers(d, code) for d in found))
        if not codes:
            continue
        listing = [d for d in found if not d.blanket and not d.problem]
        start = index.offset(row, 1)
        if listing and comment:
            at = start + comment.column - 1 + _list_end(listing[0])
            text = f"{text[:at]}, {', '.join(codes)}{text[at:]}"
            continue
        line = index.line_text(row)
        note = f"# dropout-lint: ignore[{', '.join(codes)}]" if style == "native" else f"# noqa: {', '.join(codes)}"
        new = f"{line.rstrip()}  {note}" if line.strip() else note
        text = text[:start] + new + text[start + len(line) :]
    return text


def _covers(directive: Directive, code: str) -> bool:
    return directive.blanket or (not directive.problem and any(item.covers(code) for item in directive.items))


def _list_end(directive: Directive) -> int:
    if directive.kind == "noqa":
        return directive.end
    return directive.start + len(directive.comment.text[directive.start : directive.end - 1].rstrip())
