"""DRP214: Monte Carlo dropout by ``train()`` on a model with batch norm."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.mode import intended, linked
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report the ``train()`` before the samples, where the name or the repetition says that they are samples."""
    for found in linked(outline, context, context.code):
        if found.extra or intended(found, context):
            name = f"`{found.subject}`" if found.subject else "the model"
            yield context.report(
                found.span,
                f"This puts the `{found.detail}` of {name} into train mode too: samples depend on their batch, and each"
                " pass moves the running averages.",
                fix=advice("Call `eval()`, and then `train()` on the dropout layers alone"),
                related=found.related,
            )
