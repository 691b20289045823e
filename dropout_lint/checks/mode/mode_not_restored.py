"""DRP290: modules run or come back in a mode that nobody set; only a run shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic

if TYPE_CHECKING:
    from dropout_lint.facts.observations import LeftInTrainMode, ModesMixed, ModesNotRestored


def check_modules(left: LeftInTrainMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report modules that ``eval()`` left in train mode although no class around them overrides it."""
    if not left.overridden:
        text = f"`eval()` leaves modules in train mode that drop or normalise by batch, below {left.owner}"
        yield context.report(left, text)


def check_mixed(mixed: ModesMixed, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a module that ran in another mode than the model."""
    here, there = ("train", "eval") if mixed.model_trains else ("eval", "train")
    text = f"The model is in {here} mode, and {mixed.class_name} below it in {there} mode"
    yield context.report(mixed, text)


def check_restored(changed: ModesNotRestored, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report modules that a block of code left in another mode than it found them in."""
    first, *others = changed.modules
    what = f"`{first}`" if first else f"the {changed.model_class}"
    more = f" and {len(others)} more modules" if others else ""
    yield context.report(changed, f"{what}{more} came back in {'train' if changed.trains else 'eval'} mode")
