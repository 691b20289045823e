"""DRP315: stochastic depth on the sum instead of on the branch."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.paths import Paths
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import DROP_PATHS, VIEWS


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report drop paths whose input is a residual sum and whose output is not added to anything."""
    paths = Paths(graph)
    for drop in graph.nodes:
        if drop.kind not in DROP_PATHS or drop.rate.is_zero or context.facts.is_test:
            continue
        sums = paths.before(drop, VIEWS)
        if not sums or not all(s.kind == "add" and graph.rejoins(s) for s in sums):
            continue
        if _has_skip_connection(paths, drop):
            continue
        yield context.report(
            drop.span,
            "This drops the sum of the residual connection, so a dropped sample loses everything it had; stochastic "
            "depth drops the branch and keeps the identity.",
            fix=advice("Write `x + drop_path(branch(x))`"),
            beside=sums[:1],
        )


def _has_skip_connection(paths: Paths, drop: LayerNode) -> bool:
    """Whether the dropped value is added to a value not computed from it, or its use is unknown."""
    for user in paths.after(drop, VIEWS | {"scale"}):
        if user.kind in {"mul", "unknown"}:
            return True
        if user.kind == "add" and not all(drop.index in paths.graph.sources(i) for i in user.inputs):
            return True
    return False
