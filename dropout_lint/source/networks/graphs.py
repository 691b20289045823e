"""Partial LayerGraphs of a file: one for each ``forward``, and one for each chain of layers built elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import LayerGraph, LayerNode, Scope, Wrapper
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.builds import MAX_CALLS
from dropout_lint.source.networks.chains import LossInputs, chain_graph, chains, has_dropout
from dropout_lint.source.networks.construction import Construction
from dropout_lint.source.networks.layers import Env, Locals
from dropout_lint.source.networks.operands import NOTHING, State
from dropout_lint.source.networks.splice import Found, spliced
from dropout_lint.source.networks.templates import Templates
from dropout_lint.source.networks.trace import Tracer
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.syntax.parsing import walk


def layer_graphs(module: SourceModule) -> Iterator[LayerGraph]:
    """All networks of the file with a dropout; wrappers whose class is in the file are inlined."""
    templates = Templates(module)

    def local(_node: LayerNode, wrapper: Wrapper) -> Found | None:
        return (templates.of(wrapper.target, wrapper), "") if templates.has(wrapper.target) else None

    for graph in _networks(module):
        yield spliced(graph, local)


def _networks(module: SourceModule) -> Iterator[LayerGraph]:
    construction = Construction(module)
    end = construction.follow(module.tree.body, Locals(module.scopes.module, {}, MAX_CALLS)).end
    shared = end.items if end is not None else {}
    loss_inputs = LossInputs({n for n, item in shared.items() if any(True for _ in chains(item))})
    for block in list(module.scopes.blocks.values()):
        if isinstance(block.node, ast.FunctionDef) and block.enclosing_class is None:
            yield from _of_free_function(module, construction, block, shared, loss_inputs)
    _of_script(module, construction, loss_inputs)
    for block in list(module.scopes.blocks.values()):
        if not _speaks(module, block):
            continue
        if block.kind == "class":
            yield from _of_class(construction, block)
        elif block.enclosing_class is None and block.name != "<lambda>":
            yield from _of_function(construction, block, loss_inputs)


def _of_free_function(
    module: SourceModule, construction: Construction, block: Block, shared: Env, loss_inputs: LossInputs
) -> Iterator[LayerGraph]:
    """The graph of a plain function, if it drops something. Notes the losses of networks of the file."""
    node = block.node
    assert isinstance(node, ast.FunctionDef)
    used = {n.id for n in walk(node) if isinstance(n, ast.Name)} & loss_inputs.names if loss_inputs.names else set()
    if not used and not _speaks(module, block):
        return
    tracer = Tracer(construction, {}, node)
    env = {name: item for name, item in shared.items() if name not in block.parameters}
    graph = _traced(tracer, block, scope_of(block), env)
    loss_inputs.add(tracer.graph)
    if has_dropout(tuple(n for n in graph.nodes if n.element is None)):
        yield graph


def _of_script(module: SourceModule, construction: Construction, loss_inputs: LossInputs) -> None:
    if loss_inputs.names:
        tracer = Tracer(construction, {}, module.tree.body[0])  # a tree has no span
        tracer.function(module.tree.body, State(module.scopes.module, {}, {}))
        loss_inputs.add(tracer.graph)


def _speaks(module: SourceModule, block: Block) -> bool:
    node = block.node
    if isinstance(node, ast.Module):
        return True
    if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    return "drop" in module.lines.block(node.lineno, node.end_lineno or node.lineno).lower()


def _of_class(construction: Construction, owner: Block) -> Iterator[LayerGraph]:
    attributes = construction.attributes(owner)
    covered = set()
    for name in ("forward", "encode", "decode"):
        method = owner.blocks.get(name)
        if method is None or not isinstance(method.node, ast.FunctionDef):
            continue
        tracer = Tracer(construction, attributes, method.node)
        graph = _traced(tracer, method, scope_of(method), {})
        covered |= {n.constructor for n in graph.nodes}
        if has_dropout(graph.nodes):
            yield graph
        if name == "forward":
            break
    scope = Scope(class_name=owner.qualname, method="__init__", self_name="self")
    built = construction.builder.built_by(owner)
    for item in [*attributes.values(), *([built] if built is not None else [])]:
        for chain in chains(item):
            graph = chain_graph(construction, chain, scope, LossInputs(set()))
            if has_dropout(graph.nodes) and not covered & {n.constructor for n in graph.nodes if n.constructor}:
                yield graph


def _traced(tracer: Tracer, function: Block, scope: Scope, env: Env) -> LayerGraph:
    values = {}
    node = function.node
    assert isinstance(node, ast.FunctionDef)
    for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if argument.arg != function.self_name:
            values[argument.arg] = tracer.graph.node("input", NOTHING, argument)
    tracer.function(node.body, State(function, dict(values), dict(env)))
    graph = tracer.graph
    return LayerGraph(
        scope,
        tuple(graph.nodes),
        tuple(sorted(tracer.outputs)),
        losses=tuple(sorted(graph.losses)),
        compared=tuple(sorted(graph.compared)),
    )


def _of_function(construction: Construction, block: Block, loss_inputs: LossInputs) -> Iterator[LayerGraph]:
    node = block.node
    assert isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef))
    end, returned = construction.follow(node.body, Locals(block, {}, MAX_CALLS))
    scope = Scope(function=block.qualname)
    bound = end.items.values() if end is not None else ()
    for item in [*bound, *([returned] if returned is not None else [])]:
        for chain in chains(item):
            graph = chain_graph(construction, chain, scope, loss_inputs)
            if has_dropout(graph.nodes):
                yield graph
