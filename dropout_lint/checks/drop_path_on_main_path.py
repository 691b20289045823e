"""DRP315: stochastic depth on the sum instead of on the branch."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._paths import Paths
from dropout_lint.checks.context import Context, advice
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import DROP_PATHS, VIEWS


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report drop paths whose input is a residual sum and whose output is not added to anything."""
    paths = Paths(graph)
    for drop in graph.nodes:
        if drop.kind not in DROP_PATHS or drop.rate.is_zero or context.facts.is_test:
            continue
        sums = paths.before(drop, VIEWS)
        if not sums or not all(_is_residual(graph, s) for s in sums):
            continue
        if any(u.kind in {"add", "mul", "unknown"} for u in paths.after(drop, VIEWS | {"scale"})):
            continue
        yield context.report(
            drop.span,
            "This drops the sum of the residual connection, so a dropped sample loses everything it had; stochastic depth "
            "drops the branch and keeps the identity.",
            fix=advice("Write `x + drop_path(branch(x))`"),
        )


def _is_residual(graph: LayerGraph, node: LayerNode) -> bool:
    """An addition of which one operand was computed from another."""
    if node.kind != "add":
        return False
    for operand in node.inputs:
        seen: set[int] = set()
        pending = [operand]
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending += graph.nodes[current].inputs
        if any(other in seen for other in node.inputs if other != operand):
            return True
    return False
