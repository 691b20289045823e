"""Find dropouts that feed an activation alone, for the rules about their order; and name layers in messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.paths import ALPHA, Paths, dropouts
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.activations import COMMUTES, ELEMENTWISE, PASSING
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, POOLS, VIEWS

CONFIGURED = "configured-activation"
REACHES_NORM = VIEWS | POOLS | PASSING
"""Layers between a dropout and a BatchNorm that keep the noise of the dropout."""


def before_activations(
    graph: LayerGraph, context: Context, through: Collection[str] = VIEWS
) -> Iterator[tuple[LayerNode, LayerNode]]:
    """Pairs of a dropout and the activation that it feeds, directly or through operations of the kinds ``through``."""
    if context.named_intent(graph.scope) or context.facts.is_test:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph):
        if dropout.kind in ALPHA or paths.returned(dropout):
            continue
        followers = paths.after(dropout, through)
        if len({f.kind for f in followers}) > 1 and any(f.within is not None for f in followers):
            continue  # which activation a wrapper has depends on its arguments
        if followers and all(f.kind in ELEMENTWISE or configured(f, context) for f in followers):
            yield dropout, followers[0]


def normalized(paths: Paths, dropout: LayerNode) -> bool:
    """Whether a dropout reaches a BatchNorm; DRP304 reports it then."""
    return any(n.kind in BATCH_NORMS for n in paths.after(dropout, REACHES_NORM))


def configured(node: LayerNode, context: Context) -> str:
    """An activation that the project's configuration names as a default, "" if none.

    Of several defaults, the first that does not commute with dropout.
    """
    prefix, separator, name = node.kind.partition(":")
    if prefix != CONFIGURED or not separator:
        kind, _, literal = node.kind.partition("=")
        return f"torch.nn.functional.{literal}" if kind == CONFIGURED else ""
    home = context.project.files.facts(Path(node.path)) if node.path else context.facts
    texts = context.project.usages.texts(home, name) if home is not None else set()
    found = sorted(f"torch.nn.functional.{text}" for text in texts)
    return next((f for f in found if COMMUTES.get(f) == "no"), "")


def activation_kind(node: LayerNode, context: Context) -> str:
    """Canonical name of an activation, also of one that the configuration chooses."""
    return node.kind if node.kind in ELEMENTWISE else configured(node, context)


def short_name(node: LayerNode) -> str:
    """A layer or function as messages name it: ``Dropout``."""
    return node.kind.rpartition(".")[2]


def in_wrapper(node: LayerNode) -> str:
    """The words " of `Wrapper`" for a message, "" for a layer outside of wrappers."""
    return f" of `{node.wrappers[-1]}`" if node.wrappers else ""


def on_line(node: LayerNode) -> str:
    """The words "on line 7" for a message, with the file if it is another one."""
    file = f" of {Path(node.path).name}" if node.path else ""
    return f"on line {node.span.line}{file}"
