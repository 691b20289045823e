"""Runs the statements of one function over symbolic values, branches and all."""

from __future__ import annotations

import ast
from dataclasses import replace

from dropout_lint.source.masks.algebra import Product, Term, atom
from dropout_lint.source.masks.arithmetic import join
from dropout_lint.source.masks.reader import Reader
from dropout_lint.syntax.parsing import dotted

_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def run(reader: Reader, statements: list[ast.stmt]) -> None:
    """Read a function's body to its end; what then still is in a local counts as used."""
    _body(reader, statements)
    for term in reader.names.values():
        if id(term) not in reader.seen:
            reader.consume(term)


def _body(reader: Reader, statements: list[ast.stmt]) -> None:
    for statement in statements:
        _statement(reader, statement)


def _statement(reader: Reader, statement: ast.stmt) -> None:
    match statement:
        case ast.Assign(targets=targets, value=value):
            term = reader.read(value)
            for target in targets:
                _assign(reader, target, term)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _assign(reader, target, reader.read(value))
        case ast.AugAssign(target=target, op=operator, value=value):
            path = dotted(target)
            joined = ast.copy_location(ast.BinOp(left=target, op=operator, right=value), statement)
            reader.made.append(joined)
            term = reader.read(joined)
            if isinstance(term, Product) and term.use is joined:
                term = replace(term, use=statement)
            if path:
                reader.names[path] = term
        case ast.Return(value=ast.expr() as value):
            term = reader.read(value)
            reader.returned.append(term)
            reader.consume(term)
        case ast.Expr(value=value):
            term = reader.read(value)
            if not any(term is held for held in reader.names.values()):
                reader.consume(term)
        case ast.If():
            _branch(reader, statement)
        case ast.For() | ast.AsyncFor():
            reader.consume(reader.read(statement.iter))
            _assign(reader, statement.target, None)
            _body(reader, [*statement.body, *statement.orelse])
        case ast.While():
            _body(reader, [*statement.body, *statement.orelse])
        case ast.With() | ast.AsyncWith():
            _body(reader, statement.body)
        case ast.Try():
            _body(reader, statement.body)
            for handler in statement.handlers:
                _body(reader, handler.body)
            _body(reader, [*statement.orelse, *statement.finalbody])


def _assign(reader: Reader, target: ast.expr, term: Term | None) -> None:
    if isinstance(target, (ast.Tuple, ast.List)):
        for item in target.elts:
            _assign(reader, item, None)
    elif isinstance(target, ast.Starred):
        _assign(reader, target.value, None)
    elif isinstance(target, ast.Subscript):
        _set_items(reader, target, term)
    elif path := dotted(target):
        if term is None:
            reader.names[path] = atom(f"{path}@{target.lineno}:{target.col_offset}")
        else:
            reader.names[path] = term


def _set_items(reader: Reader, target: ast.Subscript, term: Term | None) -> None:
    """``x[mask] = 0`` drops where the mask is one."""
    index, path = reader.read(target.slice), dotted(target.value)
    if term is not None:
        reader.consume(term)
    if isinstance(index, Product) and index.mask is not None and index.use is None and path:
        held = reader.read(target.value)
        zero = isinstance(term, Product) and term.number == 0.0 and not term.factors
        if zero and isinstance(held, Product) and held.mask is None:
            reader.names[path] = replace(held, mask=index.mask.complement, use=target, data=target.value)


def _branch(reader: Reader, statement: ast.If) -> None:
    reader.consume(reader.read(statement.test))
    before = dict(reader.names)
    _body(reader, statement.body)
    after = reader.names
    reader.names = dict(before)
    _body(reader, statement.orelse)
    if isinstance(statement.body[-1], _EXITS):
        return
    if statement.orelse and isinstance(statement.orelse[-1], _EXITS):
        reader.names = after
        return
    merged = {}
    for name in {**after, **reader.names}:
        unknown = atom(f"{name}@{statement.lineno}")
        merged[name] = join(after.get(name, atom(name)), reader.names.get(name, atom(name)), unknown)
    reader.names = merged
