"""The layer graphs of a file. Wrappers, whose classes other files define, are replaced by the layers inside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dropout_lint.facts import FileFacts, LayerGraph, LayerNode, Wrapper
from dropout_lint.project.project import Project
from dropout_lint.source.networks.splice import Found, spliced
from dropout_lint.source.networks.templates import Inherited, Templates
from dropout_lint.torch_api.activations import ACTIVATIONS, FUNCTIONAL_ACTIVATIONS
from dropout_lint.torch_api.layer_groups import BATCH_NORMS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES

_CHOSEN = ACTIVATIONS.keys() | FUNCTIONAL_ACTIVATIONS.keys() | BATCH_NORMS | DROPOUT_MODULES.keys()
"""Classes and functions that a call may pass to a constructor."""
_MAX_BASES = 6
"""Number of classes that are followed when each only passes its arguments to its base."""
_NOT_FOUND: Found = (None, "")


class Networks:
    """Graphs with wrappers inlined, and the templates for that; each made once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._graphs: dict[str, tuple[FileFacts, tuple[LayerGraph, ...]]] = {}
        self._templates: dict[str, Templates | None] = {}

    def of(self, facts: FileFacts) -> tuple[LayerGraph, ...]:
        """The layer graphs of a file."""
        known = self._graphs.get(facts.path)
        if known is None or known[0] is not facts:
            known = facts, tuple(self._complete(facts, graph) for graph in facts.graphs)
            self._graphs[facts.path] = known
        return known[1]

    def _complete(self, facts: FileFacts, graph: LayerGraph) -> LayerGraph:
        def find(node: LayerNode, wrapper: Wrapper) -> Found:
            home = self._project.files.facts(Path(node.path)) if node.path else facts
            return self._find(home, wrapper) if home is not None else _NOT_FOUND

        graph = self._chosen(facts, graph)
        return spliced(graph, find) if any(n.wrapper is not None for n in graph.nodes) else graph

    def _chosen(self, facts: FileFacts, graph: LayerGraph) -> LayerGraph:
        """The graph with the kinds of layers whose class a parameter of the constructor gives."""
        if not graph.scope.class_name or not any(n.chosen_by for n in graph.nodes):
            return graph
        nodes = (self._with_kind(facts, graph.scope.class_name, n) if n.chosen_by else n for n in graph.nodes)
        return replace(graph, nodes=tuple(nodes))

    def _with_kind(self, facts: FileFacts, class_name: str, node: LayerNode) -> LayerNode:
        """A layer of the kind that all calls in the project give, or of the default's if not all are seen."""
        given = self._project.calls.given(facts, f"{class_name}.__init__", node.chosen_by)
        if not given.calls or not given.complete:
            return node
        found = {name.removesuffix("()") for name in given.names}
        found |= {node.kind} if given.defaults else set()
        kind = found.pop() if len(found) == 1 and not given.numbers else ""
        return replace(node, kind=kind if kind in _CHOSEN else "unknown")

    def _find(self, home: FileFacts, wrapper: Wrapper) -> Found:
        target, passed = wrapper.target, wrapper.passed
        for _ in range(_MAX_BASES):
            found = self._project.names.find(home, target)
            templates = self._templates_of(found[0]) if found is not None else None
            if found is None or templates is None:
                return _NOT_FOUND
            home = found[0]
            try:
                template = templates.of(f".{found[1]}", Wrapper(target, passed, wrapper.operands))
            except RecursionError:
                return _NOT_FOUND  # nested too deeply to be followed
            if not isinstance(template, Inherited):
                return template, str(Path(home.path).resolve())
            target, passed = template.target, template.passed
        return _NOT_FOUND

    def _templates_of(self, facts: FileFacts) -> Templates | None:
        if facts.path not in self._templates:
            module = self._project.files.parsed(Path(facts.path))
            self._templates[facts.path] = Templates(module) if module is not None else None
        return self._templates[facts.path]
