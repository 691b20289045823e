"""DRP308: Dropout1d, 2d or 3d on a tensor of another rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.paths import Paths, dropouts
from dropout_lint.checks.support.removal import renamed
from dropout_lint.checks.support.scaling import when_probed
from dropout_lint.diagnostic import Diagnostic, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import COMMUTES

if TYPE_CHECKING:
    from dropout_lint.facts.observations import DropoutInModel, ProbedDropout

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
"""What a channel dropout does to an input of a wrong rank, as measured.

By the dimensions of the dropout (1 for Dropout1d) and the rank of the input. Pairs not listed are right or harmless.
"""
_FITTING = {2: "Dropout", 3: "Dropout1d", 4: "Dropout2d", 5: "Dropout3d"}
_KEEPS_RANK = frozenset(COMMUTES) | {"torch.nn.BatchNorm1d"}
_MOVES_AXES = {".permute", ".transpose", "torch.permute", "torch.transpose", "einops.rearrange"}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report channel dropouts whose input is proven to have a wrong rank."""
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


def _fix(context: Context, dropout: LayerNode, same_rank: list[LayerNode], rank: int) -> Fix | None:
    fitting = _FITTING.get(rank)
    if fitting is None:
        return None
    names = {f"Dropout{n}d": fitting for n in (1, 2, 3)} | {f"dropout{n}d": fitting.lower() for n in (1, 2, 3)}
    return renamed(context, dropout, same_rank, names)


def check_probe(probed: ProbedDropout, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report a channel dropout that drops a part of a channel when it is probed."""
    mask = probed.plain_mask
    if mask is None or probed.class_name not in {"Dropout1d", "Dropout2d", "Dropout3d"} or len(probed.shape) <= 2:
        return
    if any(dimension not in mask.shared for dimension in range(2, len(probed.shape))):
        yield context.report(probed, f"{probed.class_name} does not drop whole channels{when_probed(probed)}")


def check_call(call: DropoutInModel, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report Dropout1d on (N, F) and Dropout3d on (N, C, H, W): both take the batch for channels."""
    unbatched = {"Dropout1d": 2, "Dropout3d": 4}.get(call.class_name)
    if unbatched == len(call.shape) and call.shape[0] == call.batch and call.shape[0] > 1:
        text = f"{call.class_name} is given {call.shape}, takes the batch for channels, and zeroes whole samples"
        yield context.report(call, text)
