"""Read, compare and set the random generators that a forward pass may use: torch's, ``random`` and numpy."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any

import torch


def accelerators() -> list[torch.device]:
    """The accelerators that this process can use; torch supports one kind at a time."""
    kind = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if kind is None:
        return []
    return [torch.device(kind.type, index) for index in range(torch.accelerator.device_count())]


def _backend(device: torch.device) -> Any:
    return getattr(torch, device.type)


def state() -> dict[str, Any]:
    """The state of each generator, by its name in messages: "torch", "torch on cuda:0", "random", "numpy"."""
    found: dict[str, Any] = {"torch": torch.get_rng_state(), "random": random.getstate()}
    for device in accelerators():
        with contextlib.suppress(AttributeError, TypeError):
            found[f"torch on {device}"] = _accelerator_state(device)
    if "numpy" in sys.modules:
        found["numpy"] = sys.modules["numpy"].random.get_state()
    return found


def _accelerator_state(device: torch.device) -> torch.Tensor:
    backend = _backend(device)
    single = device.type == "mps"
    taken: torch.Tensor = backend.get_rng_state() if single else backend.get_rng_state(device)
    return taken


def moved(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """The names of the generators whose state differs."""
    return tuple(name for name, was in before.items() if not _same(was, after.get(name)))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(_same, a, b))
    if hasattr(a, "tobytes"):
        return hasattr(b, "tobytes") and a.tobytes() == b.tobytes()
    return bool(a == b)


def seed_python(seed: int) -> None:
    """Seed ``random``, and numpy where it is imported."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """While open, every generator starts from ``seed``; afterwards its state is restored."""
    before = state()
    torch.manual_seed(seed)
    seed_python(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before["torch"])
        random.setstate(before["random"])
        if "numpy" in before:
            sys.modules["numpy"].random.set_state(before["numpy"])
        for device in accelerators():
            saved = before.get(f"torch on {device}")
            if saved is not None:
                backend = _backend(device)
                backend.set_rng_state(saved) if device.type == "mps" else backend.set_rng_state(saved, device)
