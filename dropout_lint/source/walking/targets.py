"""Pairs targets with values, and lists the names that patterns bind."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def paired(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]] | None:
    """Each target of ``a, (b, c) = x, (y, z)`` with its expression; None if they do not match one to one."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        return None if isinstance(target, ast.Starred) else [(target, value)]
    if not isinstance(value, (ast.Tuple, ast.List)) or any(isinstance(v, ast.Starred) for v in value.elts):
        return None
    parts = spread(target.elts, value.elts)
    if parts is None:
        return None
    found: list[tuple[ast.expr, ast.expr]] = []
    for one, part in parts:
        if isinstance(part, list):
            given = ast.copy_location(ast.List(part, ast.Load()), value)
            found.append((one.value if isinstance(one, ast.Starred) else one, given))
            continue
        inner = paired(one, part) if isinstance(part, (ast.Tuple, ast.List)) else [(one, part)]
        if inner is None:
            return None
        found += inner
    return found


def spread(targets: list[ast.expr], values: list[ast.expr]) -> list[tuple[ast.expr, ast.expr | list[ast.expr]]] | None:
    """Targets with their values; a starred one gets a list. None if the numbers do not fit."""
    star = next((i for i, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
    if star is None:
        return list(zip(targets, values, strict=True)) if len(targets) == len(values) else None
    behind = len(targets) - star - 1
    if len(values) < len(targets) - 1:
        return None
    middle = values[star : len(values) - behind]
    last = values[len(values) - behind :]
    return [
        *zip(targets[:star], values[:star], strict=True),
        (targets[star], middle),
        *zip(targets[star + 1 :], last, strict=True),
    ]


def captured(pattern: ast.AST) -> Iterator[str]:
    """The names that a pattern binds."""
    for node in ast.walk(pattern):
        name = node.rest if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
        if isinstance(name, str):
            yield name


def always_matches(case: ast.match_case) -> bool:
    """Whether a case matches every subject."""
    return case.guard is None and _irrefutable(case.pattern)


def _irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(_irrefutable(p) for p in pattern.patterns)
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _irrefutable(pattern.pattern))


def condition(subject: ast.expr, case: ast.match_case) -> ast.expr | None:
    """A case as the test of an ``if``; None for a pattern that looks into the subject."""
    test = _tested(subject, case.pattern)
    if test is None or case.guard is None:
        return test
    return ast.copy_location(ast.BoolOp(ast.And(), [test, case.guard]), case.guard)


def _tested(subject: ast.expr, pattern: ast.pattern) -> ast.expr | None:
    match pattern:
        case ast.MatchValue(value=value):
            return ast.copy_location(ast.Compare(subject, [ast.Eq()], [value]), value)
        case ast.MatchSingleton(value=constant):
            value = ast.copy_location(ast.Constant(constant), pattern)
            return ast.copy_location(ast.Compare(subject, [ast.Is()], [value]), pattern)
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _tested(subject, inner)
        case ast.MatchOr(patterns=patterns):
            tests = [_tested(subject, p) for p in patterns]
            known = [t for t in tests if t is not None]
            return ast.copy_location(ast.BoolOp(ast.Or(), known), pattern) if len(known) == len(tests) else None
    return None
