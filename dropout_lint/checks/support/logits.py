"""Which activations take logits, and which values a network ends with."""

from __future__ import annotations

from dropout_lint.checks.support.paths import Paths
from dropout_lint.facts import LayerNode
from dropout_lint.torch_api.activations import NORMALIZING, TWIN
from dropout_lint.torch_api.layer_groups import VIEWS


def is_logit(paths: Paths, activation: LayerNode) -> bool:
    """Whether the input of an activation is logits: of a softmax always, of a sigmoid where it ends the network."""
    if activation.kind in NORMALIZING:
        return True
    return TWIN.get(activation.kind) == "torch.nn.Sigmoid" and ends_network(paths, activation)


def ends_network(paths: Paths, activation: LayerNode) -> bool:
    """Whether the network returns the value of an activation, or compares it with a target."""
    graph = paths.graph
    if paths.returned(activation) or reaches(paths, activation, (*graph.losses, *graph.compared)):
        return True
    return not graph.outputs and not paths.users(activation)


def reaches(paths: Paths, node: LayerNode, targets: tuple[int, ...]) -> bool:
    """Whether a node is one of the nodes ``targets``, directly or through a view.

    An optional Identity is no such view: it replaces the last layer of a model without classes, which nobody trains.
    """
    return node.index in targets or any(
        u.index in targets
        for u in paths.users(node)
        if u.kind in VIEWS and not (u.optional and u.kind == "torch.nn.Identity")
    )
