"""Find the layers that the methods of a class use, and the flags of the instance that the use depends on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dropout_lint.facts import ModeFlow, Step, Term
from dropout_lint.mode.program.terms import operands, terms
from dropout_lint.mode.program.values import Constant, Thing

Guards = tuple[tuple[str, bool], ...]
"""Flags of the instance, each with the truth that it must have for a term to be reached."""
Uses = dict[str, list[Guards]]
_INDIRECT = {"getattr", "children", "modules", "named_children", "named_modules", "_modules", "__dict__"}


def layer_uses(flows: Iterable[ModeFlow], receiver: str) -> Uses | None:
    """For each attribute that the methods use, the guards of each use; None if any attribute may be used."""
    found: Uses = {}
    for flow in flows:
        if any(t.kind in {"name", "attribute"} and t.text in _INDIRECT for t in terms(flow.steps)):
            return None
        for name, guards in _in_steps(flow.steps, Term("name", receiver), ()):
            found.setdefault(name, []).append(guards)
    return found


def is_reached(name: str, uses: Uses, instance: Thing) -> bool:
    """Whether a use of an attribute can be reached with the flags of this instance."""
    return any(all(_may_hold(instance, flag, wanted) for flag, wanted in guards) for guards in uses.get(name, ()))


def _may_hold(instance: Thing, flag: str, wanted: bool) -> bool:
    value = instance.attributes.get(flag)
    return not isinstance(value, Constant) or bool(value.value) == wanted


def _in_steps(steps: tuple[Step, ...], receiver: Term, guards: Guards) -> Iterator[tuple[str, Guards]]:
    for step in steps:
        for one in operands(step):
            yield from _in_term(one, receiver, guards)
        flag = _flag(step.value, receiver) if step.kind == "branch" and len(step.arms) == 2 else None
        for number, arm in enumerate(step.arms):
            inside = (*guards, (flag[0], flag[1] == (number == 0))) if flag is not None else guards
            yield from _in_steps(arm, receiver, inside)
        if flag is not None and step.arms[0] and step.arms[0][-1].kind in {"return", "stop"}:
            guards = (*guards, (flag[0], not flag[1]))


def _in_term(term: Term, receiver: Term, guards: Guards) -> Iterator[tuple[str, Guards]]:
    if term.kind == "attribute" and term.parts[0] == receiver:
        yield term.text, guards
    flag = _flag(term.parts[0], receiver) if term.kind == "choice" and len(term.parts) == 3 else None
    for number, part in enumerate((*term.parts, *(value for _, value in term.keywords))):
        inside = (*guards, (flag[0], flag[1] == (number == 1))) if flag is not None and number else guards
        yield from _in_term(part, receiver, inside)


def _flag(test: Term | None, receiver: Term) -> tuple[str, bool] | None:
    """``self.flag`` or ``not self.flag``."""
    if test is not None and test.kind == "not":
        inner = _flag(test.parts[0], receiver)
        return (inner[0], not inner[1]) if inner is not None else None
    if test is not None and test.kind == "attribute" and test.parts[0] == receiver:
        return test.text, True
    return None
