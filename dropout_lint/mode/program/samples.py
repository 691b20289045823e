"""Find calls that a loop repeats on one input to see how far the results spread, as Monte Carlo dropout does."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.diagnostic import Span
from dropout_lint.facts import NOWHERE, Step, Term
from dropout_lint.mode.program.terms import operands, within
from dropout_lint.vocabulary import SPREADS

_RANGE = Term("name", "range")
_SAME_VALUE = {
    *("to", "cuda", "cpu", "float", "double", "half", "long", "clone", "detach", "view", "reshape", "permute"),
    *("unsqueeze", "squeeze", "repeat", "expand", "transpose", "items", "tensor", "from_numpy", "as_tensor"),
}
"""Calls in an argument that leave it the same input each time."""
_COLLECTS = {"append", "add", "extend"}


def samples(steps: tuple[Step, ...], *, named: bool) -> dict[Span, Span]:
    """For each call that is a sample, the loop or comprehension around it.

    Something computes the spread of the samples; or the function is ``named`` as one that draws them.
    """
    found: dict[Span, Span] = {}
    everything = list(_flat(steps))
    for step in everything:
        for one in operands(step):
            for term in within(one):
                if term.kind == "each" and _is_range(term.parts[0]):
                    calls = _calls(term.parts[1], {term.text})
                    if calls and (named or _spreads(everything, _bound_to(everything, calls), calls)):
                        found.update((call, NOWHERE) for call in calls)
        if step.kind == "loop" and step.value is not None and _is_range(step.value):
            found.update(_in_loop(step, everything, named))
    return found


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        for arm in step.arms:
            yield from _flat(arm)


def _is_range(term: Term) -> bool:
    if term.kind == "call" and term.parts[0].text in {"tqdm", "trange", "track"} and len(term.parts) > 1:
        return term.parts[0].text == "trange" or _is_range(term.parts[1])
    return term.kind == "call" and term.parts[0] == _RANGE


def _calls(term: Term, changing: set[str]) -> set[Span]:
    """The calls in a term that get the same arguments at each turn."""
    return {
        one.span
        for one in within(term)
        if one.kind == "call" and one.span != NOWHERE and all(_is_same(part, changing) for part in _given(one))
        if not any(t.kind == "name" and t.text in changing for t in within(one.parts[0]))
    }


def _given(call: Term) -> Iterator[Term]:
    yield from call.parts[1:]
    yield from (value for _, value in call.keywords)


def _is_same(term: Term, changing: set[str]) -> bool:
    """Whether an argument has the same value at each turn."""
    return not any(
        (t.kind == "name" and t.text in changing) or (t.kind == "call" and t.parts[0].text not in _SAME_VALUE)
        for t in within(term)
    )


def _in_loop(loop: Step, everything: list[Step], named: bool) -> Iterator[tuple[Span, Span]]:
    body = list(_flat(loop.arms[0]))
    changing = {t.text for step in (loop, *body) for t in step.targets for t in within(t) if t.kind == "name"}
    for step in body:
        for call in _calls(step.value, changing) if step.value is not None else ():
            lists = set(_collected(body, _bound_to(body, {call}), {call}))
            if lists and (named or _spreads(everything, _derived(everything, lists), set())):
                yield call, loop.span


def _collected(body: list[Step], names: set[str], calls: set[Span]) -> Iterator[str]:
    """The lists that get the results of calls: ``outputs.append(model(x))``, ``outputs[n] = model(x)``."""
    for step in body:
        value = step.value
        if value is None or not _mentions(value, names, calls):
            continue
        func = value.parts[0] if value.kind == "call" else value
        if func.kind == "attribute" and func.text in _COLLECTS:
            yield func.parts[0].text
        yield from (t.parts[0].text for t in step.targets if t.kind == "item")
        if step.text == "+=":
            yield from (t.text for t in step.targets if value.kind == "tuple")


def _bound_to(steps: list[Step], calls: set[Span]) -> set[str]:
    """The variables that hold results of calls, or what is computed from them."""
    first = {
        t.text
        for step in steps
        if step.kind == "bind" and step.value is not None and _mentions(step.value, set(), calls)
        for target in step.targets
        for t in within(target)
        if t.kind == "name"
    }
    return _derived(steps, first)


def _derived(steps: list[Step], names: set[str]) -> set[str]:
    """The variables that are computed from others, and those."""
    found, before = set(names), -1
    while len(found) != before:
        before = len(found)
        for step in steps:
            if step.kind == "bind" and step.value is not None and _mentions(step.value, found, set()):
                found |= {t.text for target in step.targets for t in within(target) if t.kind == "name"}
    return found


def _mentions(term: Term, names: set[str], calls: set[Span]) -> bool:
    return any((t.kind == "name" and t.text in names) or (t.kind == "call" and t.span in calls) for t in within(term))


def _spreads(steps: list[Step], names: set[str], calls: set[Span]) -> bool:
    """Whether something computes a variance or standard deviation of results."""
    return any(
        term.kind == "call" and term.parts[0].text in SPREADS and _mentions(term, names, calls)
        for step in steps
        for one in operands(step)
        for term in within(one)
    )
