"""Follows the values of a ``forward`` through layers, functions and tensor methods into LayerNodes."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from dropout_lint.facts import LayerCall, LayerElement, LayerNode, Value
from dropout_lint.source.bindings import bound_arguments
from dropout_lint.source.flow import Flow
from dropout_lint.source.module import SourceModule
from dropout_lint.source.modules import (
    CONFIGURED,
    Construction,
    Either,
    Env,
    Item,
    Layer,
    Repeated,
    Sequence,
    member,
    unrolled,
)
from dropout_lint.source.ranks import rank_after
from dropout_lint.source.scopes import Block
from dropout_lint.source.syntax import dotted
from dropout_lint.torch_facts import DROPOUT_MODULES, FUNCTIONALS, LOSSES, RNNS

Operand = frozenset[int]
"""Nodes that may have made a value; empty for anything that is not a tensor in sight."""
NOTHING: Operand = frozenset()
MAX_INLINED = 3
MAX_TURNS = 24
MAX_NODES = 3000


@dataclass(slots=True, eq=False)
class State:
    """Values and layers that the names of a function stand for at one point."""

    values: dict[str, Operand | tuple[Operand, ...]]
    layers: Env
    ended: bool = False

    def copy(self) -> State:
        """A state to follow a branch with."""
        return State(dict(self.values), dict(self.layers), self.ended)

    def join(self, *others: State) -> None:
        """Take in what branches may have left."""
        going = [s for s in others if not s.ended]
        self.ended = not going
        for key in {k for s in going for k in s.values}:
            found = [s.values[key] for s in going if key in s.values]
            self.values[key] = (
                frozenset(i for v in found for i in flat(v)) if len(set(map(str, found))) > 1 else found[0]
            )
        for one in going:
            self.layers.update(one.layers)


def flat(value: Operand | tuple[Operand, ...]) -> Operand:
    """All nodes of a value, also of a tuple's members."""
    return value if isinstance(value, frozenset) else frozenset(i for v in value for i in v)


@dataclass(slots=True, eq=False)
class Tracer:
    """Builds the nodes of one function. ``tests`` counts the conditions around the current statement."""

    module: SourceModule
    construction: Construction
    flow: Flow
    attributes: Env
    function: ast.AST
    """Where to place what has no place of its own."""
    nodes: list[LayerNode] = field(default_factory=list)
    outputs: set[int] = field(default_factory=set)
    losses: set[int] = field(default_factory=set)
    depths: list[int] = field(default_factory=list)
    """For each node, how many tests stood around it."""
    tests: int = 0
    inlined: tuple[str, ...] = ()

    def node(self, kind: str, inputs: Operand, at: ast.AST, rank: int | None = None, **facts: object) -> Operand:
        """Add a node and give it as a value."""
        if len(self.nodes) >= MAX_NODES:
            return NOTHING
        index = len(self.nodes)
        span = self.module.lines.span(at)  # type: ignore[arg-type]
        self.depths.append(self.tests)
        self.nodes.append(
            LayerNode(index, kind, tuple(sorted(inputs)), span, rank=rank, optional=self.tests > 0, **facts)  # type: ignore[arg-type]
        )
        return frozenset({index})

    def ranks(self, inputs: Operand) -> int | None:
        """The rank that all alternatives share."""
        found = {self.nodes[i].rank for i in inputs}
        return found.pop() if len(found) == 1 else None

    # -- layers ------------------------------------------------------------------------------------------------

    def apply(self, item: Item, value: Operand, at: ast.Call | None, attribute: str = "") -> Operand:
        """Send a value through layers."""
        if isinstance(item, Layer):
            return self._layer(item, value, at, attribute)
        if isinstance(item, Either):
            self.tests += 1
            callable_arms = [
                arm for arm in item.arms if not any(isinstance(i, Sequence) and not i.chained for i in arm)
            ]
            made = frozenset(i for arm in callable_arms or item.arms for i in self._chain(arm, value, at))
            self.tests -= 1
            return made
        if isinstance(item, Repeated):
            once = self._chain(item.items, value, at)
            if any(isinstance(i, Either) for i in item.items):
                return once  # a test inside may depend on the turn, so one turn says nothing about the next
            return once | self._chain(item.items, once, at)
        if item.chained:
            return self._chain(item.items, value, None)
        return self.node("unknown", value, at or self.function)

    def _chain(self, items: tuple[Item, ...], value: Operand, at: ast.Call | None) -> Operand:
        for item in items:
            value = self.apply(item, value, at)
        return value

    def _layer(self, layer: Layer, value: Operand, at: ast.Call | None, attribute: str) -> Operand:
        shown: ast.AST = at or layer.call or self.function
        if at is not None and isinstance(at.func, ast.Name) and layer.call is not None:
            shown = layer.call  # applied in a loop over layers: the place that tells them apart
        if layer.kind.startswith(CONFIGURED):
            return self.node(layer.kind, value, shown, self.ranks(value))
        if not layer.kind or layer.call is None or layer.block is None:
            return self.node("unknown", value, shown)
        bound = bound_arguments(layer.call, _PARAMETERS.get(layer.kind, ()), None)
        numbers = {name: self._number(bound.expression(name), layer.block) for name in ("kernel_size", "padding")}
        rate = bound.expression("p")
        known = DROPOUT_MODULES.get(layer.kind)
        default = Value(kind="number", number=known.default_rate) if known is not None else Value()
        inplace = bound.expression("inplace")
        width = bound.expression("out_features")
        return self.node(
            layer.kind,
            value,
            shown,
            rank_after(layer.kind, self.ranks(value), layer.call),
            rate=self.module.values.evaluate(rate, layer.block) if rate is not None else default,
            constructor=self.module.lines.span(layer.call),
            kernel=self._kernel(bound.expression("kernel_size"), layer.block),
            padding=numbers["padding"] if bound.expression("padding") is not None else 0.0,
            out_features=self.module.lines.code(width) if width is not None else "",
            inplace=inplace is not None and self.module.values.evaluate(inplace, layer.block).number == 1.0,
            guarded=at is not None and self.module.guards.guarded(at, self.module.scopes.block_of(at)),
            element=self._element(layer),
            call=self._call_text(at) if at is not None else None,
            attribute=attribute,
        )

    def _number(self, node: ast.expr | None, block: Block) -> float | None:
        return self.module.values.evaluate(node, block).number if node is not None else None

    def _kernel(self, node: ast.expr | None, block: Block) -> tuple[float, ...] | None:
        if node is None:
            return None
        sides = node.elts if isinstance(node, ast.Tuple) else [node]
        found = [self._number(side, block) for side in sides]
        return tuple(n for n in found if n is not None) if None not in found else None

    def _element(self, layer: Layer) -> LayerElement | None:
        if not layer.form or layer.whole is None or layer.call is None or layer.container is None:
            return None
        lines = self.module.lines
        bound = bound_arguments(layer.call, _PARAMETERS.get(layer.kind, ()), None)
        inplace = next((b for b in bound.arguments if b.name == "inplace"), None)
        at = layer.container
        return LayerElement(
            layer.form,
            lines.span(layer.whole),  # type: ignore[arg-type]
            lines.span(layer.call),
            self.flow.argument_span(layer.call, inplace) if inplace is not None else None,
            (getattr(at, "lineno", 0), getattr(at, "col_offset", 0)),
        )

    def _call_text(self, call: ast.Call) -> LayerCall | None:
        if not call.args or isinstance(call.args[0], ast.Starred):
            return None
        lines = self.module.lines
        whole, first = lines.span(call), lines.span(call.args[0])
        text = lines.code(call)
        end = lines.offset(first.end_line, first.end_column) - lines.offset(whole.line, whole.column)
        parent = self.module.scopes.parents.get(call)
        statement = None
        if (
            isinstance(parent, ast.Assign)
            and len(parent.targets) == 1
            and dotted(parent.targets[0]) == dotted(call.args[0])
        ):
            statement = lines.span(parent) if dotted(call.args[0]) else None
        return LayerCall(whole, lines.code(call.func), lines.code(call.args[0]), text[end:-1], statement)

    # -- statements --------------------------------------------------------------------------------------------

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
                    self._assign(target, result, value, block, state)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self.value(value, block, state), value, block, state)
            case ast.AugAssign(target=target, value=value):
                left, right = flat(self.value(target, block, state)), flat(self.value(value, block, state))
                joined = self.node("add", left | right, statement, self.ranks(left)) if right else left
                state.values[dotted(target)] = joined
            case ast.Return(value=value):
                self.outputs |= flat(self.value(value, block, state)) if value is not None else NOTHING
                state.ended = True
            case ast.Raise():
                state.ended = True
            case ast.If(test=test, body=body, orelse=orelse):
                self.value(test, block, state)
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
            self._bind_loop(target, iterated, block, state)
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

    def _bind_loop(self, target: ast.expr, iterated: ast.expr, block: Block, state: State) -> None:
        """Names that a loop binds to layers or values, through ``zip``, ``enumerate`` and ``items``."""
        name = dotted(iterated.func) if isinstance(iterated, ast.Call) else ""
        if name == "enumerate" and isinstance(iterated, ast.Call) and iterated.args and isinstance(target, ast.Tuple):
            self._bind_loop(target.elts[-1], iterated.args[0], block, state)
        elif name == "zip" and isinstance(iterated, ast.Call) and isinstance(target, ast.Tuple):
            for one, source in zip(target.elts, iterated.args, strict=False):
                self._bind_loop(one, source, block, state)
        else:
            if name.endswith((".values", ".children", ".items")) and isinstance(iterated, ast.Call):
                iterated = iterated.func.value  # type: ignore[attr-defined]
            layers = self.layers(iterated, block, state)
            key = dotted(target)
            if isinstance(layers, Sequence) and key:
                state.layers[key] = Either(tuple((i,) for i in unrolled(layers.items)))
            else:
                value = flat(self.value(iterated, block, state))
                for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                    state.layers.pop(dotted(one), None)
                    state.values[dotted(one)] = value

    def _assign(
        self, target: ast.expr, result: Operand | tuple[Operand, ...], value: ast.expr, block: Block, state: State
    ) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = result if isinstance(result, tuple) and len(result) == len(target.elts) else None
            for i, element in enumerate(target.elts):
                self._assign(element, parts[i] if parts else flat(result), value, block, state)
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

    # -- expressions -------------------------------------------------------------------------------------------

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
                self._assign(target, result, value, block, state)
                return result
            case ast.Await(value=value) | ast.Starred(value=value):
                return self.value(value, block, state)
            case ast.Dict(values=values):
                return frozenset(i for v in values for i in flat(self.value(v, block, state)))
            case ast.ListComp(elt=element, generators=generators):
                for generator in generators:
                    self._bind_loop(generator.target, generator.iter, block, state)
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
            if isinstance(layers, Layer) and layers.kind in LOSSES:
                self.losses |= first
            if isinstance(layers, Layer) and layers.kind in RNNS:
                return (made, self.node("unknown", made, call))
            return made if not rest or self._kind_known(made) else self.node("unknown", made | rest, call)
        name = self.module.resolve_call(call, block)
        if name.startswith("torch."):
            return self._function(call, name, arguments, everything, block)
        if isinstance(call.func, ast.Attribute):
            receiver = flat(self.value(call.func.value, block, state))
            if receiver:
                method = call.func.attr
                inputs = receiver | (everything if method in {"add", "add_", "mul", "matmul"} else NOTHING)
                kind = "add" if method in {"add", "add_"} and everything else f".{method}"
                return self.node(kind, inputs, call, rank_after(kind, self.ranks(receiver), call))
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

    def _function(
        self, call: ast.Call, name: str, arguments: list[Operand], everything: Operand, block: Block
    ) -> Operand:
        if not everything:
            return NOTHING
        last = name.rpartition(".")[2]
        if name in LOSSES:
            self.losses |= arguments[0] if arguments else NOTHING
        if last in {"cat", "concat", "stack", "add", "sub", "mul", "matmul", "bmm", "einsum", "where"}:
            return self.node(
                "add" if last in {"add", "sub"} else "cat" if last in {"cat", "concat", "stack"} else last,
                everything,
                call,
            )
        first = next((a for a in arguments if a), everything)
        rate = Value()
        if name in FUNCTIONALS:
            bound = bound_arguments(call, FUNCTIONALS[name].parameters, None)
            p = bound.expression("p")
            rate = self.module.values.evaluate(p, block) if p is not None else Value(kind="number", number=0.5)
        return self.node(
            name,
            first,
            call,
            rank_after(name, self.ranks(first), call),
            rate=rate,
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


def _constructs(name: str) -> bool:
    """Whether a call of this name makes a layer, rather than applying one or computing something."""
    return name.startswith("torch.nn.") and name.count(".") == 2 and not name.endswith("()") and name[9].isupper()


_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
_POOL = ("kernel_size", "stride", "padding")
_PARAMETERS: dict[str, tuple[str, ...]] = {
    **{name: signature.parameters for name, signature in DROPOUT_MODULES.items()},
    **{f"torch.nn.{prefix}Conv{t}{n}d": _CONV for prefix in ("", "Lazy") for t in ("", "Transpose") for n in (1, 2, 3)},
    **{f"torch.nn.{kind}Pool{n}d": _POOL for kind in ("Max", "Avg") for n in (1, 2, 3)},
    **{f"torch.nn.{name}": ("inplace",) for name in ("ReLU", "SELU", "SiLU", "ReLU6", "Mish", "Hardswish")},
    "torch.nn.LeakyReLU": ("negative_slope", "inplace"),
    "torch.nn.ELU": ("alpha", "inplace"),
    "torch.nn.Linear": ("in_features", "out_features"),
}
