"""DRP304: dropout before a batch normalization, which then learns its running statistics from noisy values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.activations import REACHES_NORM, in_wrapper, short_name
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.paths import DROPOUTS, Paths
from dropout_lint.checks.support.rates import passed_rates
from dropout_lint.checks.support.swaps import NUMBERED, swapped
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import BATCH_NORMS

if TYPE_CHECKING:
    from dropout_lint.facts.observations import NormAfterDropout

_EVAL_STD = ((0.1, 0.92), (0.2, 0.86), (0.3, 0.79), (0.5, 0.64), (0.8, 0.38))
"""Standard deviation of the normalized value in eval mode, which should be 1, measured behind a ReLU."""


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts that reach a BatchNorm directly, or through activations that commute, pooling and views."""
    if context.named_intent(graph.scope) or context.facts.is_test:
        return
    paths = Paths(graph)
    for norm in graph.nodes:
        if norm.kind not in BATCH_NORMS or (norm.within is not None and norm.optional):
            continue  # whether a wrapper has one may depend on its arguments
        for dropout in paths.before(norm, REACHES_NORM):
            if dropout.kind not in DROPOUTS or dropout.rate.is_zero or dropout.within is not None:
                continue
            rates = passed_rates(dropout, graph.scope, context)
            if rates == frozenset({0.0}):
                continue
            direct = norm in paths.users(dropout) and len(paths.users(dropout)) == 1
            numbered = dropout.element is not None and dropout.element.form in NUMBERED
            fix = None if numbered or not direct else swapped(dropout, norm, Applicability.UNSAFE)
            yield context.report(
                dropout.span,
                f"`{short_name(norm)}`{in_wrapper(norm)} learns its running variance under this dropout's noise and "
                f"divides by too much in eval mode.{_shift(dropout, rates)}",
                fix=fix,
                beside=[norm],
            )


def _shift(dropout: LayerNode, rates: frozenset[float] | None) -> str:
    """How far the output is off in eval mode, at a rate that is proven."""
    rate = dropout.rate.number
    if rates is not None:
        rate = max(rates) if len(rates) == 1 else None
    std = _eval_std(rate)
    if rate is None or std is None:
        return ""
    at = f"p={rate:g}" if rates is not None or not dropout.rate.default else f"the default p={rate:g}"
    return f" At {at} its output has a standard deviation of about {std:.2f}, not 1."


def _eval_std(rate: float | None) -> float | None:
    return next((std for p, std in _EVAL_STD if rate is not None and abs(p - rate) < 0.01), None)


def check_variance(norm: NormAfterDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a dropout that feeds a batch norm in a run, and how much of the learned variance is left in eval mode."""
    left = f": {norm.ratio:.2f} of it is left" if norm.ratio is not None else ""
    learns = f"{norm.norm_class} `{norm.norm}`, which learns a variance that eval mode does not have"
    yield context.report(norm, f"{norm.class_name} feeds {learns}{left}")
