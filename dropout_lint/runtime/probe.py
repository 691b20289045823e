"""Each dropout-like module alone: the identity in eval mode, the declared rate and the right scale in train mode."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from dropout_lint.runtime import masks, places, rng
from dropout_lint.runtime.masks import Mask
from dropout_lint.runtime.modules import Leaf
from dropout_lint.runtime.subject import PROBE_RATE, reason

SHAPES = ((64, 8, 8, 8), (64, 16, 16), (64, 256), (64, 8, 4, 4, 4))
"""Inputs that are tried in turn on a module of which the run showed none."""
RUNS, MOST_RUNS, UNITS = 8, 256, 4096
MOST_VALUES = 2**14
"""Of one run; a dimension is not cut below 4 for it."""
_ALPHA = (nn.AlphaDropout, nn.FeatureAlphaDropout)


@dataclass(frozen=True, slots=True)
class Probed:
    """How a module behaved on its own: its ``factor`` on everything in eval mode (1 is the identity, None if it is no
    single factor), whether eval mode drew random numbers, and its mask in train mode (None if it has none)."""

    leaf: Leaf
    shape: tuple[int, ...]
    factor: float | None
    draws_in_eval: bool
    mask: Mask | None
    moments: tuple[float, float, int] | None = None
    """Of an alpha dropout on standard normal numbers: mean, variance and independent units."""
    fresh: bool = False
    """Whether this is a new module of the same class with another rate."""


def probe(
    leaf: Leaf, seen: Sequence[tuple[int, ...]], device: torch.device, units: int = UNITS, seed: int = 0
) -> Probed:
    """Run a leaf alone on one device, from a fixed seed, with shapes that the model used (``seen``) or common ones.

    Raises the last error of the module's own where it accepts none of the shapes.
    """
    module, mode = leaf.module, leaf.module.training
    error: Exception | None = None
    try:
        for shape in [*map(_widened, seen), *SHAPES]:
            with rng.seeded(seed), torch.no_grad():
                try:
                    return _probe(leaf, shape, device, units)
                except Exception as raised:
                    error = error or raised
    finally:
        module.train(mode)
    raise error or ValueError("no shape to try")


def _widened(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape of the model with a batch of 64, and no more values than one probe needs."""
    wide = [64, *shape[1:]]
    while len(wide) > 1 and torch.Size(wide).numel() > MOST_VALUES:
        largest = max(range(1, len(wide)), key=lambda dim: wide[dim])
        if wide[largest] <= 4:
            break
        wide[largest] //= 2
    return tuple(wide)


def _probe(leaf: Leaf, shape: tuple[int, ...], device: torch.device, units: int) -> Probed:
    module = leaf.module
    module.eval()
    x = torch.randn(shape, device=device)
    before = rng.state()
    y = _call(module, x)
    draws = bool(rng.moved(before, rng.state()))
    factor = None if draws else _factor(x, y)
    module.train()
    if isinstance(module, _ALPHA):
        return Probed(leaf, shape, factor, draws, None, _moments(module, shape, device))
    runs = [_call(module, torch.ones(shape, device=device)) for _ in range(RUNS)]
    mask = masks.read(torch.stack(runs))
    while mask is not None and mask.units < units and len(runs) < MOST_RUNS and 0 < leaf.rate < 1:
        runs += [_call(module, torch.ones(shape, device=device)) for _ in range(len(runs))]
        mask = masks.read(torch.stack(runs))
    return Probed(leaf, shape, factor, draws, mask)


def _call(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    y = module(x.clone())
    if not isinstance(y, torch.Tensor) or y.shape != x.shape:
        raise ValueError("it does not return one tensor of the shape it is given")
    return y


def _factor(x: torch.Tensor, y: torch.Tensor) -> float | None:
    if torch.equal(x, y):
        return 1.0
    factor = float((x.double() * y.double()).sum() / (x.double() ** 2).sum())
    return factor if torch.allclose(x * factor, y, rtol=1e-4, atol=1e-6) else None


def _moments(module: nn.Module, shape: tuple[int, ...], device: torch.device) -> tuple[float, float, int]:
    values = torch.stack([_call(module, torch.randn(shape, device=device)) for _ in range(RUNS)]).double()
    whole_channels = isinstance(module, nn.FeatureAlphaDropout)
    units = RUNS * shape[0] * (shape[1] if len(shape) > 1 else 1) if whole_channels else values.numel()
    return float(values.mean()), float(values.var()), units


def with_rate(leaf: Leaf, rate: float = PROBE_RATE) -> Leaf | None:
    """A new module of the same class with another rate; None where its constructor does not tell how.

    The other parameters are filled from attributes of the same names, so that what the constructor derives from the
    rate is derived again.
    """
    cls = type(leaf.module)
    try:
        parameters = [
            p for p in inspect.signature(cls).parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
    except (TypeError, ValueError):
        return None
    if leaf.attribute not in {p.name for p in parameters}:
        return None
    values = {}
    for parameter in parameters:
        held = getattr(leaf.module, parameter.name, parameter.default)
        if held is parameter.empty:
            return None
        values[parameter.name] = held
    values[leaf.attribute] = rate
    with contextlib.suppress(Exception), rng.seeded(0):
        module = cls(**values)
        if getattr(module, leaf.attribute, None) == rate:
            return replace(leaf, module=module, rate=rate)
    return None


def accepts(leaf: Leaf, dtype: torch.dtype, device: torch.device, shape: tuple[int, ...]) -> str | torch.dtype:
    """The type of a leaf's output on ``dtype`` in train mode, or why it raises on ``device``, in one line."""
    module, mode = leaf.module, leaf.module.training
    module.train()
    try:
        with rng.seeded(0), torch.no_grad():
            return _call(module, torch.ones(shape, device=device, dtype=dtype)).dtype
    except Exception as error:
        return reason(error)
    finally:
        module.train(mode)


def place_of(leaf: Leaf) -> places.Place:
    """Where the class of a leaf says what it does."""
    return places.of_method(type(leaf.module))
