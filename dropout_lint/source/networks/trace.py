"""Runs ``forward`` statement by statement, with the nodes that may have produced each value."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from dropout_lint.source.networks.calls import MAX_INLINED, Calls
from dropout_lint.source.networks.conditions import MOST
from dropout_lint.source.networks.construction import Construction
from dropout_lint.source.networks.graph_builder import GraphBuilder
from dropout_lint.source.networks.layers import Either, Env, Item, Locals, member, parts
from dropout_lint.source.networks.loops import LoopTargets
from dropout_lint.source.networks.operands import NOTHING, Meaning, Operand, State, Value, either, flat, several
from dropout_lint.source.networks.ranks import rank_after
from dropout_lint.source.walking.interpreter import Interpreter
from dropout_lint.source.walking.walker import Loop
from dropout_lint.syntax.parsing import dotted, walk


class Tracer(Interpreter[State, Meaning]):
    """Builds the graph of one function. ``attributes`` are the layers of its instance, by ``self.name``."""

    passes = 2
    loops_may_skip = False  # a value after a loop went through it
    stops_anywhere = False

    def __init__(self, construction: Construction, attributes: Env, function: ast.AST) -> None:
        super().__init__()
        self.graph = GraphBuilder(construction, function)
        self.outputs: set[int] = set()
        self.returns_other = False
        """A ``return`` gives something other than one known tensor: a tuple, a constant ..."""
        self._calls = Calls(self.graph, self)
        self._targets = LoopTargets(self)
        self._construction = construction
        self._arguments = construction.arguments
        self._attributes = attributes
        self._inlined: tuple[str, ...] = ()

    # Statements

    def copy(self, state: State) -> State:
        return state.copy()

    def join(self, states: list[State], at: ast.stmt) -> State:
        return states[0].join(states[1:])

    def enter_arms(self) -> None:
        self.graph.tests += 1

    def leave_arms(self) -> None:
        self.graph.tests -= 1

    def evaluate(self, node: ast.expr, state: State) -> Meaning:
        return Meaning(self.value(node, state), self.layers(node, state))

    def assume(self, test: ast.expr | None, state: State, *, holds: bool) -> None:
        if not self._arguments.bound:
            called = bool(self._inlined)
            found = self._arguments.conditions.of(test, state.block, holds=holds, called=called)
            state.assumed = (*state.assumed[:MOST], *found[-MOST:])

    def turned(self, before: State, after: State) -> None:
        after.assumed = before.assumed

    def condition(self, test: ast.expr, state: State) -> None:
        self.value(test, state)
        for node in walk(test) if isinstance(test, (ast.Compare, ast.BoolOp)) else ():
            if isinstance(node, ast.NamedExpr):
                self.value(node, state)

    def effect(self, statement: ast.Expr, state: State) -> State:
        self.value(statement.value, state)
        return state

    def bind(self, target: ast.expr, value: Meaning, state: State) -> None:
        key = dotted(target)
        if key and value.layers is not None:
            state.layers[key] = value.layers
        elif key:
            state.layers.pop(key, None)
            state.values[key] = value.value

    def forget(self, path: str, at: ast.AST, state: State) -> None:
        state.layers.pop(path, None)
        state.values.pop(path, None)

    def unpack(self, value: Meaning, targets: Sequence[ast.expr], state: State) -> list[Meaning]:
        starred = any(isinstance(t, ast.Starred) for t in targets)
        layers = parts(value.layers, len(targets)) if value.layers is not None and not starred else None
        if layers is not None:
            return [Meaning(NOTHING, item) for item in layers]
        if isinstance(value.value, tuple) and len(value.value) == len(targets) and not starred:
            return [Meaning(v) for v in value.value]
        return [Meaning(flat(value.value))] * len(targets)

    def augment(self, statement: ast.AugAssign, state: State) -> State:
        target = dotted(statement.target)
        before, added = self.value(statement.target, state), self.value(statement.value, state)
        if isinstance(before, tuple) or isinstance(added, tuple):
            state.values[target] = several(before, added)
            return state
        plus = isinstance(statement.op, (ast.Add, ast.Sub))
        kind = ("add" if plus else "mul") if added else ("unknown" if plus else "scale")
        node, rank = self.graph.node, self.graph.ranks(before)
        edited = tuple(sorted(before))
        made = node(kind, before | added, statement, rank, inplace=True, edited=edited) if before else added
        state.values[target] = made
        return state

    def returned(self, value: ast.expr | None, state: State) -> None:
        self._output(self.value(value, state) if value is not None else NOTHING)

    def _output(self, value: Value) -> None:
        self.returns_other = self.returns_other or not value or isinstance(value, tuple)
        self.outputs |= flat(value)

    def decides(self, test: ast.expr, state: State) -> bool | None:
        if not self._arguments.bound:
            return None
        return self._arguments.decided(test, state.block, {**self._attributes, **state.layers})

    def loop(self, statement: Loop, state: State) -> State | None:
        first = len(self.graph.nodes)
        end = super().loop(statement, state)
        if end is not None:
            self._forget_tested(end, first)
        return end

    def _forget_tested(self, state: State, first: int) -> None:
        """After a loop, forget the alternatives of a value from under a test in it, unless no other is left.

        The test may be one for all turns but the last (``if i < last``), so they may not reach the end.
        """
        depths, outside = self.graph.depths, self.graph.tests
        for key, value in state.values.items():
            made = flat(value)
            tested = {i for i in made if i >= first and depths[i] > outside}
            if tested and made - tested:
                state.values[key] = made - tested

    def turns(self, statement: ast.For | ast.AsyncFor, state: State) -> Sequence[Callable[[State], None]] | None:
        return self._targets.turns(statement.target, statement.iter, state)

    def some_turn(self, target: ast.expr, iterable: ast.expr, state: State) -> Callable[[State], None]:
        return self._targets.some_turn(target, iterable, state)

    def inline(self, call: ast.Call, method: str, arguments: list[Operand], state: State) -> Operand | None:
        """Follow a method of the same instance, so that a ``forward`` split over methods is one network."""
        owner = state.block.enclosing_class
        target = owner.blocks.get(method) if owner is not None else None
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else call
        if target is None or not isinstance(target.node, ast.FunctionDef) or dotted(receiver) != state.block.instance:
            return None
        if len(self._inlined) >= MAX_INLINED or method in self._inlined:
            return None
        names = [p for p in target.parameters if p != target.self_name]
        values: dict[str, Value] = dict(zip(names, arguments, strict=False))
        for keyword in call.keywords:
            if keyword.arg:
                values[keyword.arg] = self.value(keyword.value, state)
        before, self.outputs, self._inlined = self.outputs, set(), (*self._inlined, method)
        self.function(target.node.body, State(target, values, {}, state.assumed))
        result, self.outputs, self._inlined = frozenset(self.outputs), before, self._inlined[:-1]
        return result

    # Expressions

    def layers(self, node: ast.expr, state: State) -> Item | None:
        """The layers that an expression refers to, as ``self.fc``; None if it refers to none."""
        match node:
            case ast.Name(id=name):
                return state.layers.get(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=attribute) if owner == state.block.instance and owner:
                return self._attributes.get(f"self.{attribute}")
            case ast.Subscript(value=value):
                inner = self.layers(value, state)
                return member(inner) if inner is not None else None
            case ast.IfExp(test=test, body=body, orelse=orelse):
                goes = self.decides(test, state)
                if goes is not None:
                    return self.layers(body if goes else orelse, state)
                arms = [self.layers(body, state), self.layers(orelse, state)]
                return Either(tuple((a,) for a in arms if a is not None)) if any(arms) else None
            case ast.Call() if _constructs(self._construction.module.scopes.resolve(node.func, state.block)):
                return self._construction.builder.value(node, Locals(state.block, dict(state.layers), 1))
        return None

    def value(self, node: ast.expr, state: State) -> Value:
        """The nodes that may have made an expression's value."""
        self.graph.assumed = state.assumed
        match node:
            case ast.Name(id=name):
                return state.values.get(name, NOTHING)
            case ast.Attribute():
                return self._attribute(node, state)
            case ast.Call():
                return self._calls.value_of(node, state)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, self.value(left, state), op, self.value(right, state))
            case ast.UnaryOp(operand=operand):
                return self._calls.unknown(node, flat(self.value(operand, state)))
            case ast.Subscript():
                return self._subscript(node, state)
            case ast.IfExp():
                return self._conditional(node, state)
            case ast.NamedExpr(target=target, value=value):
                meaning = self.evaluate(value, state)
                self.bind(target, meaning, state)
                return meaning.value
            case ast.Await(value=value) | ast.Starred(value=value):
                return self.value(value, state)
            case ast.Yield(value=ast.expr() as value) | ast.YieldFrom(value=value):
                self._output(several(self.value(value, state)))
                return NOTHING
        return self._collection(node, state)

    def _attribute(self, node: ast.Attribute, state: State) -> Value:
        known = state.values.get(dotted(node))
        if known is not None:
            return known
        return self.value(node.value, state) if node.attr in {"T", "mT", "data", "real"} else NOTHING

    def _subscript(self, node: ast.Subscript, state: State) -> Value:
        base = self.value(node.value, state)
        at = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(base, tuple) and isinstance(at, int) and len(base) > 1:
            return base[at] if -len(base) <= at < len(base) else NOTHING
        made, graph = flat(base), self.graph
        return graph.node("index", made, node, rank_after("index", graph.ranks(made), node)) if made else made

    def _conditional(self, node: ast.IfExp, state: State) -> Value:
        goes = self.decides(node.test, state)
        if goes is not None:
            return self.value(node.body if goes else node.orelse, state)
        return either([self.value(node.body, state), self.value(node.orelse, state)])

    def _collection(self, node: ast.expr, state: State) -> Value:
        match node:
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return tuple(flat(self.value(e, state)) for e in elements)
            case ast.Dict(values=values):
                return several(*(self.value(v, state) for v in values))
            case (
                ast.ListComp(elt=element, generators=generators)
                | ast.SetComp(elt=element, generators=generators)
                | ast.GeneratorExp(elt=element, generators=generators)
                | ast.DictComp(value=element, generators=generators)
            ):
                return several(self.value(element, self.inside(generators, state)))
        return NOTHING

    def _binary(self, node: ast.expr, left: Value, op: ast.operator, right: Value) -> Value:
        if isinstance(left, tuple) or isinstance(right, tuple):
            return several(left, right)
        inputs = left | right
        if not inputs:
            return NOTHING
        joins = bool(left) and bool(right)
        kind = "add" if joins and isinstance(op, (ast.Add, ast.Sub)) else "mul" if joins else "scale"
        if not joins and isinstance(op, (ast.Add, ast.Sub, ast.Pow, ast.FloorDiv, ast.Mod)):
            kind = "unknown"
        return self.graph.node(kind, inputs, node, self.graph.ranks(inputs))


def _constructs(name: str) -> bool:
    """Whether a call of this name makes a layer, rather than applying one or computing something."""
    return name.startswith("torch.nn.") and name.count(".") == 2 and not name.endswith("()") and name[9].isupper()
