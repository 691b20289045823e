"""DRP312: two dropouts of one kind on one value."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.activations import on_line
from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.paths import DROPOUTS, Paths, dropouts
from dropout_lint.checks.support.removal import removal
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import PASSING
from dropout_lint.torch_api.layer_groups import VIEWS

_PASSES = VIEWS | PASSING


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report the second of two dropouts that always run, with only views and ReLU between them."""
    if context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph, DROPOUTS):
        if dropout.optional or dropout.guarded:
            continue
        before = paths.before(dropout, _PASSES)
        if any(node.kind not in DROPOUTS for node in before):
            continue  # what stands between them may be chosen to compute something
        for first in before:
            if _family(first) != _family(dropout) or first.optional or first.guarded or first.rate.is_zero:
                continue
            if first.constructor == dropout.constructor and first.span == dropout.span:
                continue  # the same call in the next turn of a loop
            if first.within is not None and not first.rate.number:
                continue  # a wrapper's dropout is often switched off by its rate
            rates = (first.rate.number, dropout.rate.number)
            kept = ""
            if rates[0] and rates[1]:
                kept = f" Together they drop {1 - (1 - rates[0]) * (1 - rates[1]):.2g} of the values."
            yield context.report(
                dropout.span,
                f"This value was dropped {on_line(first)} already, with nothing computed in between.{kept}",
                fix=removal(context, first, "Keep the second") if first.within is None else advice("Keep one of them"),
                beside=[first],
            )


def _family(node: LayerNode) -> str:
    return node.kind.rpartition(".")[2].lower().replace("_", "") if node.kind in DROPOUTS else node.kind
