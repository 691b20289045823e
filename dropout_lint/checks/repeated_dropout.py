"""DRP312: two dropouts of one kind on one value."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._paths import DROPOUTS, Paths, dropouts
from dropout_lint.checks.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import ACTIVATIONS, VIEWS

_PASSES = VIEWS | {name for name, verdict in ACTIVATIONS.items() if verdict in {"exact", "ulp"}}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report the second of two dropouts with only views and ReLU between; both must always run."""
    if context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph, DROPOUTS):
        if dropout.optional or dropout.guarded:
            continue
        for first in paths.before(dropout, _PASSES):
            if _family(first) != _family(dropout) or first.optional or first.guarded or first.rate.is_zero:
                continue
            if first.constructor == dropout.constructor and first.span == dropout.span:
                continue  # the same call in the next turn of a loop
            rates = (first.rate.number, dropout.rate.number)
            kept = ""
            if rates[0] is not None and rates[1] is not None:
                kept = f" Together they drop {1 - (1 - rates[0]) * (1 - rates[1]):.2g} of the values."
            yield context.report(
                dropout.span,
                f"This value was dropped on line {first.span.line} already, with nothing computed in between.{kept}",
                fix=_fix(context, first),
            )


def _family(node: LayerNode) -> str:
    return node.kind.rpartition(".")[2].lower().replace("_", "") if node.kind in DROPOUTS else node.kind


def _fix(context: Context, first: LayerNode) -> Fix | None:
    """Takes out the earlier one; the later one stays where it is."""
    if first.element is not None and first.constructor is not None:
        namespace = context.slice(first.constructor).partition("(")[0].rpartition(".")[0]
        if namespace:
            return unsafe("Keep the second", Edit(first.constructor, f"{namespace}.Identity()"))
    if first.call is not None and first.element is None and "\n" not in context.slice(first.call.span):
        return unsafe("Keep the second", Edit(first.call.span, first.call.first))
    return None
