"""Record the operators that draw random numbers in a forward pass, their places, and how the numbers are used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dropout_lint.diagnostic import CodePlace
from dropout_lint.models.user_code import calling_place
from dropout_lint.observing.recording.calls import CallRecorder, ModuleStack

_OFF = {"dropout_p": 0, "p": 0, "dropout": 0, "train": False, "training": False}
"""Argument values with which an operator that is tagged as random draws nothing."""
_COMPARES = {"lt", "le", "gt", "ge", "floor", "ceil", "round", "bernoulli", "floor_", "lt_", "le_", "gt_", "ge_"}
_KEEPS_KIND = {
    *("add", "sub", "rsub", "mul", "div", "add_", "sub_", "mul_", "div_", "_to_copy", "clone", "view", "_unsafe_view"),
    *("reshape", "expand", "unsqueeze", "squeeze", "select", "unbind", "slice", "detach", "alias", "permute", "t"),
    *("transpose", "logical_not", "bitwise_not", "any", "all", "index", "split", "copy_", "lift_fresh", "neg", "abs"),
}
_APPLIES = {"mul", "mul_", "div", "div_", "where", "masked_fill", "masked_fill_", "_masked_scale"}


class DrawUse(StrEnum):
    """How drawn numbers are used: as a mask on activations, as a choice of what runs, or else as noise."""

    MASK = "mask"
    CHOICE = "choice"
    NOISE = "noise"


@dataclass(slots=True)
class RandomDraw:
    """One operator that drew numbers. ``function`` is the torch function around it, as the user called it."""

    operator: str
    function: Callable[..., Any] | None
    path: str | None
    registered: str
    module: torch.nn.Module | None
    place: CodePlace
    use: DrawUse = DrawUse.NOISE


class DrawRecorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While open, records each operator that is tagged ``nondeterministic_seeded`` and draws.

    The numbers are followed through comparisons, casts and views. Once compared, they are a mask if they are
    multiplied into another tensor, and a choice if they become a Python value.
    """

    def __init__(self, modules: ModuleStack, functions: CallRecorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.draws: list[RandomDraw] = []
        self._modules, self._functions = modules, functions
        self._drawn: dict[int, tuple[Any, RandomDraw, bool]] = {}
        """By ``id``: the tensor, kept alive, its draw, and whether it has been compared with a rate."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator, and follow the numbers that it draws."""
        kwargs = kwargs or {}
        sources = [self._drawn[id(a)] for a in _tensors(args, kwargs) if id(a) in self._drawn]
        self._classify(func, args, kwargs, sources)
        result = func(*args, **kwargs)
        name = func._schema.name.partition("::")[2]
        if torch.Tag.nondeterministic_seeded in func.tags and _draws(func, args, kwargs):
            draw = self._draw(func)
            self._follow(result, draw, compared="bernoulli" in name)
        elif sources and (name in _KEEPS_KIND or name in _COMPARES):
            _, draw, compared = sources[0]
            self._follow(result, draw, compared or name in _COMPARES)
        return result

    def _draw(self, func: Any) -> RandomDraw:
        stack = self._modules
        around = self._functions.current[0] if self._functions.current else None
        module = stack.stack[-1] if stack.stack else None
        draw = RandomDraw(str(func), around, stack.path, stack.registered, module, calling_place(sys._getframe(1)))
        self.draws.append(draw)
        return draw

    def _follow(self, result: Any, draw: RandomDraw, compared: bool) -> None:
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._drawn[id(tensor)] = (tensor, draw, compared)

    def _classify(self, func: Any, args: Any, kwargs: Any, sources: list[tuple[Any, RandomDraw, bool]]) -> None:
        name = func._schema.name.partition("::")[2]
        for _, draw, compared in sources:
            if not compared or draw.use is not DrawUse.NOISE:
                continue
            if name in {"_local_scalar_dense", "is_nonzero"}:
                draw.use = DrawUse.CHOICE
            elif name in _APPLIES and any(
                id(a) not in self._drawn and a.is_floating_point() and a.dim() for a in _tensors(args, kwargs)
            ):
                draw.use = DrawUse.MASK


def _tensors(args: Any, kwargs: Any) -> Iterator[torch.Tensor]:
    return (a for a in tree_leaves((args, kwargs)) if isinstance(a, torch.Tensor))


def _draws(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    for index, argument in enumerate(func._schema.arguments):
        if argument.name in _OFF:
            default = argument.default_value if argument.has_default_value() else None
            value = args[index] if index < len(args) else kwargs.get(argument.name, default)
            if isinstance(value, bool | int | float) and value == _OFF[argument.name]:
                return False
    return True
