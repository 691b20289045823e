"""Which values of a network are logits, and which end it."""

from __future__ import annotations

from dropout_lint.checks.support.paths import Paths
from dropout_lint.facts import LayerNode
from dropout_lint.torch_api.activations import NORMALIZING, TWIN
from dropout_lint.torch_api.layer_groups import VIEWS


def is_logit(paths: Paths, activation: LayerNode) -> bool:
    """Whether an activation turns logits into probabilities: softmax always, a sigmoid where it ends the network."""
    if activation.kind in NORMALIZING:
        return True
    return TWIN.get(activation.kind) == "torch.nn.Sigmoid" and ends(paths, activation)


def ends(paths: Paths, activation: LayerNode) -> bool:
    """Whether the network returns the value of an activation, or compares it with a target."""
    graph = paths.graph
    if paths.returned(activation) or feeds(paths, activation, (*graph.losses, *graph.compared)):
        return True
    return not graph.outputs and not paths.users(activation)


def feeds(paths: Paths, node: LayerNode, targets: tuple[int, ...]) -> bool:
    """Whether a node's value is among the targets, perhaps under a view.

    An Identity that stands in for the last layer of a model without classes is none: nobody trains that model.
    """
    return node.index in targets or any(
        u.index in targets
        for u in paths.users(node)
        if u.kind in VIEWS and not (u.optional and u.kind == "torch.nn.Identity")
    )
