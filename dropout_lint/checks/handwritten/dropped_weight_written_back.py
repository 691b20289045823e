"""DRP509: a parameter overwritten with a dropped copy of itself."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModelClass


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report each statement that writes the zeros back."""
    for write in model.weight_writes:
        if context.is_module(model.name):
            message = f"The zeros stay in `{write.target}`, so that every step drops from what the last one left."
            yield context.report(write.span, message, fix=advice("Compute with the dropped copy, keep the weight"))
