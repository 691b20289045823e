"""The source text of rates for fixes, and the values of a rate that a function admits."""

from __future__ import annotations

import ast

from dropout_lint.source.masks.algebra import Mask
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import walk

_SIMPLE = (ast.Name, ast.Attribute, ast.Constant, ast.Call, ast.Subscript)


def complement_text(module: SourceModule, node: ast.expr) -> str:
    """Source of one minus an expression."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        left = node.left
        if isinstance(left, ast.Constant) and left.value in (1, 1.0) and isinstance(node.right, _SIMPLE):
            return module.lines.code(node.right)
    text = module.lines.code(node)
    return f"1 - {text}" if isinstance(node, _SIMPLE) else f"1 - ({text})"


def kept_text(module: SourceModule, mask: Mask) -> str:
    """Source of the probability to keep; "" if it is not known."""
    one = mask.one
    if (
        (mask.rate is None or "(" in module.lines.code(mask.rate))
        and one is not None
        and one.symbol
        and "@" not in one.symbol
    ):
        name = one.symbol.removeprefix("__init__.")
        return {(0.0, 1.0): name, (1.0, -1.0): f"1 - {name}"}.get((one.constant, one.coefficient), "")
    if one is None or mask.rate is None:
        return ""
    return complement_text(module, mask.rate) if mask.flipped else module.lines.code(mask.rate)


def admits_one(module: SourceModule, function: Block, rate: str) -> bool:
    """Whether an assertion of a function admits a rate of 1, which the function does not handle."""
    admits = False
    for node in walk(function.node):
        if not isinstance(node, ast.Compare):
            continue
        sides = (node.left, *node.comparators)
        numbers = {s.value for s in sides if isinstance(s, ast.Constant) and not isinstance(s.value, str)}
        names = {n.id for n in walk(node) if isinstance(n, ast.Name)}
        if 0 in numbers and rate not in names and len(sides) == 2:
            return False  # the probability to keep, which has a name of its own, is checked
        if rate in names and 1 in numbers:
            if not isinstance(module.scopes.parents[node], ast.Assert) or not isinstance(node.ops[-1], ast.LtE):
                return False
            admits = True
    return admits
