"""DRP206: an evaluation of a model that is in train mode on every path that leads there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.mode import evidence, inserted, of
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline
from dropout_lint.mode.judges.evaluations import UNDONE

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvaluatedInTrainMode


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
            fix=inserted(context, found.insert, found.receiver, "eval()", "Call `eval()` before evaluating"),
            related=found.related,
        )


def check_forwards(seen: EvaluatedInTrainMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report an evaluation that a watched run showed."""
    yield context.report(seen, "The model is evaluated, one input after another without gradients, in train mode")
