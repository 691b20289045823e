"""Rewrites of statements: insert, remove, replace, put under an ``if``, assign."""

from __future__ import annotations

import ast

import libcst as cst

from dropout_lint.rewrites import (
    AddMethod,
    AssignNew,
    AssignResult,
    InsertAfter,
    InsertBefore,
    RemoveStatement,
    ReplaceStatement,
    WrapStatements,
)
from dropout_lint.rewriting.plan import Plan, Planner, Replacement, Statements, Unsound, expression, statements_of
from dropout_lint.syntax.concrete import ConcreteText, Siblings
from dropout_lint.syntax.concrete_unit import Range, Unit

_LEVEL = "    "


def _siblings(text: ConcreteText, place: Range) -> Siblings:
    found = text.around(place)
    if found is None:
        raise Unsound("no statement is there")
    whole = text.range(found.block[found.first])[0], text.range(found.block[found.last])[1]
    if whole != place:
        raise Unsound("no statement begins and ends there")
    return found


def _indent(text: ConcreteText, start: int) -> str:
    """The indentation of a statement. Raises Unsound for a statement that does not begin its line."""
    indent = text.text[text.line_start(start) : start]
    if indent.strip():
        raise Unsound("it does not begin its line")
    return indent


def _level(text: ConcreteText, indent: str, around: tuple[ast.stmt, ...]) -> str:
    """One level of indentation, as the file has it around a statement: blanks or a tab."""
    outer = text.line_start(text.range(around[-1])[0]) if around else 0
    above = text.text[outer : text.range(around[-1])[0]] if around else indent
    deeper = indent.removeprefix(above)
    return deeper if deeper and deeper != indent and not deeper.strip() else "\t" if "\t" in indent else _LEVEL


def _indented(code: str, indent: str, level: str) -> str:
    """Indent lines of code, all but the first, which goes behind indentation that is there already."""
    lines = []
    for line in code.split("\n"):
        bare = line.lstrip(" ")
        lines.append(f"{indent}{level * ((len(line) - len(bare)) // len(_LEVEL))}{bare}" if bare else "")
    return "\n".join(lines).removeprefix(indent)


def _parsed(code: str) -> Statements:
    try:
        return cst.parse_module(code).body
    except cst.ParserSyntaxError:
        raise Unsound(f"no statement: {code}") from None


def _insert_before(text: ConcreteText, rewrite: InsertBefore) -> list[Plan]:
    place = text.place(rewrite.statement)
    found = _siblings(text, place)
    indent = _indent(text, place[0])
    if text.text.startswith("elif", place[0]):
        raise Unsound("an elif begins there")
    unit = text.top(found)
    code = _indented(rewrite.code, indent, _level(text, indent, found.parents))
    made = Replacement(place[0], place[0], f"{code}\n{indent}")
    return [Plan(unit, (made,), [*_parsed(rewrite.code), *statements_of(unit, unit.module)])]


def _insert_after(text: ConcreteText, rewrite: InsertAfter) -> list[Plan]:
    place = text.place(rewrite.statement)
    found = _siblings(text, place)
    indent = _indent(text, place[0])
    unit = text.block(found)
    code = _indented(rewrite.code, indent, _level(text, indent, found.parents))
    made = Replacement(unit.end, unit.end, f"\n{indent}{code}")
    return [Plan(unit, (made,), [*statements_of(unit, unit.module), *_parsed(rewrite.code)])]


def _add_method(text: ConcreteText, rewrite: AddMethod) -> list[Plan]:
    found = _siblings(text, text.place(rewrite.statement))
    methods = [n for n, s in enumerate(found.parents) if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not methods:
        raise Unsound("no function is around it")
    parents, method = found.parents[: methods[-1]], found.parents[methods[-1]]
    home = _siblings(text, text.range(method))
    indent = _indent(text, text.range(method)[0])
    body = _indent(text, text.range(found.block[found.first])[0])
    level = body.removeprefix(indent) if methods[-1] == len(found.parents) - 1 else _level(text, indent, parents)
    unit = text.block(home)
    made = Replacement(unit.end, unit.end, f"\n\n{indent}{_indented(rewrite.code, indent, level)}")
    return [Plan(unit, (made,), [*statements_of(unit, unit.module), *_parsed(rewrite.code)])]


def _remove(text: ConcreteText, rewrite: RemoveStatement) -> list[Plan]:
    found = _siblings(text, text.place(rewrite.statement))
    if len(found.block) == 1:
        raise Unsound("nothing else is in its block")
    unit = text.block(found)
    stop = unit.end + (2 if text.text.startswith("\r\n", unit.end) else 1)
    return [Plan(unit, (Replacement(unit.start, min(stop, len(text.text)), ""),), ())]


def _replace(text: ConcreteText, rewrite: ReplaceStatement) -> list[Plan]:
    unit, place = _simple(text, rewrite)
    return [Plan(unit, (Replacement(*place, rewrite.code),), _parsed(rewrite.code))]


def _simple(text: ConcreteText, rewrite: ReplaceStatement | AssignResult | AssignNew) -> tuple[Unit, Range]:
    place = text.place(rewrite.statement)
    _siblings(text, place)
    return text.expression(place), place


def _wrap(text: ConcreteText, rewrite: WrapStatements) -> list[Plan]:
    place = text.place(rewrite.statements)
    found = _siblings(text, place)
    indent = _indent(text, place[0])
    level = _level(text, indent, found.parents)
    unit = text.block(found)
    starts = text.lines.starts
    last = rewrite.statements.end_line
    lines = [n for n in range(rewrite.statements.line, last + 1) if text.lines.line(n).strip()]
    moved = [Replacement(starts[n - 1], starts[n - 1], level) for n in lines[1:]]
    head = Replacement(unit.start, unit.start, f"{indent}if {rewrite.test}:\n{level}")
    inside = [s for s in statements_of(unit, unit.module) if isinstance(s, cst.BaseStatement)]
    return [Plan(unit, (head, *moved), [cst.If(expression(rewrite.test), cst.IndentedBlock(inside))])]


def _assign_result(text: ConcreteText, rewrite: AssignResult) -> list[Plan]:
    unit, (start, _) = _simple(text, rewrite)
    value = _only(unit, cst.Expr).value
    expected = _line(cst.Assign([cst.AssignTarget(_target(rewrite.target))], value))
    return [Plan(unit, (Replacement(start, start, f"{rewrite.target} = "),), expected)]


def _only(unit: Unit, kind: type[cst.Expr]) -> cst.Expr:
    found = unit.at((unit.start, unit.end), kind)
    if found is None:
        raise Unsound("another statement is there")
    return found


def _target(code: str) -> cst.BaseAssignTargetExpression:
    found = node = expression(code)
    while isinstance(node, cst.Attribute):
        node = node.value
    if not isinstance(node, cst.Name) or not isinstance(found, (cst.Name, cst.Attribute)):
        raise Unsound(f"{code} is no name")
    return found


def _line(statement: cst.BaseSmallStatement) -> Statements:
    return [cst.SimpleStatementLine([statement])]


def _assign_new(text: ConcreteText, rewrite: AssignNew) -> list[Plan]:
    unit, _ = _simple(text, rewrite)
    found = unit.at((unit.start, unit.end), cst.AugAssign, cst.Expr)
    if isinstance(found, cst.AugAssign):
        return _out_of_augmented(text, unit, found)
    if isinstance(found, cst.Expr) and isinstance(found.value, cst.Call):
        return _out_of_method(text, unit, found.value)
    raise Unsound("nothing is changed in place there")


def _out_of_augmented(text: ConcreteText, unit: Unit, found: cst.AugAssign) -> list[Plan]:
    target = _target(text.text[slice(*unit.range(found.target))])
    sign = text.text[slice(*unit.range(found.operator))].strip().removesuffix("=")
    name = text.text[slice(*unit.range(found.target))]
    place = unit.outer(found.value)
    value = expression(f"{name} {sign} __")
    if not isinstance(value, cst.BinaryOperation):
        raise Unsound("no operation with two sides")
    expected = _line(cst.Assign([cst.AssignTarget(target)], value.with_changes(right=found.value)))
    atom = isinstance(found.value, (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.BaseNumber))
    ways = [("", ""), ("(", ")")] if atom or place != unit.range(found.value) else [("(", ")")]
    head = unit.range(found.target)[1], place[0]
    return [
        Plan(
            unit,
            (
                Replacement(*head, f" = {name} {sign} {left}"),
                *([Replacement(place[1], place[1], right)] if right else []),
            ),
            expected,
        )
        for left, right in ways
    ]


def _out_of_method(text: ConcreteText, unit: Unit, call: cst.Call) -> list[Plan]:
    method = call.func
    if not isinstance(method, cst.Attribute) or not method.attr.value.endswith("_"):
        raise Unsound("no method that works in place is called there")
    name = text.text[slice(*unit.range(method.value))]
    new = method.with_changes(attr=cst.Name(method.attr.value.removesuffix("_")))
    expected = _line(cst.Assign([cst.AssignTarget(_target(name))], call.with_changes(func=new)))
    end = unit.range(method.attr)[1]
    return [Plan(unit, (Replacement(unit.start, unit.start, f"{name} = "), Replacement(end - 1, end, "")), expected)]


PLANNERS: dict[type, Planner] = {
    InsertBefore: _insert_before,
    InsertAfter: _insert_after,
    AddMethod: _add_method,
    RemoveStatement: _remove,
    ReplaceStatement: _replace,
    WrapStatements: _wrap,
    AssignResult: _assign_result,
    AssignNew: _assign_new,
}
