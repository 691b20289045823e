"""Mode flags other than ``self.training``: copies, constants and the bound method ``train``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.facts import CONSTRUCTORS, FlagUse
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Binding, Block
from dropout_lint.source.sites.captures import governed
from dropout_lint.source.sites.frozen import frozen_modes
from dropout_lint.source.sites.passed_flags import calls_class, passes_flag
from dropout_lint.source.sites.sites import scope_of
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.vocabulary import TRAIN_FLAGS

_COPIED_FLAGS = TRAIN_FLAGS - {"train"}
"""Attributes that are a mode flag if a constructor sets them to True. Not ``train``, which DRP202 reports."""


def flag_uses(module: SourceModule) -> Iterator[FlagUse]:
    """All flag uses of a file."""
    yield from _outside_tests(module)
    for block in list(module.scopes.blocks.values()):
        if block.kind == "class":
            yield from _method_tests(module, block)
            yield from _class_flags(module, block)
            yield from _default_flags(module, block)


def _default_flags(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    """``def forward(self, x, training=True)``, where the parameter is the mode of a dropout."""
    forward = owner.blocks.get("forward")
    text = module.lines.text.encode(errors="replace")
    if forward is None:
        return
    for name, default in forward.parameters.items():
        if name not in TRAIN_FLAGS or not isinstance(default, ast.Constant) or default.value is not True:
            continue
        if name in forward.bindings or passes_flag(text, name):
            continue
        built = owner.name if calls_class(text, owner.name) else ""
        for read in walk(forward.node):
            if isinstance(read, ast.Name) and read.id == name and isinstance(read.ctx, ast.Load):
                dropout = governed(module, read)
                if dropout is not None:
                    span, place = module.lines.span(dropout), module.lines.span(read)
                    yield FlagUse("default", name, span, place, scope_of(forward), receiver=built)


def _class_flags(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    for name, bindings in owner.attributes.items():
        kind = _flag_kind(name, bindings)
        if not kind:
            continue
        for read in owner.reads.get(name, []):
            home = module.scopes.block_of(read)
            dropout = governed(module, read)
            if home.method is not None and home.method.name not in CONSTRUCTORS and dropout is not None:
                span = module.lines.span(dropout)
                yield FlagUse(kind, name, span, module.lines.span(read), scope_of(home))  # type: ignore[arg-type]
    yield from frozen_modes(module, owner)


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


def _method_tests(module: SourceModule, owner: Block) -> Iterator[FlagUse]:
    """``if self.train:``, where the class does not make ``train`` an attribute of its own."""
    if _makes_train_its_own(module, owner, set()) or any(t.attr == "train" for t, _ in module.scopes.foreign_writes):
        return
    for read in owner.reads.get("train", []):
        if is_tested(module.scopes.parents[read], read):
            home, span = module.scopes.block_of(read), module.lines.span(read)
            only = _is_only_tested(module, read)
            yield FlagUse("method", "train", span, span, scope_of(home), text=home.instance, tested=only)


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
            only = _is_only_tested(module, read)
            scope = scope_of(block)
            yield FlagUse("method", "train", span, span, scope, text=receiver, receiver=made[0], tested=only)


def _is_only_tested(module: SourceModule, node: ast.AST) -> bool:
    """Whether an expression ends in a test: ``if x.train and y:``, but not ``switch = y or x.train``."""
    parent = module.scopes.parents[node]
    while isinstance(parent, ast.BoolOp):
        node, parent = parent, module.scopes.parents[parent]
    return not isinstance(parent, ast.BoolOp) and is_tested(parent, node)


def is_tested(parent: ast.AST, node: ast.AST) -> bool:
    """Whether an expression is used as a truth value."""
    if isinstance(parent, (ast.If, ast.IfExp, ast.While)):
        return parent.test is node
    return isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))
