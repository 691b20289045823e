"""Choose the device of a run, and observe what depends on it: attention kernels, half precision, torch.compile."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.utils._pytree import tree_map

from dropout_lint.facts.bound import ALPHA
from dropout_lint.facts.observations import AttentionRate, AutocastScale, MaskReading
from dropout_lint.observing.probing.probe import probe
from dropout_lint.observing.recording import masks, rng
from dropout_lint.observing.recording.class_places import method_place
from dropout_lint.observing.recording.modules import Leaf, leaves
from dropout_lint.observing.subject import Subject, reason, tensors

TOLERANCE = {torch.float32: 2e-3, torch.float64: 1e-6, torch.float16: 3e-2, torch.bfloat16: 1e-1}
"""Largest allowed difference of the eval outputs of two devices, relative to the largest value."""


class NoDeviceError(Exception):
    """A device cannot be used here. The message is one sentence."""


def resolve(name: str | torch.device) -> torch.device:
    """The device with this name, with an index if it is an accelerator. Raises NoDeviceError."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise NoDeviceError(f"'{name}' is no device: write 'cpu', 'cuda', 'cuda:1' or 'mps'") from None
    if device.type == "cpu":
        return torch.device("cpu")
    here = rng.accelerators()
    if not here:
        raise NoDeviceError(f"device '{name}' cannot be used: this torch ({torch.__version__}) finds no accelerator")
    if device.type != here[0].type:
        raise NoDeviceError(f"device '{name}' cannot be used: the accelerator here is '{here[0].type}'")
    if (device.index or 0) >= len(here):
        raise NoDeviceError(f"device '{name}' cannot be used: there are {len(here)} of '{device.type}', counted from 0")
    return torch.device(device.type, device.index or 0)


def of_model(model: nn.Module) -> torch.device:
    """The device of the first parameter or buffer of a model; the CPU if it has none."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


def to_device(value: Any, device: torch.device) -> Any:
    """Copy the tensors of a nested structure to a device."""
    return tree_map(lambda item: item.to(device) if isinstance(item, torch.Tensor) else item, value)


@contextlib.contextmanager
def moved(model: nn.Module, device: torch.device) -> Iterator[None]:
    """While open, the model is on ``device``; afterwards it is back."""
    before = of_model(model)
    if before == device:
        yield
        return
    model.to(device)
    try:
        yield
    finally:
        model.to(before)


def observe_device(subject: Subject, compiled: bool) -> None:
    """Observe the rate of fused attention, and compare eval outputs: with the CPU, in half precision, compiled."""
    if any(call.is_attention and call.live for recorder in subject.train_calls for call in recorder.calls):
        subject.attempt("rate of attention dropout", lambda: _attention(subject))
    if subject.device.type == "cpu":
        if compiled:
            subject.attempt("torch.compile", lambda: _compiled(subject))
        return
    subject.attempt("agreement with the CPU", lambda: _agreement(subject))
    for dtype in (torch.float16, torch.bfloat16):
        subject.attempt(f"autocast to {dtype}", lambda dtype=dtype: _autocast(subject, dtype))  # type: ignore[misc]
    if compiled:
        subject.attempt("torch.compile", lambda: _compiled(subject))


def attention_rate(p: float, device: torch.device, dtype: torch.dtype, seed: int = 0) -> MaskReading | None:
    """Measure the drop rate of fused attention, whose mask is inside the kernel: identity values output the weights.

    64 queries and keys of 64 features in 32 heads, so that every kernel takes them; weights are about 1/64.
    """
    with rng.seeded(seed), torch.no_grad():
        q, k = (torch.randn(8, 4, 64, 64, device=device, dtype=dtype) for _ in range(2))
        value = torch.eye(64, device=device, dtype=dtype).expand(8, 4, 64, 64).contiguous()
        plain = F.scaled_dot_product_attention(q, k, value)
        dropped = F.scaled_dot_product_attention(q, k, value, dropout_p=p)
    usable = plain > plain.max() * 1e-3
    ratio = torch.where(usable, dropped.float() / plain.float().clamp_min(1e-12), torch.nan)
    kept = ratio[usable & (dropped != 0)]
    zero = usable & (dropped == 0)
    if not kept.numel():
        return None
    low, high = float(kept.quantile(0.01)), float(kept.quantile(0.99))
    return MaskReading(int(zero.sum()), int(usable.sum()), (), low, high)


def _attention(subject: Subject) -> None:
    rates = {c.rate: c for r in subject.train_calls for c in r.calls if c.is_attention and c.live}
    for p, call in rates.items():
        dtype = torch.float16 if subject.device.type == "cuda" else torch.float32
        mask = attention_rate(p, subject.device, dtype, subject.seed)
        seen = AttentionRate(call.place, (), str(subject.device), p, mask, ALPHA / len(rates))
        subject.log.add(seen)
        if mask is not None and not seen.rate_is_off:
            count = f"{mask.rate:.4f} of {mask.units} weights"
            text = f"fused attention on {subject.device} drops {count} at dropout_p={p:g}"
            subject.log.remark("checked", f"{text}; its mask inside of the model stays hidden")


def _agreement(subject: Subject) -> None:
    subject.model.eval()
    there = tensors(subject.forward())
    twin = copy.deepcopy(subject.model).to("cpu").eval()
    args, kwargs = to_device((subject.args, dict(subject.kwargs)), torch.device("cpu"))
    with rng.seeded(subject.seed), torch.no_grad():
        here = tensors(twin(*args, **kwargs))
    for a, b in zip(there, here, strict=True):
        gap, most = float((a.cpu() - b).abs().max()), float(b.abs().max())
        if gap > TOLERANCE.get(b.dtype, 1e-1) * max(most, 1e-3):
            text = f"in eval mode {subject.device} and the CPU differ by {gap:.2g}, where values reach {most:.2g}"
            subject.log.remark("note", text)
            return
    subject.log.remark("checked", f"in eval mode {subject.device} and the CPU give the same answer, within tolerance")


def _autocast(subject: Subject, dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix("torch.")
    subject.model.eval()
    with torch.autocast(subject.device.type, dtype):
        before = rng.state()
        with torch.no_grad():
            subject.model(*subject.args, **subject.kwargs)
        if rng.moved(before, rng.state()):
            subject.log.remark("note", f"an eval forward pass under autocast to {name} draws random numbers")
        else:
            subject.log.remark("checked", f"an eval forward pass under autocast to {name} draws no random number")
        for leaf in leaves(subject.model):
            if 0 < leaf.rate < 1:
                _autocast_scale(subject, leaf, name)
                return


def _autocast_scale(subject: Subject, leaf: Leaf, name: str) -> None:
    mask = probe(leaf, (), subject.device, seed=subject.seed).mask
    if mask is not None:
        place = method_place(type(leaf.module))
        subject.log.add(AutocastScale(place, (leaf.path,), leaf.kind, name, mask.scale, leaf.rate))


def _compiled(subject: Subject) -> None:
    """Compare eval outputs with those of the eager model. Masks differ by design: Inductor draws other numbers."""
    subject.model.eval()
    eager = tensors(subject.forward())
    try:
        program = torch.compile(subject.model)
        with rng.seeded(subject.seed), torch.no_grad():
            made = tensors(program(*subject.args, **subject.kwargs))
    except Exception as error:
        subject.log.remark("not checked", f"torch.compile: {reason(error)}")
        return
    finally:
        torch.compiler.reset()
    gaps = [float((a - b).abs().max()) / max(float(a.abs().max()), 1e-3) for a, b in zip(eager, made, strict=True)]
    worst = max(gaps, default=0.0)
    if worst > TOLERANCE[torch.float32]:
        subject.log.remark("note", f"the compiled model differs in eval mode by {worst:.2g} of its largest value")
    else:
        subject.log.remark("checked", "the compiled model gives the eager answer in eval mode")
    _compiled_rate(subject)


def _compiled_rate(subject: Subject) -> None:
    rates = {leaf.rate for leaf in leaves(subject.model) if leaf.is_torch and 0 < leaf.rate < 1}
    for p in sorted(rates)[:3]:
        program = torch.compile(lambda x, p=p: F.dropout(x, p, training=True))
        with rng.seeded(subject.seed), torch.no_grad():
            mask = masks.read(program(torch.ones(64, 4096, device=subject.device)).unsqueeze(0))
        torch.compiler.reset()
        if mask is not None and not mask.contradicts(p, ALPHA / len(rates)):
            subject.log.remark("checked", f"compiled dropout drops {mask.rate:.4f} of {mask.units} units at p={p:g}")
        else:
            subject.log.remark("note", f"compiled dropout does not drop at p={p:g}")
