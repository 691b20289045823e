"""Partial LayerGraphs of a file: one for each ``forward``, and one for each chain of layers built elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from dropout_lint.diagnostic import Span
from dropout_lint.facts import LayerGraph, LayerNode, Scope
from dropout_lint.layer_facts import DROP_PATHS
from dropout_lint.source.builds import MAX_CALLS
from dropout_lint.source.construction import Construction
from dropout_lint.source.flow import Flow
from dropout_lint.source.layers import Either, Env, Item, Layer, Repeated, Sequence, unrolled
from dropout_lint.source.module import SourceModule
from dropout_lint.source.operands import NOTHING, State
from dropout_lint.source.scopes import Block
from dropout_lint.source.sites import scope_of
from dropout_lint.source.syntax import walk
from dropout_lint.source.trace import Tracer
from dropout_lint.torch_facts import DROPOUT_MODULES, FUNCTIONALS

DROPS = frozenset({*DROPOUT_MODULES, *FUNCTIONALS, *DROP_PATHS})


def layer_graphs(module: SourceModule) -> Iterator[LayerGraph]:
    """Every network of the file in which something is dropped."""
    construction, flow = Construction(module), Flow(module)
    shared: Env = {}
    construction.run(module.tree.body, module.scopes.module, shared, MAX_CALLS)
    judged = _Judged({n for n, item in shared.items() if any(True for _ in _chains(item))})
    for block in list(module.scopes.blocks.values()):
        if isinstance(block.node, ast.FunctionDef) and block.enclosing_class is None:
            yield from _of_free_function(module, construction, flow, block, shared, judged)
    _of_script(module, construction, flow, judged)
    for block in list(module.scopes.blocks.values()):
        if not _speaks(module, block):
            continue
        if block.kind == "class":
            yield from _of_class(module, construction, flow, block)
        elif block.enclosing_class is None and block.name != "<lambda>":
            yield from _of_function(module, construction, flow, block, judged)


@dataclass(slots=True)
class _Judged:
    """Layers of the file's own networks whose value is given to a loss, by the place of their constructor."""

    names: set[str]
    """Networks that the module binds to a name."""
    losses: set[Span] = field(default_factory=set)
    compared: set[Span] = field(default_factory=set)

    def take(self, tracer: Tracer) -> None:
        """Remember what a traced function gives to a loss."""
        for found, into in ((tracer.losses, self.losses), (tracer.compared, self.compared)):
            into.update(at for at in (tracer.nodes[i].constructor for i in found) if at is not None)


def _of_free_function(
    module: SourceModule, construction: Construction, flow: Flow, block: Block, shared: Env, judged: _Judged
) -> Iterator[LayerGraph]:
    """A function that drops something itself, or that trains a network of the file."""
    node = block.node
    assert isinstance(node, ast.FunctionDef)
    used = {n.id for n in walk(node) if isinstance(n, ast.Name)} & judged.names if judged.names else set()
    if not used and not _speaks(module, block):
        return
    tracer = Tracer(module, construction, flow, {}, node)
    env = {name: item for name, item in shared.items() if name not in block.parameters}
    graph = _traced(tracer, block, scope_of(module, block, node.body[0]), env)
    judged.take(tracer)
    if _drops(tuple(n for n in graph.nodes if n.element is None)):
        yield graph


def _of_script(module: SourceModule, construction: Construction, flow: Flow, judged: _Judged) -> None:
    if judged.names:
        tracer = Tracer(module, construction, flow, {}, module.tree)
        tracer.run(module.tree.body, module.scopes.module, State({}, {}))
        judged.take(tracer)


def _speaks(module: SourceModule, block: Block) -> bool:
    node = block.node
    if isinstance(node, ast.Module):
        return True
    if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    return "drop" in module.lines.block(node.lineno, node.end_lineno or node.lineno).lower()


def _of_class(module: SourceModule, construction: Construction, flow: Flow, owner: Block) -> Iterator[LayerGraph]:
    attributes = construction.attributes(owner)
    covered = set()
    for name in ("forward", "encode", "decode"):
        method = owner.blocks.get(name)
        if method is None or not isinstance(method.node, ast.FunctionDef):
            continue
        tracer = Tracer(module, construction, flow, attributes, method.node)
        graph = _traced(tracer, method, scope_of(module, method, method.node.body[0]), {})
        covered |= {n.constructor for n in graph.nodes}
        if _drops(graph.nodes):
            yield graph
        if name == "forward":
            break
    scope = Scope(class_name=owner.qualname, method="__init__", self_name="self")
    built = construction.built_by(owner)
    for item in [*attributes.values(), *([built] if built is not None else [])]:
        for chain in _chains(item):
            graph = _chain_graph(module, construction, flow, chain, scope, _Judged(set()))
            if _drops(graph.nodes) and not covered & {n.constructor for n in graph.nodes if n.constructor}:
                yield graph


def _traced(tracer: Tracer, function: Block, scope: Scope, env: Env) -> LayerGraph:
    values = {}
    node = function.node
    assert isinstance(node, ast.FunctionDef)
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if argument.arg != function.self_name:
            values[argument.arg] = tracer.node("input", NOTHING, argument)
    tracer.run(node.body, function, State(dict(values), dict(env)))
    return LayerGraph(
        scope,
        tuple(tracer.nodes),
        tuple(sorted(tracer.outputs)),
        adds_input=any(n.kind in {"add", "cat"} and _rejoins(tracer.nodes, n) for n in tracer.nodes),
        losses=tuple(sorted(tracer.losses)),
        compared=tuple(sorted(tracer.compared)),
    )


def _rejoins(nodes: list[LayerNode], joined: LayerNode) -> bool:
    """Whether one operand of an addition was computed from the other."""
    for operand in joined.inputs:
        seen, pending = set(), [operand]
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            pending += nodes[current].inputs
        if any(other in seen for other in joined.inputs if other != operand):
            return True
    return False


def _of_function(
    module: SourceModule, construction: Construction, flow: Flow, block: Block, judged: _Judged
) -> Iterator[LayerGraph]:
    node = block.node
    assert isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef))
    env: Env = {}
    returned = construction.run(node.body, block, env, MAX_CALLS)
    scope = Scope(function=block.qualname)
    for item in [*env.values(), *([returned] if returned is not None else [])]:
        for chain in _chains(item):
            graph = _chain_graph(module, construction, flow, chain, scope, judged)
            if _drops(graph.nodes):
                yield graph


def _chains(item: Item) -> Iterator[Sequence]:
    """The chains inside of lists and choices of layers."""
    if isinstance(item, Sequence) and item.chained:
        yield item
    elif isinstance(item, Sequence):
        for inner in unrolled(item.items):
            yield from _chains(inner)
    elif isinstance(item, Either):
        for arm in item.arms:
            for inner in arm:
                yield from _chains(inner)
    elif isinstance(item, Repeated):
        for inner in item.items:
            yield from _chains(inner)


def _chain_graph(
    module: SourceModule, construction: Construction, flow: Flow, chain: Sequence, scope: Scope, judged: _Judged
) -> LayerGraph:
    first = _first(chain)
    if first is None or first.call is None:
        return LayerGraph(scope, (), ())
    tracer = Tracer(module, construction, flow, {}, first.call)
    ends = tracer.apply(chain, tracer.node("input", NOTHING, first.call), None)
    return LayerGraph(
        scope,
        tuple(tracer.nodes),
        (),
        losses=tuple(i for i in ends if tracer.nodes[i].constructor in judged.losses),
        compared=tuple(i for i in ends if tracer.nodes[i].constructor in judged.compared),
    )


def _first(item: Item) -> Layer | None:
    """The first layer that the file builds, at any depth."""
    if isinstance(item, Layer):
        return item if item.call is not None else None
    items = [i for arm in item.arms for i in arm] if isinstance(item, Either) else item.items
    return next((found for i in items for found in [_first(i)] if found is not None), None)


def _drops(nodes: tuple[LayerNode, ...]) -> bool:
    return any(n.kind in DROPS for n in nodes)
