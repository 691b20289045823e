"""Modes that a constructor freezes: read once for a ``partial``, a closure or a rate, or passed to a factory."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import FlagUse
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.call_uses import CallUses
from dropout_lint.source.sites.captures import governed
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.torch_api.signatures import ATTENTION, DROPOUT_MODULES, FUNCTIONALS


def frozen_modes(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    """The modes that the constructor of a class freezes."""
    constructor = owner.blocks.get("__init__")
    if constructor is None or constructor.kind != "function":
        return
    for call, block in module.scopes.calls:
        if block.enclosing_class is not owner or block.method is not constructor:
            continue
        yield from _frozen_call(module, owner, call, block)
        if block is constructor:
            yield from _passed_to_factory(module, call, block)
    yield from _in_closures(module, constructor)


def _reads_mode(node: ast.AST, block: Block) -> bool:
    """Whether an expression is ``self.training``, or a local name for it."""
    mode = f"{block.instance}.training"
    if isinstance(node, ast.Name) and block.method is not None:
        bindings = block.method.bindings.get(node.id, [])
        return len(bindings) == 1 and bindings[0].value is not None and dotted(bindings[0].value) == mode
    return isinstance(node, ast.Attribute) and dotted(node) == mode


def _frozen_call(module: SourceModule, owner: Block, call: ast.Call, block: Block) -> Iterator[FlagUse]:
    """``partial(F.dropout, training=self.training)`` and ``nn.Dropout(p if self.training else 0)``."""
    name = module.scopes.resolve(call.func, block)
    span, scope = module.lines.span(call), scope_of(block)
    function = module.scopes.resolve(call.args[0], block) if name == "functools.partial" and call.args else ""
    if function in FUNCTIONALS:
        for keyword in call.keywords:
            if keyword.arg == "training" and _reads_mode(keyword.value, block):
                calls = tuple(module.lines.span(use) for use in _uses(module, owner, call))
                yield FlagUse("partial", "training", span, module.lines.span(keyword.value), scope, calls=calls)
    elif name in DROPOUT_MODULES or function in ATTENTION:
        for node in (n for a in [*call.args, *(k.value for k in call.keywords)] for n in walk(a)):
            if isinstance(node, ast.IfExp) and _reads_mode(node.test, block):
                kept = module.lines.code(node.body) if name in DROPOUT_MODULES else ""
                yield FlagUse("rate", "training", span, module.lines.span(node), scope, kept)


def _uses(module: SourceModule, owner: Block, call: ast.Call) -> Iterator[ast.Call]:
    """The calls of the attribute that a constructed function is bound to."""
    reads = owner.reads.get(CallUses(module).attribute(call), [])
    for use in (module.scopes.parents[read] for read in reads):
        if isinstance(use, ast.Call) and use.func in reads:
            yield use


def _passed_to_factory(module: SourceModule, call: ast.Call, block: Block) -> Iterator[FlagUse]:
    """``make_dropout(p, self.training)``. Whether the callee keeps the mode, its summary says."""
    name = module.scopes.resolve(call.func, block)
    if not name or name.startswith("torch."):
        return
    arguments = [*((str(i), a) for i, a in enumerate(call.args)), *((k.arg or "", k.value) for k in call.keywords)]
    for argument, value in arguments:
        if argument and _reads_mode(value, block):
            span, read = module.lines.span(call), module.lines.span(value)
            yield FlagUse("factory", "training", span, read, scope_of(block), text=argument, receiver=name)


def _in_closures(module: SourceModule, constructor: Block) -> Iterator[FlagUse]:
    """A lambda or function inside of the constructor that reads a local copy of the mode."""
    for node in walk(constructor.node):
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        home = module.scopes.block_of(node)
        if home is constructor or not _reads_mode(node, home) or node.id in home.bindings:
            continue
        call = governed(module, node)
        if call is not None:
            yield FlagUse("closure", node.id, module.lines.span(call), module.lines.span(node), scope_of(home))
