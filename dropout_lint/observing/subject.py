"""The model under test: run it, record it, and restore its modes, rates, buffers and attributes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from dropout_lint.observing.measurements import Measurements
from dropout_lint.observing.recording import rng
from dropout_lint.observing.recording.calls import CallRecorder
from dropout_lint.observing.recording.modules import configured_rates

PROBE_RATE = 0.37
"""Replaces a configured rate of 0 or 0.5, which hide mistakes: with 0.5, keep and drop rate are the same."""


@dataclass(slots=True)
class Subject:
    """A model with its inputs on one device. ``allow`` has globs of modules or classes that may be random."""

    model: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    device: torch.device
    log: Measurements
    seed: int = 0
    allow: Collection[str] = ()
    trains: bool = True
    """Whether a forward pass in train mode completes."""
    train_calls: list[CallRecorder] = field(default_factory=list)
    """The dropout calls of each forward pass in train mode."""

    def forward(self, seed: int | None = None) -> Any:
        """Run one forward pass from a fixed seed without gradients, in the current mode."""
        with rng.seeded(self.seed if seed is None else seed), torch.no_grad():
            return self.model(*self.args, **self.kwargs)

    def attempt(self, what: str, work: Callable[[], Any]) -> Any:
        """Return ``work()``; if it raises, return None and add a remark that ``what`` was not checked."""
        try:
            return work()
        except Exception as error:
            self.log.remark("not checked", f"{what}: {reason(error)}")
            return None


def reason(error: BaseException) -> str:
    """An exception in one line, for a remark."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


@contextlib.contextmanager
def restored(model: nn.Module) -> Iterator[None]:
    """Restore the modes and rates of all modules and the values of all buffers at the end."""
    owners = dict(model.named_modules())
    rates = configured_rates(model)
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (owner, name, value, _copy(value)) for owner in model.modules() for name, value in owner._buffers.items()
    ]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for (path, name), rate in rates.items():
            setattr(owners[path], name, rate)
        for owner, name, value, saved in buffers:
            if value is not None and saved is not None:
                with torch.no_grad(), contextlib.suppress(RuntimeError):
                    value.copy_(saved)
                owner._buffers[name] = value


def _copy(value: torch.Tensor | None) -> torch.Tensor | None:
    return None if value is None else value.detach().clone()


@contextlib.contextmanager
def replaced_attributes(attributes: Mapping[tuple[nn.Module, str], Any]) -> Iterator[None]:
    """While open, the attributes have these values; afterwards their old ones."""
    before = {key: getattr(*key) for key in attributes}
    try:
        for (owner, name), value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for (owner, name), value in before.items():
            setattr(owner, name, value)


def tensors(value: Any) -> list[torch.Tensor]:
    """The floating-point tensors in a nested output, in order."""
    from torch.utils._pytree import tree_leaves

    if not isinstance(value, torch.Tensor | tuple | list | dict) and hasattr(value, "to_tuple"):
        value = value.to_tuple()
    return [v for v in tree_leaves(value) if isinstance(v, torch.Tensor) and v.is_floating_point()]
