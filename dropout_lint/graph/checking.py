"""The checks of the source engine on graphs of an instance."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dropout_lint.checks import checks
from dropout_lint.checks.support.context import Context, advice
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Diagnostic, Fix, Related, Severity, Span
from dropout_lint.disk import Disk
from dropout_lint.facts import FileFacts, LayerGraph, Scope
from dropout_lint.graph.builder import NodeSpan, Traced
from dropout_lint.graph.places import lines
from dropout_lint.graph.sites import Ran, configured, left_on
from dropout_lint.graph.tracers import Seen
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project

_ON_SITES = ("DRP101", "DRP102", "DRP105", "DRP403", "DRP406")
"""Rules about single calls for which a run proves what the source leaves open: the rate, the owner, the mode."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic, and the nodes of the training graph that it is about."""

    diagnostic: Diagnostic
    nodes: tuple[int, ...] = ()


@dataclass(frozen=True)
class GraphContext(Context):
    """One rule at work on an instance: files differ from node to node, and every owner is a Module."""

    nodes: list[int] = field(default_factory=list)
    """The node of each report so far; -1 for those that are not about a node."""

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
        """A diagnostic in the file of the node; what to edit is for the source engine to say, so a fix is advice."""
        found = super().report(span, message, severity=severity, related=related)
        found = replace(found, fix=advice(fix.message) if fix is not None else None, engines=("graph",))
        self.nodes.append(span.node if isinstance(span, NodeSpan) else -1)
        return replace(found, path=span.path, span=self._written(span)) if isinstance(span, NodeSpan) else found

    def _written(self, span: NodeSpan) -> Span:
        """Where the source engine reports: for a layer with a name, that name among the elements of a container."""
        plain = Span(span.line, span.column, span.end_line, span.end_column)
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
        """Whoever runs in a model is part of a Module."""
        return bool(class_name)

    def slice(self, span: Span) -> str:
        """The source text of a span, of the file that the span knows."""
        if not isinstance(span, NodeSpan):
            return super().slice(span)
        return replace(self, load=lambda: "".join(lines(span.path))).slice(
            Span(span.line, span.column, span.end_line, span.end_column)
        )


def findings(seen: Seen, model: Any, settings: Settings, codes: Collection[str] | None = None) -> list[Finding]:
    """What the rules say about a model, merged by rule and place. ``codes`` are the rules to run, all by default."""
    project = Project(Files(Disk()))
    merged: dict[tuple[str, str, Span], Finding] = {}
    for found in (
        *_placement(seen.training, project, settings, codes),
        *_calls(left_on(seen.evaluation, project), project, settings, codes),
        *_calls(configured(model, project), project, settings, codes),
    ):
        diagnostic = found.diagnostic
        key = (diagnostic.code, diagnostic.path, diagnostic.span)
        before = merged.get(key)
        if before is not None:
            modules = dict.fromkeys((*before.diagnostic.modules, *diagnostic.modules))
            found = Finding(replace(before.diagnostic, modules=tuple(modules)), (*before.nodes, *found.nodes))
        merged[key] = found
    return sorted(merged.values(), key=lambda f: f.diagnostic.sort_key)


def _placement(
    traced: Traced, project: Project, settings: Settings, codes: Collection[str] | None
) -> Iterator[Finding]:
    facts = FileFacts("", "", graphs=(traced.graph,))
    for code, (kind, check) in checks(codes).items():
        if kind is not LayerGraph:
            continue
        context = GraphContext(code, facts, project, settings, lambda: "")
        for diagnostic, index in zip(check(traced.graph, context), context.nodes, strict=False):
            if not _meant(traced, index, context):
                yield Finding(_about(diagnostic, traced.graph.nodes[index].module), (index,))


def _about(diagnostic: Diagnostic, module: str) -> Diagnostic:
    return replace(diagnostic, modules=(module,) if module else ())


def _meant(traced: Traced, index: int, context: Context) -> bool:
    """Whether a module around a node is named as one that drops on purpose."""
    parts = traced.graph.nodes[index].module.split(".")
    around = (traced.classes.get(".".join(parts[:n]), "") for n in range(len(parts) + 1))
    return any(context.named_intent(Scope(class_name=name)) for name in around if name)


def _calls(
    ran: Iterator[Ran], project: Project, settings: Settings, codes: Collection[str] | None
) -> Iterator[Finding]:
    enabled = checks([code for code in _ON_SITES if codes is None or code in codes])
    for one in ran:
        for facts, site in one.sites:
            text = "".join(lines(facts.path))
            reported = [
                diagnostic
                for code, (_, check) in enabled.items()
                for diagnostic in check(site, GraphContext(code, facts, project, settings, lambda text=text: text))  # type: ignore[misc]
            ]
            if reported:
                yield from (Finding(_about(diagnostic, one.module)) for diagnostic in reported)
                break
