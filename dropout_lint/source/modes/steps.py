"""Turns the statements of a function into the Steps of its ModeFlow, whose order is that in which they run."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from dropout_lint.facts import Step, Term
from dropout_lint.source.modes.terms import NOTHING, term
from dropout_lint.source.names.import_table import ImportTable
from dropout_lint.source.walking.targets import always_matches, captured
from dropout_lint.source.walking.walker import Definition, Exit, Loop, Walker, With
from dropout_lint.syntax.parsing import walk
from dropout_lint.syntax.positions import Lines

_RETURNED = ""
"""Holds a value on its way out through ``finally``: a name that no message shows and no statement can bind."""


@dataclass(slots=True)
class Steps:
    """The steps of one block so far, and what runs when a statement leaves the blocks around it."""

    found: list[Step] = field(default_factory=list)
    finals: tuple[list[ast.stmt], ...] = ()
    """Bodies of ``finally`` around the block, outermost first."""
    in_loop: int = 0
    """How many of them are outside of the innermost loop."""


class StepBuilder(Walker[Steps]):
    """Builds the steps of one function; ``define`` gets the definitions inside of it."""

    def __init__(self, lines: Lines, package: str, prefix: str, define: Callable[[Definition], None]) -> None:
        self._lines = lines
        self._package = package
        self._prefix = prefix
        self._define = define
        self._has_walrus = ":=" in lines.text

    def body(self, body: list[ast.stmt]) -> tuple[Step, ...]:
        """The steps of the body of a function."""
        return self._block(body, Steps())

    def _block(self, body: list[ast.stmt], around: Steps, *before: Step) -> tuple[Step, ...]:
        inner = Steps(list(before), around.finals, around.in_loop)
        self.run(body, inner)
        return tuple(inner.found)

    def _term(self, node: ast.expr | None) -> Term:
        return term(node, self._lines)

    def _named(self, node: ast.expr | None) -> list[Step]:
        """``(name := value)`` inside of an expression, as statements before it."""
        if node is None or not self._has_walrus:
            return []
        found = [n for n in walk(node) if isinstance(n, ast.NamedExpr)]
        return [
            Step("bind", (Term("name", n.target.id),), self._term(n.value), span=self._lines.span(n))
            for n in reversed(found)
        ]

    def assign(
        self, statement: ast.Assign | ast.AnnAssign, targets: list[ast.expr], value: ast.expr, state: Steps
    ) -> Steps:
        bound = tuple(self._term(t) for t in targets)
        state.found += [
            *self._named(value),
            Step("bind", bound, self._term(value), span=self._lines.span(statement)),
        ]
        return state

    def augment(self, statement: ast.AugAssign, state: Steps) -> Steps:
        target, value = self._term(statement.target), self._term(statement.value)
        state.found += self._named(statement.value)
        state.found.append(Step("evaluate", (target,), value, span=self._lines.span(statement), text="+="))
        return state

    def effect(self, statement: ast.Expr, state: Steps) -> Steps:
        state.found += self._named(statement.value)
        found = self._term(statement.value)
        if found.kind != "constant":
            state.found.append(Step("evaluate", value=found, span=self._lines.span(statement)))
        return state

    def leave(self, statement: Exit, state: Steps) -> Steps:
        span = self._lines.span(statement)
        if isinstance(statement, ast.Return):
            state.found += self._named(statement.value)
            value = self._term(statement.value)
            if state.finals and statement.value is not None:
                state.found.append(Step("bind", (Term("name", _RETURNED),), value, span=span))
                value = Term("name", _RETURNED)
            self._finish(state, 0)
            state.found.append(Step("return", value=value, span=span))
            return state
        if not isinstance(statement, ast.Raise):
            self._finish(state, state.in_loop)
        state.found.append(Step("stop", span=span, text=type(statement).__name__))
        return state

    def _finish(self, state: Steps, outermost: int) -> None:
        """Run the bodies of ``finally`` that a statement leaves, innermost first."""
        for number in range(len(state.finals) - 1, outermost - 1, -1):
            around = Steps(finals=state.finals[:number], in_loop=min(state.in_loop, number))
            state.found += self._block(state.finals[number], around)

    def branch(self, statement: ast.If, state: Steps) -> Steps:
        state.found += self._named(statement.test)
        arms = (self._block(statement.body, state), self._block(statement.orelse, state))
        state.found.append(
            Step("branch", value=self._term(statement.test), arms=arms, span=self._lines.span(statement))
        )
        return state

    def match(self, statement: ast.Match, state: Steps) -> Steps:
        arms = [self._block(case.body, state, *self._captures(case)) for case in statement.cases]
        if not any(always_matches(case) for case in statement.cases):
            arms.append(())
        subject = Term("group", parts=(self._term(statement.subject),))
        state.found += self._named(statement.subject)
        state.found.append(Step("branch", value=subject, arms=tuple(arms), span=self._lines.span(statement)))
        return state

    def _captures(self, case: ast.match_case) -> list[Step]:
        names = tuple(Term("name", name) for name in captured(case.pattern))
        return [Step("bind", (name,), NOTHING) for name in names]

    def loop(self, statement: Loop, state: Steps) -> Steps:
        span, turns = self._lines.span(statement), Steps(finals=state.finals, in_loop=len(state.finals))
        rest = self._block(statement.orelse, state)
        if isinstance(statement, ast.While):
            named = self._named(statement.test)
            body = self._block(statement.body, turns, *named)
            state.found.append(Step("loop", (), self._term(statement.test), (body, rest), span, "while"))
            return state
        state.found += self._named(statement.iter)
        body = self._block(statement.body, turns)
        target, source = self._term(statement.target), self._term(statement.iter)
        state.found.append(Step("loop", (target,), source, (body, rest), span))
        return state

    def region(self, statement: With, state: Steps) -> Steps:
        entered = tuple(
            Term("tuple", parts=(self._term(item.context_expr), self._term(item.optional_vars)))
            for item in statement.items
        )
        body = self._block(statement.body, state)
        state.found += [named for item in statement.items for named in self._named(item.context_expr)]
        state.found.append(Step("region", entered, arms=(body,), span=self._lines.span(statement)))
        return state

    def attempt(self, statement: ast.Try, state: Steps) -> Steps:
        final = statement.finalbody
        around = Steps(finals=(*state.finals, final), in_loop=state.in_loop) if final else state
        bodies = [[*statement.body, *statement.orelse], *(handler.body for handler in statement.handlers)]
        arms = tuple(self._block(body, around) for body in bodies)
        state.found.append(Step("try", arms=arms, span=self._lines.span(statement)))
        self.run(final, state)
        return state

    def define(self, statement: Definition, state: Steps) -> Steps:
        if self._prefix:
            self._define(statement)
        name = f"{self._prefix}.{statement.name}".lstrip(".")
        bound = (Term("name", statement.name),)
        state.found.append(Step("define", bound, text=name, span=self._lines.span(statement)))
        return state

    def imports(self, statement: ast.Import | ast.ImportFrom, state: Steps) -> Steps:
        if self._prefix:
            table = ImportTable(self._package)
            table.add(statement)
            names = table.names.items()
            state.found += [Step("bind", (Term("name", name),), Term("import", dotted)) for name, dotted in names]
        return state

    def delete(self, statement: ast.Delete, state: Steps) -> Steps:
        names = [target for target in statement.targets if isinstance(target, ast.Name)]
        state.found += [Step("bind", (self._term(name),), NOTHING) for name in names]
        return state

    def outer(self, statement: ast.Global | ast.Nonlocal, state: Steps) -> Steps:
        state.found.append(Step("outer", tuple(Term("name", name) for name in statement.names)))
        return state
