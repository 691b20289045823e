"""Follows expressions: which nodes may have made a value, and which layers a name stands for."""

from __future__ import annotations

import ast

from dropout_lint.activations import COMMUTES
from dropout_lint.facts import Value
from dropout_lint.layer_facts import DROP_PATHS, LOGIT_LOSSES, REGRESSION_LOSSES
from dropout_lint.source.bindings import bound_arguments
from dropout_lint.source.layers import Either, Item, Layer, member
from dropout_lint.source.operands import NOTHING, Operand, State, flat
from dropout_lint.source.ranks import rank_after
from dropout_lint.source.scopes import Block
from dropout_lint.source.syntax import dotted
from dropout_lint.source.trace_layers import LayerTracer
from dropout_lint.torch_facts import FUNCTIONALS, RNNS

MAX_INLINED = 3


class ExpressionTracer(LayerTracer):
    """Expressions of a function; the statements are left to a subclass."""

    __slots__ = ()

    def run(self, body: list[ast.stmt], block: Block, state: State) -> None:
        """Follow statements."""
        raise NotImplementedError

    def assign(
        self, target: ast.expr, result: Operand | tuple[Operand, ...], value: ast.expr, block: Block, state: State
    ) -> None:
        """Bind a target."""
        raise NotImplementedError

    def bind_loop(self, target: ast.expr, iterated: ast.expr, block: Block, state: State) -> None:
        """Bind the names of a loop."""
        raise NotImplementedError

    def layers(self, node: ast.expr, block: Block, state: State) -> Item | None:
        """The layers that an expression stands for; None if it is not one."""
        match node:
            case ast.Name(id=name):
                return state.layers.get(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=attribute) if owner == block.instance and owner:
                return self.attributes.get(f"self.{attribute}")
            case ast.Subscript(value=value):
                inner = self.layers(value, block, state)
                return member(inner) if inner is not None else None
            case ast.IfExp(body=body, orelse=orelse):
                arms = [self.layers(body, block, state), self.layers(orelse, block, state)]
                return Either(tuple((a,) for a in arms if a is not None)) if any(arms) else None
            case ast.Call() if _constructs(self.module.scopes.resolve(node.func, block)):
                return self.construction.value(node, block, dict(state.layers), 1)
        return None

    def value(self, node: ast.expr, block: Block, state: State) -> Operand | tuple[Operand, ...]:
        """The nodes that may have made an expression's value."""
        match node:
            case ast.Name(id=name):
                return state.values.get(name, NOTHING)
            case ast.Attribute(value=inner, attr=attribute):
                known = state.values.get(dotted(node))
                if known is not None:
                    return known
                return self.value(inner, block, state) if attribute in {"T", "mT", "data", "real"} else NOTHING
            case ast.Call():
                return self.called(node, block, state)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(
                    node, flat(self.value(left, block, state)), op, flat(self.value(right, block, state))
                )
            case ast.UnaryOp(operand=operand):
                return self._unknown(node, flat(self.value(operand, block, state)))
            case ast.Subscript(value=inner, slice=index):
                base = self.value(inner, block, state)
                if isinstance(base, tuple) and isinstance(index, ast.Constant) and isinstance(index.value, int):
                    return base[index.value] if -len(base) <= index.value < len(base) else NOTHING
                made = flat(base)
                return self.node("index", made, node, rank_after("index", self.ranks(made), node)) if made else NOTHING
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return tuple(flat(self.value(e, block, state)) for e in elements)
            case ast.IfExp(body=body, orelse=orelse):
                return flat(self.value(body, block, state)) | flat(self.value(orelse, block, state))
            case ast.NamedExpr(target=target, value=value):
                result = self.value(value, block, state)
                self.assign(target, result, value, block, state)
                return result
            case ast.Await(value=value) | ast.Starred(value=value):
                return self.value(value, block, state)
            case ast.Dict(values=values):
                return frozenset(i for v in values for i in flat(self.value(v, block, state)))
            case ast.ListComp(elt=element, generators=generators):
                for generator in generators:
                    self.bind_loop(generator.target, generator.iter, block, state)
                return self.value(element, block, state)
        return NOTHING

    def _unknown(self, node: ast.expr, inputs: Operand) -> Operand:
        return self.node("unknown", inputs, node) if inputs else NOTHING

    def _binary(self, node: ast.expr, left: Operand, op: ast.operator, right: Operand) -> Operand:
        inputs = left | right
        if not inputs:
            return NOTHING
        joins = bool(left) and bool(right)
        kind = "add" if joins and isinstance(op, (ast.Add, ast.Sub)) else "mul" if joins else "scale"
        if not joins and isinstance(op, (ast.Add, ast.Sub, ast.Pow, ast.FloorDiv, ast.Mod)):
            kind = "unknown"
        return self.node(kind, inputs, node, self.ranks(inputs))

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
            made = self.apply(layers, first, call, attribute)
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
                around = self.text_around(call, call.func.value) if kind in COMMUTES else None
                changes = method.endswith("_") and not method.startswith("_")
                rank = rank_after(kind, self.ranks(receiver), call)
                return self.node(kind, inputs, call, rank, call=around, inplace=changes)
            if call.func.attr == "append" and everything:
                key = dotted(call.func.value)
                state.values[key] = flat(state.values.get(key, NOTHING)) | everything
                return NOTHING
            inlined = self._inline(call, call.func.attr, arguments, block, state)
            if inlined is not None:
                return inlined
        return self._unknown(call, everything)

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
            call=self._call_text(call),
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


def _constructs(name: str) -> bool:
    """Whether a call of this name makes a layer, rather than applying one or computing something."""
    return name.startswith("torch.nn.") and name.count(".") == 2 and not name.endswith("()") and name[9].isupper()
