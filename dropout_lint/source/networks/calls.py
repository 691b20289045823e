"""Adds a graph node for each call in ``forward``: of a layer, a torch function, a tensor method or a method of self."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Protocol

from dropout_lint.facts import Value as Rate
from dropout_lint.source.names.call_arguments import bound_arguments
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.graph_builder import GraphBuilder
from dropout_lint.source.networks.layers import Item, Layer
from dropout_lint.source.networks.operands import NOTHING, Operand, State, Value, flat, several
from dropout_lint.source.networks.ranks import rank_after
from dropout_lint.syntax.parsing import dotted
from dropout_lint.torch_api.activations import COMMUTES, FUNCTIONAL_ACTIVATIONS
from dropout_lint.torch_api.layer_groups import DROP_PATHS, LOGIT_LOSSES, REGRESSION_LOSSES
from dropout_lint.torch_api.signatures import FUNCTIONALS, RNNS

MAX_INLINED = 3
"""Methods of the instance that are followed one inside another; ``trace`` checks it."""
_COLLECTIONS = frozenset({"tuple", "list", "set", "dict"})


class Expressions(Protocol):
    """The evaluator of a function's expressions: ``trace.Tracer``."""

    def value(self, node: ast.expr, state: State) -> Value:
        """The nodes that may have produced the value of an expression."""

    def layers(self, node: ast.expr, state: State) -> Item | None:
        """The layers that an expression refers to, as ``self.fc``; None if it refers to none."""

    def inline(self, call: ast.Call, method: str, arguments: list[Operand], state: State) -> Operand | None:
        """Follow a method of the same instance; None for anything else."""


class Calls:
    """Adds the nodes of calls to a graph."""

    def __init__(self, graph: GraphBuilder, expressions: Expressions) -> None:
        self._graph = graph
        self._expressions = expressions

    def unknown(self, node: ast.expr, inputs: Operand) -> Operand:
        """A node for a computation that is not known; nothing if no tensor goes in."""
        return self._graph.node("unknown", inputs, node) if inputs else NOTHING

    def value_of(self, call: ast.Call, state: State) -> Value:
        """The value of a call.

        These are tried in turn: layers, a torch function, a collection, a tensor method, a method of self. Any other
        callee is unknown.
        """
        arguments = [flat(self._expressions.value(a, state)) for a in call.args]
        keywords = [flat(self._expressions.value(k.value, state)) for k in call.keywords]
        everything = frozenset(i for a in (*arguments, *keywords) for i in a)
        layers = self._expressions.layers(call.func, state)
        if layers is not None:
            attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            first = next((a for a in (*arguments, *keywords) if a), NOTHING)
            rest = everything - first
            if isinstance(layers, Layer) and not layers.kind:
                return self._wrapped(call, layers, arguments, keywords)
            first_new = len(self._graph.nodes)
            made = self._graph.apply(layers, first, call, attribute)
            if rest:
                # Other arguments may change what a wrapper does, so it is not inlined.
                new = self._graph.nodes[first_new:]
                self._graph.nodes[first_new:] = [replace(n, wrapper=None) for n in new]
            if isinstance(layers, Layer):
                self._note_loss(layers.kind, first)
            if isinstance(layers, Layer) and layers.kind in RNNS:
                return (made, self._graph.node("unknown", made, call))
            return made if not rest or self._all_known(made) else self._graph.node("unknown", made | rest, call)
        name = self._graph.module.resolve_call(call, state.block)
        if (name.startswith("torch.") and "(" not in name) or name in DROP_PATHS:
            return self._function(call, name, arguments, everything, state.block)
        if not name and isinstance(call.func, ast.Name) and call.func.id in _COLLECTIONS:
            return several(everything)
        if isinstance(call.func, ast.Attribute):
            receiver = flat(self._expressions.value(call.func.value, state))
            if receiver:
                method = call.func.attr
                inputs = receiver | (everything if method in {"add", "add_", "mul", "matmul"} else NOTHING)
                kind = "add" if method in {"add", "add_"} and everything else f".{method}"
                can_swap = kind in COMMUTES and not self._graph.construction.arguments.bound
                swappable = self._graph.applied_to(call, call.func.value) if can_swap else None
                changes = method.endswith("_") and not method.startswith("_")
                rank = rank_after(kind, self._graph.ranks(receiver), call)
                return self._graph.node(
                    kind,
                    inputs,
                    call,
                    rank,
                    call=swappable,
                    inplace=changes,
                    edited=tuple(sorted(receiver)) if changes else (),
                )
            if call.func.attr == "append" and everything:
                key = dotted(call.func.value)
                state.values[key] = several(state.values.get(key, NOTHING), everything)
                return NOTHING
            inlined = self._expressions.inline(call, call.func.attr, arguments, state)
            if inlined is not None:
                return inlined
        return self.unknown(call, everything)

    def _wrapped(self, call: ast.Call, layer: Layer, arguments: list[Operand], keywords: list[Operand]) -> Operand:
        """Apply a layer whose class is not known here. It may be a wrapper, whose own graph ``splice`` then inlines."""
        operands = [("", value) for value in arguments]
        operands += [(k.arg or "", value) for k, value in zip(call.keywords, keywords, strict=True)]
        unpacks = any(isinstance(a, ast.Starred) for a in call.args) or not all(k.arg for k in call.keywords)
        return self._graph.wrapper(layer, tuple(operands), call, whole=not unpacks)

    def _all_known(self, made: Operand) -> bool:
        return all(self._graph.nodes[i].kind != "unknown" for i in made)

    def _note_loss(self, name: str, first: Operand) -> None:
        """If the call is a loss, note its first argument: the prediction."""
        if name in LOGIT_LOSSES:
            self._graph.losses |= first
        elif name in REGRESSION_LOSSES:
            self._graph.compared |= first

    def _function(
        self, call: ast.Call, name: str, arguments: list[Operand], everything: Operand, block: Block
    ) -> Operand:
        if not everything:
            return NOTHING
        last = name.rpartition(".")[2]
        self._note_loss(name, arguments[0] if arguments else NOTHING)
        if last in {"cat", "concat", "stack", "add", "sub", "mul", "matmul", "bmm", "einsum", "where"}:
            return self._graph.node(
                "add" if last in {"add", "sub"} else "cat" if last in {"cat", "concat", "stack"} else last,
                everything,
                call,
            )
        first = next((a for a in arguments if a), everything)
        rate = Rate()
        inplace = forced = False
        if name in FUNCTIONALS:
            bound = bound_arguments(call, FUNCTIONALS[name].parameters, None)
            p = bound.expression("p")
            rate = self._graph.module.values.evaluate(p, block) if p is not None else Rate(kind="number", number=0.5)
            forced = _is_true(bound.expression("training"))
            inplace = _is_true(bound.expression("inplace"))
        elif name in FUNCTIONAL_ACTIVATIONS:
            inplace = any(map(_is_true, [*call.args[1:], *(k.value for k in call.keywords if k.arg == "inplace")]))
        return self._graph.node(
            name,
            first,
            call,
            rank_after(name, self._graph.ranks(first), call),
            rate=rate,
            inplace=inplace or last.endswith("_"),
            forced=forced,
            guarded=name in FUNCTIONALS and self._graph.module.guards.guarded(call, block),
            call=self._graph.applied(call),
            callee=self._graph.module.lines.code(call.func),
        )


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
