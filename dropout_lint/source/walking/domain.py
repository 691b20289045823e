"""The interface of a domain: its states and values, and how statements change them."""

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

    A state belongs to one path: methods change it in place, and each branch gets a copy. Some values no domain
    can evaluate, as an exception of ``except``: names bound to them are forgotten.
    """

    passes: ClassVar[int] = 1
    """The number of runs of a loop body if the number of turns is unknown."""
    loops_may_skip: ClassVar[bool] = True
    """A loop may have no turn: the state before it is merged into the one after it."""
    stops_anywhere: ClassVar[bool] = True
    """An exception may come from each statement of a ``try``; otherwise only from its first one, and from ``raise``."""

    @abstractmethod
    def copy(self, state: S) -> S:
        """A copy of a state, for another path."""

    @abstractmethod
    def join(self, states: list[S], at: ast.stmt) -> S:
        """The state where several paths meet. It may reuse the given ones."""

    @abstractmethod
    def evaluate(self, node: ast.expr, state: S) -> V:
        """The value of an expression."""

    @abstractmethod
    def bind(self, target: ast.expr, value: V, state: S) -> None:
        """Bind a name, an attribute or an item."""

    @abstractmethod
    def forget(self, path: str, at: ast.AST, state: S) -> None:
        """Bind a name, or an attribute as ``self.x``, to an unknown value."""

    @abstractmethod
    def returned(self, value: ast.expr | None, state: S) -> None:
        """Handle a ``return``."""

    def decides(self, test: ast.expr, state: S) -> bool | None:
        """The proven result of a test; None if it is not proven."""
        return None

    def condition(self, test: ast.expr, state: S) -> None:
        """Evaluate the test of a branch or a loop."""
        self.evaluate(test, state)

    def unpack(self, value: V, targets: Sequence[ast.expr], state: S) -> list[V] | None:
        """The values of ``a, b = value``, one for each target; None if they are unknown."""
        return None

    def entered(self, value: V) -> V | None:
        """The value that ``with value as name`` binds; None if it is unknown."""
        return None

    def turns(self, statement: ast.For | ast.AsyncFor, state: S) -> Sequence[Callable[[S], None]] | None:
        """Functions that bind the target of a loop, one for each turn; None if the number of turns is unknown."""
        return None

    def some_turn(self, target: ast.expr, iterable: ast.expr, state: S) -> Callable[[S], None]:
        """A function that binds the target of a loop or comprehension to any element."""
        self.evaluate(iterable, state)
        return lambda inner: self.forget_all(target, inner)

    def forget_all(self, target: ast.expr, state: S) -> None:
        """Bind a target, or all targets in it, to unknown values."""
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.forget_all(part, state)
        elif isinstance(target, ast.Starred):
            self.forget_all(target.value, state)
        elif path := dotted(target):
            self.forget(path, target, state)

    def repeated(self, before: S, after: S) -> S:
        """The state after a loop, from those before and after one turn."""
        return after

    def assume(self, test: ast.expr | None, state: S, *, holds: bool) -> None:
        """Called on the state of the arm of a branch in which the test is true, or false; None if it is no
        expression.
        """

    def turned(self, before: S, after: S) -> None:
        """Called on the state after a turn of a loop. What its tests said is no longer so in the next turn."""

    def enter_arms(self) -> None:
        """Called before the arms of a branch whose test is not proven."""

    def leave_arms(self) -> None:
        """Called after these arms."""
