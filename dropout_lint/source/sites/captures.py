"""Parameters that a function keeps for later as the mode of a dropout: in a closure, a ``partial`` or an attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import walk
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

_MODES = {"training", "train"}
_DEPTH = 3
"""The number of calls through which a mode is followed to a dropout."""


def captured_modes(module: SourceModule, function: Block) -> Iterator[tuple[str, str]]:
    """Parameters that something which outlives the call reads as the mode, each with the attribute that holds it.

    The attribute is "" for a closure or a ``partial``.
    """
    found: dict[str, str] = {}
    for node in walk(function.node) if _may_capture(module, function) else ():
        if not isinstance(node, ast.Name) or node.id not in function.parameters or not isinstance(node.ctx, ast.Load):
            continue
        home = module.scopes.block_of(node)
        if home is function and not _is_mode_keyword(module.scopes.parents[node]):
            continue
        owner = module.scopes.lookup(node.id, home)
        if owner is None or owner[0] is not function or owner[1]:
            continue
        outlives = (
            governed(module, node) is not None if home is not function else _bound_by_partial(module, node, function)
        )
        if outlives:
            found.setdefault(node.id, "")
    yield from found.items()
    if function.method is function and function.name == "__init__":
        yield from _kept_in_attributes(module, function)


def _may_capture(module: SourceModule, function: Block) -> bool:
    """Whether a function may make a ``partial`` or a closure. Most do not, and need no search."""
    return function.has_inner or "partial" in module.lines.text


def _is_mode_keyword(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg in _MODES


def _bound_by_partial(module: SourceModule, node: ast.Name, function: Block) -> bool:
    """Whether a name is bound as the mode in ``partial(F.dropout, training=name)``."""
    keyword = module.scopes.parents[node]
    call = module.scopes.parents[keyword] if isinstance(keyword, ast.keyword) else None
    if not isinstance(call, ast.Call) or not isinstance(keyword, ast.keyword) or not _is_mode_keyword(keyword):
        return False
    if not call.args or module.scopes.resolve(call.func, function) != "functools.partial":
        return False
    return _is_mode_of(module, module.scopes.resolve(call.args[0], function), keyword.arg or "", _DEPTH)


def _kept_in_attributes(module: SourceModule, constructor: Block) -> Iterator[tuple[str, str]]:
    owner = constructor.enclosing_class
    assert owner is not None
    for attribute, bindings in owner.attributes.items():
        value = bindings[0].value
        if len(bindings) != 1 or attribute == "training" or bindings[0].block is not constructor:
            continue
        if (
            not isinstance(value, ast.Name)
            or value.id not in constructor.parameters
            or value.id in constructor.bindings
        ):
            continue
        if any(governed(module, read) is not None for read in owner.reads.get(attribute, [])):
            yield value.id, attribute


def governed(module: SourceModule, read: ast.expr, depth: int = _DEPTH) -> ast.expr | None:
    """The dropout call with the flag as its mode, or the first one in a branch that the flag guards."""
    current: ast.AST = read
    while current in module.scopes.parents:
        parent = module.scopes.parents[current]
        argument = current
        if isinstance(parent, ast.keyword):
            argument, parent = parent, module.scopes.parents[parent]
        if isinstance(parent, ast.Call):
            return parent if _takes_mode(module, parent, argument, depth) else None
        if isinstance(parent, (ast.If, ast.IfExp)) and parent.test is current:
            for node in walk(parent):
                if isinstance(node, ast.Call) and _is_dropout(module, node):
                    return node
            return None
        if isinstance(parent, ast.stmt):
            return None
        current = parent
    return None


def _takes_mode(module: SourceModule, call: ast.Call, argument: ast.AST, depth: int) -> bool:
    """Whether an argument is the mode of a dropout, also through functions of this file."""
    name = module.resolve_call(call, module.scopes.block_of(call))
    if isinstance(argument, ast.keyword):
        return _is_mode_of(module, name, argument.arg or "", depth)
    if argument not in call.args or any(isinstance(a, ast.Starred) for a in call.args):
        return False
    names = FUNCTIONALS[name].parameters if name in FUNCTIONALS else module.parameters_of(name)
    position = call.args.index(argument)
    return position < len(names) and _is_mode_of(module, name, names[position], depth)


def _is_mode_of(module: SourceModule, name: str, parameter: str, depth: int) -> bool:
    """Whether a parameter of a function is the mode of a dropout."""
    if name in FUNCTIONALS:
        return parameter in _MODES
    callee = module.function_named(name) if depth > 0 else None
    if callee is None or parameter not in callee.parameters or parameter == callee.self_name:
        return False
    return any(
        isinstance(node, ast.Name) and node.id == parameter and governed(module, node, depth - 1) is not None
        for node in walk(callee.node)
    )


def _is_dropout(module: SourceModule, call: ast.Call) -> bool:
    block = module.scopes.block_of(call)
    made = module.constructor_of(call.func, block)
    return module.resolve_call(call, block) in FUNCTIONALS or (made is not None and made[0] in DROPOUT_MODULES)
