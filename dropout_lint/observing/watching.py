"""Follow the modes of a model during a real training run, and observe mistakes as they happen."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from dropout_lint.diagnostic import NO_PLACE, CodePlace
from dropout_lint.facts.observations import (
    EvaluatedInTrainMode,
    FrozenPartWoken,
    ModesMixed,
    Observation,
    TrainedInEvalMode,
)
from dropout_lint.models.user_code import calling_place
from dropout_lint.observing.recording.class_places import assignment_place
from dropout_lint.observing.recording.modules import CONTAINERS, answers_by_mode, is_frozen

MOST_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Forward:
    """One outermost call: the path of the called module, its mode, and whether gradients were on."""

    module: str
    training: bool
    grad: bool


class ModeWatcher:
    """Between ``start`` and ``stop``, follows the outermost calls of a model or of its direct children.

    ``observe`` gets each observation at once, and may get it several times. ``allow`` names modules, as globs, that
    may be in another mode than the model.
    """

    def __init__(self, model: nn.Module, allow: Collection[str], observe: Callable[[Observation], None]) -> None:
        self.model = model
        self.forwards: list[Forward] = []
        """At most the first 10,000 calls."""
        self._allow = tuple(allow)
        self._observe = observe
        self._mode_dependent = [(path, m) for path, m in model.named_modules() if answers_by_mode(m)]
        self._hooks: list[Any] = []
        self._depth = 0
        self._evaluated: set[int] = set()
        """The ``id`` of each input without gradients since the last step or forward pass with gradients."""
        self._trained = False
        self._last_with_grad: tuple[bool, CodePlace] | None = None
        """Mode and place of the last forward pass with gradients; None after an optimizer step."""

    def start(self) -> None:
        """Start following."""
        self._frozen_in_eval = self._find_frozen_in_eval()
        self._parameters = {id(p) for p in self.model.parameters()}
        for path, module in self._followed_modules():
            self._hooks.append(module.register_forward_pre_hook(self._before_call(path), with_kwargs=True))
            self._hooks.append(module.register_forward_hook(self._after_call, always_call=True))
        self._hooks.append(register_optimizer_step_post_hook(self._after_step))

    def stop(self) -> None:
        """Stop following."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _followed_modules(self) -> list[tuple[str, nn.Module]]:
        found: list[tuple[str, nn.Module]] = [("", self.model)]
        for name, child in self.model.named_children():
            inside = child.named_children() if isinstance(child, CONTAINERS) else [("", child)]
            found += [(f"{name}.{inner}".rstrip("."), module) for inner, module in inside]
        return found

    def _before_call(self, path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._depth += 1
            if self._depth == 1:
                self._outermost_call(path, module, args, kwargs)

        return hook

    def _after_call(self, module: nn.Module, *_: Any) -> None:
        self._depth -= 1

    def _outermost_call(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        grad = torch.is_grad_enabled()
        if len(self.forwards) < MOST_RECORDS:
            self.forwards.append(Forward(path, module.training, grad))
        prefix = f"{path}." if path else ""
        below = [(name, m) for name, m in self._mode_dependent if not path or name == path or name.startswith(prefix)]
        self._observe_woken_parts()
        self._observe_mixed_modes(module, below)
        if grad:
            self._evaluated.clear()
            if below:
                self._last_with_grad = (
                    module.training,
                    NO_PLACE if module.training else calling_place(sys._getframe(1)),
                )
        elif module.training and any(m.training for _, m in below):
            self._observe_without_grad(args, kwargs)

    def _observe_without_grad(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Observe an evaluation in train mode: a second, different input without gradients, and no step between.

        One input may be a sample of a generator. The same input again may be dropout at test time on purpose.
        """
        inputs = {id(value) for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)}
        fresh = not inputs & self._evaluated
        if self._evaluated and fresh and not _recalibrates():
            self._observe(EvaluatedInTrainMode(calling_place(sys._getframe(1)), ()))
        self._evaluated |= inputs
        self._keep = (args, kwargs)  # alive, so that no id is reused

    def _after_step(self, optimizer: Optimizer, *_: Any) -> None:
        self._evaluated.clear()
        if self._last_with_grad is None:
            return
        training, place = self._last_with_grad
        if not any(id(p) in self._parameters for group in optimizer.param_groups for p in group["params"]):
            return
        self._last_with_grad = None
        if training:
            self._trained = True
        elif self._trained:
            self._observe(TrainedInEvalMode(place, ()))

    def _find_frozen_in_eval(self) -> list[tuple[str, nn.Module]]:
        if not self.model.training:
            return []
        return [(path, module) for path, module in self._mode_dependent if not module.training and self._frozen(path)]

    def _observe_woken_parts(self) -> None:
        for path, module in self._frozen_in_eval:
            if module.training:
                parent, _, name = path.rpartition(".")
                place = assignment_place(type(self.model.get_submodule(parent)), name)
                self._observe(FrozenPartWoken(place, (path,), while_watched=True))
        self._frozen_in_eval = [(path, module) for path, module in self._frozen_in_eval if not module.training]

    def _observe_mixed_modes(self, root: nn.Module, below: list[tuple[str, nn.Module]]) -> None:
        mode = root.training
        for path, module in below:
            if module.training != mode and not self._allowed(path) and not self._frozen(path):
                place = calling_place(sys._getframe(1))
                self._observe(ModesMixed(place, (path,), type(module).__name__, mode))

    def _frozen(self, path: str) -> bool:
        """Whether all parameters of the nearest owner with parameters are frozen."""
        while True:
            module = self.model.get_submodule(path)
            if not path or next(module.parameters(), None) is not None:
                return is_frozen(module)
            path = path.rpartition(".")[0]

    def _allowed(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self._allow)


def _recalibrates() -> bool:
    """Whether batch norm statistics are being recomputed (``update_bn``), which needs train mode and no gradients."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code.co_name in {"update_bn", "bn_update"}:
            return True
        frame = frame.f_back
    return False
