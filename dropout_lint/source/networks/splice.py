"""Inlines wrappers: replaces an opaque node of a network by the layers of its class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from dropout_lint.facts import LayerGraph, LayerNode, Wrapper
from dropout_lint.source.networks.templates import Inherited, Template
from dropout_lint.torch_api.activations import ELEMENTWISE
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, POOLS, VIEWS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

MAX_DEPTH = 3
"""The depth of nested wrappers that is inlined."""
MAX_NODES = 1500
_DROPOUTS = frozenset({*DROPOUT_MODULES, *FUNCTIONALS})
_PASSES = VIEWS | POOLS | ELEMENTWISE | BATCH_NORMS | {"scale"}

Found = tuple[Template | Inherited | None, str]
"""The summary of a wrapper, None if there is none, and the file that its spans refer to ("": that of the graph)."""
Find = Callable[[LayerNode, Wrapper], Found | None]
"""Looks up a wrapper. None means that a later pass, which may know other files, should try again."""


def spliced(graph: LayerGraph, find: Find) -> LayerGraph:
    """Inline the wrappers next to a dropout, and those found in them, as far as ``find`` knows them."""
    for _ in range(2 * MAX_DEPTH):
        found: dict[int, Found] = {}
        for node in _beside_dropouts(graph):
            if node.wrapper is not None:
                answer = find(node, node.wrapper) if node.wrapper.depth < MAX_DEPTH else (None, "")
                if answer is not None:
                    found[node.index] = answer
        if not found:
            break
        graph = _Splice(graph, found).result()
        if len(graph.nodes) > MAX_NODES:
            break
    return graph


def _beside_dropouts(graph: LayerGraph) -> list[LayerNode]:
    """The wrappers directly before or after a dropout; only operations that move elements are between."""
    users: dict[int, list[int]] = {}
    wanted = False
    for node in graph.nodes:
        wanted = wanted or node.wrapper is not None
        for source in node.inputs:
            users.setdefault(source, []).append(node.index)
    if not wanted:
        return []
    found: dict[int, LayerNode] = {}
    for step in (lambda i: users.get(i, ()), lambda i: graph.nodes[i].inputs):
        pending = [n.index for n in graph.nodes if n.kind in _DROPOUTS]
        seen = set(pending)
        while pending:
            for index in step(pending.pop()):
                node = graph.nodes[index]
                if node.wrapper is not None:
                    found[index] = node
                elif node.kind in _PASSES and index not in seen:
                    seen.add(index)
                    pending.append(index)
    return [found[i] for i in sorted(found)]


@dataclass(slots=True)
class _Splice:
    """One copy of a graph with wrappers replaced. Every node gets a new index."""

    graph: LayerGraph
    found: dict[int, Found]
    nodes: list[LayerNode] = field(default_factory=list)
    at: dict[int, frozenset[int]] = field(default_factory=dict)
    """The new nodes for the value of each old node."""
    losses: set[int] = field(default_factory=set)
    compared: set[int] = field(default_factory=set)

    def result(self) -> LayerGraph:
        for node in self.graph.nodes:
            template, path = self.found.get(node.index, (None, ""))
            if node.wrapper is not None and isinstance(template, Template):
                self.at[node.index] = self._insert(node, node.wrapper, template, path)
                continue
            wrapper = node.wrapper if node.index not in self.found else None
            if node.wrapper is not None and isinstance(template, Inherited):
                wrapper = replace(node.wrapper, target=template.target, passed=template.passed)
            self.at[node.index] = self._add(node, self.at, wrapper)
        graph = self.graph
        return replace(
            graph,
            nodes=tuple(self.nodes),
            outputs=_mapped(graph.outputs, self.at),
            losses=tuple(sorted({*_mapped(graph.losses, self.at), *self.losses})),
            compared=tuple(sorted({*_mapped(graph.compared, self.at), *self.compared})),
        )

    def _add(
        self, node: LayerNode, at: dict[int, frozenset[int]], wrapper: Wrapper | None, **facts: object
    ) -> frozenset[int]:
        if wrapper is not None:
            operands = tuple((keyword, _mapped(nodes, at)) for keyword, nodes in wrapper.operands)
            wrapper = replace(wrapper, operands=operands)
        new = replace(
            node,
            index=len(self.nodes),
            inputs=_mapped(node.inputs, at),
            edited=_mapped(node.edited, at),
            wrapper=wrapper,
            **facts,  # type: ignore[arg-type]
        )
        self.nodes.append(new)
        return frozenset({new.index})

    def _insert(self, node: LayerNode, wrapper: Wrapper, template: Template, path: str) -> frozenset[int]:
        at: dict[int, frozenset[int]] = {}
        for index, (_, operand) in zip(template.inputs, wrapper.operands, strict=True):
            at[index] = frozenset(i for o in operand for i in self.at[o])
        for inner in template.nodes:
            if at.get(inner.index):
                continue
            if inner.kind == "torch.nn.Identity" or (inner.kind in _DROPOUTS and inner.rate.is_zero):
                at[inner.index] = frozenset(_mapped(inner.inputs, at))
                continue
            deeper = inner.wrapper
            at[inner.index] = self._add(
                inner,
                at,
                replace(deeper, depth=wrapper.depth + 1) if deeper is not None else None,
                within=node.within or node.span,
                wrappers=(*node.wrappers, template.owner),
                path=inner.path or path or node.path,
                optional=inner.optional or node.optional,
                guarded=inner.guarded or node.guarded,
                conditions=node.conditions,
            )
        self.losses.update(_mapped(template.losses, at))
        self.compared.update(_mapped(template.compared, at))
        return frozenset(_mapped(template.outputs, at))


def _mapped(indexes: Iterable[int], at: dict[int, frozenset[int]]) -> tuple[int, ...]:
    return tuple(sorted({new for index in indexes for new in at[index]}))
