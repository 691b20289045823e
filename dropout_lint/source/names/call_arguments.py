"""Binds the arguments of a call to parameter names."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """An argument; ``name`` is that of its parameter, "" if unknown."""

    name: str
    value: ast.expr
    keyword: ast.keyword | None


@dataclass(frozen=True, slots=True, eq=False)
class BoundCall:
    """The arguments of a call; ``unpacked`` if ``*`` or ``**`` may pass more."""

    arguments: tuple[Bound, ...]
    unpacked: bool

    def expression(self, name: str) -> ast.expr | None:
        """The argument for a parameter; None if it is not passed."""
        return next((b.value for b in self.arguments if b.name == name), None)


def bound_arguments(call: ast.Call, parameters: Sequence[str], partial: ast.Call | None) -> BoundCall:
    """Bind the arguments of a call, and of the ``functools.partial`` that made its callee, to parameters."""
    found: list[Bound] = []
    unpacked = False
    positional: list[ast.expr] = [*(partial.args[1:] if partial else []), *call.args]
    for index, value in enumerate(positional):
        if isinstance(value, ast.Starred):
            unpacked = True
            break
        found.append(Bound(parameters[index] if index < len(parameters) else "", value, None))
    for keyword in [*call.keywords, *(partial.keywords if partial else [])]:
        if keyword.arg is None:
            unpacked = True
        elif all(b.name != keyword.arg for b in found):
            found.append(Bound(keyword.arg, keyword.value, keyword))
    return BoundCall(tuple(found), unpacked)
