"""Rates that a constructor takes as a parameter: what the calls in the project pass."""

from __future__ import annotations

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import LayerNode, Scope


def passed_rates(dropout: LayerNode, scope: Scope, context: Context) -> frozenset[float] | None:
    """The rates that a dropout of a class gets in all calls of the project; None if that is not known.

    Only for a rate that is a parameter of the constructor.
    """
    rate = dropout.rate
    if not rate.default or not scope.class_name or dropout.within is not None:
        return None
    for name in reversed(rate.names):
        given = context.project.calls.given(context.facts, f"{scope.class_name}.__init__", name)
        if given.calls and given.complete:
            if not given.defaults:
                return given.numbers
            return given.numbers | {rate.number} if rate.number is not None else None
    return None


def least_rate(dropout: LayerNode, scope: Scope, context: Context) -> float | None:
    """The rate of a dropout, or the least that a call in the project passes; None if it is not known."""
    passed = passed_rates(dropout, scope, context)
    return min(passed) if passed else dropout.rate.number
