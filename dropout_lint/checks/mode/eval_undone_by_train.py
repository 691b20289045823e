"""DRP211: ``eval()`` on a part in the constructor, which the first ``train()`` of the whole undoes."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.mode import evidence, of
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import ModeOutline
from dropout_lint.mode.judges.evidence import Evidence
from dropout_lint.rewrites import AddMethod


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report the calls in constructors; the fix adds one override for all parts of the class."""
    for found in evidence(outline, context, context.code):
        yield context.report(
            found.span,
            f"The first `train()` of this Module puts `{found.subject}` back into train mode{of(found)}.",
            fix=_override(found),
            related=found.related,
        )


def _override(found: Evidence) -> Fix:
    """A ``train`` method behind the constructor."""
    otherwise = "Override `train` to call `eval()` on the part again"
    if found.insert is None:
        return advice(otherwise)
    lines = [
        f"def train({found.receiver}, mode: bool = True):",
        "    super().train(mode)",
        *(f"    {found.receiver}.{part}.eval()" for part in found.extra.split(",")),
        f"    return {found.receiver}",
    ]
    return unsafe("Override `train`", AddMethod(found.insert, "\n".join(lines)), otherwise=otherwise)
