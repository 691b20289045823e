"""Mode flags other than ``self.training``: copies, constants and the bound method ``train``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import CONSTRUCTORS, FlagUse
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Binding, Block
from dropout_lint.source.sites.flow import Flow
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS
from dropout_lint.vocabulary import TRAIN_FLAGS

_COPIED_FLAGS = TRAIN_FLAGS - {"train"}
"""Attributes that are taken for a mode flag when a constructor sets them to True; DRP202 is about ``self.train``."""


def flag_uses(module: SourceModule) -> Iterator[FlagUse]:
    """All such flags of a file."""
    yield from _outside_tests(module)
    for block in list(module.scopes.blocks.values()):
        if block.kind == "class":
            yield from _method_tests(module, block)
            yield from _class_flags(module, block)


def _class_flags(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    for name, bindings in owner.attributes.items():
        kind = _flag_kind(name, bindings)
        if not kind:
            continue
        for read in owner.reads.get(name, []):
            home = module.scopes.block_of(read)
            governed = _governed(module, read)
            if home.method is not None and home.method.name not in CONSTRUCTORS and governed is not None:
                span = module.lines.span(governed)
                yield FlagUse(kind, name, span, module.lines.span(read), scope_of(home))  # type: ignore[arg-type]
    for call, block in module.scopes.calls:
        if block.enclosing_class is owner and block.method is not None and block.method.name == "__init__":
            yield from _frozen_call(module, owner, call, block)


def _flag_kind(name: str, bindings: list[Binding]) -> str:
    if len(bindings) != 1 or name == "training":
        return ""
    value, method = bindings[0].value, bindings[0].block.method
    if method is None or method.name != "__init__":
        return ""
    if value is not None and dotted(value) == f"{bindings[0].block.instance}.training":
        return "copy"
    return (
        "constant" if isinstance(value, ast.Constant) and value.value is True and name.lower() in _COPIED_FLAGS else ""
    )


def _governed(module: SourceModule, read: ast.Attribute) -> ast.expr | None:
    """The dropout call that takes the flag as its mode, or the first one in the branch that the flag opens."""
    current: ast.AST = read
    while current in module.scopes.parents:
        parent = module.scopes.parents[current]
        if isinstance(parent, ast.keyword):
            parent = module.scopes.parents[parent]
        if isinstance(parent, ast.Call):
            mode = [k.value for k in parent.keywords if k.arg in {"training", "train"}] or parent.args[2:3]
            known = module.resolve_call(parent, module.scopes.block_of(parent)) in FUNCTIONALS
            return parent if known and current in mode else None
        if isinstance(parent, (ast.If, ast.IfExp)) and parent.test is current:
            for node in walk(parent):
                if isinstance(node, ast.Call) and _is_dropout(module, node):
                    return node
            return None
        if isinstance(parent, ast.stmt):
            return None
        current = parent
    return None


def _is_dropout(module: SourceModule, call: ast.Call) -> bool:
    block = module.scopes.block_of(call)
    made = module.constructor_of(call.func, block)
    return module.resolve_call(call, block) in FUNCTIONALS or (made is not None and made[0] in DROPOUT_MODULES)


def _frozen_call(module: SourceModule, owner: Block, call: ast.Call, block: Block) -> Iterator[FlagUse]:
    """``partial(F.dropout, training=self.training)`` and ``nn.Dropout(p if self.training else 0)``."""
    name, mode = module.scopes.resolve(call.func, block), f"{block.instance}.training"
    span, scope, flow = module.lines.span(call), scope_of(block), Flow(module)
    if name == "functools.partial" and call.args and module.scopes.resolve(call.args[0], block) in FUNCTIONALS:
        for keyword in call.keywords:
            if keyword.arg == "training" and dotted(keyword.value) == mode:
                attribute = flow.attribute(call)
                parents = module.scopes.parents
                uses = [parents[r] for r in owner.reads.get(attribute, [])]
                calls = tuple(
                    module.lines.span(u) for u in uses if isinstance(u, ast.Call) and u.func in owner.reads[attribute]
                )
                yield FlagUse("partial", "training", span, module.lines.span(keyword.value), scope, calls=calls)
    elif name in DROPOUT_MODULES:
        for node in (n for a in [*call.args, *(k.value for k in call.keywords)] for n in walk(a)):
            if isinstance(node, ast.IfExp) and dotted(node.test) == mode:
                yield FlagUse("rate", "training", span, module.lines.span(node), scope, module.lines.code(node.body))


def _method_tests(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    """``if self.train:``, where the class does not make ``train`` an attribute of its own."""
    if _makes_train_its_own(module, owner, set()) or any(t.attr == "train" for t, _ in module.scopes.foreign_writes):
        return
    for read in owner.reads.get("train", []):
        if is_tested(module.scopes.parents[read], read):
            home, span = module.scopes.block_of(read), module.lines.span(read)
            yield FlagUse("method", "train", span, span, scope_of(home), text=home.instance)


def _makes_train_its_own(module: SourceModule, owner: Block, seen: set[Block]) -> bool:
    """Whether a class, or a base of it in the file, has an attribute or a property ``train``."""
    seen.add(owner)
    method = owner.blocks.get("train")
    if "train" in owner.attributes or (method is not None and method.is_property):
        return True
    names = {dotted(base) for base in getattr(owner.node, "bases", ())}
    above = [b for b in list(module.scopes.blocks.values()) if b.kind == "class" and b.name in names and b not in seen]
    return any(_makes_train_its_own(module, base, seen) for base in above)


def _outside_tests(module: SourceModule) -> Iterator[FlagUse]:
    """``if model.train:``, where ``model`` is bound to a constructed object."""
    for read, block in module.scopes.train_reads:
        made = module.constructor_of(read.value, block)
        if made is not None and is_tested(module.scopes.parents[read], read):
            span = module.lines.span(read)
            receiver = module.lines.code(read.value)
            yield FlagUse("method", "train", span, span, scope_of(block), text=receiver, receiver=made[0])


def is_tested(parent: ast.AST, node: ast.AST) -> bool:
    """Whether an expression is used as a truth value."""
    if isinstance(parent, (ast.If, ast.IfExp, ast.While)):
        return parent.test is node
    return isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))
