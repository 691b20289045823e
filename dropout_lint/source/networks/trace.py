"""Follows the statements of a function: branches, loops over layers, early returns."""

from __future__ import annotations

import ast

from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.layers import Either, Env, Item, Repeated, Sequence, member
from dropout_lint.source.networks.operands import NOTHING, Operand, State, flat, several
from dropout_lint.source.networks.trace_expressions import ExpressionTracer
from dropout_lint.syntax.parsing import dotted

MAX_TURNS = 24


class Tracer(ExpressionTracer):
    """Builds the nodes of one function."""

    __slots__ = ()

    def run(self, body: list[ast.stmt], block: Block, state: State) -> None:
        """Follow statements, leaving what names stand for in ``state``."""
        for statement in body:
            if state.ended:
                return
            self._statement(statement, block, state)

    def _statement(self, statement: ast.stmt, block: Block, state: State) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                result = self.value(value, block, state)
                for target in targets:
                    self.assign(target, result, value, block, state)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, self.value(value, block, state), value, block, state)
            case ast.AugAssign(target=target, value=value):
                before, added = self.value(target, block, state), self.value(value, block, state)
                if isinstance(before, tuple) or isinstance(added, tuple):
                    state.values[dotted(target)] = several(before, added)
                    return
                left, right = before, added
                plus = isinstance(statement.op, (ast.Add, ast.Sub))
                kind = ("add" if plus else "mul") if right else ("unknown" if plus else "scale")
                facts = {"inplace": True, "edited": tuple(sorted(left))}
                joined = self.node(kind, left | right, statement, self.ranks(left), **facts) if left else right
                state.values[dotted(target)] = joined
            case ast.Return(value=value):
                returned = self.value(value, block, state) if value is not None else NOTHING
                self.bundles = self.bundles or not returned or isinstance(returned, tuple)
                self.outputs |= flat(returned)
                state.ended = True
            case ast.Raise():
                state.ended = True
            case ast.If(test=test, body=body, orelse=orelse):
                self.value(test, block, state)
                goes = self.goes(test, block, state)
                if goes is not None:
                    self.run(body if goes else orelse, block, state)
                    return
                arms = [state.copy(), state.copy()]
                self.tests += 1
                self.run(body, block, arms[0])
                self.run(orelse, block, arms[1])
                self.tests -= 1
                state.join(*arms)
            case ast.For(target=target, iter=iterated, body=body):
                self._loop(target, iterated, body, block, state)
            case ast.While(body=body):
                self._twice(body, block, state)
            case ast.With(items=items, body=body):
                for item in items:
                    self.value(item.context_expr, block, state)
                self.run(body, block, state)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                arms = [state.copy() for _ in range(len(handlers) + 1)]
                self.run([*body, *orelse], block, arms[0])
                for handler, arm in zip(handlers, arms[1:], strict=True):
                    self.run(handler.body, block, arm)
                state.join(*arms)
                self.run(final, block, state)
            case ast.Expr(value=value):
                self.value(value, block, state)

    def _loop(self, target: ast.expr, iterated: ast.expr, body: list[ast.stmt], block: Block, state: State) -> None:
        turns = self._turns(target, iterated, block, state)
        if not turns:
            self.bind_loop(target, iterated, block, state)
            self._twice(body, block, state)
            return
        first = len(self.nodes)
        for turn in turns:
            state.layers.update(turn)
            self.run(body, block, state)
        self._forget_tested(state, first)

    def _forget_tested(self, state: State, first: int) -> None:
        """Behind a loop, a value made under a test in it gives way to its alternatives.

        The test may be one for the last turn (``if i < last``), after which nothing of it is left.
        """
        for key, value in state.values.items():
            made = flat(value)
            tested = {i for i in made if i >= first and self.depths[i] > self.tests}
            if tested and made - tested:
                state.values[key] = made - tested

    def _turns(self, target: ast.expr, iterated: ast.expr, block: Block, state: State) -> list[Env]:
        """What the names of a loop over layers stand for, turn by turn; empty where that is not known."""
        name = dotted(iterated.func) if isinstance(iterated, ast.Call) else ""
        if isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple) and name in {"enumerate", "zip"}:
            sources = iterated.args[:1] if name == "enumerate" else iterated.args
            names = target.elts[-1:] if name == "enumerate" else target.elts
            found = [self._turns(t, s, block, state) for t, s in zip(names, sources, strict=False)]
            if not found or not all(found):
                return []
            return [{k: v for one in turn for k, v in one.items()} for turn in zip(*found, strict=False)]
        layers = self.layers(iterated, block, state)
        if not isinstance(layers, Sequence) or not isinstance(target, ast.Name):
            return []
        items = [i for item in layers.items for i in (item.items * 2 if isinstance(item, Repeated) else (item,))]
        if not all(_is_one_member(i) for i in items):
            return []  # how many turns there are depends on a test
        return [{target.id: item} for item in items] if len(items) <= MAX_TURNS else []

    def _twice(self, body: list[ast.stmt], block: Block, state: State) -> None:
        first = len(self.nodes)
        once = state.copy()
        self.run(body, block, once)
        again = once.copy()
        self.run(body, block, again)
        # No turn at all is not taken for a way through: a value behind a loop has been in it.
        state.join(*([once, again] if not (once.ended and again.ended) else [state.copy()]))
        self._forget_tested(state, first)

    def bind_loop(self, target: ast.expr, iterated: ast.expr, block: Block, state: State) -> None:
        """Names that a loop binds to layers or values, through ``zip``, ``enumerate`` and ``items``."""
        name = dotted(iterated.func) if isinstance(iterated, ast.Call) else ""
        if name == "enumerate" and isinstance(iterated, ast.Call) and iterated.args and isinstance(target, ast.Tuple):
            self.bind_loop(target.elts[-1], iterated.args[0], block, state)
        elif name == "zip" and isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple):
            for one, source in zip(target.elts, iterated.args, strict=False):
                self.bind_loop(one, source, block, state)
        else:
            if name.endswith((".values", ".children", ".items")) and isinstance(iterated, ast.Call):
                iterated = iterated.func.value  # type: ignore[attr-defined]
            layers = self.layers(iterated, block, state)
            key = dotted(target)
            if isinstance(layers, Sequence) and key:
                state.layers[key] = member(layers)
            else:
                value = flat(self.value(iterated, block, state))
                for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                    state.layers.pop(dotted(one), None)
                    state.values[dotted(one)] = value

    def assign(
        self, target: ast.expr, result: Operand | tuple[Operand, ...], value: ast.expr, block: Block, state: State
    ) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = result if isinstance(result, tuple) and len(result) == len(target.elts) else None
            for i, element in enumerate(target.elts):
                self.assign(element, parts[i] if parts else flat(result), value, block, state)
            return
        key = dotted(target)
        if not key:
            return
        layers = self.layers(value, block, state)
        if layers is not None:
            state.layers[key] = layers
        else:
            state.layers.pop(key, None)
            state.values[key] = result


def _is_one_member(item: Item) -> bool:
    """Whether an item of a list of layers is one layer, whichever way a test goes."""
    if isinstance(item, Either):
        return all(len(arm) == 1 and _is_one_member(arm[0]) for arm in item.arms)
    return not isinstance(item, Repeated)
