"""The layer graphs of a file. Wrappers, whose classes other files define, are replaced by the layers inside them."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.facts import FileFacts, LayerGraph, LayerNode, Wrapper
from dropout_lint.project.project import Project
from dropout_lint.source.networks.splice import Found, spliced
from dropout_lint.source.networks.templates import Inherited, Templates

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

        return spliced(graph, find) if any(n.wrapper is not None for n in graph.nodes) else graph

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
