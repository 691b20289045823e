"""DRP305: a dropout somewhere before a batch normalization."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.activations import on_line, short_name
from dropout_lint.checks.support.conditions import exclude
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import Paths, dropouts
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import BATCH_NORMS

_RESETS = {f"torch.nn.{name}" for name in ("LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d")}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts from which a BatchNorm can be reached without another normalization in between."""
    if not any(node.kind in BATCH_NORMS for node in graph.nodes):
        return
    paths = Paths(graph)
    for dropout in dropouts(graph):
        norm = _reached(paths, dropout)
        if norm is not None:
            yield context.report(
                dropout.span,
                f"The noise of this dropout reaches `{short_name(norm)}` {on_line(norm)}, whose running variance is "
                "then too large in eval mode.",
                beside=[norm],
            )


def _reached(paths: Paths, dropout: LayerNode) -> LayerNode | None:
    pending, seen = paths.users(dropout), set()
    while pending:
        current = pending.pop(0)
        if current.index in seen or exclude(paths.conditions(dropout), paths.conditions(current)):
            continue
        if current.kind in BATCH_NORMS:
            return current
        if current.kind not in _RESETS:
            seen.add(current.index)
            pending += paths.users(current)
    return None
