"""The Context of a check that reads the graph of a built model, whose nodes lie in several files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Confidence, Diagnostic, Fix, Related, Severity, Span
from dropout_lint.graph.builder import NodeSpan


@dataclass(frozen=True)
class GraphContext(Context):
    """The context of one rule: every class that runs counts as a Module, and fixes become advice."""

    nodes: list[int] = field(default_factory=list)
    """The node of each diagnostic so far; -1 if it is not about a node."""

    def report(
        self,
        span: Span,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = Confidence.PROVEN,
        fix: Fix | None = None,
        related: tuple[Related, ...] = (),
        **_: Any,
    ) -> Diagnostic:
        """A diagnostic in the file of the node. Its fix becomes advice, as only the source engine knows the edits."""
        found = super().report(span, message, severity=severity, confidence=confidence, related=related)
        found = replace(found, fix=advice(fix.message) if fix is not None else None, engines=("graph",))
        self.nodes.append(span.node if isinstance(span, NodeSpan) else -1)
        return replace(found, path=span.path, span=self._source_span(span)) if isinstance(span, NodeSpan) else found

    def _source_span(self, span: NodeSpan) -> Span:
        """The span at which the source engine reports the node: for an element of a container, that element."""
        plain = _plain(span)
        nodes = self.facts.graphs[0].nodes
        calls = [n.index for n in nodes if n.constructor == span and n.module == nodes[span.node].module]
        facts = self.project.files.facts(Path(span.path)) if span.node in calls else None
        if facts is None:
            return plain
        elements = (n for graph in facts.graphs for n in graph.nodes if n.element is not None)
        element_spans = sorted({n.span for n in elements if n.constructor == plain})
        if len(element_spans) == 1:
            return element_spans[0]
        return element_spans[calls.index(span.node)] if len(element_spans) == len(calls) else plain

    def is_module(self, class_name: str) -> bool:
        """True for every class: it ran as a part of a model."""
        return bool(class_name)


def _plain(span: NodeSpan) -> Span:
    return Span(span.line, span.column, span.end_line, span.end_column)
