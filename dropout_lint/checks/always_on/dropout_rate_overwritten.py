"""DRP109: a rate set to another value while the model computes, and not set back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModelClass

if TYPE_CHECKING:
    from dropout_lint.facts.observations import RateChanged


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report rates overwritten in forward with zero, or under a test of the mode, without a second assignment."""
    for write in model.rate_writes:
        if write.restored or write.scope.constructs or not context.is_module(model.name):
            continue
        if write.scope.method in {"train", "eval"} or not (write.under_mode_test or write.in_forward_branch):
            continue
        yield context.report(
            write.span,
            f"`{write.target}` keeps this value: after one forward in this mode, the rate is gone for training too.",
            fix=advice("Compute the rate in a local variable, such as `p = self.p if self.training else 0.0`"),
        )


def check_change(rate: RateChanged, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a rate that an eval forward pass changed, so that later training has another one."""
    change = f"from {rate.before:g} to {rate.after:g}"
    text = f"An eval forward pass changes the rate `{rate.attribute}` {change}, and training keeps it"
    yield context.report(rate, text)
