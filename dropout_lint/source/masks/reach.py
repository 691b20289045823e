"""Finds the calls by which ``forward`` reaches a hand-written mask, and the mode they run in."""

from __future__ import annotations

import ast
from typing import Literal

from dropout_lint.facts import CONSTRUCTORS
from dropout_lint.source.module.callers import outermost, passed_argument, targets
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted
from dropout_lint.vocabulary import TRAIN_FLAGS

_EXITS = (ast.Return, ast.Raise)
_ENTRIES = {"forward", "__call__"}
_AUTOGRAD = {"torch.autograd.Function", "torch.autograd.function.Function"}
MAX_CALLERS = 4


def reached(module: SourceModule, function: Block, parameter: str, depth: int = MAX_CALLERS) -> list[ast.Call] | None:
    """Call sites through which ``forward`` reaches a function without a test of the mode; None if none is proven.

    The list is empty for ``forward`` itself. ``parameter`` carries the rate: a rate that depends on the mode at the
    call, or that ``forward`` takes as an argument, proves nothing.
    """
    applied = is_autograd(module, function)
    if function.method is function and function.name in _ENTRIES and not applied:
        return [] if parameter not in function.parameters else None
    if depth <= 0:
        return None
    found = []
    for call in _applications(module, function) if applied else module.guards.callers(function):
        home = module.scopes.block_of(call)
        caller = outermost(home)
        if caller is function or caller.kind != "function" or not (applied or targets(call, function, home)):
            continue
        if module.guards.guarded(call, home):
            continue
        passed = _applied(call, function, parameter) if applied else passed_argument(call, function, parameter)
        if passed is None and parameter in function.parameters:
            continue
        value = module.values.evaluate(passed, home) if passed is not None else None
        if value is not None and (value.gated or (value.number == 0.0 and not value.default)):
            continue
        name = passed.id if isinstance(passed, ast.Name) and passed.id in caller.parameters else ""
        if reached(module, caller, name, depth - 1) is not None:
            found.append(call)
    return found or None


def is_autograd(module: SourceModule, function: Block) -> bool:
    """Whether a function is the ``forward`` of a ``torch.autograd.Function``, which ``apply`` calls."""
    owner = function.parent
    if function.name != "forward" or owner is None or not isinstance(owner.node, ast.ClassDef):
        return False
    return any(module.scopes.resolve(base, module.scopes.module) in _AUTOGRAD for base in owner.node.bases)


def _applications(module: SourceModule, function: Block) -> list[ast.Call]:
    name = f".{function.parent.qualname}.apply" if function.parent is not None else ""
    return [call for call, home in module.scopes.calls if module.scopes.resolve(call.func, home) == name]


def _applied(call: ast.Call, function: Block, parameter: str) -> ast.expr | None:
    """The argument of ``apply`` for a parameter of ``forward``, whose first one is the context."""
    names = list(function.parameters)[1:]
    position = names.index(parameter) if parameter in names else len(call.args)
    return call.args[position] if position < len(call.args) else function.parameters.get(parameter)


def mode_at(module: SourceModule, node: ast.AST) -> Literal["train", "eval", ""]:
    """The mode in which a node runs, from plain tests of ``training`` around or before it."""
    parents = module.scopes.parents
    current = node
    while current in parents:
        parent = parents[current]
        if isinstance(parent, (ast.If, ast.IfExp)) and current is not parent.test:
            body = parent.body if isinstance(parent.body, list) else [parent.body]
            mode = _tested(parent.test)
            if mode and (current in body or not isinstance(parent.test, ast.BoolOp)):
                return mode if current in body else _other(mode)
        if isinstance(current, ast.stmt):
            statements = getattr(parent, "body", None)
            if isinstance(statements, list) and current in statements:
                for before in reversed(statements[: statements.index(current)]):
                    if isinstance(before, ast.If) and isinstance(before.body[-1], _EXITS):
                        mode = "" if isinstance(before.test, ast.BoolOp) else _tested(before.test)
                        if mode:
                            return _other(mode)
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            break
        current = parent
    return ""


def only_trains(module: SourceModule, function: Block) -> bool:
    """Whether the file calls a function, and in train mode only."""
    calls = module.guards.callers(function)
    return bool(calls) and all(mode_at(module, call) == "train" for call in calls)


def _tested(test: ast.expr) -> Literal["train", "eval", ""]:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _other(_tested(test.operand))
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return "train" if any(_tested(value) == "train" for value in test.values) else ""
    return "train" if dotted(test).rpartition(".")[2] in TRAIN_FLAGS else ""


def _other(mode: Literal["train", "eval", ""]) -> Literal["train", "eval", ""]:
    return {"train": "eval", "eval": "train", "": ""}[mode]  # type: ignore[return-value]


def constructs(function: Block) -> bool:
    """Whether a function builds the object."""
    return function.name in CONSTRUCTORS
