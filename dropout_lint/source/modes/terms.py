"""Turns expressions into Terms, which keep only models, classes, functions and constants."""

from __future__ import annotations

import ast

from dropout_lint.facts import NOWHERE, Term
from dropout_lint.syntax.parsing import children
from dropout_lint.syntax.positions import Lines

_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
}
NOTHING = Term("group")


def term(node: ast.AST | None, lines: Lines) -> Term:
    """The Term of an expression."""
    match node:
        case ast.Name(id=name):
            return Term("name", name)
        case ast.Attribute(value=base, attr=name):
            return Term("attribute", name, (term(base, lines),), span=lines.span(node))
        case ast.Call():
            return _call(node, lines)
        case ast.Constant(value=value):
            kept = value if isinstance(value, (str, int, float, bool)) or value is None else "?"
            return Term("constant", type(kept).__name__, constant=kept)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return Term("tuple", parts=tuple(term(e, lines) for e in elements))
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            named = tuple((k.value if isinstance(k, ast.Constant) else "?", term(v, lines)) for k, v in pairs)
            return Term("dict", keywords=tuple((str(k), v) for k, v in named))
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
            return _each(node, lines)
        case ast.Subscript(value=base, slice=key):
            return Term("item", parts=(term(base, lines), term(key, lines)))
        case ast.Starred(value=value):
            return Term("star", parts=(term(value, lines),))
        case ast.Lambda(args=arguments, body=body):
            return Term("lambda", ",".join(a.arg for a in arguments.args), (term(body, lines),))
        case ast.NamedExpr(target=inner) | ast.Await(value=inner):
            return term(inner, lines)
    return NOTHING if node is None else _operation(node, lines)


def _operation(node: ast.AST, lines: Lines) -> Term:
    match node:
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return Term("choice", parts=(term(test, lines), term(body, lines), term(orelse, lines)))
        case ast.BoolOp(values=values):
            return Term("choice", parts=(NOTHING, *(term(v, lines) for v in values)))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return Term("compare", _OPERATORS[type(op)], (term(left, lines), term(right, lines)))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Term("not", parts=(term(operand, lines),))
    return Term("group", parts=tuple(p for p in (term(c, lines) for c in children(node)) if _counts(p)))


def _counts(part: Term) -> bool:
    return part.kind != "constant" and (part.kind != "group" or bool(part.parts))


def _call(node: ast.Call, lines: Lines) -> Term:
    return Term(
        "call",
        parts=(term(node.func, lines), *(term(a, lines) for a in node.args)),
        keywords=tuple((k.arg or "**", term(k.value, lines)) for k in node.keywords),
        span=lines.span(node) if isinstance(node.func, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)) else NOWHERE,
    )


def _each(node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp, lines: Lines) -> Term:
    first = node.generators[0]
    target = first.target.id if isinstance(first.target, ast.Name) else ""
    element = node.value if isinstance(node, ast.DictComp) else node.elt
    return Term("each", target, (term(first.iter, lines), term(element, lines)))
