"""Runs the statements of a function over symbolic values. ``evaluator`` calls it, for a function and its helpers."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from dropout_lint.source.masks.algebra import Product, Term, atom
from dropout_lint.source.masks.arithmetic import join
from dropout_lint.source.masks.reader import Reader
from dropout_lint.source.walking.interpreter import Interpreter
from dropout_lint.syntax.parsing import dotted

Names = dict[str, Term]


def run(reader: Reader, statements: list[ast.stmt]) -> None:
    """Run the body of a function. A mask in a local that no path reads counts as used."""
    masks = MaskStatements(reader)
    end = masks.run(statements, {})
    for names in [*masks.states_at_return, *([end] if end is not None else [])]:
        for term in names.values():
            if id(term) not in reader.seen:
                reader.seen[id(term)] = term
                reader.consume(term)


class MaskStatements(Interpreter[Names, Term]):
    """Updates the values of names statement by statement; ``reader`` evaluates the expressions."""

    loops_may_skip = False  # a mask after a loop was drawn in it

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self._reader = reader
        self.states_at_return: list[Names] = []
        """The names and their values at each ``return``."""

    def copy(self, state: Names) -> Names:
        return dict(state)

    def join(self, states: list[Names], at: ast.stmt) -> Names:
        merged, *others = states
        for other in others:
            for name in {**merged, **other}:
                if merged.get(name) is not other.get(name):
                    unknown = atom(f"{name}@{at.lineno}")
                    merged[name] = join(merged.get(name, atom(name)), other.get(name, atom(name)), unknown)
        return merged

    def evaluate(self, node: ast.expr, state: Names) -> Term:
        self._reader.names = state
        return self._reader.read(node)

    def condition(self, test: ast.expr, state: Names) -> None:
        self._reader.consume(self.evaluate(test, state))

    def some_turn(self, target: ast.expr, iterable: ast.expr, state: Names) -> Callable[[Names], None]:
        self.condition(iterable, state)
        return lambda inner: self.forget_all(target, inner)

    def effect(self, statement: ast.Expr, state: Names) -> Names:
        term = self.evaluate(statement.value, state)
        if not any(term is known for known in state.values()):
            self._reader.consume(term)
        return state

    def returned(self, value: ast.expr | None, state: Names) -> None:
        self.states_at_return.append(state)
        if value is not None:
            term = self.evaluate(value, state)
            self._reader.returned.append(term)
            self._reader.consume(term)

    def forget(self, path: str, at: ast.AST, state: Names) -> None:
        state[path] = atom(f"{path}@{getattr(at, 'lineno', 0)}:{getattr(at, 'col_offset', 0)}")

    def bind(self, target: ast.expr, value: Term, state: Names) -> None:
        if isinstance(target, ast.Subscript):
            self._set_items(target, value, state)
        elif path := dotted(target):
            state[path] = value

    def _set_items(self, target: ast.Subscript, term: Term, state: Names) -> None:
        """``x[mask] = 0`` drops where the mask is one."""
        index, path = self.evaluate(target.slice, state), dotted(target.value)
        self._reader.consume(term)
        if isinstance(index, Product) and index.mask is not None and index.use is None and path:
            tensor = self.evaluate(target.value, state)
            zero = isinstance(term, Product) and term.number == 0.0 and not term.factors
            if zero and isinstance(tensor, Product) and tensor.mask is None:
                state[path] = replace(tensor, mask=index.mask.complement, use=target, data=target.value, written=True)

    def augment(self, statement: ast.AugAssign, state: Names) -> Names:
        target = statement.target
        joined = ast.copy_location(ast.BinOp(target, statement.op, statement.value), statement)
        self._reader.made.append(joined)
        term = self.evaluate(joined, state)
        if isinstance(term, Product) and term.use is joined:
            term = replace(term, use=statement)
        if path := dotted(target):
            state[path] = term
        return state
