"""DRP306: dropout on the output of a prediction head."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.checks._paths import PLAIN, Paths, dropouts
from dropout_lint.checks.context import Context, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.torch_facts import VIEWS

_OUTPUT_WIDTH = re.compile(
    r"(?:^|[^a-z])(?:(?:num|n|no|nb)_?(?:class(?:es)?|labels?|targets?|outputs?)|target\w*|pred(?:iction)?_?(?:len|length|steps?)?"
    r"|classes|labels|horizon|forecast\w*|h|c_out|out_len)(?:$|[^a-z])",
    re.IGNORECASE,
)
_HEAD = re.compile(r"head|predict|classif|regress|decoder_?out|generator|forecast", re.IGNORECASE)


def check(graph: LayerGraph, context: Context) -> Iterator[Diagnostic]:
    """Report dropouts behind the last Linear of a head, where their value is what the head returns."""
    if context.named_intent(graph.scope) or graph.adds_input or context.facts.is_test or not graph.outputs:
        return
    paths = Paths(graph)
    for dropout in dropouts(graph, PLAIN):
        if not paths.returned(dropout, _GATHERS) or dropout.guarded:
            continue
        producers = paths.before(dropout, VIEWS)
        if not producers or not all(p.kind == "torch.nn.Linear" for p in producers):
            continue
        if not all(_OUTPUT_WIDTH.search(p.out_features) or p.out_features == "1" for p in producers):
            continue
        if not (_HEAD.search(graph.scope.class_name) or all(_named_output(p) for p in producers)):
            continue
        yield context.report(
            dropout.span,
            "This dropout is applied to the prediction itself: in training some outputs are zeroed and the others scaled "
            "up, and the loss compares that with the target.",
            fix=_fix(context, dropout),
        )


_GATHERS = VIEWS | {"cat", "scale"}


def _named_output(node: LayerNode) -> bool:
    return bool(re.search(r"(?:num|n)_?(?:class|label)", node.out_features, re.IGNORECASE))


def _fix(context: Context, dropout: LayerNode) -> Fix | None:
    if dropout.constructor is None:
        return None
    text = context.slice(dropout.constructor)
    namespace = text.partition("(")[0].rpartition(".")[0]
    if not namespace:
        return None
    return unsafe(f"Use `{namespace}.Identity()` in its place", Edit(dropout.constructor, f"{namespace}.Identity()"))
