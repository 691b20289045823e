"""DRP207: ``train()`` in a function that evaluates."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.mode import evidence, of
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report ``train()`` where a forward for evaluation follows."""
    for found in evidence(outline, context, context.code):
        yield context.report(
            found.span,
            f"`{found.subject}` is put into train mode for an evaluation{of(found)}.",
            fix=advice("Call `eval()` here, and `train()` before the training that follows"),
            related=found.related,
        )
