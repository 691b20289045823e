"""Measure how much dropout changes the input variance of layers, above all of batch norms (Li et al., CVPR 2019)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from dropout_lint.diagnostic import NO_PLACE
from dropout_lint.facts.observations import NormAfterDropout
from dropout_lint.observing.recording.calls import CallRecorder, ModuleStack
from dropout_lint.observing.recording.class_places import assignment_place, method_place
from dropout_lint.observing.recording.modules import BATCH_NORMS, Leaf, leaves
from dropout_lint.observing.subject import Subject, tensors

NOTABLE = 0.05
"""Smallest distance of a ratio from 1 that gets a row in the table."""
FEWEST_VALUES = 1000
"""Values per channel (batch times positions) below which a variance is too uncertain."""
_FOLLOWED = (nn.ReLU, nn.Identity, nn.Flatten, nn.LeakyReLU)


def observe_variances(subject: Subject) -> None:
    """Compare the variances of each layer with all dropouts on and off, on one batch, with batch norm in train mode."""
    dropouts = [leaf for leaf in leaves(subject.model) if leaf.rate > 0]
    if not dropouts and not any(call.live for recorder in subject.train_calls for call in recorder.calls):
        return
    on, sources = _variances(subject, dropouts, off=False)
    off, _ = _variances(subject, dropouts, off=True)
    rows = [
        {
            "module": path,
            "class": kind,
            "on": on[path][1],
            "off": off[path][1],
            "ratio": _ratio(off[path][1], on[path][1]),
        }
        for path, (kind, _, _) in on.items()
        if path in off
    ]
    subject.log.tables["layers"] = rows
    norms: list[dict[str, Any]] = []
    for path, (kind, _, values) in on.items():
        if path not in off or "BatchNorm" not in kind:
            continue
        ratio = _ratio(off[path][2][0], values[0])
        if values[1] >= FEWEST_VALUES and abs(ratio - 1) > NOTABLE:
            norms.append({"module": path, "values": values[1], "on": values[0], "off": off[path][2][0], "ratio": ratio})
        if path in sources:
            _observe_norm_after_dropout(subject, path, sources[path], ratio if values[1] >= FEWEST_VALUES else None)
    subject.log.tables["batch_norm"] = norms
    if norms:
        worst = min(norms, key=lambda row: row["ratio"])
        text = (
            f"dropout changes the input variance of {len(norms)} batch norms; the worst ratio is {worst['ratio']:.3f}"
        )
        subject.log.remark("note", text, worst["module"])


def _ratio(off: float, on: float) -> float:
    return round(off / on, 4) if on > 0 else 1.0


def _observe_norm_after_dropout(subject: Subject, path: str, dropout: Leaf, ratio: float | None) -> None:
    """Observe a batch norm whose input comes from a dropout, directly or through one of ``_FOLLOWED``."""
    norm = subject.model.get_submodule(path)
    if not isinstance(norm, BATCH_NORMS) or not norm.track_running_stats:
        return
    parent, _, name = dropout.path.rpartition(".")
    place = assignment_place(type(subject.model.get_submodule(parent)), name)
    if place == NO_PLACE:
        place = method_place(type(subject.model))
    subject.log.add(NormAfterDropout(place, (dropout.path,), dropout.kind, type(norm).__name__, path, ratio))


_LayerVariances = dict[str, tuple[str, float, tuple[float, int]]]


def _variances(subject: Subject, dropouts: list[Leaf], off: bool) -> tuple[_LayerVariances, dict[str, Leaf]]:
    """For each leaf layer: class, variance of its output, and variance and number per channel of its input.

    Stochastic depth is off in both runs, as its noise outweighs everything else in a small batch.
    """
    seen: _LayerVariances = {}
    fed: dict[int, tuple[torch.Tensor, Leaf]] = {}
    sources: dict[str, Leaf] = {}
    by_id = {id(leaf.module): leaf for leaf in dropouts if not leaf.drops_paths}
    hooks = []

    def after(path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            given, made = tensors(args), tensors(output)
            if not given or not made:
                return
            if id(module) in by_id and not off:
                fed[id(made[0])] = (made[0], by_id[id(module)])
            elif isinstance(module, _FOLLOWED) and id(given[0]) in fed:
                fed[id(made[0])] = (made[0], fed[id(given[0])][1])
            elif isinstance(module, BATCH_NORMS) and id(given[0]) in fed:
                sources[path] = fed[id(given[0])][1]
            x = given[0].detach().float()
            channels = _channel_variance(x) if isinstance(module, BATCH_NORMS) else (0.0, 0)
            seen.setdefault(
                path, (type(module).__name__, float(made[0].detach().float().var(unbiased=False)), channels)
            )

        return hook

    with _switched(dropouts, off=off):
        try:
            for path, module in subject.model.named_modules():
                if next(module.children(), None) is None:
                    hooks.append(module.register_forward_hook(after(path)))
            if off:
                with ModuleStack(subject.model) as stack, CallRecorder(stack, off=True):
                    subject.forward()
            else:
                subject.forward()
        finally:
            for hook_ in hooks:
                hook_.remove()
    return seen, sources


@contextmanager
def _switched(dropouts: list[Leaf], *, off: bool) -> Iterator[None]:
    modes = [(leaf.module, leaf.module.training) for leaf in dropouts]
    try:
        for leaf in dropouts:
            leaf.module.training = not off and not leaf.drops_paths
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _channel_variance(x: torch.Tensor) -> tuple[float, int]:
    if x.dim() < 2:
        return 0.0, 0
    per_channel = x.transpose(0, 1).flatten(1)
    return float(per_channel.var(1, unbiased=False).mean()), per_channel.shape[1]
