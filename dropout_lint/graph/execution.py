"""The execution tracer: run one forward pass, and record every call that makes a tensor."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from dropout_lint.graph import kinds
from dropout_lint.graph.builder import GraphBuilder, Traced, call_place, calls_to, layer_place, start_place
from dropout_lint.graph.construction_sites import built_at
from dropout_lint.torch_api.activations import COMMUTES
from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import ATTENTION, FUNCTIONALS, RNNS

_FIRST_OPERAND = VIEWS | frozenset(COMMUTES)
"""Operations whose data is the first operand; the others only give a shape, a type or a slope."""
_SIDE_RESULTS = frozenset({*RNNS, "torch.nn.MultiheadAttention"})
"""Layers that return more than their output: states or attention weights, which become a second node."""


def trace(model: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], seen: str = "execution") -> Traced:
    """Run ``model(*args, **kwargs)`` once, in the mode that it is in, and return its graph.

    Raises whatever the model raises, and TraceError for a graph that is too large.
    """
    tracer = _Recorder(model)
    tracer.take_inputs([*args, *kwargs.values()])
    with torch.no_grad(), tracer.watching_modules(), tracer:
        result = model(*args, **kwargs)
    return tracer.builder.finished(tracer.nodes_of(result), seen)


class _Recorder(TorchFunctionMode):
    """Records functions as a TorchFunctionMode, and modules by patching ``nn.Module.__call__``."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.builder = GraphBuilder(model)
        self._values: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}
        self._modules: list[nn.Module] = [model]
        self._hidden = 0

    def take_inputs(self, values: Iterable[Any]) -> None:
        """Add an input node for each tensor among the arguments."""
        at = start_place(self._modules[0])
        for tensor in tensors(list(values)):
            self._bind([tensor], self.builder.add("input", (), at, "", shape=tuple(tensor.shape)))

    def nodes_of(self, value: Any) -> list[int]:
        """The nodes that made the tensors in a value."""
        return [node for tensor in tensors(value) for node in self._node(tensor)]

    def _node(self, tensor: torch.Tensor) -> list[int]:
        found = self._values.get(id(tensor))
        return [found[1]] if found is not None and found[0]() is tensor else []

    def _bind(self, values: Iterable[torch.Tensor], node: int) -> None:
        for tensor in values:
            self._values[id(tensor)] = (weakref.ref(tensor), node)

    # --- modules

    @contextmanager
    def watching_modules(self) -> Iterator[None]:
        """While open, record the calls of modules."""
        original = nn.Module.__call__

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if self._hidden:
                return original(module, *args, **kwargs)
            run = self._leaf if kinds.is_leaf(module) else self._composite
            return run(module, original, args, kwargs, sys._getframe(1))

        nn.Module.__call__ = call  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.__call__ = original  # type: ignore[method-assign]

    def _leaf(self, module: nn.Module, original: Callable[..., Any], args: Any, kwargs: Any, caller: FrameType) -> Any:
        inputs = self.nodes_of([args, kwargs])
        self._hidden += 1
        try:
            result = original(module, *args, **kwargs)
        finally:
            self._hidden -= 1
        made = list(tensors(result))
        if made:
            kind = kinds.module_kind(module)
            path = self.builder.path(module, self._owner)
            if isinstance(module, torch.jit.ScriptModule):
                self.builder.not_seen.append(f"`{path}`: a compiled TorchScript module")
            at = layer_place(caller, module)
            node = self.builder.add(
                kind,
                inputs,
                at,
                path,
                configured=kinds.module_facts(module),
                shape=tuple(made[0].shape),
                constructor=built_at(module),
                attribute=path.rpartition(".")[2],
            )
            self._bind(made, node)
            if kind in _SIDE_RESULTS and len(made) > 1:
                self._bind(made[1:], self.builder.add(kinds.UNKNOWN, [node], at, path, shape=tuple(made[1].shape)))
        return result

    def _composite(
        self, module: nn.Module, original: Callable[..., Any], args: Any, kwargs: Any, caller: FrameType
    ) -> Any:
        inputs = self.nodes_of([args, kwargs])
        self._modules.append(module)
        try:
            result = original(module, *args, **kwargs)
        finally:
            self._modules.pop()
        # A result that no recorded operation made comes from compiled code.
        lost = [tensor for tensor in tensors(result) if not self._node(tensor)] if inputs else []
        if lost:
            path = self.builder.path(module, self._owner)
            at = layer_place(caller, module)
            self._bind(lost, self.builder.add(kinds.UNKNOWN, inputs, at, path, shape=tuple(lost[0].shape)))
        return result

    @property
    def _owner(self) -> str:
        """The path of the innermost running module that is registered."""
        return next((self.builder.path(m) for m in reversed(self._modules) if self.builder.path(m)), "")

    # --- functions

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._hidden:
            return func(*args, **kwargs)
        given = list(tensors([args, kwargs]))
        operands = [node for tensor in given for node in self._node(tensor)]
        result = func(*args, **kwargs)
        if operands:
            changed = [args[0]] if getattr(func, "__name__", "") == "__setitem__" else list(tensors(result))
            if changed:
                self._function(func, args, kwargs, given, operands, changed)
        return result

    def _function(
        self,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        given: list[torch.Tensor],
        operands: list[int],
        made: list[torch.Tensor],
    ) -> None:
        kind = kinds.function_kind(func)
        edits = kinds.overwrites(func)
        first = self._node(given[0])
        if kind == kinds.SAME or (len(made) == 1 and made[0] is given[0] and not edits and kind in VIEWS):
            self._bind(made, operands[0])
            return
        if kind == "torch.nn.functional.batch_norm":
            kind = kinds.batch_norm_kind(args, kwargs, given[0].dim())
        kind = kinds.kind_by_operands(kind, len(operands), len(given))
        if kind in _FIRST_OPERAND:
            if first:
                operands = first
            else:
                kind = kinds.UNKNOWN
        frame = sys._getframe(2)
        node = self.builder.add(
            kind,
            operands,
            call_place(frame, self._modules[-1]),
            self._owner,
            configured=kinds.call_facts(kind, args, kwargs),
            shape=tuple(made[0].shape),
            edited=tuple(first) if edits else (),
        )
        if kind in FUNCTIONALS or kind in ATTENTION:
            self.builder.callers[node] = calls_to(frame, self._modules[-1])
        self._bind(made, node)


def tensors(value: Any, depth: int = 6) -> Iterator[torch.Tensor]:
    """The tensors in a value, nested in sequences, mappings and data classes."""
    if isinstance(value, torch.Tensor):
        yield value
    elif depth and isinstance(value, (tuple, list)):
        for one in value:
            yield from tensors(one, depth - 1)
    elif depth and isinstance(value, Mapping):
        for one in value.values():
            yield from tensors(one, depth - 1)
    elif depth and hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from tensors(getattr(value, name, None), depth - 1)
