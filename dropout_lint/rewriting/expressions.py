"""Rewrites of expressions: replace, wrap, reduce to a part, rename."""

from __future__ import annotations

import libcst as cst

from dropout_lint.rewrites import KeepPart, Rename, ReplaceExpression, ReplaceMethod, WrapExpression
from dropout_lint.rewriting.plan import Plan, Planner, Replacement, Unsound, expression, filled, replaced
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import Range, Unit


def expression_at(text: ConcreteText, place: Range) -> tuple[Unit, cst.BaseExpression]:
    """The outermost expression that begins and ends at a place, with its unit. Raises NotConcrete and Unsound."""
    unit = text.expression(place)
    found = unit.expression_at(place)
    if found is None:
        raise Unsound("no expression is there")
    return unit, found


def _replace(text: ConcreteText, rewrite: ReplaceExpression) -> list[Plan]:
    place = text.place(rewrite.expression)
    unit, old = expression_at(text, place)
    expected = replaced(unit, {old: expression(rewrite.code)})
    return [Plan(unit, (Replacement(*place, code),), expected) for code in (rewrite.code, f"({rewrite.code})")]


def _wrap(text: ConcreteText, rewrite: WrapExpression) -> list[Plan]:
    unit, old = expression_at(text, text.place(rewrite.expression))
    expected = replaced(unit, {old: filled(rewrite.template, old)})
    before, _, behind = rewrite.template.partition("{}")
    inner, outer = text.place(rewrite.expression), unit.outer(old)
    ways = [(inner, before, behind), (outer, before, behind), (inner, f"{before}(", f"){behind}")]
    ways += [(place, f"({left}", f"{right})") for place, left, right in ways]
    return [Plan(unit, _around(*way), expected) for way in ways]


def _around(place: Range, before: str, behind: str) -> tuple[Replacement, ...]:
    start, end = place
    found = (Replacement(start, start, before), Replacement(end, end, behind))
    return tuple(one for one in found if one.code)


def _keep(text: ConcreteText, rewrite: KeepPart) -> list[Plan]:
    place = text.place(rewrite.whole)
    unit, whole = expression_at(text, place)
    part = unit.expression_at(text.place(rewrite.part))
    if part is None:
        raise Unsound("no such part is there")
    expected, (start, end) = replaced(unit, {whole: part}), unit.range(part)
    return [
        Plan(unit, (Replacement(place[0], start, left), Replacement(end, place[1], right)), expected)
        for left, right in (("", ""), ("(", ")"))
    ]


def _rename(text: ConcreteText, rewrite: Rename) -> list[Plan]:
    unit, found = expression_at(text, text.place(rewrite.expression))
    callee = found.func if isinstance(found, cst.Call) else found
    name = callee.attr if isinstance(callee, cst.Attribute) else callee
    if not isinstance(name, cst.Name):
        raise Unsound("it has no name")
    place = unit.range(name)
    return [Plan(unit, (Replacement(*place, rewrite.name),), replaced(unit, {name: cst.Name(rewrite.name)}))]


def _replace_method(text: ConcreteText, rewrite: ReplaceMethod) -> list[Plan]:
    place = text.place(rewrite.call)
    unit, call = expression_at(text, place)
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        raise Unsound("no method is called there")
    expected = replaced(unit, {call: filled(f"{{}}.{rewrite.code}", call.func.value)})
    return [Plan(unit, (Replacement(unit.range(call.func.attr)[0], place[1], rewrite.code),), expected)]


PLANNERS: dict[type, Planner] = {
    ReplaceExpression: _replace,
    WrapExpression: _wrap,
    KeepPart: _keep,
    Rename: _rename,
    ReplaceMethod: _replace_method,
}
