"""What a check may ask about an instance, whose nodes lie in several files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.diagnostic import Diagnostic, Fix, Related, Severity, Span
from dropout_lint.graph.builder import NodeSpan


@dataclass(frozen=True)
class GraphContext(Context):
    """One rule at work on an instance: every class that runs is a Module, and fixes are advice."""

    nodes: list[int] = field(default_factory=list)
    """The node of each report so far; -1 for a report that is not about a node."""

    def report(
        self,
        span: Span,
        message: str,
        *,
        severity: Severity | None = None,
        fix: Fix | None = None,
        related: tuple[Related, ...] = (),
        **_: Any,
    ) -> Diagnostic:
        """A diagnostic in the file of the node. Only the source engine knows the edits of a fix."""
        found = super().report(span, message, severity=severity, related=related)
        found = replace(found, fix=advice(fix.message) if fix is not None else None, engines=("graph",))
        self.nodes.append(span.node if isinstance(span, NodeSpan) else -1)
        return replace(found, path=span.path, span=self._written(span)) if isinstance(span, NodeSpan) else found

    def _written(self, span: NodeSpan) -> Span:
        """Where the source engine reports: for a layer with a name, that name among the elements of a container."""
        plain = _plain(span)
        nodes = self.facts.graphs[0].nodes
        turns = [n.index for n in nodes if n.constructor == span and n.module == nodes[span.node].module]
        facts = self.project.files.facts(Path(span.path)) if span.node in turns else None
        if facts is None:
            return plain
        elements = (n for graph in facts.graphs for n in graph.nodes if n.element is not None)
        named = sorted({n.span for n in elements if n.constructor == plain})
        if len(named) == 1:
            return named[0]
        return named[turns.index(span.node)] if len(named) == len(turns) else plain

    def is_module(self, class_name: str) -> bool:
        """A class that runs in a model is part of a Module."""
        return bool(class_name)


def _plain(span: NodeSpan) -> Span:
    return Span(span.line, span.column, span.end_line, span.end_column)
