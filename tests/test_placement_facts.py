"""The activation tables hold for the installed torch: order of dropout and activation, and the bias."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import pytest

from dropout_lint.torch_api.activations import (
    ACTIVATIONS,
    BIAS,
    BIAS_RATES,
    FUNCTIONAL_ACTIVATIONS,
    METHOD_ACTIVATIONS,
    NOT_ZERO_AT_ZERO,
)

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")
nn, functional = torch.nn, torch.nn.functional

RATES = (0.1, 0.2, 0.3, 0.5, 0.7)
ALONG_A_DIMENSION = {"GLU", "Softmin", "Softmax", "LogSoftmax"}
SLOPE = 0.3
"""Of a PReLU that has learned something; its first slope, 0.25, is a power of two and exact."""
ORDER = ["exact", "ulp", "no"]


def build(name: str) -> Any:
    last = name.rpartition(".")[2]
    special = {"Threshold": (0.1, 20.0), "PReLU": (1, SLOPE), **dict.fromkeys(ALONG_A_DIMENSION, (1,))}
    arguments = special.get(last, ())
    return getattr(nn, last)(*arguments).eval()


def ulps(a: torch.Tensor, b: torch.Tensor) -> float:
    """Largest distance in units in the last place of the larger of the two."""
    if torch.equal(a, b):
        return 0.0
    largest = torch.maximum(a.abs(), b.abs())
    spacing = torch.nextafter(largest, torch.full_like(largest, float("inf"))) - largest
    return float(((a - b).abs() / spacing).max())


def both_orders(
    activation: Callable[[torch.Tensor], torch.Tensor], p: float, x: torch.Tensor
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Output and input gradient with the dropout in front, and with the dropout behind."""
    results = []
    for in_front in (True, False):
        leaf = x.clone().requires_grad_()
        torch.manual_seed(1)
        y = activation(functional.dropout(leaf, p)) if in_front else functional.dropout(activation(leaf), p)
        y.backward(torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y))  # type: ignore[no-untyped-call]
        assert leaf.grad is not None
        results.append((y.detach(), leaf.grad))
    return results


def measured(activation: Callable[[torch.Tensor], torch.Tensor]) -> str:
    """The worst of the rates and float types. Two roundings in another order differ by two units at most."""
    worst = "exact"
    for p, dtype in itertools.product(RATES, (torch.float32, torch.float64)):
        x = 3 * torch.randn(64, 8, 4, 4, generator=torch.Generator().manual_seed(0), dtype=dtype)
        if isinstance(activation, nn.Module):
            activation.to(dtype)
        for front, behind in zip(*both_orders(activation, p, x), strict=True):
            if front.shape != behind.shape:
                return "no"
            distance = ulps(front, behind)
            found = "exact" if distance == 0.0 else "ulp" if distance <= 2.0 else "no"
            worst = max(worst, found, key=ORDER.index)
    return worst


def test_table_has_every_activation_of_torch() -> None:
    listed = set(nn.modules.activation.__all__) - {"MultiheadAttention"}
    assert {f"torch.nn.{name}" for name in listed} == set(ACTIVATIONS)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activation_commutes_as_the_table_says(name: str) -> None:
    assert measured(build(name)) == ACTIVATIONS[name]


@pytest.mark.parametrize("name", [name for name, kind in ACTIVATIONS.items() if kind == "exact"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_exact_holds_in_half_precision(name: str, dtype: torch.dtype) -> None:
    x = torch.randn(4096, generator=torch.Generator().manual_seed(0)).to(dtype)
    for p in RATES:
        for front, behind in zip(*both_orders(build(name), p, x), strict=True):
            assert torch.equal(front, behind)


def test_threshold_at_zero_is_a_relu() -> None:
    assert measured(nn.Threshold(0.0, 0.0)) == "exact"
    assert measured(nn.Threshold(0.0, 1.0)) == "no"


def test_a_slope_that_is_a_power_of_two_is_exact() -> None:
    assert measured(nn.LeakyReLU(0.25)) == "exact"


def test_channel_dropout_commutes_with_relu_as_well() -> None:
    x = torch.randn(16, 8, 5, 5, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    front = functional.relu(functional.dropout2d(x, 0.3))
    torch.manual_seed(1)
    assert torch.equal(front, functional.dropout2d(functional.relu(x), 0.3))


def test_alpha_dropout_does_not_commute_with_relu() -> None:
    x = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    front = functional.relu(functional.alpha_dropout(x, 0.3, training=True))
    torch.manual_seed(1)
    assert not torch.allclose(front, functional.alpha_dropout(functional.relu(x), 0.3, training=True))


def trained(activation: type[torch.nn.Module], *, in_front: bool) -> list[torch.Tensor]:
    torch.manual_seed(0)
    pair = [nn.Dropout(0.3), activation()]
    first, last = nn.Linear(16, 32), nn.Linear(32, 1)
    model = nn.Sequential(first, *(pair if in_front else reversed(pair)), last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(50):
        x = torch.randn(32, 16)
        optimizer.zero_grad()
        (model(x) - x.sum(dim=1, keepdim=True)).square().mean().backward()
        optimizer.step()
    return [p.detach() for p in model.parameters()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_whole_training_run_is_the_same_for_relu_and_another_for_gelu() -> None:
    assert same(trained(nn.ReLU, in_front=True), trained(nn.ReLU, in_front=False))
    assert not same(trained(nn.GELU, in_front=True), trained(nn.GELU, in_front=False))


@pytest.mark.parametrize("path", sorted(FUNCTIONAL_ACTIVATIONS))
def test_function_is_the_twin_of_its_module(path: str) -> None:
    name = FUNCTIONAL_ACTIVATIONS[path]
    last = name.rpartition(".")[2]
    arguments: tuple[object, ...] = {
        "Threshold": (0.1, 20.0),
        "PReLU": (torch.tensor([SLOPE]),),
        **dict.fromkeys(ALONG_A_DIMENSION, (1,)),
    }.get(last, ())
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    function = resolve_name(path)
    assert callable(function)
    assert torch.allclose(function(x.clone(), *arguments), build(name)(x))


@pytest.mark.parametrize("method", sorted(METHOD_ACTIVATIONS))
def test_method_is_the_twin_of_its_module(method: str) -> None:
    name = METHOD_ACTIVATIONS[method]
    last = name.rpartition(".")[2]
    arguments: tuple[object, ...] = {
        "PReLU": (torch.tensor([SLOPE]),),
        **dict.fromkeys(ALONG_A_DIMENSION, (1,)),
    }.get(last, ())
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(getattr(x.clone(), method)(*arguments), build(name)(x))


def expectation(activation: torch.nn.Module, p: float, x: torch.Tensor) -> torch.Tensor:
    """The mean over all masks of the last dimension of ``x``, each with its probability."""
    total = torch.zeros(())
    for mask in itertools.product((0.0, 1.0), repeat=x.shape[1]):
        kept = sum(mask)
        weight = (1 - p) ** kept * p ** (len(mask) - kept)
        total = total + weight * activation(x * torch.tensor(mask, dtype=x.dtype) / (1 - p))
    return total


def bias(name: str, p: float) -> float:
    activation = build(name).double()
    if name.rpartition(".")[2] in ALONG_A_DIMENSION | {"Softmax2d"}:
        x = torch.randn(500, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        if name.endswith("Softmax2d"):
            activation = nn.Softmax(1)
    else:
        quantiles = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
        x = torch.special.ndtri(quantiles).unsqueeze(1)
    return float((expectation(activation, p, x) - activation(x)).abs().mean())


@pytest.mark.parametrize("name", sorted(BIAS))
def test_bias_is_as_measured(name: str) -> None:
    assert ACTIVATIONS[name] == "no"
    for p, value in zip(BIAS_RATES, BIAS[name], strict=True):
        assert bias(name, p) == pytest.approx(value, rel=0.1, abs=0.0003)


def test_every_activation_that_does_not_commute_has_a_bias() -> None:
    assert {name for name, kind in ACTIVATIONS.items() if kind == "no"} - set(BIAS) == {"torch.nn.Threshold"}


def test_activations_that_do_not_keep_zero() -> None:
    x = torch.zeros(1, 4, 1, 1)
    moved = {name for name in ACTIVATIONS if name != "torch.nn.Threshold" and bool(build(name)(x).abs().max() > 0)}
    assert moved == NOT_ZERO_AT_ZERO
