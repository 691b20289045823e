"""Runs a program: builds its model, and calls it in train and in eval mode under fixed seeds."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.dropout import _DropoutNd

SEEDS = (1, 2)


@dataclass
class Outcome:
    """What a program did. Errors are texts. ``state`` holds keys and values before the first call."""

    error: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    train: list[Any] | str = ""
    eval: list[Any] | str = ""
    plain: list[Any] | str = ""
    """In eval mode, with every dropout switched off."""


def outcome(text: str, user: str) -> Outcome:
    """What a program does."""
    found = Outcome()
    with _quiet(), _restored():
        net = _built(text, user, found)
        if net is None:
            return found
        found.state = {k: v.detach().clone() for k, v in net[0].state_dict().items()}
        found.train = _called(*net, training=True)
    with _quiet(), _restored(), torch.no_grad():
        again = _built(text, user, found)
        found.eval = _called(*again, training=False) if again is not None else "not built"
    with _quiet(), _restored(), torch.no_grad():
        _switch_off()
        again = _built(text, user, Outcome())
        found.plain = _called(*again, training=False) if again is not None else "not built"
    return found


def _built(text: str, user: str, found: Outcome) -> tuple[Any, Any] | None:
    module = types.ModuleType("net")
    sys.modules["net"] = module
    torch.manual_seed(0)
    try:
        exec(compile(text, "net.py", "exec", dont_inherit=True), module.__dict__)
        net = module.M()
        users: dict[str, Any] = {"__name__": "user"}
        exec(compile(f"import torch\nfrom torch import nn\n{user}", "user.py", "exec", dont_inherit=True), users)
    except Exception as error:
        found.error = _named(error)
        return None
    return net, users.get("use")


def _called(net: Any, use: Any, *, training: bool) -> list[Any] | str:
    """Two outputs under different seeds; in train mode also what the call left behind: inputs, gradients, draws."""
    found: list[Any] = []
    try:
        try:
            result = net.train(training)
            list(result) if isinstance(result, types.GeneratorType) else None
        except TypeError:
            net.training = training
        for seed in SEEDS:
            torch.manual_seed(seed)
            x = torch.linspace(-2, 3, 8).view(2, 4)
            y = net(x)
            if use is not None:
                y = y + use(net, x)
            found += [y.detach().clone(), x.clone(), torch.rand(1)]
            if training and isinstance(y, torch.Tensor) and y.requires_grad:
                found.append(_gradients(net, y))
    except Exception as error:
        return _named(error)
    return found


def _gradients(net: Any, y: torch.Tensor) -> list[Any] | None:
    """None if the backward pass raises, which some mistakes are about."""
    net.zero_grad()
    try:
        torch.autograd.backward(y.sum())
    except RuntimeError:
        return None
    return [p.grad.clone() if p.grad is not None else None for p in net.parameters()]


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:80]}"


def _switch_off() -> None:
    """Replace the dropouts of torch by the identity."""
    for name in dir(functional):
        if "dropout" in name and not name.startswith("_"):
            setattr(functional, name, _identity)
    for name in dir(torch):
        if name.rstrip("_").endswith("dropout"):
            setattr(torch, name, _identity)
    attention = functional.scaled_dot_product_attention
    setattr(functional, "scaled_dot_product_attention", functools.partial(_without, attention))  # noqa: B010 - mypy


def _identity(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _without(attention: Any, q: Any, k: Any, v: Any, mask: Any = None, _p: float = 0.0, **more: Any) -> Any:
    more.pop("dropout_p", None)
    return attention(q, k, v, mask, 0.0, **more)


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Put torch back as it was: programs replace parts of it."""
    kept = [(place, dict(vars(place))) for place in (torch, nn, functional)]
    constructor = _DropoutNd.__init__
    defaults = constructor.__defaults__
    try:
        yield
    finally:
        for place, names in kept:
            vars(place).update(names)
        constructor.__defaults__ = defaults
        for kind in _DropoutNd.__subclasses__():
            if kind.__module__ == _DropoutNd.__module__ and "__init__" in vars(kind):
                del kind.__init__
        _DropoutNd.__init__ = constructor  # type: ignore[method-assign]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
