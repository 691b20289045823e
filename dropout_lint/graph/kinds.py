"""Name the layers and functions that run as the source engine names them (their kind), and read their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from torch.overrides import resolve_name

from dropout_lint.facts import Value
from dropout_lint.torch_api.activations import THRESHOLD_AT_ZERO
from dropout_lint.torch_api.layer_groups import BATCH_NORMS, DROP_PATH_NAMES
from dropout_lint.torch_api.signatures import ATTENTION, DROPOUT_MODULES, FUNCTIONALS, NEVER_ACTIVE_BY_DEFAULT

UNKNOWN = "unknown"
SAME = "same"
"""The kind of a property such as ``T``, whose result has the elements of its tensor; tracers add no node for it."""
DROP_PATH = "timm.layers.DropPath"

SAME_VALUE = ("T", "mT", "H", "mH", "data", "real")
"""Attributes of a tensor with the same elements."""
_SAME = frozenset(f"torch.Tensor.{name}.__get__" for name in SAME_VALUE)
_SUMS = frozenset({"add", "sub", "__add__", "__radd__", "__iadd__", "__sub__", "__rsub__", "__isub__"})
_PRODUCTS = frozenset(
    {
        *("mul", "div", "matmul", "__mul__", "__rmul__", "__imul__", "__truediv__", "__rtruediv__", "__itruediv__"),
        *("__matmul__", "__rmatmul__", "true_divide"),
    }
)
_JOINS = frozenset({"cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack"})
_NAMED_AS_KIND = frozenset({"bmm", "baddbmm", "einsum", "where"})
_NORMS = {
    f"torch.nn.functional.{function}": f"torch.nn.{layer}"
    for function, layer in (("layer_norm", "LayerNorm"), ("rms_norm", "RMSNorm"), ("group_norm", "GroupNorm"))
}
"""Functional norms, which get the kind of their layer: custom norm classes often call them."""
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


@lru_cache(maxsize=4096)
def function_kind(function: Callable[..., Any]) -> str:
    """The kind of a function or tensor method; ``kind_by_operands`` refines that of sums and products."""
    name = resolve_name(function) or ""
    if not name:
        module = getattr(function, "__module__", "") or ""
        name = f"{module.replace('_operator', 'operator')}.{getattr(function, '__name__', '')}"
    if name in _SAME:
        return SAME
    if name.startswith("torch.Tensor."):
        return method_kind(name.removeprefix("torch.Tensor."))
    last = name.rpartition(".")[2]
    if name.startswith(("torch.", "operator.")):
        if last in _SUMS or last == "iadd":
            return "add"
        if last in _PRODUCTS or last in {"truediv", "imul", "itruediv", "imatmul"}:
            return "mul"
        if last in _JOINS:
            return "cat"
        if last in _NAMED_AS_KIND:
            return last
    if name.startswith("operator."):
        return "index" if last == "getitem" else UNKNOWN
    name = name.replace("torch.functional.", "torch.")
    return _NORMS.get(name, name) if name.startswith("torch.") else UNKNOWN


def method_kind(method: str) -> str:
    """The kind of a call of a tensor's method."""
    bare = method.rstrip("_") if not method.startswith("_") else method
    if bare in _SUMS:
        return "add"
    if bare in _PRODUCTS:
        return "mul"
    if method == "__getitem__":
        return "index"
    return UNKNOWN if method.startswith("_") or method.endswith("__get__") else f".{method}"


def kind_by_operands(kind: str, operands: int, tensors: int) -> str:
    """Refine the kind of a sum or product by its operands: how many are nodes, and how many are tensors."""
    if kind == "mul" and operands < 2:
        return "scale"
    return UNKNOWN if kind == "add" and tensors < 2 else kind


def overwrites(function: Callable[..., Any]) -> bool:
    """Whether a function changes its first argument."""
    name = getattr(function, "__name__", "")
    return name == "__setitem__" or name.startswith("__i") or (name.endswith("_") and not name.startswith("_"))


_layers: dict[type, str] = {}


def _torch_layer(module: nn.Module) -> str:
    """The class of torch.nn whose ``forward`` a module runs, "" if it defines its own."""
    cls = type(module)
    if isinstance(module, torch.jit.ScriptModule):
        return ""
    if cls not in _layers:
        own = not (getattr(cls.forward, "__module__", None) or "").startswith("torch.nn.")
        bases = (base for base in cls.__mro__ if getattr(nn, base.__name__, None) is base)
        layer = next(bases, nn.Module)
        _layers[cls] = "" if own or layer is nn.Module else f"torch.nn.{layer.__name__}"
    return _layers[cls]


def is_leaf(module: nn.Module) -> bool:
    """Whether a module becomes one node: a layer of torch.nn without user code in it, or a stochastic depth."""
    if isinstance(module, torch.jit.ScriptModule) or type(module).__name__ in DROP_PATH_NAMES:
        return True
    if isinstance(module, _CONTAINERS) or not _torch_layer(module):
        return False
    return all(isinstance(m, _CONTAINERS) or _torch_layer(m) for m in module.modules())


def module_kind(module: nn.Module) -> str:
    """The kind of a module that ``is_leaf`` accepts."""
    if type(module).__name__ in DROP_PATH_NAMES:
        return DROP_PATH
    kind = _torch_layer(module) or UNKNOWN
    if kind in BATCH_NORMS and getattr(module, "running_mean", None) is None:
        return UNKNOWN
    if isinstance(module, nn.Threshold) and (module.threshold, module.value) == (0, 0):
        return THRESHOLD_AT_ZERO
    return kind


UNSET = Value()


@dataclass(frozen=True, slots=True)
class Configured:
    """The settings of a layer or call; the rate is 0 if the mode switches it off."""

    rate: Value = UNSET
    kernel: tuple[float, ...] | None = None
    padding: float | None = None
    out_features: str = ""
    inplace: bool = False


def module_facts(module: nn.Module) -> Configured:
    """Read the settings of a layer from its instance: its rate in its current mode, and its sizes."""
    kernel = getattr(module, "kernel_size", None)
    sides = _numbers(kernel) if getattr(module, "groups", 1) == 1 else None
    padding = _numbers(getattr(module, "padding", None))
    return Configured(
        _module_rate(module),
        sides,
        max(padding) if padding else None,
        str(module.out_features) if isinstance(module, nn.Linear) else "",
        getattr(module, "inplace", False) is True,
    )


def _numbers(size: object) -> tuple[float, ...] | None:
    sides = size if isinstance(size, tuple) else (size,)
    return tuple(float(side) for side in sides) if all(isinstance(side, (int, float)) for side in sides) else None


def _module_rate(module: nn.Module) -> Value:
    if module_kind(module) not in {*DROPOUT_MODULES, DROP_PATH}:
        return Value()
    found = next((getattr(module, name) for name in ("p", "drop_prob") if hasattr(module, name)), None)
    return _rate(found, active=module.training)


def _rate(number: object, *, active: bool) -> Value:
    if not active or number is None:
        return Value(kind="number", number=0.0)
    return Value(kind="number", number=float(number)) if isinstance(number, (int, float)) else Value()


def call_facts(kind: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Configured:
    """Read the settings of a functional dropout or an attention from its arguments."""
    inplace = kwargs.get("inplace") is True
    signature = FUNCTIONALS.get(kind) or ATTENTION.get(kind)
    if signature is None:
        return Configured(inplace=inplace)
    bound = {**dict(zip(signature.parameters, args, strict=False)), **kwargs}
    rate = bound.get(signature.rate, signature.default_rate)
    if kind in ATTENTION:
        return Configured(_rate(rate, active=True))
    active = bound.get("training", bound.get("train", kind not in NEVER_ACTIVE_BY_DEFAULT))
    return Configured(_rate(rate, active=bool(active)), inplace=bound.get("inplace") is True)


def batch_norm_kind(args: Sequence[Any], kwargs: Mapping[str, Any], rank: int | None) -> str:
    """The kind of ``F.batch_norm``: a batch norm of that rank if it has running statistics, else unknown."""
    mean = kwargs.get("running_mean", args[1] if len(args) > 1 else None)
    return f"torch.nn.BatchNorm{max((rank or 4) - 2, 1)}d" if mean is not None else UNKNOWN
