"""DRP211: ``eval()`` on a part in the constructor, which the first ``train()`` of the whole undoes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice, insertion, unsafe
from dropout_lint.checks.support.mode import evidence, of
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import ModeOutline
from dropout_lint.mode.judges.evidence import Evidence

if TYPE_CHECKING:
    from dropout_lint.facts.observations import FrozenPartWoken

_CONSTRUCTOR = re.compile(r"([ \t]*)def __init__\b")


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report the calls in constructors; the fix adds one override for all parts of the class."""
    for found in evidence(outline, context, context.code):
        yield context.report(
            found.span,
            f"The first `train()` of this Module puts `{found.subject}` back into train mode{of(found)}.",
            fix=_override(found, context),
            related=found.related,
        )


def _override(found: Evidence, context: Context) -> Fix | None:
    """A ``train`` method behind the constructor."""
    otherwise = advice("Override `train` to call `eval()` on the part again")
    last = found.insert
    if last is None:
        return otherwise
    heads = (_CONSTRUCTOR.match(context.line(number)) for number in range(last.line - 1, 0, -1))
    head = next((found for found in heads if found), None)
    body = context.line(last.line)[: last.column - 1]
    if head is None or body.strip():
        return otherwise
    lines = [
        f"{head.group(1)}def train({found.receiver}, mode: bool = True):",
        f"{body}super().train(mode)",
        *(f"{body}{found.receiver}.{part}.eval()" for part in found.extra.split(",")),
        f"{body}return {found.receiver}",
    ]
    end = len(context.line(last.end_line).rstrip("\r\n")) + 1
    return unsafe("Override `train`", insertion(last.end_line, end, "\n\n" + "\n".join(lines)))


def check_part(part: FrozenPartWoken, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a frozen part that ``train()`` of the model put in train mode."""
    if part.while_watched:
        text = "This part of a frozen network was in eval mode, and `train()` of the model has undone that"
    else:
        text = "This frozen part was built in eval mode, and `train()` of the model undoes that"
    yield context.report(part, text)
