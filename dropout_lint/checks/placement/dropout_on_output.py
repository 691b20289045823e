"""DRP306: dropout on the output of a prediction head."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.logits import reaches
from dropout_lint.checks.support.paths import PLAIN, Paths, dropouts
from dropout_lint.checks.support.removal import removal
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_api.layer_groups import VIEWS

_OUTPUT_WIDTH = re.compile(
    r"(?:^|[^a-z])(?:(?:num|n|no|nb)_?(?:class(?:es)?|labels?|targets?|outputs?)|target\w*|pred(?:iction)?_?(?:len|length|steps?)?"
    r"|classes|labels|horizon|forecast\w*|h|c_out|out_len)(?:$|[^a-z])",
    re.IGNORECASE,
)
_KEEPS_OUTPUT = VIEWS | {"cat", "scale"}
"""Kinds of operations that may follow the dropout on the way to the result of the head."""
_HEAD = re.compile(r"head|predict|classif|regress|decoder_?out|generator|forecast", re.IGNORECASE)


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts after the last Linear of a head, whose result the head returns."""
    if context.named_intent(graph.scope) or context.facts.is_test:
        return
    paths, residual = Paths(graph), graph.adds_input
    for dropout in dropouts(graph, PLAIN):
        if dropout.guarded or reaches(paths, dropout, graph.losses):
            continue
        if not reaches(paths, dropout, graph.compared) and (residual or not _ends_a_head(graph, paths, dropout)):
            continue
        yield context.report(
            dropout.span,
            "This dropout is applied to the prediction itself: in training some outputs are zeroed and the others "
            "scaled up, and the loss compares that with the target.",
            fix=removal(context, dropout, "Take the dropout off the output"),
            beside=paths.before(dropout, VIEWS)[:1],
        )


def _ends_a_head(graph: LayerGraph, paths: Paths, dropout: LayerNode) -> bool:
    """Whether the dropout follows the last Linear of a class named as a head, or one with the width of the output."""
    if not graph.outputs or not paths.returned(dropout, _KEEPS_OUTPUT):
        return False
    producers = paths.before(dropout, VIEWS)
    if not producers or not all(p.kind == "torch.nn.Linear" for p in producers):
        return False
    if not all(_OUTPUT_WIDTH.search(p.out_features) or p.out_features == "1" for p in producers):
        return False
    return bool(_HEAD.search(graph.scope.class_name)) or all(_named_output(p) for p in producers)


def _named_output(node: LayerNode) -> bool:
    return bool(re.search(r"(?:num|n)_?(?:class|label)", node.out_features, re.IGNORECASE))
