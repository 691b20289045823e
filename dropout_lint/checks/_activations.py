"""Finds dropouts whose value goes into an activation and nowhere else; shared by the rules about their order."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks._paths import ALPHA, Paths, dropouts
from dropout_lint.checks.context import Context
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import ACTIVATIONS, VIEWS

CONFIGURED = "configured-activation"


def before_activations(graph: LayerGraph, context: Context) -> Iterator[tuple[LayerNode, LayerNode]]:
    """Pairs of a dropout and the activation that it feeds, through views alone."""
    if context.named_intent(graph.scope) or context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph):
        if dropout.kind in ALPHA or paths.returned(dropout):
            continue
        followers = paths.after(dropout, VIEWS)
        if followers and all(f.kind in ACTIVATIONS or configured(f, context) for f in followers):
            yield dropout, followers[0]


def configured(node: LayerNode, context: Context) -> str:
    """An activation that the project's configuration names as a default; one that does not commute, if there is one."""
    prefix, separator, name = node.kind.partition(":")
    if prefix != CONFIGURED or not separator:
        kind, _, literal = node.kind.partition("=")
        return f"torch.nn.functional.{literal}" if kind == CONFIGURED else ""
    found = sorted(f"torch.nn.functional.{text}" for text in context.project.texts(context.facts, name))
    return next((f for f in found if ACTIVATIONS.get(f) == "no"), "")


def activation_kind(node: LayerNode, context: Context) -> str:
    """Canonical name of an activation, also of one that a configuration chooses."""
    return node.kind if node.kind in ACTIVATIONS else configured(node, context)


def shown(node: LayerNode) -> str:
    """How a message names a layer or function."""
    return node.kind.rpartition(".")[2]
