"""Sums, products and scales of symbolic values, compared with the numbers they stand for."""

from __future__ import annotations

import ast
import itertools
import math
from dataclasses import replace

import pytest

from dropout_lint.source.masks.algebra import (
    Draw,
    Linear,
    Mask,
    Product,
    Scale,
    atom,
    multiply,
    of_linear,
    scale_of,
)
from tests.source_helpers import Probed

P = Linear(0.0, 1.0, "p")
KEEP = Linear(1.0, -1.0, "p")
Q = Linear(0.0, 1.0, "q")
X = atom("x")
ONE = Product()
VALUES = {"p": 0.3, "q": 0.7, "x": 5.0}
LINEARS = [Linear(), Linear(1.0), Linear(-2.5), P, KEEP, Linear(0.5, 2.0, "p"), Q, Linear(1.0, -1.0, "q")]


def number(value: Linear | Product) -> float:
    """What a value without a mask is for some values of its symbols."""
    if isinstance(value, Linear):
        return value.constant + value.coefficient * VALUES.get(value.symbol, 0.0)
    return value.number * math.prod(number(term) ** power for term, power in value.factors)


def drawn() -> Draw:
    [(call, block)] = Probed("probe()").probes
    return Draw(call, block, "uniform", call)


def masked(one: Linear | None, *, rate: str = "p") -> Product:
    """A mask of ones with this probability."""
    return Product(mask=Mask(drawn(), one, ast.parse(rate, mode="eval").body))


# --- linear terms


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("left", "right"), list(itertools.product(LINEARS, repeat=2)))
def test_a_sum_is_the_sum_of_the_numbers_or_unknown(left: Linear, right: Linear, sign: int) -> None:
    result = left.plus(right, sign)
    if left.symbol and right.symbol and left.symbol != right.symbol:
        assert result is None
    else:
        assert result is not None
        assert number(result) == pytest.approx(number(left) + sign * number(right))


def test_a_symbol_that_cancels_out_is_gone() -> None:
    assert KEEP.plus(P) == Linear(1.0)
    assert P.plus(P, -1) == Linear()


@pytest.mark.parametrize("value", LINEARS)
def test_the_complement_is_one_minus_it_and_its_own_inverse(value: Linear) -> None:
    assert number(value.complement) == pytest.approx(1 - number(value))
    assert value.complement.complement == value


def test_rounding_does_not_tell_equal_terms_apart() -> None:
    assert Linear(0.1).plus(Linear(0.2)) == Linear(0.3)
    assert Linear(1.0).plus(Linear(0.9), -1) == Linear(0.1)


# --- products

PRODUCTS = [ONE, Product(2.0), Product(-0.5), X, of_linear(P), of_linear(KEEP), of_linear(Linear(0.25))]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("left", "right"), list(itertools.product(PRODUCTS, repeat=2)))
def test_a_product_or_quotient_is_that_of_the_numbers(left: Product, right: Product, sign: int) -> None:
    result = multiply(left, right, sign)
    assert result is not None
    assert number(result) == pytest.approx(number(left) * number(right) ** sign)


def test_factors_that_cancel_out_are_gone() -> None:
    keep = of_linear(KEEP)
    result = multiply(multiply(X, keep) or ONE, keep, -1)
    assert result == X


def test_the_order_of_factors_does_not_matter() -> None:
    assert multiply(X, of_linear(P)) == multiply(of_linear(P), X)


def test_nothing_is_divided_by_zero_or_by_a_mask() -> None:
    assert multiply(X, Product(0.0), -1) is None
    assert multiply(X, masked(KEEP), -1) is None


def test_two_masks_are_not_multiplied() -> None:
    assert multiply(masked(KEEP), masked(P)) is None


def test_a_product_keeps_the_mask_of_either_side_and_every_doubt() -> None:
    mask = masked(KEEP)
    for result in (multiply(X, mask), multiply(mask, X)):
        assert result is not None
        assert result.mask is mask.mask
    doubtful = multiply(X, replace(mask, unsure=True))
    assert doubtful is not None
    assert doubtful.unsure


@pytest.mark.parametrize(
    ("value", "linear"),
    [
        (Product(0.3), Linear(0.3)),
        (of_linear(KEEP), KEEP),
        (multiply(Product(2.0), of_linear(KEEP)), Linear(2.0, -2.0, "p")),
        (multiply(of_linear(P), of_linear(KEEP)), None),
        (multiply(ONE, of_linear(KEEP), -1), None),
        (masked(KEEP), None),
        (replace(of_linear(KEEP), unsure=True), None),
    ],
)
def test_a_product_is_a_probability_only_as_one_plain_factor(value: Product, linear: Linear | None) -> None:
    assert value.linear == linear


# --- masks


def test_the_complement_of_a_mask_exchanges_zeros_and_ones() -> None:
    mask = masked(KEEP).mask
    assert mask is not None
    assert (mask.complement.one, mask.complement.flipped) == (P, True)
    assert mask.complement.complement == mask
    unknown = masked(None).mask
    assert unknown is not None
    assert unknown.complement.one is None


# --- scales: x * mask * something, compared with the probability that the mask keeps a value


def scaled(one: Linear | None, *by: tuple[Product, int]) -> Product:
    result = multiply(X, masked(one))
    for factor, sign in by:
        assert result is not None
        result = multiply(result, factor, sign)
    assert result is not None
    return result


SCALES: dict[str, tuple[Product, Scale]] = {
    "divided by what is kept": (scaled(KEEP, (of_linear(KEEP), -1)), "right"),
    "divided by what is dropped": (scaled(KEEP, (of_linear(P), -1)), "complement"),
    "times what is dropped": (scaled(KEEP, (of_linear(P), 1)), "complement"),
    "times what is kept": (scaled(KEEP, (of_linear(KEEP), 1)), "unknown"),
    "not at all": (scaled(KEEP), "none"),
    "twice": (scaled(KEEP, (of_linear(KEEP), -1), (of_linear(KEEP), -1)), "unknown"),
    "back and forth": (scaled(KEEP, (of_linear(KEEP), -1), (of_linear(KEEP), 1)), "none"),
    "by another symbol": (scaled(KEEP, (of_linear(Q), -1)), "unknown"),
    "by a number": (scaled(KEEP, (Product(2.0), 1)), "unknown"),
    "by a second tensor": (scaled(KEEP, (atom("y"), 1)), "unknown"),
    "a mask of ones with p, by p": (scaled(P, (of_linear(P), -1)), "right"),
    "a mask of ones with p, by 1 - p": (scaled(P, (of_linear(KEEP), -1)), "complement"),
    "a number, right": (scaled(Linear(0.8), (Product(0.8), -1)), "right"),
    "a number, times its inverse": (scaled(Linear(0.8), (Product(1.25), 1)), "right"),
    "a number, complement": (scaled(Linear(0.8), (Product(0.2), -1)), "complement"),
    "a number, not at all": (scaled(Linear(0.8)), "none"),
    "a half is its own complement": (scaled(Linear(0.5), (Product(0.5), -1)), "right"),
    "a number that is no probability": (scaled(Linear(1.5), (Product(1.5), -1)), "unknown"),
    "all or nothing": (scaled(Linear(1.0)), "unknown"),
    "an unknown mask": (scaled(None, (of_linear(KEEP), -1)), "unknown"),
    "another path": (replace(scaled(KEEP, (of_linear(KEEP), -1)), unsure=True), "unknown"),
}


@pytest.mark.parametrize("case", SCALES)
def test_the_scale_of_a_masked_tensor(case: str) -> None:
    product, scale = SCALES[case]
    assert scale_of(product) == scale


def test_a_mask_divided_by_the_share_that_it_kept_is_scaled_right() -> None:
    product = multiply(X, masked(None))
    assert product is not None
    assert product.mask is not None
    observed = Linear(0.0, 1.0, f"kept@{id(product.mask.draw)}")
    by_share = multiply(product, of_linear(observed), -1)
    assert by_share is not None
    assert scale_of(by_share) == "right"
