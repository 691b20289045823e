"""Walk a LayerGraph: what takes a value, and what made it, through operations such as views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

ALPHA = frozenset(name for name in (*DROPOUT_MODULES, *FUNCTIONALS) if "alpha" in name.lower())
DROPOUTS = frozenset((*DROPOUT_MODULES, *FUNCTIONALS))
PLAIN = frozenset(
    {"torch.nn.Dropout", "torch.nn.functional.dropout", "torch.dropout", "torch.native_dropout", "torch.dropout_"}
)
"""Dropouts that drop single elements."""


def dropouts(graph: LayerGraph, kinds: Collection[str] = DROPOUTS) -> Iterator[LayerNode]:
    """The dropouts of a graph whose rate is not 0, without those inside wrappers, which have graphs of their own."""
    for node in graph.nodes:
        if node.kind in kinds and not node.rate.is_zero and node.within is None:
            yield node


def literal_rates(graph: LayerGraph) -> Iterator[tuple[LayerNode, float]]:
    """The dropouts whose rate is written as a number, each with its rate."""
    for dropout in dropouts(graph):
        if dropout.rate.literal and dropout.rate.number is not None:
            yield dropout, dropout.rate.number


class Paths:
    """A graph that can be walked in both directions."""

    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph
        self._users: dict[int, list[int]] = {}
        for node in graph.nodes:
            for source in node.inputs:
                self._users.setdefault(source, []).append(node.index)

    def users(self, node: LayerNode) -> list[LayerNode]:
        """Nodes that take a node's value."""
        return [self.graph.nodes[i] for i in self._users.get(node.index, [])]

    def makers(self, node: LayerNode) -> list[LayerNode]:
        """Nodes whose value a node takes."""
        return [self.graph.nodes[i] for i in node.inputs]

    def after(self, node: LayerNode, through: Collection[str]) -> list[LayerNode]:
        """The first nodes after ``node`` on each path, skipping nodes of the kinds ``through``."""
        return _first(self.users, node, through)

    def before(self, node: LayerNode, through: Collection[str]) -> list[LayerNode]:
        """The last nodes before ``node`` on each path, skipping nodes of the kinds ``through``."""
        return _first(self.makers, node, through)

    def returned(self, node: LayerNode, through: Collection[str] = VIEWS) -> bool:
        """Whether the network returns a node's value, directly or through nodes of the kinds ``through``."""
        if node.index in self.graph.outputs:
            return True
        return any(
            self.returned(user, through)
            for user in self.users(node)
            if user.kind in through and user.index > node.index
        )


def _first(step: Callable[[LayerNode], list[LayerNode]], node: LayerNode, through: Collection[str]) -> list[LayerNode]:
    found, pending, seen = [], step(node), set()
    while pending:
        current = pending.pop(0)
        if current.index in seen:
            continue
        seen.add(current.index)
        if current.kind in through:
            pending += step(current)
        else:
            found.append(current)
    return found
