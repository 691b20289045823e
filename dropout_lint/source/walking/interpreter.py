"""Runs statements over the states of a domain: follows control flow and joins states where paths meet."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from dropout_lint.source.walking.domain import Domain, V
from dropout_lint.source.walking.targets import always_matches, captured, condition, paired
from dropout_lint.source.walking.walker import Definition, Exit, Loop, S, Walker, With
from dropout_lint.syntax.parsing import dotted


@dataclass(slots=True, eq=False)
class _Exits(Generic[S]):
    """The states at ``break``, ``continue``, ``raise`` and the like, which leave the statements around them."""

    returns: list[S] = field(default_factory=list)
    raises: list[S] = field(default_factory=list)
    breaks: list[S] = field(default_factory=list)
    continues: list[S] = field(default_factory=list)

    def kinds(self) -> tuple[list[S], list[S], list[S], list[S]]:
        """All of these states."""
        return self.returns, self.raises, self.breaks, self.continues


class Interpreter(Walker[S], Domain[S, V]):
    """A walker that carries the states of a domain along every path."""

    def __init__(self) -> None:
        self._exits: _Exits[S] = _Exits()
        self._points: list[S] | None = None
        """In a ``try``, the states before each statement."""

    def function(self, body: list[ast.stmt], state: S) -> S | None:
        """Run the body of a function; the state when it returns, None if it never does."""
        outer, points = self._exits, self._points
        self._exits, self._points = _Exits(), None
        end = self.run(body, state)
        ends = [*self._exits.returns, *([end] if end is not None else [])]
        self._exits, self._points = outer, points
        return self._meet(ends, body[-1]) if body else state

    def run(self, body: list[ast.stmt], state: S) -> S | None:
        following: S | None = state
        for statement in body:
            if following is None:
                break
            if self._points is not None:
                self._points.append(self.copy(following))
            following = self.read_statement(statement, following)
        return following

    def _meet(self, states: list[S | None] | list[S], at: ast.stmt) -> S | None:
        going = [s for s in states if s is not None]
        if len(going) > 1:
            return self.join(going, at)
        return going[0] if going else None

    def assign(self, statement: ast.Assign | ast.AnnAssign, targets: list[ast.expr], value: ast.expr, state: S) -> S:
        several = isinstance(targets[0], (ast.Tuple, ast.List)) and len(targets) == 1
        pairs = paired(targets[0], value) if several else None
        if pairs is not None:
            values = [self.evaluate(part, state) for _, part in pairs]
            for (target, _), one in zip(pairs, values, strict=True):
                self.bind_all(target, one, state)
            return state
        whole = self.evaluate(value, state)
        for target in targets:
            self.bind_all(target, whole, state)
        return state

    def bind_all(self, target: ast.expr, value: V, state: S) -> None:
        """Bind a target, or all targets in it."""
        if not isinstance(target, (ast.Tuple, ast.List)):
            self.bind(target, value, state)
            return
        parts = self.unpack(value, target.elts, state)
        if parts is None:
            self.forget_all(target, state)
            return
        for one, part in zip(target.elts, parts, strict=True):
            self.bind_all(one.value if isinstance(one, ast.Starred) else one, part, state)

    def effect(self, statement: ast.Expr, state: S) -> S:
        self.evaluate(statement.value, state)
        return state

    def define(self, statement: Definition, state: S) -> S:
        self.forget(statement.name, statement, state)
        return state

    def imports(self, statement: ast.Import | ast.ImportFrom, state: S) -> S:
        for alias in statement.names:
            self.forget(alias.asname or alias.name.partition(".")[0], statement, state)
        return state

    def delete(self, statement: ast.Delete, state: S) -> S:
        for target in statement.targets:
            self.forget_all(target, state)
        return state

    def check(self, statement: ast.Assert, state: S) -> S | None:
        return None if self.decides(statement.test, state) is False or _is_false(statement.test) else state

    def branch(self, statement: ast.If, state: S) -> S | None:
        self.condition(statement.test, state)
        goes = self.decides(statement.test, state)
        if goes is not None:
            return self.run(statement.body if goes else statement.orelse, state)
        other = self.copy(state)
        self.assume(statement.test, state, holds=True)
        self.assume(statement.test, other, holds=False)
        self.enter_arms()
        ends = [self.run(statement.body, state), self.run(statement.orelse, other)]
        self.leave_arms()
        return self._meet(ends, statement)

    def match(self, statement: ast.Match, state: S) -> S | None:
        subject = self.evaluate(statement.subject, state)
        remaining: S | None = state
        ends: list[S | None] = []
        for case in statement.cases:
            assert remaining is not None
            test = condition(statement.subject, case)
            goes = True if always_matches(case) else self.decides(test, remaining) if test is not None else None
            if goes is False:
                continue
            alone = goes is True and not ends
            arm = remaining if goes else self.copy(remaining)
            self._capture(case.pattern, subject, arm)
            if case.guard is not None:
                self.condition(case.guard, arm)
            if not alone:
                self.assume(test, arm, holds=True)
                self.enter_arms()
            ends.append(self.run(case.body, arm))
            if not alone:
                self.leave_arms()
            if goes:
                remaining = None
                break
        return self._meet([*ends, remaining], statement)

    def _capture(self, pattern: ast.pattern, subject: V, state: S) -> None:
        """Bind the names of a pattern: of the whole subject, or of its parts like the targets of an assignment."""
        if isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self._capture(pattern.pattern, subject, state)
            if pattern.name is not None:
                self.bind(_name(pattern.name, pattern), subject, state)
            return
        elements = pattern.patterns if isinstance(pattern, ast.MatchSequence) else []
        names = [_name(getattr(p, "name", None) or "_", p) for p in elements]
        targets = [
            ast.copy_location(ast.Starred(name, ast.Store()), p) if isinstance(p, ast.MatchStar) else name
            for name, p in zip(names, elements, strict=True)
        ]
        parts = self.unpack(subject, targets, state) if targets else None
        if parts is None:
            for captive in captured(pattern):
                self.forget(captive, pattern, state)
            return
        for element, part in zip(elements, parts, strict=True):
            if isinstance(element, ast.MatchStar):
                if element.name is not None:
                    self.bind(_name(element.name, element), part, state)
            else:
                self._capture(element, part, state)

    def loop(self, statement: Loop, state: S) -> S | None:
        exits = self._exits
        outer = exits.breaks, exits.continues
        breaks: list[S] = []
        exits.breaks = breaks
        turns = None if isinstance(statement, ast.While) else self.turns(statement, state)
        end: S | None = state
        if turns is None:
            end = self._some_turns(statement, state, breaks)
        before = self.copy(state) if turns else state
        for bind in turns or ():
            if end is None:
                break
            bind(end)
            end = self._turn(statement, end)
            if end is not None:
                self.turned(before, end)
        exits.breaks, exits.continues = outer
        if end is not None and statement.orelse:
            end = self.run(statement.orelse, end)
        return self._meet([end, *breaks], statement)

    def _turn(self, statement: Loop, state: S) -> S | None:
        self._exits.continues = []
        end = self.run(statement.body, state)
        return self._meet([end, *self._exits.continues], statement)

    def _some_turns(self, statement: Loop, before: S, breaks: list[S]) -> S | None:
        """Run a loop whose number of turns is unknown."""
        ends: list[S] = []
        current: S | None = before
        bind = self._next_turn(statement, before)
        for _ in range(self.passes):
            assert current is not None
            current = self.copy(current)
            bind(current)
            current = self._turn(statement, current)
            if current is None:
                break
            self.turned(before, current)
            ends.append(current)
        ends = [self.repeated(before, e) for e in ends]
        breaks[:] = [self.repeated(before, b) for b in breaks]
        if isinstance(statement, ast.While) and _is_true(statement.test):
            return None
        skipped = [before] if self.loops_may_skip or not (ends or breaks) else []
        return self._meet([*skipped, *ends], statement)

    def _next_turn(self, statement: Loop, state: S) -> Callable[[S], None]:
        if isinstance(statement, ast.While):
            return lambda inner: self.condition(statement.test, inner)
        return self.some_turn(statement.target, statement.iter, state)

    def region(self, statement: With, state: S) -> S | None:
        for item in statement.items:
            value = self.evaluate(item.context_expr, state)
            if item.optional_vars is not None:
                bound = self.entered(value)
                if bound is None:
                    self.forget_all(item.optional_vars, state)
                else:
                    self.bind_all(item.optional_vars, bound, state)
        if not any(_suppresses(item.context_expr) for item in statement.items):
            return self.run(statement.body, state)
        end, stopped = self._tried(statement, statement.body, state)
        return self._meet([end, stopped], statement)

    def _tried(self, statement: ast.stmt, body: list[ast.stmt], state: S) -> tuple[S | None, S]:
        """Run a body that may raise. Returns the state at its end, and the one at the start of handlers."""
        before, exits = self.copy(state), self._exits
        points, raises = self._points, exits.raises
        self._points = [] if self.stops_anywhere else None
        exits.raises = []
        end = self.run(body, state)
        stops = [before, *(self._points or ())[1:], *exits.raises]
        self._points, exits.raises = points, raises
        entry = self.join(stops, statement) if len(stops) > 1 else before
        if points is not None:  # what no handler takes goes on to those further out
            points.append(self.copy(entry))
        return end, entry

    def attempt(self, statement: ast.Try, state: S) -> S | None:
        outer = self._exits
        inner: _Exits[S] = _Exits() if statement.finalbody else outer
        self._exits = inner
        ends: list[S | None] = []
        if statement.handlers:
            end, entry = self._tried(statement, statement.body, state)
            arms = [self.copy(entry) for _ in statement.handlers[1:]]
            if end is not None:
                end = self.run(statement.orelse, end)
            ends = [end, *(self._handle(h, s) for h, s in zip(statement.handlers, [entry, *arms], strict=True))]
        else:
            ends = [self.run([*statement.body, *statement.orelse], state)]
        self._exits = outer
        after = self._meet(ends, statement)
        if not statement.finalbody:
            return after
        for left, onward in zip(inner.kinds(), outer.kinds(), strict=True):
            leaving = self._meet(left, statement)
            passed = self.run(statement.finalbody, leaving) if leaving is not None else None
            onward += [passed] if passed is not None else []
        return self.run(statement.finalbody, after) if after is not None else None

    def _handle(self, handler: ast.ExceptHandler, state: S) -> S | None:
        if handler.name:
            self.forget(handler.name, handler, state)
        return self.run(handler.body, state)

    def leave(self, statement: Exit, state: S) -> S | None:
        exits = self._exits
        if isinstance(statement, ast.Return):
            self.returned(statement.value, state)
            exits.returns.append(state)
        elif isinstance(statement, ast.Raise):
            exits.raises.append(state)
        elif isinstance(statement, ast.Break):
            exits.breaks.append(state)
        else:
            exits.continues.append(state)
        return None

    def inside(self, generators: list[ast.comprehension], state: S) -> S:
        """The state inside a comprehension, where its targets are bound."""
        inner = self.copy(state)
        for generator in generators:
            self.some_turn(generator.target, generator.iter, inner)(inner)
            for test in generator.ifs:
                self.condition(test, inner)
        return inner


def _name(name: str, at: ast.AST) -> ast.Name:
    return ast.copy_location(ast.Name(name, ast.Store()), at)


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _is_false(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and not test.value


def _suppresses(context: ast.expr) -> bool:
    """Whether a context manager is ``contextlib.suppress``, after which the program goes on despite an exception."""
    return isinstance(context, ast.Call) and dotted(context.func).rpartition(".")[2] == "suppress"
