"""Symbolic values of hand-written dropout: probabilities, random draws, masks, and products with a mask."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Literal

from dropout_lint.source.names.scopes import Block

Sampler = Literal["uniform", "normal", "bernoulli"]


@dataclass(frozen=True, slots=True)
class Linear:
    """``constant + coefficient * symbol``; without a symbol, a number. ``1 - p`` is ``Linear(1, -1, "p")``."""

    constant: float = 0.0
    coefficient: float = 0.0
    symbol: str = ""

    def plus(self, other: Linear, sign: int = 1) -> Linear | None:
        """The sum, or the difference for ``sign`` -1; None for two different symbols."""
        if self.symbol and other.symbol and self.symbol != other.symbol:
            return None
        coefficient = round(self.coefficient + sign * other.coefficient, 9)
        constant = round(self.constant + sign * other.constant, 9)
        return Linear(constant, coefficient, (self.symbol or other.symbol) if coefficient else "")

    @property
    def complement(self) -> Linear:
        """One minus this."""
        return Linear(round(1.0 - self.constant, 9), -self.coefficient, self.symbol)


@dataclass(slots=True, eq=False)
class Draw:
    """One random draw, with what is found out about its tensor up to its use."""

    node: ast.Call
    block: Block
    sampler: Sampler
    creation: ast.Call
    """The call that makes the tensor, where device and shape are chosen."""
    like: str = ""
    """Source of the tensor whose shape the draw has."""
    shape: ast.expr | None = None
    """The argument that sets the shape."""
    vector: bool = False
    """``torch.FloatTensor((n, 1, 1))``: a mistake, as the sizes are taken as values."""
    moved: bool = False
    float_cast: ast.Call | None = None
    helper_scales: bool = False
    """Drawn in a helper function that also scales the mask."""


@dataclass(frozen=True, slots=True)
class Random:
    """The numbers of a draw plus ``shift``."""

    draw: Draw
    shift: Linear = Linear()
    shift_node: ast.expr | None = None


@dataclass(frozen=True, slots=True)
class Mask:
    """Zeros and ones; a one has probability ``one``, None if unknown."""

    draw: Draw
    one: Linear | None
    rate: ast.expr | None
    """The expression of the probability or threshold in the source."""
    flipped: bool = False
    """``one`` is one minus the value of ``rate``."""

    @property
    def complement(self) -> Mask:
        """Zeros and ones exchanged."""
        return Mask(self.draw, self.one.complement if self.one is not None else None, self.rate, not self.flipped)


@dataclass(frozen=True, slots=True)
class Product:
    """A number times powers of linear terms, times a mask; a tensor is a term with a symbol of its own."""

    number: float = 1.0
    factors: tuple[tuple[Linear, int], ...] = ()
    mask: Mask | None = None
    use: ast.expr | ast.stmt | None = None
    """The expression or statement that applies the mask to a tensor; None before that."""
    data: ast.expr | None = None
    """The tensor that the mask is applied to."""
    index: bool = False
    """The tensor is indexed by the mask, not multiplied."""
    written: bool = False
    """Zeros are written to the places that the mask selects."""
    filled: bool = False
    """A tensor that is constant over its elements."""
    unsure: bool = False
    """Another path gives another value."""

    @property
    def linear(self) -> Linear | None:
        """This as a linear term; None if it is none."""
        if self.mask is not None or self.unsure:
            return None
        if not self.factors:
            return Linear(self.number)
        if len(self.factors) == 1 and self.factors[0][1] == 1:
            term = self.factors[0][0]
            return Linear(round(term.constant * self.number, 9), round(term.coefficient * self.number, 9), term.symbol)
        return None


@dataclass(frozen=True, slots=True)
class Count:
    """``kept`` times the number of ones of a mask plus ``total`` times its size."""

    draw: Draw
    kept: int
    total: int


Term = Random | Product | Count


def of_linear(value: Linear, *, filled: bool = False) -> Product:
    """A probability as a product."""
    if not value.symbol:
        return Product(value.constant, filled=filled)
    return Product(factors=((value, 1),), filled=filled)


def atom(symbol: str) -> Product:
    """A value of which only the name is known."""
    return of_linear(Linear(0.0, 1.0, symbol))


def multiply(left: Product, right: Product, sign: int = 1) -> Product | None:
    """The product, or the quotient for ``sign`` -1; None if no ``Product`` can express it."""
    if (left.mask is not None and right.mask is not None) or (
        sign < 0 and (right.mask is not None or not right.number)
    ):
        return None
    powers: dict[Linear, int] = dict(left.factors)
    for term, power in right.factors:
        powers[term] = powers.get(term, 0) + sign * power
    number = left.number * right.number if sign > 0 else left.number / right.number
    with_mask = right if right.mask is not None else left
    return replace(
        with_mask,
        number=number,
        factors=tuple(sorted(((t, p) for t, p in powers.items() if p), key=repr)),
        filled=left.filled or right.filled,
        unsure=left.unsure or right.unsure,
    )


Scale = Literal["right", "none", "complement", "unknown"]


def scale_of(product: Product) -> Scale:
    """How the scale of a masked tensor compares with one over the probability to keep.

    "complement": the scale uses the probability to drop instead.
    """
    assert product.mask is not None
    observed = f"kept@{id(product.mask.draw)}"
    if any(term.symbol == observed for term, _ in product.factors):
        return _symbolic(product, Linear(0.0, 1.0, observed))
    kept = product.mask.one
    if kept is None or product.unsure:
        return "unknown"
    if kept.symbol:
        return _symbolic(product, kept)
    if not 0 < kept.constant < 1 or any(power < 0 for _, power in product.factors):
        return "unknown"
    if abs(kept.constant * product.number - 1) < 1e-6:
        return "right"
    if abs((1 - kept.constant) * product.number - 1) < 1e-6:
        return "complement"
    return "none" if product.number == 1 and len(product.factors) == 1 else "unknown"


def _symbolic(product: Product, kept: Linear) -> Scale:
    scale = {term: power for term, power in product.factors if term.symbol == kept.symbol}
    others = [power for term, power in product.factors if term.symbol != kept.symbol]
    if product.number != 1 or any(power < 0 for power in others):
        return "unknown"
    if not scale:
        return "none" if len(others) == 1 else "unknown"
    if scale == {kept: -1}:
        return "right"
    return "complement" if scale in ({kept.complement: -1}, {kept.complement: 1}) else "unknown"


@dataclass(slots=True)
class Factor:
    """A tensor multiplied or divided by a linear term."""

    node: ast.expr
    value: Linear
    data: ast.expr
    divides: bool


@dataclass(slots=True)
class Zoneout:
    """Two tensors mixed by one mask: ``mask * a + (1 - mask) * b``."""

    node: ast.expr
    first: Product
    second: Product
