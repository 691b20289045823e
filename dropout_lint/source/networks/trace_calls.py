"""Follows calls: of layers, functions, methods of a tensor, and methods of the instance."""

from __future__ import annotations

import ast
from dataclasses import replace

from dropout_lint.facts import Value
from dropout_lint.source.names.call_arguments import bound_arguments
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.layers import Item, Layer
from dropout_lint.source.networks.operands import NOTHING, Operand, State, flat, several
from dropout_lint.source.networks.ranks import rank_after
from dropout_lint.source.networks.trace_layers import LayerTracer
from dropout_lint.syntax.parsing import dotted
from dropout_lint.torch_api.activations import COMMUTES
from dropout_lint.torch_api.layer_groups import DROP_PATHS, LOGIT_LOSSES, REGRESSION_LOSSES
from dropout_lint.torch_api.signatures import FUNCTIONALS, RNNS

MAX_INLINED = 3


class CallTracer(LayerTracer):
    """Calls of a function; expressions and statements are left to subclasses."""

    __slots__ = ()

    def run(self, body: list[ast.stmt], block: Block, state: State) -> None:
        """Follow statements."""
        raise NotImplementedError

    def value(self, node: ast.expr, block: Block, state: State) -> Operand | tuple[Operand, ...]:
        """The nodes that may have made an expression's value."""
        raise NotImplementedError

    def layers(self, node: ast.expr, block: Block, state: State) -> Item | None:
        """The layers that an expression stands for."""
        raise NotImplementedError

    def unknown(self, node: ast.expr, inputs: Operand) -> Operand:
        """Something is computed that nobody can see."""
        return self.node("unknown", inputs, node) if inputs else NOTHING

    def called(self, call: ast.Call, block: Block, state: State) -> Operand | tuple[Operand, ...]:
        """The value of a call: of layers, a function, a method of a tensor, or a method of the instance."""
        arguments = [flat(self.value(a, block, state)) for a in call.args]
        keywords = [flat(self.value(k.value, block, state)) for k in call.keywords]
        everything = frozenset(i for a in (*arguments, *keywords) for i in a)
        layers = self.layers(call.func, block, state)
        if layers is not None:
            attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            first = next((a for a in (*arguments, *keywords) if a), NOTHING)
            rest = everything - first
            if isinstance(layers, Layer) and not layers.kind:
                return self._wrapped(call, layers, arguments, keywords)
            before = len(self.nodes)
            made = self.apply(layers, first, call, attribute)
            if rest:
                self.nodes[before:] = [replace(n, wrapper=None) for n in self.nodes[before:]]
            if isinstance(layers, Layer):
                self._loss(layers.kind, first)
            if isinstance(layers, Layer) and layers.kind in RNNS:
                return (made, self.node("unknown", made, call))
            return made if not rest or self._kind_known(made) else self.node("unknown", made | rest, call)
        name = self.module.resolve_call(call, block)
        if (name.startswith("torch.") and "(" not in name) or name in DROP_PATHS:
            return self._function(call, name, arguments, everything, block)
        if isinstance(call.func, ast.Attribute):
            receiver = flat(self.value(call.func.value, block, state))
            if receiver:
                method = call.func.attr
                inputs = receiver | (everything if method in {"add", "add_", "mul", "matmul"} else NOTHING)
                kind = "add" if method in {"add", "add_"} and everything else f".{method}"
                shown = kind in COMMUTES and not self.construction.bound
                around = self.applied_to(call, call.func.value) if shown else None
                changes = method.endswith("_") and not method.startswith("_")
                rank = rank_after(kind, self.ranks(receiver), call)
                return self.node(
                    kind,
                    inputs,
                    call,
                    rank,
                    call=around,
                    inplace=changes,
                    edited=tuple(sorted(receiver)) if changes else (),
                )
            if call.func.attr == "append" and everything:
                key = dotted(call.func.value)
                state.values[key] = several(state.values.get(key, NOTHING), everything)
                return NOTHING
            inlined = self._inline(call, call.func.attr, arguments, block, state)
            if inlined is not None:
                return inlined
        return self.unknown(call, everything)

    def _wrapped(self, call: ast.Call, layer: Layer, arguments: list[Operand], keywords: list[Operand]) -> Operand:
        """The value of a layer of an unknown class, for the arguments of its call."""
        operands = [("", value) for value in arguments]
        operands += [(k.arg or "", value) for k, value in zip(call.keywords, keywords, strict=True)]
        whole = not any(isinstance(a, ast.Starred) for a in call.args) and all(k.arg for k in call.keywords)
        return self.wrapper(layer, tuple(operands), call, whole)

    def _kind_known(self, made: Operand) -> bool:
        return all(self.nodes[i].kind != "unknown" for i in made)

    def _loss(self, name: str, first: Operand) -> None:
        if name in LOGIT_LOSSES:
            self.losses |= first
        elif name in REGRESSION_LOSSES:
            self.compared |= first

    def _function(
        self, call: ast.Call, name: str, arguments: list[Operand], everything: Operand, block: Block
    ) -> Operand:
        if not everything:
            return NOTHING
        last = name.rpartition(".")[2]
        self._loss(name, arguments[0] if arguments else NOTHING)
        if last in {"cat", "concat", "stack", "add", "sub", "mul", "matmul", "bmm", "einsum", "where"}:
            return self.node(
                "add" if last in {"add", "sub"} else "cat" if last in {"cat", "concat", "stack"} else last,
                everything,
                call,
            )
        first = next((a for a in arguments if a), everything)
        rate = Value()
        inplace = forced = False
        if name in FUNCTIONALS:
            bound = bound_arguments(call, FUNCTIONALS[name].parameters, None)
            p = bound.expression("p")
            rate = self.module.values.evaluate(p, block) if p is not None else Value(kind="number", number=0.5)
            forced = _is_true(bound.expression("training"))
            inplace = _is_true(bound.expression("inplace"))
        return self.node(
            name,
            first,
            call,
            rank_after(name, self.ranks(first), call),
            rate=rate,
            inplace=inplace or last.endswith("_"),
            forced=forced,
            guarded=name in FUNCTIONALS and self.module.guards.guarded(call, block),
            call=self._applied(call),
            callee=self.module.lines.code(call.func),
        )

    def _inline(
        self, call: ast.Call, method: str, arguments: list[Operand], block: Block, state: State
    ) -> Operand | tuple[Operand, ...] | None:
        """Follow a method of the same instance, so that a ``forward`` split over methods is one network."""
        owner = block.enclosing_class
        target = owner.blocks.get(method) if owner is not None else None
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if target is None or not isinstance(target.node, ast.FunctionDef) or dotted(receiver or call) != block.instance:
            return None
        if len(self.inlined) >= MAX_INLINED or method in self.inlined:
            return None
        names = [p for p in target.parameters if p != target.self_name]
        values: dict[str, Operand | tuple[Operand, ...]] = dict(zip(names, arguments, strict=False))
        for keyword in call.keywords:
            if keyword.arg:
                values[keyword.arg] = self.value(keyword.value, block, state)
        before, self.outputs, self.inlined = self.outputs, set(), (*self.inlined, method)
        self.run(target.node.body, target, State(values, {}))
        result, self.outputs, self.inlined = frozenset(self.outputs), before, self.inlined[:-1]
        return result


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
