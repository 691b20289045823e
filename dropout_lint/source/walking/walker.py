"""Hands each statement to the method of its kind."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

S = TypeVar("S")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Loop = ast.For | ast.AsyncFor | ast.While
With = ast.With | ast.AsyncWith
Exit = ast.Return | ast.Raise | ast.Break | ast.Continue


class Walker(ABC, Generic[S]):
    """Reads statements in order and carries a state along.

    Each method gives the state behind its statement, None if the program never gets there.
    """

    def run(self, body: list[ast.stmt], state: S) -> S | None:
        """Read some statements."""
        following: S | None = state
        for statement in body:
            if following is None:
                break
            following = self.read_statement(statement, following)
        return following

    def read_statement(self, statement: ast.stmt, state: S) -> S | None:
        """Read one statement."""
        handler = self._handlers.get(statement.__class__)
        return handler(self, statement, state) if handler is not None else state

    @abstractmethod
    def assign(self, statement: ast.Assign | ast.AnnAssign, targets: list[ast.expr], value: ast.expr, state: S) -> S:
        """``a = b = value``, or ``a: T = value``."""

    @abstractmethod
    def augment(self, statement: ast.AugAssign, state: S) -> S:
        """``a += value`` and the like."""

    @abstractmethod
    def effect(self, statement: ast.Expr, state: S) -> S:
        """An expression statement, whose value is not used."""

    @abstractmethod
    def branch(self, statement: ast.If, state: S) -> S | None:
        """``if``, with its ``elif`` and ``else``."""

    @abstractmethod
    def match(self, statement: ast.Match, state: S) -> S | None:
        """``match`` with all its cases."""

    @abstractmethod
    def loop(self, statement: Loop, state: S) -> S | None:
        """``for``, ``async for`` or ``while``, with its ``else``."""

    @abstractmethod
    def region(self, statement: With, state: S) -> S | None:
        """``with`` or ``async with``."""

    @abstractmethod
    def attempt(self, statement: ast.Try, state: S) -> S | None:
        """``try``, also with ``except*``."""

    @abstractmethod
    def leave(self, statement: Exit, state: S) -> S | None:
        """``return``, ``raise``, ``break`` or ``continue``."""

    @abstractmethod
    def define(self, statement: Definition, state: S) -> S:
        """A function or class."""

    def imports(self, statement: ast.Import | ast.ImportFrom, state: S) -> S:
        """An import."""
        return state

    def delete(self, statement: ast.Delete, state: S) -> S:
        """``del``."""
        return state

    def outer(self, statement: ast.Global | ast.Nonlocal, state: S) -> S:
        """``global`` or ``nonlocal``."""
        return state

    def check(self, statement: ast.Assert, state: S) -> S | None:
        """``assert``."""
        return state

    def _annotated(self, statement: ast.AnnAssign, state: S) -> S:
        if statement.value is None:
            return state
        return self.assign(statement, [statement.target], statement.value, state)

    _handlers: ClassVar[dict[type[ast.AST], Callable[[Any, Any, Any], Any]]] = {
        ast.Assign: lambda self, s, state: self.assign(s, s.targets, s.value, state),
        ast.AnnAssign: lambda self, s, state: self._annotated(s, state),
        ast.AugAssign: lambda self, s, state: self.augment(s, state),
        ast.Expr: lambda self, s, state: self.effect(s, state),
        ast.If: lambda self, s, state: self.branch(s, state),
        ast.Match: lambda self, s, state: self.match(s, state),
        **dict.fromkeys((ast.For, ast.AsyncFor, ast.While), lambda self, s, state: self.loop(s, state)),
        **dict.fromkeys((ast.With, ast.AsyncWith), lambda self, s, state: self.region(s, state)),
        **dict.fromkeys(
            (ast.Try, getattr(ast, "TryStar", ast.Try)),  # Python 3.11
            lambda self, s, state: self.attempt(s, state),
        ),
        **dict.fromkeys((ast.Return, ast.Raise, ast.Break, ast.Continue), lambda self, s, state: self.leave(s, state)),
        **dict.fromkeys(
            (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), lambda self, s, state: self.define(s, state)
        ),
        **dict.fromkeys((ast.Import, ast.ImportFrom), lambda self, s, state: self.imports(s, state)),
        **dict.fromkeys((ast.Global, ast.Nonlocal), lambda self, s, state: self.outer(s, state)),
        ast.Delete: lambda self, s, state: self.delete(s, state),
        ast.Assert: lambda self, s, state: self.check(s, state),
    }
