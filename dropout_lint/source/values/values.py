"""Follows the value of an expression that configures dropout back to constants, defaults and names.

Where a name is bound, and in which order, does not matter here: its value is what all its bindings agree on, so that
one answer holds wherever the name is read. ``networks`` and ``masks`` follow statements; this does not.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dropout_lint.facts import CONSTRUCTORS, Polarity, Value
from dropout_lint.facts.values import UNKNOWN
from dropout_lint.source.names.scopes import MAX_DEPTH, Binding, Block, Scopes
from dropout_lint.source.values.guards import Guards
from dropout_lint.source.values.options import Options
from dropout_lint.syntax.parsing import number_of
from dropout_lint.vocabulary import means_drop, means_keep


def polarity_of(identifier: str) -> Polarity:
    """Whether an identifier names a probability to keep or to drop."""
    return "keep" if means_keep(identifier) else "drop" if means_drop(identifier) else ""


def _flip(polarity: Polarity) -> Polarity:
    return {"keep": "drop", "drop": "keep", "": ""}[polarity]  # type: ignore[return-value]


class Values:
    """Evaluates expressions of one file to ``facts.Value``."""

    def __init__(self, scopes: Scopes, guards: Guards, options: Options) -> None:
        self._scopes = scopes
        self._guards = guards
        self._options = options
        self._known: dict[int, Value] = {}

    def evaluate(self, node: ast.expr | None, block: Block, depth: int = MAX_DEPTH) -> Value:
        """The value of an expression in a block."""
        if node is None or depth <= 0:
            return UNKNOWN
        match node:
            case ast.Constant(value=constant):
                return _constant(constant)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.evaluate(operand, block, depth - 1)
                return _derived(inner, -inner.number if inner.number is not None else None, "")
            case ast.BinOp():
                return self._binary(node, block, depth)
            case ast.Name(id=name):
                return self._name(name, block, depth)
            case ast.Attribute():
                return self._attribute(node, block, depth)
            case ast.Subscript(slice=ast.Constant(value=str(key))):
                return self._option(key)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                value = _combine([self.evaluate(body, block, depth - 1), self.evaluate(orelse, block, depth - 1)])
                return _gated(value) if self._guards.mentions_mode(test, block) else value
            case ast.BoolOp(values=values):
                gated = any(self._guards.mentions_mode(v, block) for v in values)
                value = _combine([self.evaluate(v, block, depth - 1) for v in values])
                return _gated(value) if gated else value
            case ast.Call():
                return self._call(node, block, depth)
        return UNKNOWN

    def _binary(self, node: ast.BinOp, block: Block, depth: int) -> Value:
        left, right = self.evaluate(node.left, block, depth - 1), self.evaluate(node.right, block, depth - 1)
        number = _arithmetic(node.op, left.number, right.number)
        polarity: Polarity = ""
        if isinstance(node.op, ast.Sub) and left.number == 1.0 and left.literal:
            polarity = _flip(right.polarity)
        gated = left.gated or right.gated or self._guards.mentions_mode(node, block, 0)
        return Value(
            kind="number" if number is not None else "unknown",
            number=number,
            polarity=polarity,
            doc=_flip(right.doc) if polarity else "",
            gated=gated,
            literal=left.literal and right.literal,
            default=left.default or right.default,
            from_caller=left.from_caller or right.from_caller,
            names=(*left.names, *right.names),
        )

    def _name(self, name: str, block: Block, depth: int) -> Value:
        found = self._scopes.lookup(name, block)
        mode = self._guards.mentions_mode(ast.Name(name, ast.Load()), block, 0)
        if found is None:
            return Value(polarity=polarity_of(name), gated=mode, names=(name,))
        owner, bindings = found
        if owner.imports is not None and name in owner.imports.names:
            return Value(polarity=polarity_of(name), attribute=name, names=(name,))
        if name in owner.parameters:
            default = owner.parameters[name]
            value = self.evaluate(default, owner.parent or owner, depth - 1)
            own = Value(
                kind=value.kind,
                number=value.number,
                polarity=polarity_of(name),
                doc=self._options.parameter_doc(owner, name),
                gated=mode,
                default=True,
                parameter=name,
                from_caller=owner.name not in CONSTRUCTORS,
                names=(name,),
            )
            if not bindings:
                return own
            changed = self._bindings(bindings, name, depth)
            polarity = own.polarity if changed.polarity == own.polarity else ""
            names = (name, *changed.names)
            return replace(own, number=None, parameter="", polarity=polarity, gated=mode or changed.gated, names=names)
        return self._bindings(bindings, name, depth)

    def _bindings(self, bindings: Sequence[Binding], name: str, depth: int) -> Value:
        """The value of a name that is assigned; computed once. A name defined by itself adds only its words."""
        key = id(bindings)
        if key not in self._known:
            self._known[key] = Value(polarity=polarity_of(name))
            self._known[key] = self._assigned(bindings, name, depth)
        return self._known[key]

    def _assigned(self, bindings: Sequence[Binding], name: str, depth: int) -> Value:
        values = [self.evaluate(b.value, b.block, depth - 1) for b in bindings]
        value = _combine(values)
        guarded = any(self._guards.guarded(b.node, b.block, follow_callers=False) for b in bindings)
        own = polarity_of(name)
        polarity = value.polarity if value.polarity and own in ("", value.polarity) else "" if value.polarity else own
        return replace(
            value,
            polarity=polarity,
            gated=value.gated or guarded,
            parameter=value.parameter if len(bindings) == 1 else "",
            names=(name, *value.names),
        )

    def _attribute(self, node: ast.Attribute, block: Block, depth: int) -> Value:
        owner = block.enclosing_class
        if owner is not None and isinstance(node.value, ast.Name) and node.value.id == block.instance:
            bindings = owner.attributes.get(node.attr, [])
            if bindings:
                value = self._bindings(bindings, node.attr, depth)
                late = any(b.block.method is not None and b.block.method.name != "__init__" for b in bindings)
                return _gated(value) if late and len(bindings) > 1 else replace(value, parameter="")
            mode = self._guards.mentions_mode(node, block, 2)
            return Value(polarity=polarity_of(node.attr), gated=mode, attribute=node.attr, names=(node.attr,))
        if node.attr == "p":
            return self._rate_of_module(node.value, block, depth)
        return self._option(node.attr)

    def _rate_of_module(self, node: ast.expr, block: Block, depth: int) -> Value:
        owner = block.enclosing_class
        if owner is None or not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return UNKNOWN
        bindings = owner.attributes.get(node.attr, []) if node.value.id == block.instance else []
        if len(bindings) != 1 or not isinstance(bindings[0].value, ast.Call):
            return UNKNOWN
        call = bindings[0].value
        rate = next((k.value for k in call.keywords if k.arg == "p"), call.args[0] if call.args else None)
        return replace(self.evaluate(rate, bindings[0].block, depth - 1), parameter="")

    def _option(self, name: str) -> Value:
        number, doc = self._options.argument(name)
        return Value(
            kind="number" if number is not None else "unknown",
            number=number,
            polarity=polarity_of(name),
            doc=doc,
            default=True,
            attribute=name,
            names=(name,),
        )

    def _call(self, node: ast.Call, block: Block, depth: int) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in {"float", "int"} and len(node.args) == 1:
            inner = self.evaluate(node.args[0], block, depth - 1)
            return _derived(inner, inner.number, inner.polarity)
        if name in {"get", "pop", "getattr"}:
            key = next((a for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)), None)
            if key is not None and isinstance(key.value, str):
                value = self._option(key.value)
                last = self.evaluate(node.args[-1], block, depth - 1) if node.args[-1] is not key else UNKNOWN
                return _derived(value, last.number if value.number is None else value.number, value.polarity)
        return Value(gated=self._guards.mentions_mode(node, block))


def _constant(constant: object) -> Value:
    if isinstance(constant, bool):
        return Value(kind="bool", number=float(constant), literal=True)
    if isinstance(constant, (int, float)) and not (isinstance(constant, float) and math.isnan(constant)):
        return Value(kind="number", number=number_of(constant), literal=True)
    if isinstance(constant, str):
        return Value(kind="str", literal=True)
    return Value(kind="none", literal=True) if constant is None else UNKNOWN


def _derived(value: Value, number: float | None, polarity: Polarity) -> Value:
    return replace(value, kind="number" if number is not None else "unknown", number=number, polarity=polarity)


def _gated(value: Value) -> Value:
    return replace(value, gated=True, parameter="", attribute="")


def _combine(values: Iterable[Value]) -> Value:
    found = list(values)
    if len(found) == 1:
        return found[0]
    numbers = {v.number for v in found}
    number = numbers.pop() if len(numbers) == 1 else None
    polarities = {v.polarity for v in found if v.number is None or v.polarity} or {""}
    docs = {v.doc for v in found}
    return Value(
        kind=found[0].kind if found and number is not None else "unknown",
        number=number,
        polarity=polarities.pop() if len(polarities) == 1 else "",
        doc=docs.pop() if len(docs) == 1 else "",
        gated=any(v.gated for v in found),
        literal=bool(found) and all(v.literal for v in found),
        default=any(v.default for v in found),
        from_caller=any(v.from_caller for v in found),
        attribute=found[0].attribute if found else "",
        names=tuple(dict.fromkeys(name for v in found for name in v.names)),
    )


def _arithmetic(op: ast.operator, left: float | None, right: float | None) -> float | None:
    if left is None or right is None:
        return None
    match op:
        case ast.Add():
            result = left + right
        case ast.Sub():
            result = round(left - right, 12)
        case ast.Mult():
            result = left * right
        case ast.Div() if right:
            result = left / right
        case _:
            return None
    return None if math.isnan(result) else result
