"""What a domain says about its states and values."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from dropout_lint.source.walking.walker import S
from dropout_lint.syntax.parsing import dotted

V = TypeVar("V")


class Domain(ABC, Generic[S, V]):
    """States of type ``S`` and values of type ``V``.

    A state belongs to one path: methods change it in place, and a path that parts gets a copy. What no domain can
    evaluate is unknown to all of them: names bound to it are forgotten.
    """

    passes: ClassVar[int] = 1
    """How often the body of a loop is run where the number of its turns is unknown."""
    loops_may_skip: ClassVar[bool] = True
    """The state before a loop is one of those behind it."""
    stops_anywhere: ClassVar[bool] = True
    """An exception may come from each statement of a ``try``; otherwise only from its first one, and from ``raise``."""

    @abstractmethod
    def copy(self, state: S) -> S:
        """A state for a path that parts here."""

    @abstractmethod
    def join(self, states: list[S], at: ast.stmt) -> S:
        """The state where several paths meet; the given ones are used up."""

    @abstractmethod
    def evaluate(self, node: ast.expr, state: S) -> V:
        """The value of an expression."""

    @abstractmethod
    def bind(self, target: ast.expr, value: V, state: S) -> None:
        """Bind a name, an attribute or an item."""

    @abstractmethod
    def forget(self, path: str, at: ast.AST, state: S) -> None:
        """A name, or an attribute as ``self.x``, gets a value that nobody knows."""

    @abstractmethod
    def returned(self, value: ast.expr | None, state: S) -> None:
        """A ``return`` is reached."""

    def decides(self, test: ast.expr, state: S) -> bool | None:
        """Which way a test goes; None where that is not proven."""
        return None

    def condition(self, test: ast.expr, state: S) -> None:
        """Evaluate the test of a branch or a loop."""
        self.evaluate(test, state)

    def unpack(self, value: V, targets: Sequence[ast.expr], state: S) -> list[V] | None:
        """The values for targets that one value is taken apart for; None where nothing is known of them."""
        return None

    def entered(self, value: V) -> V | None:
        """What ``as`` binds in a ``with``; None where nobody knows."""
        return None

    def turns(self, statement: ast.For | ast.AsyncFor, state: S) -> Sequence[Callable[[S], None]] | None:
        """What binds the target in each turn; None where their number is unknown."""
        return None

    def some_turn(self, target: ast.expr, iterable: ast.expr, state: S) -> Callable[[S], None]:
        """What binds the target of a loop or a comprehension to some element."""
        self.evaluate(iterable, state)
        return lambda inner: self.forget_all(target, inner)

    def forget_all(self, target: ast.expr, state: S) -> None:
        """A target, or all that are in it, get values that nobody knows."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.forget_all(part, state)
        elif isinstance(target, ast.Starred):
            self.forget_all(target.value, state)
        elif path := dotted(target):
            self.forget(path, target, state)

    def repeated(self, before: S, after: S) -> S:
        """A state behind a loop, from those before and behind one turn."""
        return after

    def enter_arms(self) -> None:
        """The arms of a branch follow, and no test is proven to go one way."""

    def leave_arms(self) -> None:
        """The arms end."""
