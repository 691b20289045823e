"""Follows helper functions of the same file that draw a mask and return it."""

from __future__ import annotations

import ast
from dataclasses import replace

from dropout_lint.source.masks.algebra import Linear, Mask, Product
from dropout_lint.source.masks.draws import draws
from dropout_lint.source.masks.reader import Reader
from dropout_lint.source.module.callers import passed_argument
from dropout_lint.source.names.scopes import Block

MAX_DEPTH = 2


def returned_mask(reader: Reader, node: ast.Call) -> Product | None:
    """The mask that a call returns, in symbols of the caller; None if the callee is no such helper."""
    if reader.depth >= MAX_DEPTH:
        return None
    function = _function(reader, node)
    if function is None or not isinstance(function.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    lines = reader.module.lines
    if not draws(lines.block(function.node.lineno, function.node.end_lineno or function.node.lineno)):
        return None
    inner = reader.inside(function)
    inner.follow(function.node.body)
    masks = [t for t in inner.returned if isinstance(t, Product) and t.mask is not None and t.use is None]
    if len(masks) != 1:
        return None
    found = masks[0]
    mask = found.mask
    assert mask is not None
    draw = replace(mask.draw, like="", shape=None, helper_scales=bool(found.factors) or found.number != 1)
    one = _translated(reader, node, function, mask.one)
    factors = tuple((_translated(reader, node, function, term), power) for term, power in found.factors)
    known = tuple((term, power) for term, power in factors if term is not None)
    unsure = found.unsure or len(known) != len(factors) or len(inner.returned) != 1
    return replace(found, mask=Mask(draw, one, None, mask.flipped), factors=known, unsure=unsure)


def _function(reader: Reader, node: ast.Call) -> Block | None:
    name = reader.module.scopes.resolve(node.func, reader.block)
    if not name.startswith(".") or "()" in name:
        return None
    block: Block | None = reader.module.scopes.module
    for part in name[1:].split("."):
        block = block.blocks.get(part) if block is not None else None
    return block


def _translated(reader: Reader, node: ast.Call, function: Block, value: Linear | None) -> Linear | None:
    """A value with the parameters of the callee replaced by the arguments of the call."""
    if value is None or value.symbol not in function.parameters:
        return value
    argument = passed_argument(node, function, value.symbol)
    term = reader.read(argument) if argument is not None else None
    given = term.linear if isinstance(term, Product) else None
    if given is None:
        return None
    coefficient = value.coefficient * given.coefficient
    constant = value.constant + value.coefficient * given.constant
    return Linear(round(constant, 9), round(coefficient, 9), given.symbol if coefficient else "")
