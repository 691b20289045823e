"""DRP311: alpha dropout behind an activation that is not SELU."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._paths import ALPHA, Paths, dropouts
from dropout_lint.checks.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import ACTIVATIONS, VIEWS


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report alpha dropouts whose input is the output of a named activation other than SELU."""
    paths = Paths(graph)
    for dropout in dropouts(graph, ALPHA):
        producers = paths.before(dropout, VIEWS)
        wrong = [p for p in producers if p.kind in ACTIVATIONS and not p.kind.lower().endswith("selu")]
        if not producers or len(wrong) != len(producers) or dropout.optional or context.facts.is_test:
            continue
        name = wrong[0].kind.rpartition(".")[2]
        yield context.report(
            dropout.span,
            f"Alpha dropout sets dropped values to SELU's saturation value, about -1.76; behind `{name}` that shifts the "
            "mean and raises the variance.",
            fix=_fix(context, dropout),
        )


def _fix(context: Context, dropout: LayerNode) -> Fix | None:
    if dropout.constructor is None:
        return None
    callee, bracket, rest = context.slice(dropout.constructor).partition("(")
    plain = callee.replace("FeatureAlphaDropout", "Dropout").replace("AlphaDropout", "Dropout")
    if plain == callee:
        return None
    return unsafe(f"Use `{plain}`, or SELU before it", Edit(dropout.constructor, f"{plain}{bracket}{rest}"))
