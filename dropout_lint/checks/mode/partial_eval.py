"""DRP208: an evaluation that sets one model to eval and runs another one in train mode."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.mode import evidence, of
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report forwards of the model that was left out."""
    for found in evidence(outline, context, context.code):
        name = f"`{found.subject}`" if found.subject else "this model"
        yield context.report(
            found.span,
            f"{name} is still in train mode here; only another model of this evaluation was set to eval{of(found)}.",
            fix=advice(f"Call `eval()` on {name} too"),
            related=found.related,
        )
