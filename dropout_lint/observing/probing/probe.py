"""Run one dropout-like module alone: its factor in eval mode, its rate and its scale in train mode."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from dropout_lint.facts.bound import ALPHA
from dropout_lint.facts.observations import ForeignInput, MaskReading, Moments, ProbedDropout
from dropout_lint.observing.recording import masks, rng
from dropout_lint.observing.recording.class_places import method_place
from dropout_lint.observing.recording.modules import Leaf
from dropout_lint.observing.subject import PROBE_RATE, reason

SHAPES = ((64, 8, 8, 8), (64, 16, 16), (64, 256), (64, 8, 4, 4, 4))
"""Shapes to try on a module whose input shape is not known."""
RUNS, MOST_RUNS, UNITS = 8, 256, 4096
MOST_VALUES = 2**14
"""Most values in one run; dimensions are halved to reach it, but not below 4."""
_ALPHA_DROPOUTS = (nn.AlphaDropout, nn.FeatureAlphaDropout)


def probe(
    leaf: Leaf, seen: Sequence[tuple[int, ...]], device: torch.device, units: int = UNITS, seed: int = 0
) -> ProbedDropout:
    """Run a leaf alone on one device, from a fixed seed, with shapes that the model used (``seen``) or common ones.

    Raises the first exception of the module if it accepts none of the shapes.
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
    """The same shape with a batch of 64, and at most MOST_VALUES values."""
    wide = [64, *shape[1:]]
    while len(wide) > 1 and torch.Size(wide).numel() > MOST_VALUES:
        largest = max(range(1, len(wide)), key=lambda dim: wide[dim])
        if wide[largest] <= 4:
            break
        wide[largest] //= 2
    return tuple(wide)


def _probe(leaf: Leaf, shape: tuple[int, ...], device: torch.device, units: int) -> ProbedDropout:
    module = leaf.module
    module.eval()
    x = torch.randn(shape, device=device)
    before = rng.state()
    y = _call(module, x)
    draws = bool(rng.moved(before, rng.state()))
    factor = None if draws else _factor(x, y)
    module.train()
    if isinstance(module, _ALPHA_DROPOUTS):
        return _observation(leaf, shape, factor, draws, None, _moments(module, shape, device))
    runs = [_call(module, torch.ones(shape, device=device)) for _ in range(RUNS)]
    mask = masks.read(torch.stack(runs))
    while mask is not None and mask.units < units and len(runs) < MOST_RUNS and 0 < leaf.rate < 1:
        runs += [_call(module, torch.ones(shape, device=device)) for _ in range(len(runs))]
        mask = masks.read(torch.stack(runs))
    return _observation(leaf, shape, factor, draws, mask)


def _observation(
    leaf: Leaf,
    shape: tuple[int, ...],
    factor: float | None,
    draws: bool,
    mask: MaskReading | None,
    moments: Moments | None = None,
) -> ProbedDropout:
    return ProbedDropout(
        method_place(type(leaf.module)),
        (leaf.path,),
        leaf.kind,
        leaf.attribute,
        leaf.rate,
        shape,
        mask,
        factor,
        draws,
        ALPHA,
        drops_paths=leaf.drops_paths,
        scaling_off=getattr(leaf.module, "scale_by_keep", None) is False,
        moments=moments,
    )


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


def _moments(module: nn.Module, shape: tuple[int, ...], device: torch.device) -> Moments:
    values = torch.stack([_call(module, torch.randn(shape, device=device)) for _ in range(RUNS)]).double()
    whole_channels = isinstance(module, nn.FeatureAlphaDropout)
    units = RUNS * shape[0] * (shape[1] if len(shape) > 1 else 1) if whole_channels else values.numel()
    return Moments(float(values.mean()), float(values.var()), units)


def with_probe_rate(leaf: Leaf) -> Leaf | None:
    """Build a new module of the same class with PROBE_RATE; None if its constructor has no such parameter.

    The other parameters are filled from attributes of the same names, so that values that the
    constructor computes from the rate are computed again.
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
        value = getattr(leaf.module, parameter.name, parameter.default)
        if value is parameter.empty:
            return None
        values[parameter.name] = value
    values[leaf.attribute] = PROBE_RATE
    with contextlib.suppress(Exception), rng.seeded(0):
        module = cls(**values)
        if getattr(module, leaf.attribute, None) == PROBE_RATE:
            return replace(leaf, module=module, rate=PROBE_RATE)
    return None


def foreign_input(leaf: Leaf, shape: tuple[int, ...], modules: tuple[str, ...]) -> ForeignInput:
    """Run a dropout in train mode on an input of another device, and on one of another type.

    The "meta" device serves as the other device: mixing it with a real tensor raises as two real devices do.
    """
    on_meta = _output_type(leaf, torch.float32, torch.device("meta"), shape)
    got = _output_type(leaf, torch.bfloat16, torch.device("cpu"), shape)
    return ForeignInput(
        method_place(type(leaf.module)),
        modules,
        leaf.kind,
        mask_on_cpu=isinstance(on_meta, str) and _mixes_devices(on_meta),
        bfloat16_gives=str(got).removeprefix("torch.") if isinstance(got, torch.dtype) else "bfloat16",
    )


def _output_type(leaf: Leaf, dtype: torch.dtype, device: torch.device, shape: tuple[int, ...]) -> str | torch.dtype:
    """The type of the output in train mode for an input of ``dtype``, or the exception in one line."""
    module, mode = leaf.module, leaf.module.training
    module.train()
    try:
        with rng.seeded(0), torch.no_grad():
            return _call(module, torch.ones(shape, device=device, dtype=dtype)).dtype
    except Exception as error:
        return reason(error)
    finally:
        module.train(mode)


def _mixes_devices(error: str) -> bool:
    text = error.lower()
    return "same device" in text or "expected device" in text or ("meta" in text and "cpu" in text and "device" in text)
