"""Read the arguments of the calls in a function, and which loops repeat them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.facts import Step, Term
from dropout_lint.mode.program.terms import is_mode_call, spelled, terms, within

_RANGE = Term("name", "range")


@dataclass(frozen=True, slots=True)
class CallSites:
    """The calls in one function, by their spans."""

    passes: dict[Span, tuple[str, ...]]
    """The names in the arguments of each call, the first argument left out."""
    repeated: frozenset[Span]
    """Calls that a loop over a range makes with arguments that the loop does not change."""


def call_sites(steps: tuple[Step, ...]) -> CallSites:
    """The calls in the body of a function."""
    passes: dict[Span, tuple[str, ...]] = {}
    repeated = set(_in_loops(steps))
    for term in terms(steps):
        if term.kind == "call":
            given = (*term.parts[2:], *(value for _, value in term.keywords))
            names = tuple(t.text for one in given for t in within(one) if t.text)
            passes[term.span] = passes.get(term.span, ()) + names
        elif term.kind == "each" and _is_range(term.parts[0]):
            repeated.update(_without(term.text, term.parts[1]))
    return CallSites(passes, frozenset(repeated))


def _in_loops(steps: tuple[Step, ...]) -> Iterator[Span]:
    for step in steps:
        if step.kind == "loop" and step.value is not None and _is_range(step.value):
            variable = step.targets[0].text if step.targets else ""
            for term in terms(step.arms[0]):
                yield from _without(variable, term)
            continue
        for arm in step.arms:
            yield from _in_loops(arm)


def _is_range(term: Term) -> bool:
    return term.kind == "call" and term.parts[0] == _RANGE


def _without(variable: str, term: Term) -> Iterator[Span]:
    """The calls in a term that do not mention a variable."""
    for one in within(term):
        if one.kind == "call" and not any(t.kind == "name" and t.text == variable for t in within(one)):
            yield one.span


def repeated_in_else(steps: tuple[Step, ...]) -> Iterator[Span]:
    """Calls of ``x.train()`` in the ``else`` of an ``if`` that calls it too, and never ``x.eval()``."""
    for step in steps:
        if step.kind == "branch" and len(step.arms) == 2:
            calls, other = (dict(_mode_calls(arm)) for arm in step.arms)
            again = {(name, "train") for name, method in other if method == "train" and (name, "train") in calls}
            evaluated = {name for name, method in (*calls, *other) if method == "eval"}
            yield from (other[call] for call in sorted(again) if call[0] not in evaluated)
        for arm in step.arms:
            yield from repeated_in_else(arm)


def _mode_calls(steps: tuple[Step, ...]) -> Iterator[tuple[tuple[str, str], Span]]:
    """The calls without an argument among statements, by the name of the model and the method."""
    for step in steps:
        call = step.value if step.kind == "evaluate" else None
        if call is not None and is_mode_call(call) and len(call.parts) == 1 and not call.keywords:
            yield (spelled(call.parts[0].parts[0]), call.parts[0].text), call.span
