"""The tracer that needs no inputs: torch.fx. On request, modules that it cannot follow become unknown nodes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

from dropout_lint.graph import kinds
from dropout_lint.graph.builder import GraphBuilder, Traced, call_place, calls_to, layer_place
from dropout_lint.graph.construction_sites import built_at
from dropout_lint.torch_api.activations import COMMUTES
from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import ATTENTION, FUNCTIONALS

_CALLS = frozenset({*FUNCTIONALS, *ATTENTION})
_NUMBER_ATTRIBUTES = frozenset({"shape", "device", "dtype", "ndim", "requires_grad", "is_cuda", "layout", "itemsize"})
_NUMBER_METHODS = frozenset(
    {"size", "dim", "numel", "ndimension", "stride", "get_device", "is_floating_point", "element_size"}
)


def trace(model: nn.Module, *, leaves: bool) -> Traced:
    """Trace ``model`` in its current mode; the graph has no shapes.

    With ``leaves``, a module whose ``forward`` cannot be traced becomes one unknown node, listed in ``not_seen``.
    Raises whatever torch.fx or the model raises.
    """
    tracer = _Tracer(leaves)
    graph = tracer.trace(model)
    builder = GraphBuilder(model)
    builder.not_seen += tracer.not_seen
    outputs = _convert(graph, model, builder)
    return builder.finished(outputs, "fx with leaves" if leaves else "fx")


class _Tracer(fx.Tracer):
    def __init__(self, leaves: bool) -> None:
        super().__init__()
        self._leaves = leaves
        self.not_seen: list[str] = []

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return kinds.is_leaf(m)

    def create_node(self, kind: str, target: Any, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(kind, target, *args, **kwargs)
        owner = self.root.get_submodule(self.scope.module_path) if self.scope.module_path else self.root
        frame = sys._getframe(1)
        at = layer_place(frame, owner) if kind == "call_module" else call_place(frame, owner)
        node.meta["dropout_lint"] = (at, self.scope.module_path)
        node.meta["dropout_lint_calls"] = calls_to(frame, owner) if _kind(node) in _CALLS else ()
        return node

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if not self._leaves or self.is_leaf_module(m, ""):
            return super().call_module(m, forward, args, kwargs)
        before, stack = len(self.graph.nodes), dict(self.module_stack)
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception as error:
            for node in list(self.graph.nodes)[before:][::-1]:
                self.graph.erase_node(node)
            self.module_stack.clear()
            self.module_stack.update(stack)
            path = self.path_of_module(m)
            self.not_seen.append(f"`{path}`: {type(error).__name__}: {str(error).strip().splitlines()[0][:120]}")
            return self.create_proxy("call_module", path, args, kwargs)


def _convert(graph: fx.Graph, model: nn.Module, builder: GraphBuilder) -> list[int]:
    """Add the operations on tensors to ``builder``; operations on sizes and other numbers are skipped."""
    indices: dict[fx.Node, int] = {}
    numbers: set[fx.Node] = set()
    for node in graph.nodes:
        at, owner = node.meta["dropout_lint"]
        operands = [indices[n] for n in node.all_input_nodes if n in indices]
        if node.op == "output":
            return operands
        if node.op == "placeholder":
            indices[node] = builder.add("input", (), at, "")
        elif node.op == "call_module":
            module = model.get_submodule(str(node.target))
            leaf = kinds.is_leaf(module)
            indices[node] = builder.add(
                kinds.module_kind(module) if leaf else kinds.UNKNOWN,
                operands,
                at,
                str(node.target),
                configured=kinds.module_facts(module) if leaf else None,
                constructor=built_at(module),
                attribute=str(node.target).rpartition(".")[2],
            )
        elif _is_number(node, numbers):
            numbers.add(node)
        elif node.target is getattr and node.args[1] in kinds.SAME_VALUE and operands:
            indices[node] = operands[0]
        elif node.op in {"call_function", "call_method"} and operands:
            indices[node] = builder.add(*_call(node, operands, indices), at, owner, configured=_configured(node))
            if node.meta["dropout_lint_calls"]:
                builder.callers[indices[node]] = node.meta["dropout_lint_calls"]
    return []


def _is_number(node: fx.Node, numbers: set[fx.Node]) -> bool:
    if node.op == "call_method" and node.target in _NUMBER_METHODS:
        return True
    if node.op == "call_function" and node.target is getattr and node.args[1] in _NUMBER_ATTRIBUTES:
        return True
    inputs = node.all_input_nodes
    return bool(inputs) and node.op == "call_function" and all(n in numbers for n in inputs)


def _kind(node: fx.Node) -> str:
    if node.op == "call_method":
        return kinds.method_kind(str(node.target))
    if node.op != "call_function" or node.target is getattr:
        return kinds.UNKNOWN
    return kinds.function_kind(node.target)


def _call(node: fx.Node, operands: list[int], indices: dict[fx.Node, int]) -> tuple[str, list[int]]:
    kind = _kind(node)
    tensors = sum(isinstance(argument, fx.Node) for argument in node.args)
    kind = kinds.kind_by_operands(kind, len(operands) if kind in {"add", "mul"} else 2, tensors)
    first = node.args[0] if node.args else None
    if kind in VIEWS or kind in COMMUTES:
        if isinstance(first, fx.Node) and first in indices:
            return kind, [indices[first]]
        return kinds.UNKNOWN, operands
    return kind, operands


def _configured(node: fx.Node) -> kinds.Configured:
    arguments = [None if isinstance(a, (fx.Node, torch.Tensor)) else a for a in node.args]
    return kinds.call_facts(_kind(node), arguments, node.kwargs)
