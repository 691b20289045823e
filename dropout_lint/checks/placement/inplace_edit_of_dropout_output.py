"""DRP317: an in-place edit of a dropout's output, which in eval mode is its input."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, unsafe
from dropout_lint.checks.support.paths import Paths, dropouts
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.rewrites import AssignNew
from dropout_lint.torch_api.activations import COMMUTES

_METHODS = {f".{name}_" for name in ("masked_fill", "add", "sub", "mul", "div", "clamp", "relu", "sigmoid", "tanh")}


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report in-place edits of the output of a dropout whose input is read later."""
    paths = Paths(graph)
    for dropout in dropouts(graph):
        if dropout.inplace or context.facts.is_test:
            continue
        for edit in paths.users(dropout):
            if not _edits(edit, dropout) or not _read_later(paths, dropout, edit):
                continue
            yield context.report(
                edit.span,
                f"In eval the dropout on line {dropout.span.line} returns its input itself, so this edit changes that "
                "input as well, and only then; it is read again below.",
                fix=unsafe("Make a new tensor", AssignNew(edit.span)),
            )


def _edits(node: LayerNode, dropout: LayerNode) -> bool:
    if node.constructor is not None or not node.edited:  # a layer or a function that works in place
        return node.inplace and node.kind in COMMUTES and not node.optional
    known = node.kind in {"add", "mul", "scale", "unknown"} or node.kind in _METHODS or node.kind in COMMUTES
    return known and node.edited == (dropout.index,)


def _read_later(paths: Paths, dropout: LayerNode, edit: LayerNode) -> bool:
    sources = [paths.graph.nodes[i] for i in dropout.inputs]
    return any(
        user.index > edit.index and user is not dropout and edit.index not in source.inputs
        for source in sources
        for user in paths.users(source)
    )
