"""Summaries of classes and factories: their layers for one set of constructor arguments and operands."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from dropout_lint.facts import Given, LayerNode, Passed, Wrapper
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.construction import Construction
from dropout_lint.source.networks.graph_builder import GraphBuilder
from dropout_lint.source.networks.layers import Item, Known, Locals
from dropout_lint.source.networks.operands import NOTHING, Operand, State
from dropout_lint.source.networks.trace import Tracer

MAX_NODES = 150
"""Templates with more nodes are not inlined."""
_MAX_BASES = 8


@dataclass(frozen=True, slots=True)
class Template:
    """The nodes of one call; ``inputs`` are those of its operands, in order."""

    owner: str
    nodes: tuple[LayerNode, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    losses: tuple[int, ...] = ()
    compared: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Inherited:
    """A class whose ``forward`` and constructor are those of a base in another file, called with ``passed``."""

    target: str
    passed: Passed


class Templates:
    """Templates of one file, each made on first use."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._construction = Construction(module, bound=True)
        self._known: dict[object, Template | Inherited | None] = {}

    def has(self, name: str) -> bool:
        """Whether a resolved name is a class or function of the file."""
        return self._construction.arguments.local(name) is not None

    def of(self, name: str, wrapper: Wrapper) -> Template | Inherited | None:
        """The template of a class or function, by its resolved name (``.Block``); None if there is none."""
        shape = tuple((keyword, bool(nodes)) for keyword, nodes in wrapper.operands)
        key = (name, wrapper.passed, shape)
        if key not in self._known:
            self._known[key] = None
            block = self._construction.arguments.local(name)
            if block is not None:
                self._known[key] = self._made(block, wrapper)
        return self._known[key]

    def _made(self, block: Block, wrapper: Wrapper) -> Template | Inherited | None:
        if isinstance(block.node, ast.FunctionDef):
            alone = block.parent is self._module.scopes.module and not block.node.decorator_list
            frame = self._construction.arguments.frame(block, wrapper.passed) if alone else None
            if frame is None:
                return None
            item = self._construction.follow(block.node.body, Locals(block, frame, 2)).returned
            return self._applied(block, item, wrapper)
        if not isinstance(block.node, ast.ClassDef) or not block.node.bases or "__call__" in block.blocks:
            return None
        forward = self._forward(block)
        if forward is not None:
            return self._followed(block, forward, wrapper)
        chain = self._construction.builder.built_by(block, passed=wrapper.passed)
        if chain is not None:
            return self._applied(block, chain, wrapper)
        return self._inherited(block, wrapper)

    def _forward(self, owner: Block) -> Block | None:
        """The ``forward`` of a class or of its bases in this file, nearest first."""
        pending, seen = [owner], 0
        while pending and seen < _MAX_BASES:
            current = pending.pop(0)
            seen += 1
            method = current.blocks.get("forward")
            if method is not None:
                return method
            for base in current.node.bases if isinstance(current.node, ast.ClassDef) else []:
                above = self._construction.arguments.local(self._module.scopes.resolve(base, current.parent or current))
                pending += [above] if above is not None and above.kind == "class" else []
        return None

    def _inherited(self, owner: Block, wrapper: Wrapper) -> Inherited | None:
        """The base in another file whose constructor a class only passes arguments to."""
        node = owner.node
        assert isinstance(node, ast.ClassDef)
        target = self._module.scopes.resolve(node.bases[0], owner.parent or owner)
        if len(node.bases) > 1 or not target or target.startswith((".", "torch.", "?")) or node.decorator_list:
            return None
        init = owner.blocks.get("__init__")
        if init is None:
            return Inherited(target, wrapper.passed)
        frame = self._construction.arguments.frame(init, wrapper.passed)
        statements = [s for s in init.node.body if not _is_text(s)] if isinstance(init.node, ast.FunctionDef) else []
        if frame is None or len(statements) != 1 or len(owner.blocks) != 1:
            return None
        return Inherited(target, self._construction.passed_up(init, frame))

    def _applied(self, block: Block, item: Item | None, wrapper: Wrapper) -> Template | None:
        """The template of layers with one input and one output."""
        if item is None or len(wrapper.operands) != 1:
            return None
        graph = GraphBuilder(self._construction, block.node)
        start = graph.node("input", NOTHING, block.node)
        return _template(block, graph, tuple(start), graph.apply(item, start, None))

    def _followed(self, owner: Block, forward: Block, wrapper: Wrapper) -> Template | None:
        node = forward.node
        marks = tuple(Given(text=f"operand {i}") for i in range(len(wrapper.operands)))
        operands = zip(wrapper.operands, marks, strict=True)
        frame = self._construction.arguments.frame(
            forward, Passed(tuple((keyword, mark) for (keyword, _), mark in operands))
        )
        if frame is None or not isinstance(node, ast.FunctionDef):
            return None
        attributes = self._construction.attributes(owner, wrapper.passed)
        tracer = Tracer(self._construction, attributes, node)
        names = {item.given: name for name, item in frame.items() if isinstance(item, Known)}
        if any(names.get(mark) not in forward.parameters for mark in marks):
            return None  # taken up by ``*args`` or ``**kwargs``
        starts = {names[mark]: tracer.graph.node("input", NOTHING, node) for mark in marks}
        layers = {name: item for name, item in frame.items() if name not in starts}
        tracer.function(node.body, State(forward, dict(starts), layers))
        inputs = tuple(i for mark in marks for i in starts[names[mark]])
        return None if tracer.returns_other else _template(owner, tracer.graph, inputs, frozenset(tracer.outputs))


def _template(block: Block, graph: GraphBuilder, inputs: tuple[int, ...], outputs: Operand) -> Template | None:
    if not outputs or len(graph.nodes) > MAX_NODES:
        return None
    return Template(
        block.name,
        tuple(graph.nodes),
        inputs,
        tuple(sorted(outputs)),
        tuple(sorted(graph.losses)),
        tuple(sorted(graph.compared)),
    )


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
