"""The calls of a function in its file, and what they pass for a parameter."""

from __future__ import annotations

import ast

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted


def outermost(block: Block) -> Block:
    """The method or module-level function around a block."""
    method = block.method
    if method is not None:
        return method
    while block.parent is not None and block.parent.kind == "function":
        block = block.parent
    return block


def targets(call: ast.Call, function: Block, home: Block) -> bool:
    """Whether a call of this name calls this function: by its name, or as method of the instance."""
    if function.method is None:
        return isinstance(call.func, ast.Name)
    owner = home.enclosing_class
    if not isinstance(call.func, ast.Attribute) or owner is not function.parent:
        return False
    return dotted(call.func.value) in {home.instance, owner.name if owner is not None else ""}


def passed_argument(call: ast.Call, function: Block, parameter: str) -> ast.expr | None:
    """The argument of a call for a parameter, or its default; None if not known."""
    names = [p for p in function.parameters if p != function.self_name]
    for keyword in call.keywords:
        if keyword.arg == parameter:
            return keyword.value
    position = names.index(parameter) if parameter in names else len(call.args)
    if any(isinstance(a, ast.Starred) for a in call.args[: position + 1]):
        return None
    return call.args[position] if position < len(call.args) else function.parameters.get(parameter)


def callers_switch(module: SourceModule, block: Block, parameter: str) -> bool:
    """Whether each call of the function around a block passes a rate that is 0 in eval mode, or no rate."""
    function = outermost(block)
    if parameter not in function.parameters:
        return False
    found = [(call, module.scopes.block_of(call)) for call in module.guards.callers(function)]
    calls = [(call, home) for call, home in found if targets(call, function, home)]
    return bool(calls) and all(_is_switched(module, call, home, function, parameter) for call, home in calls)


def _is_switched(module: SourceModule, call: ast.Call, home: Block, function: Block, parameter: str) -> bool:
    value = module.values.evaluate(passed_argument(call, function, parameter), home)
    return value.gated or value.is_zero or value.kind == "none" or module.guards.guarded(call, home)
