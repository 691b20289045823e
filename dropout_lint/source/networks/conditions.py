"""What a test says about the settings it reads, so that layers under tests that exclude each other are kept apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from dropout_lint.facts import Condition
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.scopes import Block
from dropout_lint.syntax.parsing import dotted

_OPERATORS: dict[type[ast.cmpop], tuple[Literal["==", ">", "<"], bool]] = {
    ast.Eq: ("==", True),
    ast.NotEq: ("==", False),
    ast.Is: ("==", True),
    ast.IsNot: ("==", False),
    ast.Gt: (">", True),
    ast.LtE: (">", False),
    ast.Lt: ("<", True),
    ast.GtE: ("<", False),
}
MOST = 24
"""Conditions that are kept of the outer tests, and of one test: deep branches would take too long otherwise."""
_PLAIN = (str, int, float, bool, type(None))


class Conditions:
    """Reads the tests of one file."""

    def __init__(self, module: SourceModule) -> None:
        self._module = module
        self._arms = 0

    def of(self, test: ast.expr | None, block: Block, *, holds: bool, called: bool) -> tuple[Condition, ...]:
        """The conditions that hold where a test is true, or false. What it tests that may change is left open.

        In a function that is followed where it is ``called``, parameters differ from call to call.
        """
        found = self._stable(test, block, holds) if test is not None else ()
        return (*(c for c in found if not called or c.text.startswith("self.")), self.arm())

    def arm(self) -> Condition:
        """A new arm of a branch."""
        self._arms += 1
        return Condition(str(self._arms), "branch", None, holds=True)

    def _stable(self, test: ast.expr, block: Block, holds: bool) -> Iterator[Condition]:
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield from self._stable(operand, block, not holds)
            case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And) == holds:
                for value in values:
                    yield from self._stable(value, block, holds)
            case ast.Compare(left=left, ops=[op], comparators=[ast.Constant(value=value)]):
                known = _OPERATORS.get(type(op))
                text = self._setting(left, block)
                if known is not None and text and isinstance(value, _PLAIN):
                    yield Condition(text, known[0], value, known[1] == holds)
            case ast.Name() | ast.Attribute():
                text = self._setting(test, block)
                if text:
                    yield Condition(text, "true", None, holds)

    def _setting(self, node: ast.expr, block: Block) -> str:
        """The name of a setting that does not change while the network runs; "" for anything else."""
        text = dotted(node)
        first, _, rest = text.partition(".")
        if rest and first == block.instance:
            return f"self.{rest}" if self._is_set_once(rest.partition(".")[0], block) else ""
        found = self._module.scopes.lookup(first, block) if text else None
        if found is None or first not in found[0].parameters or found[1]:
            return ""
        return self._attribute_of(first, found[0], rest) or f"{found[0].qualname}:{text}"

    @staticmethod
    def _is_set_once(attribute: str, block: Block) -> bool:
        owner = block.enclosing_class
        bindings = owner.attributes.get(attribute, []) if owner is not None else []
        return all(b.block.method is None or b.block.method.name == "__init__" for b in bindings)

    @staticmethod
    def _attribute_of(parameter: str, function: Block, rest: str) -> str:
        """The attribute that a constructor binds to a parameter, which then is the same setting."""
        owner = function.parent if function.name == "__init__" else None
        for name, bindings in owner.attributes.items() if owner is not None else ():
            values = [b.value for b in bindings]
            if len(values) == 1 and isinstance(values[0], ast.Name) and values[0].id == parameter:
                return f"self.{name}.{rest}" if rest else f"self.{name}"
        return ""
