"""DRP205: a loop that evaluates with ``eval()`` and goes on training without ``train()``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.mode import evidence, inserted, of
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline

if TYPE_CHECKING:
    from dropout_lint.facts.observations import TrainedInEvalMode


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report the call that leaves the model in eval mode for the next turn of a training loop."""
    for found in evidence(outline, context, context.code):
        name = f"`{found.subject}`" if found.subject else "the model"
        yield context.report(
            found.span,
            f"This leaves {name} in eval mode, and nothing in the loop calls `train()` before it trains on{of(found)}.",
            fix=inserted(
                context, found.insert, found.receiver, "train()", "Call `train()` at the start of each turn of the loop"
            ),
            related=found.related,
        )


def check_step(seen: TrainedInEvalMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report an optimizer step on a model in eval mode that was trained in train mode before."""
    yield context.report(seen, "The model was trained, then put in eval mode, and is trained on in it")
