"""DRP307: element-wise dropout between convolutions, where neighbours repeat the dropped values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import PLAIN, Paths, dropouts
from dropout_lint.checks.support.rates import least_rate
from dropout_lint.checks.support.removal import renamed
from dropout_lint.diagnostic import Diagnostic, Severity, Span
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import ELEMENTWISE
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, POOLS

_CONV = re.compile(r"torch\.nn\.(?:Lazy)?Conv([23])d$")
_PASSES = frozenset(ELEMENTWISE) | BATCH_NORMS
_FULLY_CONNECTED = 6
"""A kernel of at least this size, with next to no padding, covers the map: it is a fully connected layer."""
_WARNING_FROM = 0.3
"""The smallest rate that is a warning."""


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report element-wise dropout between 2-D or 3-D convolutions without residuals; small rates are information."""
    if graph.adds_input or context.named_intent(graph.scope) or context.facts.is_test:
        return
    paths = Paths(graph)
    found = [d for d in dropouts(graph, PLAIN) if not d.rate.gated and _between_convolutions(paths, d)]
    for dropout in found:
        rate = least_rate(dropout, graph.scope, context)
        if not rate:
            continue
        dims = _dims(paths.before(dropout, _PASSES | POOLS)[0])
        names = {"Dropout": f"Dropout{dims}d", "dropout": f"dropout{dims}d"}
        yield context.report(
            dropout.span,
            "Neighbouring elements of a feature map are correlated, so what is dropped here is still there beside it: "
            "between convolutions element-wise dropout is mostly a lower learning rate; "
            f"`nn.Dropout{dims}d` drops maps.",
            severity=Severity.WARNING if rate >= _WARNING_FROM else Severity.INFO,
            fix=renamed(context, dropout, found, names),
            beside=[*paths.before(dropout, _PASSES | POOLS)[:1], *paths.after(dropout, _PASSES | POOLS)[:1]],
        )


def _between_convolutions(paths: Paths, dropout: LayerNode) -> bool:
    """Whether only convolutions come before a dropout, and after it only convolutions, or a pool and the output."""
    producers = paths.before(dropout, _PASSES | POOLS)
    if not producers or not all(_is_spatial(p) and _is_alone_in_block(paths, p, dropout) for p in producers):
        return False
    followers = paths.after(dropout, _PASSES | POOLS)
    if followers:
        return all(
            _is_spatial(f) and _is_alone_in_block(paths, f, dropout) and not _covers_the_map(f) for f in followers
        )
    ends_in_pool = [u for u in paths.users(dropout) if u.kind in POOLS]
    return bool(ends_in_pool) and all(p.padding != 0.0 or not _covers_the_map(p) for p in producers)


def _is_alone_in_block(paths: Paths, node: LayerNode, dropout: LayerNode) -> bool:
    """Whether a convolution is in the dropout's block, or is the only one in its own.

    Dropout between blocks of several convolutions is a different design, which is not reported.
    """
    if _block(node) == _block(dropout):
        return True
    together = [n for n in paths.graph.nodes if _block(n) == _block(node)]
    others = {n.span for n in together if n.kind == "unknown" or "conv" in n.kind.lower()}
    return len(node.wrappers) <= 1 and others == {node.span}


def _block(node: LayerNode) -> Span | str:
    """The block that a layer is in: the call of its wrapper in source, or the path of its parent in a model."""
    return node.within or node.module.rpartition(".")[0]


def _is_spatial(node: LayerNode) -> bool:
    """Whether a node is a 2-D or 3-D convolution whose kernel is larger than 1 on every side."""
    return bool(_CONV.match(node.kind)) and bool(node.kernel) and all(side > 1 for side in node.kernel or ())


def _covers_the_map(node: LayerNode) -> bool:
    return node.padding in {0.0, 1.0} and max(node.kernel or (0,)) >= _FULLY_CONNECTED


def _dims(node: LayerNode) -> str:
    found = _CONV.match(node.kind)
    return found.group(1) if found else ""
