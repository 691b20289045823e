"""Rewrites of the arguments of a call: add, remove, name."""

from __future__ import annotations

import re

import libcst as cst

from dropout_lint.rewrites import AddArgument, NameArgument, RemoveArgument, RemoveKeyword
from dropout_lint.rewriting.plan import Plan, Planner, Replacement, Unsound, expression, replaced
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import Range, Unit

_BLANKS = re.compile(r"[ \t\f]*")


def _add(text: ConcreteText, rewrite: AddArgument) -> list[Plan]:
    place = text.place(rewrite.call)
    unit = text.expression(place)
    call = unit.at(place, cst.Call)
    if call is None:
        raise Unsound("no call is there")
    new = cst.Arg(expression(rewrite.value), keyword=cst.Name(rewrite.name) if rewrite.name else None)
    code = f"{rewrite.name}={rewrite.value}" if rewrite.name else rewrite.value
    if rewrite.before is not None:
        _, argument = argument_at(unit, text.place(rewrite.before))
        at, code = unit.range(argument)[0], f"{code}, "
        index = call.args.index(argument)
    elif call.args:
        at, code = unit.range(call.args[-1])[1], f", {code}"
        index = len(call.args)
    else:
        at, index = unit.opening(call) + 1, 0
    made = call.with_changes(args=[*call.args[:index], new, *call.args[index:]])
    return [Plan(unit, (Replacement(at, at, code),), replaced(unit, {call: made}))]


def _remove(text: ConcreteText, rewrite: RemoveArgument) -> list[Plan]:
    place = text.place(rewrite.value)
    unit = text.expression(place)
    return _removal(text, unit, *argument_at(unit, place))


def _remove_keyword(text: ConcreteText, rewrite: RemoveKeyword) -> list[Plan]:
    place = text.place(rewrite.call)
    unit = text.expression(place)
    call = unit.at(place, cst.Call)
    found = [a for a in call.args if a.keyword is not None and a.keyword.value == rewrite.name] if call else []
    if call is None or not found:
        raise Unsound("no such keyword is there")
    return _removal(text, unit, call, found[0])


def _removal(text: ConcreteText, unit: Unit, call: cst.Call, argument: cst.Arg) -> list[Plan]:
    start, end = removal(text, unit, call, argument)
    made = call.with_changes(args=[a for a in call.args if a is not argument])
    return [Plan(unit, (Replacement(start, end, ""),), replaced(unit, {call: made}))]


def _name(text: ConcreteText, rewrite: NameArgument) -> list[Plan]:
    place = text.place(rewrite.value)
    unit = text.expression(place)
    _, argument = argument_at(unit, place)
    if argument.keyword is not None or argument.star:
        raise Unsound("it has a name, or is unpacked")
    start = unit.range(argument)[0]
    made = argument.with_changes(keyword=cst.Name(rewrite.name))
    return [Plan(unit, (Replacement(start, start, f"{rewrite.name}="),), replaced(unit, {argument: made}))]


def argument_at(unit: Unit, place: Range) -> tuple[cst.Call, cst.Arg]:
    """The argument with its value at a place, and its call. Raises Unsound."""
    value = unit.expression_at(place)
    for call in unit.nodes(cst.Call):
        for argument in call.args:
            if argument.value is value:
                return call, argument
    raise Unsound("no argument is there")


def removal(text: ConcreteText, unit: Unit, call: cst.Call, argument: cst.Arg) -> Range:
    """The range to delete so that an argument is no longer passed: the argument and a comma, or its whole lines.

    Whole lines are deleted if nothing else is on them. Comments are kept.
    """
    code, (start, end) = text.text, unit.range(argument)
    index = call.args.index(argument)
    comma, behind = argument.comma, end
    if isinstance(comma, cst.Comma) and "#" not in code[end : unit.range(comma)[0]]:
        blanks = _BLANKS.match(code, unit.range(comma)[1])
        behind = blanks.end() if blanks else end
    line, stop = text.line_start(start), text.line_end(behind)
    rest = code[behind:stop].strip()
    if not code[line:start].strip() and (not rest or rest.startswith("#")) and stop < unit.end:
        if rest:
            return start, behind
        return line, stop + (2 if code.startswith("\r\n", stop) else 1)
    if index:
        before = call.args[index - 1]
        comma = before.comma
        if isinstance(comma, cst.Comma) and "#" not in code[unit.range(before)[1] : start]:
            return unit.range(comma)[0], end
    return start, behind


PLANNERS: dict[type, Planner] = {
    AddArgument: _add,
    RemoveArgument: _remove,
    RemoveKeyword: _remove_keyword,
    NameArgument: _name,
}
