"""Run models on fake tensors, which have a shape, a type and a device but no values, so that size costs no memory.

The only module that touches PyTorch's private fake tensors.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensor, FakeTensorMode

from dropout_lint.graph.execution import tensors

HUGE = 500_000_000
"""Number of parameters above which a model is traced on fake tensors."""


def building() -> AbstractContextManager[Any]:
    """While open, constructed tensors have no values and take no memory."""
    return FakeTensorMode(allow_non_fake_inputs=True)


def is_fake(model: nn.Module) -> bool:
    """Whether the weights of a model are fake or on the meta device."""
    return any(p.is_meta or isinstance(p, FakeTensor) for p in (*model.parameters(), *model.buffers()))


def is_huge(model: nn.Module) -> bool:
    """Whether a forward on real tensors would take too long, or too much memory."""
    return sum(p.numel() for p in model.parameters()) > HUGE


@contextmanager
def running(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[nn.Module, tuple[Any, ...], dict[str, Any]]]:
    """While open, run the yielded model and arguments, which are fake; a model with values is copied."""
    known = next((t.fake_mode for t in _state(model) if isinstance(t, FakeTensor)), None)
    mode = known or FakeTensorMode(allow_non_fake_inputs=True)
    if is_fake(model):
        _leave_meta(model, mode)
        fake_model = model
    else:
        with FakeCopyMode(mode):
            fake_model = copy.deepcopy(model)
    fakes = {id(t): t if isinstance(t, FakeTensor) else mode.from_tensor(t) for t in tensors([args, kwargs])}
    with mode:
        yield fake_model, _replaced(args, fakes), _replaced(kwargs, fakes)


def _state(model: nn.Module) -> Iterator[torch.Tensor]:
    yield from model.parameters()
    yield from model.buffers()


def _leave_meta(model: nn.Module, mode: FakeTensorMode) -> None:
    """Replace tensors on the meta device, which breaks code that asks for a device, by fake ones on the CPU."""
    with mode, torch.no_grad():
        for module in model.modules():
            for name, parameter in module._parameters.items():
                if parameter is not None and parameter.is_meta and not isinstance(parameter, FakeTensor):
                    module._parameters[name] = nn.Parameter(_like(parameter), requires_grad=False)
            for name, buffer in module._buffers.items():
                if buffer is not None and buffer.is_meta and not isinstance(buffer, FakeTensor):
                    module._buffers[name] = _like(buffer)


def _like(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")


def _replaced(value: Any, fakes: dict[int, Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return fakes[id(value)]
    if isinstance(value, (tuple, list)):
        return type(value)(_replaced(one, fakes) for one in value)
    if isinstance(value, dict):
        return {key: _replaced(one, fakes) for key, one in value.items()}
    return value
