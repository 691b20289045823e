"""Chains of layers outside of any ``forward``, and which layers feed a loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dropout_lint.diagnostic import Span
from dropout_lint.facts import LayerGraph, LayerNode, Scope
from dropout_lint.source.networks.construction import Construction
from dropout_lint.source.networks.graph_builder import GraphBuilder
from dropout_lint.source.networks.layers import Either, Item, Known, Layer, LayerSequence, Repeated, unrolled
from dropout_lint.source.networks.operands import NOTHING
from dropout_lint.torch_api.layer_groups import DROP_PATHS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

DROPS = frozenset({*DROPOUT_MODULES, *FUNCTIONALS, *DROP_PATHS})


@dataclass(slots=True)
class LossInputs:
    """The layers of a file whose output is passed to a loss, by the span of their constructor."""

    names: set[str]
    """Networks that the top level of the file binds to a name."""
    losses: set[Span] = field(default_factory=set)
    """Of a loss that takes logits."""
    compared: set[Span] = field(default_factory=set)
    """Of a regression loss, which compares with a target."""

    def add(self, graph: GraphBuilder) -> None:
        """Add the layers whose output a traced function passes to a loss."""
        for found, into in ((graph.losses, self.losses), (graph.compared, self.compared)):
            into.update(at for at in (graph.nodes[i].constructor for i in found) if at is not None)


def chains(item: Item) -> Iterator[LayerSequence]:
    """The outermost chains in an item."""
    if isinstance(item, LayerSequence) and item.chained:
        yield item
    elif isinstance(item, LayerSequence):
        for inner in unrolled(item.items):
            yield from chains(inner)
    elif isinstance(item, Either):
        for arm in item.arms:
            for inner in arm:
                yield from chains(inner)
    elif isinstance(item, Repeated):
        for inner in item.items:
            yield from chains(inner)


def chain_graph(construction: Construction, chain: LayerSequence, scope: Scope, loss_inputs: LossInputs) -> LayerGraph:
    """The graph of one chain, with an unknown input."""
    first = _first(chain)
    if first is None or first.call is None:
        return LayerGraph(scope, (), ())
    graph = GraphBuilder(construction, first.call)
    ends = graph.apply(chain, graph.node("input", NOTHING, first.call), None)
    return LayerGraph(
        scope,
        tuple(graph.nodes),
        (),
        losses=tuple(i for i in ends if graph.nodes[i].constructor in loss_inputs.losses),
        compared=tuple(i for i in ends if graph.nodes[i].constructor in loss_inputs.compared),
    )


def _first(item: Item) -> Layer | None:
    """The first layer that the file builds, at any depth."""
    if isinstance(item, Layer):
        return item if item.call is not None else None
    if isinstance(item, Known):
        return None
    items = [i for arm in item.arms for i in arm] if isinstance(item, Either) else item.items
    return next((found for i in items for found in [_first(i)] if found is not None), None)


def has_dropout(nodes: tuple[LayerNode, ...]) -> bool:
    """Whether any node is a dropout."""
    return any(n.kind in DROPS for n in nodes)
