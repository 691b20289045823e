"""Builds the nodes of a network: applies layers to values."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from dropout_lint.facts import Condition, LayerCall, LayerElement, LayerNode, Value, Wrapper
from dropout_lint.source.module.holders import holder, only_called
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.call_arguments import BoundCall, bound_arguments
from dropout_lint.source.networks.construction import Construction
from dropout_lint.source.networks.layers import CONFIGURED, UNKNOWN, Either, Item, Known, Layer, LayerSequence, Repeated
from dropout_lint.source.networks.operands import NOTHING, Operand
from dropout_lint.source.networks.ranks import rank_after
from dropout_lint.syntax.parsing import dotted
from dropout_lint.torch_api.activations import ACTIVATIONS, FUNCTIONAL_ACTIVATIONS, THRESHOLD_AT_ZERO
from dropout_lint.torch_api.layer_groups import BATCH_NORMS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES

MAX_NODES = 3000


@dataclass(slots=True, eq=False)
class GraphBuilder:
    """The nodes of one network so far. ``tests`` counts the conditions around what is added next."""

    construction: Construction
    function: ast.AST
    """Gives the span of nodes without a call or constructor of their own."""
    nodes: list[LayerNode] = field(default_factory=list)
    losses: set[int] = field(default_factory=set)
    compared: set[int] = field(default_factory=set)
    depths: list[int] = field(default_factory=list)
    """For each node, the number of conditions around it."""
    tests: int = 0
    assumed: tuple[Condition, ...] = ()
    """What the tests around what is added next say."""
    _called_only: dict[ast.AST, bool] = field(default_factory=dict)

    @property
    def module(self) -> SourceModule:
        """The file that is traced."""
        return self.construction.module

    def node(
        self,
        kind: str,
        inputs: Operand,
        at: ast.AST,
        rank: int | None = None,
        built: tuple[Condition, ...] = (),
        **facts: object,
    ) -> Operand:
        """Add a node and return it as a value. ``built`` is what holds where its layer was built."""
        if len(self.nodes) >= MAX_NODES:
            return NOTHING
        index = len(self.nodes)
        at = at.body[0] if isinstance(at, ast.Module) and at.body else at  # a module has no position of its own
        span = self.module.lines.span(at)  # type: ignore[arg-type]
        self.depths.append(self.tests)
        self.nodes.append(
            LayerNode(
                index,
                kind,
                tuple(sorted(inputs)),
                span,
                rank=rank,
                optional=self.tests > 0,
                conditions=(*self.assumed, *built),
                **facts,  # type: ignore[arg-type]
            )
        )
        return frozenset({index})

    def ranks(self, inputs: Operand) -> int | None:
        """The rank of a value; None if its alternatives differ."""
        found = {self.nodes[i].rank for i in inputs}
        return found.pop() if len(found) == 1 else None

    def apply(self, item: Item, value: Operand, at: ast.Call | None, attribute: str = "") -> Operand:
        """Add the nodes of layers applied to a value, and return the result."""
        if isinstance(item, Known):
            name = item.given.name
            item = Layer(name, None, None) if name in FUNCTIONAL_ACTIVATIONS else UNKNOWN
        if isinstance(item, Layer):
            return self._layer(item, value, at, attribute)
        if isinstance(item, Either):
            self.tests += 1
            callable_arms = [
                arm for arm in item.arms if not any(isinstance(i, LayerSequence) and not i.chained for i in arm)
            ]
            outside: tuple[Condition, ...] = self.assumed
            made: set[int] = set()
            for arm in callable_arms or item.arms:
                self.assumed = (*outside, self.construction.arguments.conditions.arm())
                made |= self._chain(arm, value, at)
            self.assumed = outside
            self.tests -= 1
            return frozenset(made)
        if isinstance(item, Repeated):
            once = self._chain(item.items, value, at)
            if any(isinstance(i, Either) for i in item.items):
                return self._last_turn(
                    once
                )  # a test inside may depend on the turn, so one turn says nothing about the next
            return once | self._chain(item.items, once, at)
        if item.chained:
            return self._chain(item.items, value, None)
        return self.node("unknown", value, at or self.function)

    def _chain(self, items: tuple[Item, ...], value: Operand, at: ast.Call | None) -> Operand:
        for item in items:
            value = self.apply(item, value, at)
        return value

    def _last_turn(self, made: Operand) -> Operand:
        """The layers that may end a loop: those under a test that may depend on the turn do not, where others do.

        Such as ``if i < last``. A test of a setting is the same in each turn.
        """
        tested = {
            i
            for i in made
            if self.depths[i] > self.tests and all(c.operator == "branch" for c in self.nodes[i].conditions)
        }
        return (made - tested) or made

    def _layer(self, layer: Layer, value: Operand, at: ast.Call | None, attribute: str) -> Operand:
        shown = self._shown(layer, at)
        if layer.kind.startswith(CONFIGURED):
            return self.node(layer.kind, value, shown, self.ranks(value))
        if layer.kind in FUNCTIONAL_ACTIVATIONS and layer.call is None:
            call = self.applied(at) if at is not None else None
            return self.node(layer.kind, value, shown, self.ranks(value), call=call, chosen_by=layer.chosen_by)
        if layer.chosen_by and layer.kind in ACTIVATIONS and layer.call is None:
            return self.node(layer.kind, value, shown, self.ranks(value), chosen_by=layer.chosen_by)
        if not layer.kind or layer.call is None or layer.block is None:
            return self.wrapper(layer, (("", value),), at)
        bound = bound_arguments(layer.call, _PARAMETERS.get(layer.kind, ()), None)
        numbers = {name: self._number(bound.expression(name), layer) for name in ("kernel_size", "padding")}
        rate = bound.expression("p")
        known = DROPOUT_MODULES.get(layer.kind)
        default = Value(kind="number", number=known.default_rate) if known is not None else Value()
        inplace = bound.expression("inplace")
        kind = layer.kind
        if kind == "torch.nn.Threshold" and [self._number(a, layer) for a in layer.call.args[:2]] == [0.0, 0.0]:
            kind = THRESHOLD_AT_ZERO
        tracks = bound.expression("track_running_stats")
        if kind in BATCH_NORMS and tracks is not None and self._number(tracks, layer) == 0.0:
            kind = "unknown"
        width = bound.expression("out_features")
        return self.node(
            kind,
            value,
            shown,
            rank_after(layer.kind, self.ranks(value), layer.call),
            layer.assumed,
            rate=self.construction.arguments.setting(rate, layer) if rate is not None else default,
            constructor=self.module.lines.span(layer.call),
            kernel=self._kernel(bound, layer),
            padding=numbers["padding"] if bound.expression("padding") is not None else 0.0,
            out_features=self._text(width, layer) if width is not None else "",
            inplace=self._number(inplace, layer) == 1.0,
            guarded=at is not None and self.module.guards.guarded(at, self.module.scopes.block_of(at)),
            element=self._element(layer),
            call=self.applied(at) if at is not None else None,
            callee=self.module.lines.code(layer.call.func),
            attribute=attribute,
            chosen_by=layer.chosen_by,
        )

    def wrapper(
        self, layer: Layer, operands: tuple[tuple[str, Operand], ...], at: ast.Call | None, *, whole: bool = True
    ) -> Operand:
        """Apply a layer of an unknown class; ``whole`` if ``operands`` are all arguments of the call."""
        facts: dict[str, Any] = {"chosen_by": layer.chosen_by} if layer.chosen_by else {}
        name = self._class_of(layer) if whole else ""
        if name and layer.call is not None and layer.block is not None:
            passed = self.construction.arguments.passed(layer.call, layer.block, layer.known)
            facts["wrapper"] = Wrapper(name, passed, tuple((k, tuple(sorted(o))) for k, o in operands))
            facts["guarded"] = at is not None and self.module.guards.guarded(at, self.module.scopes.block_of(at))
        return self.node("unknown", frozenset(i for _, o in operands for i in o), self._shown(layer, at), **facts)

    def _shown(self, layer: Layer, at: ast.Call | None) -> ast.AST:
        built = layer.written or layer.call
        if at is not None and isinstance(at.func, ast.Name) and built is not None:
            return built  # applied in a loop over layers: the place that tells them apart
        return at or built or self.function

    def _class_of(self, layer: Layer) -> str:
        """The class or function of a project that builds a layer; "" for any other callee."""
        if layer.call is None or layer.block is None:
            return ""
        func = layer.call.func
        chosen = layer.known.get(self.construction.arguments.key(func, layer.block)) if layer.known else None
        resolved = self.module.scopes.resolve(func, layer.block)
        name = chosen.given.name if isinstance(chosen, Known) else resolved
        return "" if name.startswith(("torch.", "?")) or name.endswith("()") else name

    def _number(self, node: ast.expr | None, layer: Layer) -> float | None:
        return self.construction.arguments.setting(node, layer).number if node is not None else None

    def _text(self, node: ast.expr, layer: Layer) -> str:
        if not self.construction.arguments.bound or layer.block is None:
            return self.module.lines.code(node)
        given = self.construction.arguments.given(node, layer.block, layer.known)
        return str(given.constant) if given.kind == "constant" else given.text

    def _kernel(self, bound: BoundCall, layer: Layer) -> tuple[float, ...] | None:
        """The sizes of a kernel; None if one is unknown or the convolution is grouped."""
        node, groups = bound.expression("kernel_size"), bound.expression("groups")
        if node is None or (groups is not None and self._number(groups, layer) != 1.0):
            return None
        found = [self._number(side, layer) for side in (node.elts if isinstance(node, ast.Tuple) else [node])]
        return tuple(n for n in found if n is not None) if None not in found else None

    def _element(self, layer: Layer) -> LayerElement | None:
        if not layer.form or layer.whole is None or layer.call is None or layer.container is None:
            return None
        if self.construction.arguments.bound:
            return None  # what is seen through a wrapper is not edited from outside
        lines = self.module.lines
        bound = bound_arguments(layer.call, _PARAMETERS.get(layer.kind, ()), None)
        inplace = next((b for b in bound.arguments if b.name == "inplace"), None)
        at = layer.container
        return LayerElement(
            layer.form,
            lines.span(layer.whole),  # type: ignore[arg-type]
            lines.span(layer.written or layer.call),  # type: ignore[arg-type]
            lines.span(inplace.value) if inplace is not None else None,
            (getattr(at, "lineno", 0), getattr(at, "col_offset", 0)),
            only_called=layer.kind in DROPOUT_MODULES and self._only_called(at),
            holder=holder(self.module, at) if layer.kind in DROPOUT_MODULES else "",
        )

    def _only_called(self, container: ast.AST) -> bool:
        if container not in self._called_only:
            self._called_only[container] = only_called(self.module, container)
        return self._called_only[container]

    def applied(self, call: ast.Call) -> LayerCall | None:
        """The fact about a call whose first argument is the tensor; None if there is no such argument."""
        operand = call.args[0] if call.args and not self.construction.arguments.bound else None
        if operand is None or isinstance(operand, ast.Starred):
            return None
        return self.applied_to(call, operand)

    def applied_to(self, call: ast.Call, operand: ast.expr) -> LayerCall:
        """The fact about a call applied to ``operand``, with the statement that binds its result."""
        lines = self.module.lines
        parent = self.module.scopes.parents.get(call)
        target = dotted(parent.targets[0]) if isinstance(parent, ast.Assign) and len(parent.targets) == 1 else ""
        statement = lines.span(parent) if target and isinstance(parent, ast.Assign) else None
        return LayerCall(lines.span(call), lines.span(operand), dotted(operand), statement, target)


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
