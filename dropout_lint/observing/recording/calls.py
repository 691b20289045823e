"""Record the modules and the dropout functions that a forward pass calls, with their rates and modes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from dropout_lint.diagnostic import CodePlace
from dropout_lint.models.user_code import calling_place
from dropout_lint.observing.recording.modules import paths

_DROPOUT = ("p", 1, 0.5, "training", 2, True)
_ALPHA = ("p", 1, 0.5, "training", 2, False)
FUNCTIONS: dict[Callable[..., Any], tuple[str, int, float, str, int, bool]] = {
    **dict.fromkeys((F.dropout, F.dropout1d, F.dropout2d, F.dropout3d), _DROPOUT),
    **dict.fromkeys((F.alpha_dropout, F.feature_alpha_dropout), _ALPHA),
    **dict.fromkeys(
        (torch.dropout, torch.feature_dropout, torch.alpha_dropout, torch.native_dropout, torch.dropout_),
        ("p", 1, 0.5, "train", 2, True),
    ),
    F.scaled_dot_product_attention: ("dropout_p", 4, 0.0, "", -1, True),
}
"""For each dropout function: name, position and default of its rate, then of its mode."""


@dataclass(frozen=True, slots=True)
class DropoutCall:
    """A call of a dropout function; ``module`` is the path of the calling module, None if it is not registered."""

    function: Callable[..., Any]
    rate: float
    training: bool
    module: str | None
    place: CodePlace

    @property
    def is_attention(self) -> bool:
        """Whether the rate is an argument of fused attention, which has no mode of its own."""
        return self.function is F.scaled_dot_product_attention

    @property
    def live(self) -> bool:
        """Whether the call drew a mask."""
        return self.training and 0 < self.rate < 1


def arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[float, bool] | None:
    """Rate and mode of a call; None if the function does not drop or the rate is no number."""
    form = FUNCTIONS.get(function)
    if form is None:
        return None
    rate_name, rate_at, rate, mode_name, mode_at, mode = form
    rate = args[rate_at] if len(args) > rate_at else kwargs.get(rate_name, rate)
    if mode_name:
        mode = args[mode_at] if len(args) > mode_at else kwargs.get(mode_name, mode)
    return (float(rate), bool(mode)) if isinstance(rate, int | float) else None


def without_dropping(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same arguments with rate 0."""
    rate_name, rate_at = FUNCTIONS[function][:2]
    if len(args) > rate_at:
        return (*args[:rate_at], 0.0, *args[rate_at + 1 :]), kwargs
    return args, {**kwargs, rate_name: 0.0}


class ModuleStack:
    """While open, tracks module calls: ``stack`` has those that run now, ``called`` the paths of all so far."""

    def __init__(self, model: nn.Module) -> None:
        self.names = paths(model)
        self.stack: list[nn.Module] = []
        self.called: set[str] = set()
        self.unregistered: dict[int, nn.Module] = {}
        """Called modules that are not registered, kept alive so that no ``id`` is reused."""
        self._hooks: list[Any] = []

    def __enter__(self) -> ModuleStack:
        self._hooks = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, always_call=True),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _enter(self, module: nn.Module, _: Any) -> None:
        self.stack.append(module)
        name = self.names.get(id(module))
        if name is None:
            self.unregistered[id(module)] = module
        else:
            self.called.add(name)

    def _leave(self, module: nn.Module, _: Any, __: Any) -> None:
        while self.stack and self.stack.pop() is not module:
            pass

    @property
    def path(self) -> str | None:
        """The path of the innermost running module, None if it is not registered."""
        return self.names.get(id(self.stack[-1])) if self.stack else ""

    @property
    def registered(self) -> str:
        """The path of the innermost running module that is registered."""
        return next((self.names[id(m)] for m in reversed(self.stack) if id(m) in self.names), "")


@dataclass
class CallRecorder(TorchFunctionMode):
    """While open, records every call of a dropout function; with ``off``, each runs with rate 0."""

    modules: ModuleStack
    off: bool = False
    calls: list[DropoutCall] = field(default_factory=list)
    current: list[Callable[..., Any]] = field(default_factory=list)
    """The torch functions that are running, the outermost first."""

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the call, and record it if it drops."""
        kwargs = kwargs or {}
        if func in FUNCTIONS:
            given = arguments(func, args, kwargs)
            if given is not None:
                self.calls.append(DropoutCall(func, *given, self.modules.path, calling_place(sys._getframe(1))))
            if self.off:
                args, kwargs = without_dropping(func, args, kwargs)
        self.current.append(func)
        try:
            return func(*args, **kwargs)
        finally:
            self.current.pop()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.current.clear()
        super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
