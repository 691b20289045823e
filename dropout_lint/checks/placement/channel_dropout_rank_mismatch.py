"""DRP308: Dropout1d, 2d or 3d on a tensor of another rank."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import Paths, dropouts
from dropout_lint.checks.support.removal import renamed
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import COMMUTES

_DIMS = {
    **{f"torch.nn.Dropout{n}d": n for n in (1, 2, 3)},
    **{f"torch.nn.functional.dropout{n}d": n for n in (1, 2, 3)},
}
_EFFECTS = {
    (1, 2): "zeroes whole samples",
    (2, 2): "drops single elements, with a warning",
    (3, 2): "zeroes whole samples, with a warning",
    (3, 4): "zeroes whole samples",
    (1, 4): "raises",
    (1, 5): "raises",
    (3, 3): "zeroes whole samples, with a warning",
}
"""What a channel dropout does to an input of a wrong rank, measured; pairs not listed are right or harmless."""
_RIGHT = {2: "Dropout", 3: "Dropout1d", 4: "Dropout2d", 5: "Dropout3d"}
_KEEPS_RANK = frozenset(COMMUTES) | {"torch.nn.BatchNorm1d"}
_MOVES_AXES = {".permute", ".transpose", "torch.permute", "torch.transpose", "einops.rearrange"}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report channel dropouts whose input has a proven rank that they are not made for."""
    paths = Paths(graph)
    found: dict[LayerNode, int] = {}
    for dropout in dropouts(graph, _DIMS):
        rank = _rank(graph, paths, dropout)
        moved = any(p.kind in _MOVES_AXES for p in _inputs(graph, dropout))
        if rank is not None and not moved and (_DIMS[dropout.kind], rank) in _EFFECTS:
            found[dropout] = rank
    for dropout, rank in found.items():
        effect = _EFFECTS[_DIMS[dropout.kind], rank]
        name = dropout.kind.rpartition(".")[2]
        yield context.report(
            dropout.span,
            f"`{name}` expects {_DIMS[dropout.kind] + 2} dimensions and gets {rank} here, where it {effect}.",
            fix=_fix(context, dropout, [d for d, r in found.items() if r == rank], rank),
        )


def _inputs(graph: LayerGraph, node: LayerNode) -> list[LayerNode]:
    return [graph.nodes[i] for i in node.inputs]


def _rank(graph: LayerGraph, paths: Paths, dropout: LayerNode) -> int | None:
    ranks = {n.rank for n in _inputs(graph, dropout)}
    if len(ranks) == 1 and None not in ranks:
        return ranks.pop()
    producers = paths.before(dropout, _KEEPS_RANK)
    linear = bool(producers) and all(p.kind == "torch.nn.Linear" for p in producers)
    # A BatchNorm1d right behind a Linear normalizes its features, so the value has two dimensions.
    normalized = any(n.kind == "torch.nn.BatchNorm1d" for p in producers for n in paths.users(p))
    return 2 if linear and normalized else None


def _fix(context: Context, dropout: LayerNode, same: list[LayerNode], rank: int) -> Fix | None:
    right = _RIGHT.get(rank)
    if right is None:
        return None
    names = {f"Dropout{n}d": right for n in (1, 2, 3)} | {f"dropout{n}d": right.lower() for n in (1, 2, 3)}
    return renamed(context, dropout, same, names)
