"""Rewrites that exchange two elements, two statements or two calls."""

from __future__ import annotations

import re

import libcst as cst

from dropout_lint.rewrites import SwapCalls, SwapElements
from dropout_lint.rewriting.arguments import argument_at, removal
from dropout_lint.rewriting.plan import Plan, Planner, Replacement, Unsound, apply, replaced, statements_of
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import Range, Unit

_REFUSES = {"before", "order", "after", "noqa"}
"""Words of a comment that show that the order is deliberate."""
_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)


def _swap_elements(text: ConcreteText, rewrite: SwapElements) -> list[Plan]:
    one, other = text.place(rewrite.first), text.place(rewrite.second)
    gap = rewrite.second.line - rewrite.first.end_line
    if rewrite.first.line != rewrite.first.end_line or rewrite.second.line != rewrite.second.end_line or gap < 0:
        raise Unsound("an element has several lines")
    if text.text[text.line_end(one[1]) : text.line_start(other[0])].strip():
        raise Unsound("something is between the elements")
    unit = text.expression((one[0], other[1]))
    expected = _swapped_statements(text, unit, rewrite) or _swapped_elements(text, unit, rewrite)
    first, second = _without(text, unit, rewrite), text.text[slice(*other)]
    found = [Replacement(*one, second), Replacement(*other, first)]
    comments = [_comment(text, place, shared=gap == 0) for place in (one, other)]
    words = set(re.findall(r"\w+", " ".join(text.text[slice(*place)] for place in comments).lower()))
    if words & _REFUSES or (gap == 0 and comments[1][0] < comments[1][1]):
        raise Unsound("a comment says that the order is meant, or belongs to both")
    codes = [text.text[slice(*place)] for place in comments]
    if gap and codes[0] != codes[1]:
        found += [Replacement(*comments[0], codes[1]), Replacement(*comments[1], codes[0])]
    return [Plan(unit, tuple(found), expected)]


def _comment(text: ConcreteText, element: Range, *, shared: bool) -> Range:
    """Range of the comment after an element and its comma, with the blanks before it. Empty if the line is shared."""
    end = text.line_end(element[1])
    found = re.compile(r"(?:\s*,)?").match(text.text, element[1], end)
    start = found.end() if found else element[1]
    is_comment = text.text[start:end].strip().startswith("#")
    return (start, end) if is_comment or (shared and "#" in text.text[start:end]) else (start, start)


def _without(text: ConcreteText, unit: Unit, rewrite: SwapElements) -> str:
    """The code of the first element, without the argument ``rewrite.without``."""
    start, end = text.place(rewrite.first)
    if rewrite.without is None:
        return text.text[start:end]
    gone = removal(text, unit, *argument_at(unit, text.place(rewrite.without)))
    return apply(text.text, [Replacement(*gone, "")], start, end)


def _changed(unit: Unit, node: cst.CSTNode, text: ConcreteText, rewrite: SwapElements) -> cst.CSTNode:
    if rewrite.without is None:
        return node
    call, argument = argument_at(unit, text.place(rewrite.without))
    return node.deep_replace(call, call.with_changes(args=[a for a in call.args if a is not argument]))


def _swapped_statements(text: ConcreteText, unit: Unit, rewrite: SwapElements) -> list[cst.CSTNode]:
    statements = list(statements_of(unit, unit.module))
    if len(statements) != 2 or [unit.range(s) for s in statements] != [
        text.place(rewrite.first),
        text.place(rewrite.second),
    ]:
        return []
    return [statements[1], _changed(unit, statements[0], text, rewrite)]


def _swapped_elements(text: ConcreteText, unit: Unit, rewrite: SwapElements) -> list[cst.CSTNode]:
    first = unit.expression_at(text.place(rewrite.first))
    second = unit.expression_at(text.place(rewrite.second))
    calls = ([a.value for a in n.args] for n in unit.nodes(cst.Call))
    lists = ([e.value for e in n.elements] for n in unit.nodes(cst.List))
    tuples = ([e.value for e in n.elements] for n in unit.nodes(cst.Tuple))
    for values in (*calls, *lists, *tuples):
        if first is not None and second is not None and first in values and second in values:
            return list(replaced(unit, {first: second, second: _changed(unit, first, text, rewrite)}))
    raise Unsound("they are not elements of one container")


def _swap_calls(text: ConcreteText, rewrite: SwapCalls) -> list[Plan]:
    inner, outer = text.place(rewrite.inner), text.place(rewrite.outer)
    operand, result = text.place(rewrite.operand), text.place(rewrite.result)
    unit = text.expression((min(inner[0], outer[0]), max(inner[1], outer[1])))
    calls = [unit.at(place, cst.Call) for place in (inner, outer)]
    parts = [unit.expression_at(place) for place in (operand, result)]
    one, other = calls
    first, last = parts
    if one is None or other is None or first is None or last is None:
        raise Unsound("the calls are not there")
    code = text.text
    ends = [(code[a[0] : b[0]], code[b[1] : a[1]]) for a, b in ((inner, operand), (outer, result))]
    bare = code[slice(*operand)]
    moved = bare if ends[1][0] or isinstance(first, _ATOMS) else f"({bare})"
    if inner == result:
        made = one.deep_replace(first, other.deep_replace(last, first))
        new = f"{ends[0][0]}{ends[1][0]}{moved}{ends[1][1]}{ends[0][1]}"
        return [Plan(unit, (Replacement(*outer, new),), replaced(unit, {other: made}))]
    expected = replaced(unit, {one: other.deep_replace(last, first), other: one.deep_replace(first, last)})
    return [
        Plan(
            unit,
            (
                Replacement(*inner, f"{ends[1][0]}{moved}{ends[1][1]}"),
                Replacement(*outer, f"{ends[0][0]}{code[slice(*result)]}{ends[0][1]}"),
            ),
            expected,
        )
    ]


PLANNERS: dict[type, Planner] = {SwapElements: _swap_elements, SwapCalls: _swap_calls}
