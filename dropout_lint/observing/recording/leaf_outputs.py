"""Record the calls of the dropouts of a model in one forward pass: how much of its input each one zeroed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from dropout_lint.facts.observations import MaskReading
from dropout_lint.observing.recording import masks
from dropout_lint.observing.recording.modules import Leaf

_CHANNELS = {"Dropout1d": 1, "Dropout2d": 2, "Dropout3d": 3, "FeatureAlphaDropout": 0}
_MOST_VALUES = 2**22
"""Calls with a larger input are not recorded."""


@dataclass(frozen=True, slots=True)
class LeafCall:
    """One call of a dropout in the model: units with a non-zero input, those of them dropped, and the input shape."""

    leaf: Leaf
    shape: tuple[int, ...]
    dropped: int
    units: int
    never_negative: bool = False
    mask: MaskReading | None = None


class LeafRecorder:
    """While open, records every call of the given dropouts, and of other leaves that draw random numbers."""

    def __init__(self, leaves: Iterable[Leaf], model: nn.Module | None = None) -> None:
        self.leaves = list(leaves)
        self.seen: list[LeafCall] = []
        """The calls of ``leaves``."""
        self.shapes: dict[str, list[tuple[int, ...]]] = defaultdict(list)
        """The input shapes of each of ``leaves``, by path."""
        self.random_leaves: list[tuple[str, nn.Module, LeafCall]] = []
        """Other leaves that drew random numbers: path, module and call."""
        self.reached: set[int] = set()
        """The ``id`` of every recorded module that was called."""
        self.running: nn.Module | None = None
        """The dropout that is running; after an exception, the one that raised it."""
        self._others = _other_leaves(model, self.leaves) if model is not None else []
        self._inputs: dict[int, tuple[torch.Tensor, Any]] = {}
        self._hooks: list[Any] = []

    def __enter__(self) -> LeafRecorder:
        for leaf in [*self.leaves, *self._others]:
            self._hooks.append(leaf.module.register_forward_pre_hook(self._before))
            self._hooks.append(leaf.module.register_forward_hook(self._after(leaf)))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._inputs.clear()

    def _before(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self.running = module
        self.reached.add(id(module))
        if args and isinstance(args[0], torch.Tensor) and args[0].numel() <= _MOST_VALUES:
            x = args[0].detach()
            state = torch.get_rng_state() if x.device.type == "cpu" else None
            self._inputs[id(module)] = (x.clone() if getattr(module, "inplace", False) else x, state)

    def _after(self, leaf: Leaf) -> Any:
        known = leaf in self.leaves

        def hook(module: nn.Module, _: Any, y: Any) -> None:
            self.running = None
            x, state = self._inputs.pop(id(module), (None, None))
            if x is None or not isinstance(y, torch.Tensor) or y.shape != x.shape or not x.is_floating_point():
                return
            if known:
                self.shapes[leaf.path].append(tuple(x.shape))
                self.seen.append(_read(leaf, x, y.detach()))
            elif state is not None and not torch.equal(state, torch.get_rng_state()):
                mask = masks.read((y.detach() / x.where(x != 0, 1.0)).unsqueeze(0))
                call = LeafCall(leaf, tuple(x.shape), mask.dropped if mask else 0, mask.units if mask else 0, mask=mask)
                self.random_leaves.append((leaf.path, module, call))

        return hook


def _other_leaves(model: nn.Module, known: list[Leaf]) -> list[Leaf]:
    ids = {id(leaf.module) for leaf in known}
    return [
        Leaf(path, module, "", 0.0)
        for path, module in model.named_modules()
        if id(module) not in ids
        and next(module.children(), None) is None
        and next(module.parameters(), None) is None
        and not type(module).__module__.startswith("torch.nn.")
    ]


def _read(leaf: Leaf, x: torch.Tensor, y: torch.Tensor) -> LeafCall:
    """Count outputs that became zero; a channel counts once, and only if its input is not all zero."""
    shape, never_negative = tuple(x.shape), False
    kind = type(leaf.module).__name__
    if kind in {"AlphaDropout", "FeatureAlphaDropout"}:
        never_negative = bool((x >= 0).all()) and float((x == 0).float().mean()) > 0.01
        return LeafCall(leaf, shape, 0, 0, never_negative)
    alive, dead = x != 0, (x != 0) & (y == 0)
    if kind in _CHANNELS:
        spatial = tuple(range(x.dim()))[-_CHANNELS[kind] :]
        if x.dim() > _CHANNELS[kind]:
            alive, dead = alive.any(spatial), dead.any(spatial)
    return LeafCall(leaf, shape, int(dead.sum()), int(alive.sum()))
