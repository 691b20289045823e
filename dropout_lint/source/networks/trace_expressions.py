"""Follows expressions: which nodes may have made a value, and which layers a name stands for."""

from __future__ import annotations

import ast

from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.layers import Either, Item, member
from dropout_lint.source.networks.operands import NOTHING, Operand, State, either, flat, several
from dropout_lint.source.networks.ranks import rank_after
from dropout_lint.source.networks.trace_calls import CallTracer
from dropout_lint.syntax.parsing import dotted


class ExpressionTracer(CallTracer):
    """Expressions of a function; the statements are left to a subclass."""

    __slots__ = ()

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
            case ast.IfExp(test=test, body=body, orelse=orelse):
                goes = self.goes(test, block, state)
                if goes is not None:
                    return self.layers(body if goes else orelse, block, state)
                arms = [self.layers(body, block, state), self.layers(orelse, block, state)]
                return Either(tuple((a,) for a in arms if a is not None)) if any(arms) else None
            case ast.Call() if _constructs(self.module.scopes.resolve(node.func, block)):
                return self.construction.value(node, block, dict(state.layers), 1)
        return None

    def goes(self, test: ast.expr, block: Block, state: State) -> bool | None:
        """Which way a test goes in the call that is followed; None where that is not proven, or none is followed."""
        if not self.construction.bound:
            return None
        return self.construction.decided(test, block, {**self.attributes, **state.layers})

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
                one, other = self.value(left, block, state), self.value(right, block, state)
                if isinstance(one, tuple) or isinstance(other, tuple):
                    return several(one, other)
                return self._binary(node, one, op, other)
            case ast.UnaryOp(operand=operand):
                return self.unknown(node, flat(self.value(operand, block, state)))
            case ast.Subscript(value=inner, slice=index):
                base = self.value(inner, block, state)
                at = index.value if isinstance(index, ast.Constant) else None
                if isinstance(base, tuple) and isinstance(at, int) and len(base) > 1:
                    return base[at] if -len(base) <= at < len(base) else NOTHING
                made = flat(base)
                return self.node("index", made, node, rank_after("index", self.ranks(made), node)) if made else NOTHING
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return tuple(flat(self.value(e, block, state)) for e in elements)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                goes = self.goes(test, block, state)
                if goes is not None:
                    return self.value(body if goes else orelse, block, state)
                return either([self.value(body, block, state), self.value(orelse, block, state)])
            case ast.NamedExpr(target=target, value=value):
                result = self.value(value, block, state)
                self.assign(target, result, value, block, state)
                return result
            case ast.Await(value=value) | ast.Starred(value=value):
                return self.value(value, block, state)
            case ast.Dict(values=values):
                return several(*(self.value(v, block, state) for v in values))
            case ast.ListComp(elt=element, generators=generators):
                for generator in generators:
                    self.bind_loop(generator.target, generator.iter, block, state)
                return several(self.value(element, block, state))
        return NOTHING

    def _binary(self, node: ast.expr, left: Operand, op: ast.operator, right: Operand) -> Operand:
        inputs = left | right
        if not inputs:
            return NOTHING
        joins = bool(left) and bool(right)
        kind = "add" if joins and isinstance(op, (ast.Add, ast.Sub)) else "mul" if joins else "scale"
        if not joins and isinstance(op, (ast.Add, ast.Sub, ast.Pow, ast.FloorDiv, ast.Mod)):
            kind = "unknown"
        return self.node(kind, inputs, node, self.ranks(inputs))


def _constructs(name: str) -> bool:
    """Whether a call of this name makes a layer, rather than applying one or computing something."""
    return name.startswith("torch.nn.") and name.count(".") == 2 and not name.endswith("()") and name[9].isupper()
