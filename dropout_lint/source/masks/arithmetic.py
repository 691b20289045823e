"""Sums, products and comparisons of symbolic values, and the join of two branches."""

from __future__ import annotations

import ast
from dataclasses import replace

from dropout_lint.source.masks.algebra import (
    Count,
    Factor,
    Linear,
    Mask,
    Product,
    Random,
    Term,
    Zoneout,
    multiply,
    of_linear,
)
from dropout_lint.source.masks.reader import Reader

_COMPARISONS = {ast.Lt: -1, ast.LtE: -1, ast.Gt: 1, ast.GtE: 1}


def unknown_result(reader: Reader, left: Term, right: Term, node: ast.AST) -> Product:
    """An unknown value; a mask in either operand counts as used."""
    reader.consume(left)
    reader.consume(right)
    return reader.unknown(node)


def added(reader: Reader, left: Term, right: Term, sign: int, node: ast.expr) -> Term:
    """The value of ``left + right``, or of ``left - right`` for ``sign`` -1."""
    if isinstance(left, Count) and isinstance(right, Count) and left.draw is right.draw:
        return Count(left.draw, left.kept + sign * right.kept, left.total + sign * right.total)
    if isinstance(right, Random) and isinstance(left, Product) and sign > 0:
        left, right = right, left
    if isinstance(left, Random) and isinstance(right, Product) and right.linear is not None:
        shift = left.shift.plus(right.linear, sign)
        return Random(left.draw, shift, _operand(node, reader)) if shift is not None else reader.unknown(node)
    if isinstance(left, Product) and isinstance(right, Product):
        if left == Product() and sign < 0 and right.mask is not None and right.use is None:
            return negated(reader, right, node)
        if left.use is not None and right.use is not None and sign > 0 and _complementary(left, right):
            reader.zoneouts.append(Zoneout(node, left, right))
            return reader.unknown(node)
        if left.linear is not None and right.linear is not None:
            total = left.linear.plus(right.linear, sign)
            if total is not None:
                return of_linear(total, filled=left.filled or right.filled)
    return unknown_result(reader, left, right, node)


def multiplied(
    reader: Reader, left_node: ast.expr, right: Term, node: ast.expr, sign: int, right_node: ast.expr | None = None
) -> Term:
    """The value of ``left * right``, or of ``left / right`` for ``sign`` -1."""
    left = reader.read(left_node)
    if isinstance(left, Count) and isinstance(right, Count) and sign < 0 and (right.kept, right.total) == (0, 1):
        value = Linear(float(left.total), float(left.kept), f"kept@{id(left.draw)}" if left.kept else "")
        return of_linear(value)
    if not isinstance(left, Product) or not isinstance(right, Product):
        return unknown_result(reader, left, right, node)
    result = multiply(left, right, sign)
    if result is None:
        return unknown_result(reader, left, right, node)
    _note_factor(reader, left_node, left, right_node, right, node, sign)
    if result.mask is not None and left.use is None and right.use is None:
        data, other = (left_node, left) if right.mask is not None else (right_node, right)
        if data is not None and _is_tensor(other, result.mask):
            result = replace(result, use=node, data=data)
    return result


def _note_factor(
    reader: Reader,
    left_node: ast.expr,
    left: Product,
    right_node: ast.expr | None,
    right: Product,
    node: ast.expr,
    sign: int,
) -> None:
    if right_node is None:
        return
    for data, value, term, divides in (
        (left_node, right, left, sign < 0),
        (right_node, left, right, False),
    ):
        linear = value.linear
        if linear is None and len(value.factors) == 1 and value.factors[0][1] == -1 and value.number == 1:
            linear, divides = value.factors[0][0], not divides
        if linear is not None and (sign > 0 or data is left_node) and value.mask is None and term.linear != Linear(1.0):
            reader.factors.append(Factor(node, linear, data, divides))


def negated(reader: Reader, term: Term, node: ast.AST) -> Term:
    """The mask with zeros and ones exchanged, as ``~mask`` or ``1 - mask``."""
    if isinstance(term, Product) and term.mask is not None and term.use is None and not term.factors:
        return replace(term, mask=term.mask.complement)
    if isinstance(term, Product):
        reader.consume(term)
    return reader.unknown(node)


def compared(reader: Reader, left_node: ast.expr, operator: ast.cmpop, right_node: ast.expr, node: ast.expr) -> Term:
    """The value of a comparison: a mask for a draw below or above a limit, or for a mask compared with 0 or 1."""
    left, right = reader.read(left_node), reader.read(right_node)
    if isinstance(left, Product) and left.mask is not None and isinstance(right, Product) and not right.factors:
        if left.use is not None or right.number not in (0.0, 1.0):
            return unknown_result(reader, left, right, node)
        equal = {ast.Eq: right.number == 1, ast.NotEq: right.number == 0, ast.Gt: True, ast.Lt: False}
        wanted = equal.get(type(operator))
        if wanted is None:
            return reader.unknown(node)
        bare = Product(mask=left.mask)
        return bare if wanted else negated(reader, bare, node)
    side = _COMPARISONS.get(type(operator))
    if side is None:
        return unknown_result(reader, left, right, node)
    if isinstance(right, Random):
        return _threshold(reader, right, left, left_node, -side, node)
    return _threshold(reader, left, right, right_node, side, node)


def _threshold(reader: Reader, random: Term, limit: Term, limit_node: ast.expr, side: int, node: ast.expr) -> Term:
    if not isinstance(random, Random) or not isinstance(limit, Product):
        return unknown_result(reader, random, limit, node)
    value = limit.linear
    below = value.plus(random.shift, -1) if value is not None else None
    if below is not None and below.symbol.startswith("@"):
        below = None
    rate = limit_node if random.shift == Linear() else random.shift_node
    flipped = side > 0
    one = (below.complement if flipped else below) if below is not None else None
    if random.shift != Linear():
        flipped = not flipped
    return Product(mask=Mask(random.draw, one, rate, flipped))


def _operand(node: ast.expr, reader: Reader) -> ast.expr | None:
    """The operand of a sum that is not the draw."""
    if not isinstance(node, ast.BinOp) or node in reader.made:
        return None
    return node.left if isinstance(reader.read(node.right), Random) else node.right


def _is_tensor(term: Product, mask: Mask) -> bool:
    """Whether a factor may be the tensor that a mask is applied to, and not a scale."""
    kept = mask.one.symbol if mask.one is not None else ""
    observed = f"kept@{id(mask.draw)}"
    return any(power == 1 and t.symbol not in {kept, observed} for t, power in term.factors)


def is_zero(term: Term) -> bool:
    return isinstance(term, Product) and term.number == 0.0 and term.mask is None and not term.factors


def masked(data: Product, source: Product, mask: Mask, use: ast.expr, node: ast.expr) -> Product:
    return replace(data, mask=mask, use=use, data=node, unsure=data.unsure or source.unsure)


def _complementary(left: Product, right: Product) -> bool:
    one, two = left.mask, right.mask
    return one is not None and two is not None and one.draw is two.draw and one.flipped != two.flipped


def join(left: Term, right: Term, unknown: Term) -> Term:
    """The value of a name after two branches."""
    if left == right:
        return left
    if isinstance(left, Random) or isinstance(right, Random) or isinstance(left, Count) or isinstance(right, Count):
        return left if isinstance(left, Random) else right if isinstance(right, Random) else unknown
    if left.mask is None and right.mask is None:
        return unknown
    masked_side, other = (left, right) if left.mask is not None else (right, left)
    assert masked_side.mask is not None
    if other.mask is not None:
        return replace(masked_side, unsure=True)
    symbol = masked_side.mask.one.symbol if masked_side.mask.one is not None else ""
    scaled = other.number not in (0.0, 1.0) or any(t.symbol == symbol for t, _ in other.factors)
    return replace(masked_side, unsure=masked_side.unsure or scaled)
