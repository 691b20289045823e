"""Walk a LayerGraph: what takes a value, and what made it, through operations such as views."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from dropout_lint.checks.support.conditions import conditions, exclude
from dropout_lint.facts import Condition, LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

ALPHA = frozenset(name for name in (*DROPOUT_MODULES, *FUNCTIONALS) if "alpha" in name.lower())
DROPOUTS = frozenset((*DROPOUT_MODULES, *FUNCTIONALS))
PLAIN = frozenset(
    {"torch.nn.Dropout", "torch.nn.functional.dropout", "torch.dropout", "torch.native_dropout", "torch.dropout_"}
)
"""Dropouts that drop single elements."""


def dropouts(graph: LayerGraph, kinds: Collection[str] = DROPOUTS) -> Iterator[LayerNode]:
    """The dropouts of a graph whose rate is not 0, without those inside wrappers, which have graphs of their own.

    Those under tests that exclude each other never run.
    """
    for node in graph.nodes:
        if node.kind in kinds and not node.rate.is_zero and node.within is None and not exclude(node.conditions, ()):
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
        self._known: dict[int, frozenset[Condition]] = {}
        self._users: dict[int, list[int]] = {}
        for node in graph.nodes:
            for source in node.inputs:
                self._users.setdefault(source, []).append(node.index)

    def conditions(self, node: LayerNode) -> frozenset[Condition]:
        """What holds where a node runs."""
        if node.index not in self._known:
            self._known[node.index] = conditions(node)
        return self._known[node.index]

    def users(self, node: LayerNode) -> list[LayerNode]:
        """Nodes that take a node's value."""
        return [self.graph.nodes[i] for i in self._users.get(node.index, [])]

    def makers(self, node: LayerNode) -> list[LayerNode]:
        """Nodes whose value a node takes."""
        return [self.graph.nodes[i] for i in node.inputs]

    def after(self, node: LayerNode, through: Collection[str]) -> list[LayerNode]:
        """The first nodes after ``node`` on each path, skipping nodes of the kinds ``through``."""
        return _first(self.users, node, through, self.conditions)

    def before(self, node: LayerNode, through: Collection[str]) -> list[LayerNode]:
        """The last nodes before ``node`` on each path, skipping nodes of the kinds ``through``."""
        return _first(self.makers, node, through, self.conditions)

    def returned(self, node: LayerNode, through: Collection[str] = VIEWS) -> bool:
        """Whether the network returns a node's value, directly or through nodes of the kinds ``through``."""
        if node.index in self.graph.outputs:
            return True
        return any(
            self.returned(user, through)
            for user in self.users(node)
            if user.kind in through and user.index > node.index
        )


def _first(
    step: Callable[[LayerNode], list[LayerNode]],
    node: LayerNode,
    through: Collection[str],
    conditions_of: Callable[[LayerNode], frozenset[Condition]],
) -> list[LayerNode]:
    """The first nodes of other kinds on each path along which all layers can run in one pass."""
    found: dict[int, LayerNode] = {}
    pending, seen = [(one, conditions_of(node)) for one in step(node)], set()
    while pending:
        current, assumed = pending.pop(0)
        if (current.index, assumed) in seen:
            continue
        seen.add((current.index, assumed))
        if exclude(assumed, conditions_of(current)):
            continue
        if current.kind in through:
            pending += [(one, assumed | conditions_of(current)) for one in step(current)]
        else:
            found[current.index] = current
    return list(found.values())
