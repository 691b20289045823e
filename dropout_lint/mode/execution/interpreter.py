"""Evaluate expressions."""

from __future__ import annotations

from dropout_lint.facts import Location, Term
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.calls import call
from dropout_lint.mode.execution.functions import run_function
from dropout_lint.mode.execution.lookup import attribute, item, named
from dropout_lint.mode.program.containers import element
from dropout_lint.mode.program.contents import either
from dropout_lint.mode.program.events import joined
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Frame,
    Function,
    Group,
    Lambda,
    Table,
    Thing,
    Value,
)

_MOST_ELEMENTS = 8
"""Elements of a list that a comprehension follows one by one."""


class Interpreter(Machine):
    """A machine that evaluates expressions."""

    def evaluate(self, term: Term, frame: Frame) -> Value:
        match term.kind:
            case "name":
                return named(self, term.text, frame)
            case "attribute":
                return attribute(self, self.evaluate(term.parts[0], frame), term.text)
            case "call":
                return call(self, term, frame)
            case "constant":
                return Constant(term.constant) if term.constant != "?" else UNKNOWN
            case "tuple":
                return self._tuple(term, frame)
            case "dict":
                return Table({k: self.evaluate(v, frame) for k, v in term.keywords})
            case "each":
                return self._each(term, frame)
            case "item":
                return item(self, self.evaluate(term.parts[0], frame), self.evaluate(term.parts[1], frame))
            case "star":
                return self.evaluate(term.parts[0], frame)
            case "lambda":
                return Lambda(term, frame)
            case "import":
                return External(term.text, frame.home)
        return self._operation(term, frame)

    def call_property(self, getter: Function, place: Location) -> Value:
        return run_function(self, getter, Arguments([], {}, unpacked=False), self.current or self.top, place)

    def _operation(self, term: Term, frame: Frame) -> Value:
        match term.kind:
            case "choice":
                return self._choice(term, frame)
            case "compare":
                return _compared(term.text, *(self.evaluate(part, frame) for part in term.parts))
            case "not":
                truth = self.truth(term.parts[0], frame)
                return UNKNOWN if truth is None else Constant(not truth)
        for part in term.parts:
            self.evaluate(part, frame)
        return UNKNOWN

    def _tuple(self, term: Term, frame: Frame) -> Group:
        items: list[Value] = []
        exact = True
        for part in term.parts:
            value = self.evaluate(part, frame)
            if part.kind == "star":
                exact = exact and isinstance(value, Group) and value.exact
                items += value.items if isinstance(value, Group) else [value]
            else:
                items.append(value)
        return Group(items, exact)

    def _each(self, term: Term, frame: Frame) -> Group:
        """A comprehension."""
        source = self.evaluate(term.parts[0], frame)
        exact = isinstance(source, Group) and source.exact and len(source.items) <= _MOST_ELEMENTS
        before = frame.names.get(term.text)
        results: list[Value] = []
        for one in source.items if isinstance(source, Group) and exact else [element(source)]:
            if term.text:
                frame.names[term.text] = one
            results.append(self.evaluate(term.parts[1], frame))
        if term.text:
            frame.names.pop(term.text, None)
            if before is not None:
                frame.names[term.text] = before
        return Group(results, exact)

    def _choice(self, term: Term, frame: Frame) -> Value:
        """A conditional expression, or operands of which one is the result."""
        test, *operands = term.parts
        if test.kind == "group":
            self.evaluate(test, frame)
        elif len(operands) == 2:
            truth = self.truth(test, frame)
            if truth is not None:
                return self.evaluate(operands[0 if truth else 1], frame)
        before = dict(self.modes)
        found = []
        for part in operands:
            found.append(self.evaluate(part, frame))
        self.modes = joined([self.modes, before])
        return UNKNOWN if any(isinstance(f, Constant) for f in found) and len(found) > 1 else either(found)


def _compared(operator: str, left: Value, right: Value) -> Value:
    if isinstance(left, Constant) and isinstance(right, Constant):
        if operator in {"==", "is"}:
            return Constant(left.value == right.value)
        return Constant(left.value != right.value) if operator in {"!=", "is not"} else UNKNOWN
    if operator in {"is", "is not"} and right == Constant(None):
        made = isinstance(left, (Thing, Function, Class, Group)) and not (isinstance(left, Thing) and left.opaque)
        return Constant(operator == "is not") if made else UNKNOWN
    listed = isinstance(right, Group) and right.exact and all(isinstance(i, Constant) for i in right.items)
    if operator == "in" and isinstance(left, Constant) and isinstance(right, Group) and listed:
        return Constant(left in right.items)
    return UNKNOWN
