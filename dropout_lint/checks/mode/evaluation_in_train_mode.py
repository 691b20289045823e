"""DRP206: an evaluation of a model that is in train mode on every path that leads there."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.mode import evidence, inserted, of
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline
from dropout_lint.mode.judges.evaluations import UNDONE


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report forwards; a ``train()`` in the evaluation itself is DRP207."""
    for found in evidence(outline, context, context.code):
        name = f"`{found.subject}`" if found.subject else "the model"
        where = f"in `{found.extra}`" if found.extra else "without gradients"
        undone = any(related.message == UNDONE for related in found.related)
        why = "a `train()` undoes the `eval()`" if undone else "no path calls `eval()`"
        yield context.report(
            found.span,
            f"{name} is evaluated {where} while it is in train mode: {why}{of(found)}.",
            fix=inserted(found.insert, found.receiver, "eval()", "Call `eval()` before evaluating"),
            related=found.related,
        )
