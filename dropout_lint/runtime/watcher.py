"""``watch(model)``: the modes of a model during a real run, and what is wrong with them, as it happens."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.runtime import places
from dropout_lint.runtime.modules import BATCH_NORMS, CONTAINERS, is_dropout_like, rate_of
from dropout_lint.runtime.report import Report

MOST_RECORDS = 10_000


class ModeWarning(UserWarning):
    """A mistake with train and eval mode that was seen while it happened."""


@dataclass(frozen=True, slots=True)
class Forward:
    """One call from outside: path of the module that was called, its mode, and whether gradients were on."""

    module: str
    training: bool
    grad: bool


class watch:  # noqa: N801
    """Watch a model while it is trained or evaluated::

        with dropout_lint.runtime.watch(model) as seen:
            train(model)
        assert seen.report

    Each finding is warned of once with ModeWarning, or passed to ``on_finding``. ``allow`` names modules, as globs,
    that may be in another mode than the model. What is called from outside is the model or a part one level below.
    """

    def __init__(
        self,
        model: nn.Module,
        allow: Collection[str] = (),
        on_finding: Callable[[Diagnostic], object] | None = None,
    ) -> None:
        self.model = model
        self.report = Report()
        self.forwards: list[Forward] = []
        """The last 10,000 calls at most."""
        self._allow = tuple(allow)
        self._tell = on_finding or _warn
        self._minds = [(path, m) for path, m in model.named_modules() if _answers_by_mode(m)]
        self._hooks: list[Any] = []
        self._depth = 0
        self._evaluated: set[int] = set()
        self._trained = False
        self._last: tuple[bool, places.Place] | None = None

    def __enter__(self) -> watch:
        self._asleep = self._sleeping_parts()
        self._parameters = {id(p) for p in self.model.parameters()}
        for path, module in self._entrances():
            self._hooks.append(module.register_forward_pre_hook(self._before(path), with_kwargs=True))
            self._hooks.append(module.register_forward_hook(self._after, always_call=True))
        self._hooks.append(register_optimizer_step_post_hook(self._stepped))
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _entrances(self) -> list[tuple[str, nn.Module]]:
        found: list[tuple[str, nn.Module]] = [("", self.model)]
        for name, child in self.model.named_children():
            inside = child.named_children() if isinstance(child, CONTAINERS) else [("", child)]
            found += [(f"{name}.{inner}".rstrip("."), module) for inner, module in inside]
        return found

    def _before(self, path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._depth += 1
            if self._depth == 1:
                self._called(path, module, args, kwargs)

        return hook

    def _after(self, module: nn.Module, *_: Any) -> None:
        self._depth -= 1

    def _called(self, path: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        grad = torch.is_grad_enabled()
        if len(self.forwards) < MOST_RECORDS:
            self.forwards.append(Forward(path, module.training, grad))
        prefix = f"{path}." if path else ""
        below = [(name, m) for name, m in self._minds if not path or name == path or name.startswith(prefix)]
        self._woken()
        self._mixed(module, below)
        if grad:
            self._evaluated.clear()
            if below:
                self._last = (module.training, places.NOWHERE if module.training else places.caller())
        elif module.training and any(m.training for _, m in below):
            self._without_gradients(args, kwargs)

    def _without_gradients(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A second input in train mode without gradients, and no step between, is an evaluation.

        One alone may be a generator's sample; the same input again, dropout at test time on purpose.
        """
        inputs = {id(value) for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)}
        fresh = not inputs & self._evaluated
        if self._evaluated and fresh and not _recalibrates():
            self._find(
                "DRP206",
                places.caller(),
                "The model is evaluated, one input after another without gradients, in train mode",
                (),
            )
        self._evaluated |= inputs
        self._keep = (args, kwargs)  # so that no id is used twice

    def _stepped(self, optimizer: Optimizer, *_: Any) -> None:
        self._evaluated.clear()
        if self._last is None:
            return
        training, place = self._last
        if not any(id(p) in self._parameters for group in optimizer.param_groups for p in group["params"]):
            return
        self._last = None
        if training:
            self._trained = True
        elif self._trained:
            self._find("DRP205", place, "The model was trained, then put in eval mode, and is trained on in it", ())

    def _sleeping_parts(self) -> list[tuple[str, nn.Module]]:
        if not self.model.training:
            return []
        return [(path, module) for path, module in self._minds if not module.training and self._frozen(path)]

    def _woken(self) -> None:
        for path, module in self._asleep:
            if module.training:
                parent, _, name = path.rpartition(".")
                place = places.of_assignment(type(self.model.get_submodule(parent)), name)
                text = "This part of a frozen network was in eval mode, and `train()` of the model has undone that"
                self._find("DRP211", place, text, (path,))
        self._asleep = [(path, module) for path, module in self._asleep if not module.training]

    def _mixed(self, root: nn.Module, below: list[tuple[str, nn.Module]]) -> None:
        mode = root.training
        for path, module in below:
            if module.training != mode and not self._allowed(path) and not self._frozen(path):
                here, there = ("train", "eval") if mode else ("eval", "train")
                text = f"The model is in {here} mode, and {type(module).__name__} below it in {there} mode"
                self._find("DRP290", places.caller(), text, (path,))

    def _frozen(self, path: str) -> bool:
        """Whether the nearest part around that has parameters trains none of them."""
        while True:
            parameters = list(self.model.get_submodule(path).parameters())
            if parameters or not path:
                return bool(parameters) and not any(p.requires_grad for p in parameters)
            path = path.rpartition(".")[0]

    def _allowed(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self._allow)

    def _find(self, code: str, place: places.Place, message: str, modules: tuple[str, ...]) -> None:
        before = len(self.report.diagnostics)
        self.report.find(code, place, message, modules)
        if len(self.report.diagnostics) > before:
            self._tell(self.report.diagnostics[-1])


def _answers_by_mode(module: nn.Module) -> bool:
    rate = rate_of(module) if is_dropout_like(module) else None
    return isinstance(module, BATCH_NORMS) or (rate is not None and rate[1] > 0)


def _recalibrates() -> bool:
    """Whether batch norm statistics are being computed anew, which needs train mode and no gradients."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code.co_name in {"update_bn", "bn_update"}:
            return True
        frame = frame.f_back
    return False


def _warn(diagnostic: Diagnostic) -> None:
    where = f"{diagnostic.path}:{diagnostic.span.line}: " if diagnostic.path else ""
    warnings.warn(f"{where}{diagnostic.code} {diagnostic.message}", ModeWarning, stacklevel=2)
