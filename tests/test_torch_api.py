"""The tables about torch, recomputed with the torch that is installed."""

from __future__ import annotations

import inspect
from pkgutil import resolve_name
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.rnn import RNNBase

from dropout_lint.torch_api import activations, signatures
from dropout_lint.torch_api.signatures import Signature

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "torch.nn.Threshold": (0.1, 20.0),
    "torch.nn.Softmax": (-1,),
    "torch.nn.LogSoftmax": (-1,),
    "torch.nn.Softmin": (-1,),
    "torch.nn.PReLU": (1, 0.1),
}
"""Arguments of activations that need some, or depend on them."""
GENERATOR = torch.Generator().manual_seed(0)


def activation(name: str) -> nn.Module:
    """A module, in eval mode."""
    module: nn.Module = resolve_name(name)(*ARGUMENTS.get(name, ()))
    return module.eval()


# --- signatures


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        (name, signature)
        for table in (signatures.DROPOUT_MODULES, signatures.FUNCTIONALS, signatures.MULTIHEAD, signatures.RNNS)
        for name, signature in table.items()
        if name.startswith("torch.nn.")
    ],
)
def test_parameters_and_the_default_rate_are_those_of_torch(name: str, signature: Signature) -> None:
    callee = RNNBase if name in signatures.RNNS else resolve_name(name)
    parameters = inspect.signature(callee).parameters
    names = [parameter for parameter in parameters if parameter != "mode"]  # RNNBase's own
    assert tuple(names[: len(signature.parameters)]) == signature.parameters
    assert parameters[signature.rate].default == signature.default_rate


@pytest.mark.parametrize("name", [name for name in signatures.FUNCTIONALS if not name.startswith("torch.nn.")])
def test_the_functions_of_torch_itself_take_three_arguments(name: str) -> None:
    data = torch.ones(2, 3, 4)
    result = resolve_name(name)(data, p=0.0, train=True)
    assert torch.equal(result[0] if isinstance(result, tuple) else result, data)
    with pytest.raises(TypeError):
        resolve_name(name)(data)  # no default


def test_scaled_dot_product_attention_takes_these_arguments() -> None:
    signature = signatures.ATTENTION["torch.nn.functional.scaled_dot_product_attention"]
    query = torch.ones(1, 2, 3, 4)
    values: dict[str, Any] = {
        "query": query,
        "key": query,
        "value": query,
        "attn_mask": None,
        "is_causal": False,
        "scale": None,
    }
    assert set(values) | {"dropout_p", "enable_gqa"} == set(signature.parameters)
    result = torch.nn.functional.scaled_dot_product_attention(**values, dropout_p=0.0, enable_gqa=False)
    assert torch.equal(result, torch.nn.functional.scaled_dot_product_attention(query, query, query))


@pytest.mark.parametrize("name", [name for name in signatures.FUNCTIONALS if name.startswith("torch.nn.")])
def test_functions_that_are_inactive_by_default(name: str) -> None:
    default = inspect.signature(resolve_name(name)).parameters["training"].default
    assert default is (name not in signatures.NEVER_ACTIVE_BY_DEFAULT)


@pytest.mark.parametrize(("module", "function"), signatures.FUNCTIONAL_OF_MODULE.items())
def test_a_module_calls_its_function(module: str, function: str) -> None:
    assert f"F.{function}(" in inspect.getsource(resolve_name(module).forward)


# --- activations


def raises_after_in_place_dropout(compute: Any) -> bool:
    leaf = torch.rand(2, 3, 4, 4, requires_grad=True)
    result = nn.functional.dropout(compute(leaf * 1.0), 0.5, inplace=True)
    try:
        result.sum().backward()  # type: ignore[no-untyped-call]
    except RuntimeError:
        return True
    return False


def applied(name: str, **options: Any) -> Any:
    """An activation as a function of a tensor."""
    callee = resolve_name(name)
    if isinstance(callee, type):
        return callee(*ARGUMENTS.get(name, ()), **options)
    return (lambda x: callee(x, -1)) if name.endswith("softmax") else callee


@pytest.mark.parametrize("name", sorted(signatures.SAVES_ITS_OUTPUT))
def test_backward_raises_where_the_output_is_saved(name: str) -> None:
    assert raises_after_in_place_dropout(applied(name))


@pytest.mark.parametrize("name", sorted(signatures.SAVES_ITS_OUTPUT_METHODS))
def test_the_same_for_methods(name: str) -> None:
    arguments = (-1,) if name.endswith("softmax") else ()
    assert raises_after_in_place_dropout(lambda x: getattr(x, name)(*arguments))


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in activations.ACTIVATIONS
        if "inplace" in inspect.signature(resolve_name(name)).parameters and name not in signatures.SAVES_ITS_OUTPUT
    ],
)
def test_some_save_their_output_only_in_place(name: str) -> None:
    assert not raises_after_in_place_dropout(applied(name))
    assert raises_after_in_place_dropout(applied(name, inplace=True)) is (name in signatures.INPLACE_ACTIVATIONS)


def distance(module: nn.Module) -> float:
    """How far dropout before a module is from dropout behind it, in units of the last place; inf if far."""
    data = 3 * torch.randn(20, 8, 6, 6, generator=GENERATOR)
    rate, kept = 0.3, (torch.rand(data.shape, generator=GENERATOR) > 0.3).to(data.dtype)
    with torch.no_grad():
        plain = module(data)
        if plain.shape != data.shape:
            return float("inf")
        before, behind = module(data * kept / (1 - rate)), plain * kept / (1 - rate)
    unit = torch.maximum(before.abs(), behind.abs()) * torch.finfo(data.dtype).eps
    off = (before - behind).abs()
    return float((off[off > 0] / unit[off > 0]).max()) if bool((off > 0).any()) else 0.0


@pytest.mark.parametrize(("name", "verdict"), activations.ACTIVATIONS.items())
def test_which_activations_commute_with_dropout(name: str, verdict: str) -> None:
    off = distance(activation(name))
    assert ("exact" if off == 0 else "ulp" if off <= 2 else "no") == verdict


def test_the_threshold_at_zero_is_a_relu() -> None:
    assert distance(nn.Threshold(0.0, 0.0)) == 0


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_which_activations_map_zero_to_something_else(name: str) -> None:
    if name == "torch.nn.Threshold":
        pytest.skip("depends on its arguments")
    with torch.no_grad():
        result = activation(name)(torch.zeros(1, 8, 2, 2))
    assert bool((result != 0).any()) is (name in activations.NOT_ZERO_AT_ZERO)


def call(name: str, module: str, data: Tensor) -> Tensor:
    """Call a function, or with a dot in front a tensor method, with the defaults of a module."""
    function: Any = getattr(data, name[1:]) if name.startswith(".") else resolve_name(name)
    operand = () if name.startswith(".") else (data,)
    arguments = ARGUMENTS.get(module, ())
    if module == "torch.nn.PReLU":
        arguments = (torch.tensor([0.1]),)
    result: Tensor = function(*operand, *arguments)
    return result


@pytest.mark.parametrize(
    ("name", "module"),
    [(name, module) for name, module in activations.TWIN.items() if name != module],
)
def test_functions_and_methods_compute_what_their_module_does(name: str, module: str) -> None:
    data = torch.randn(3, 8, 6, generator=GENERATOR)
    with torch.no_grad():
        expected = activation(module)(data.clone())
        assert torch.allclose(call(name, module, data.clone()), expected, atol=1e-6)


@pytest.mark.parametrize(("name", "biases"), activations.BIAS.items())
def test_the_bias_of_dropout_before_an_activation(name: str, biases: tuple[float, ...]) -> None:
    module, images = activation(name), name.endswith("2d")

    def apply(rows: Tensor) -> Tensor:
        result: Tensor = module(rows[:, :, None, None])[:, :, 0, 0] if images else module(rows)
        return result

    with torch.no_grad():
        quantiles = torch.special.ndtri((torch.arange(4800) + 0.5) / 4800)  # evenly, so that few are enough
        data = quantiles[torch.randperm(4800, generator=torch.Generator().manual_seed(1))].reshape(-1, 8)
        plain = apply(data)
        masks = torch.tensor([[float(bits >> position & 1) for position in range(8)] for bits in range(256)])
        for rate, bias in zip(activations.BIAS_RATES, biases, strict=True):
            # The exact expectation over the masks of eight values, for each row.
            dropped = (data * masks[:, None] / (1 - rate)).reshape(-1, 8)
            kept = masks.sum(1)
            probabilities = rate ** (8 - kept) * (1 - rate) ** kept
            mean = (apply(dropped).reshape(256, len(data), -1) * probabilities[:, None, None]).sum(0)
            assert float((mean - plain).abs().mean()) == pytest.approx(bias, rel=0.06, abs=0.0005)
