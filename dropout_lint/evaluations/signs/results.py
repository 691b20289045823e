"""Signs in what becomes of the output of a model, in the function and in its callers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dropout_lint.evaluations.program import Program, paths_in
from dropout_lint.evaluations.signs.around import Site
from dropout_lint.evaluations.summary import Bind, Call, Summary, path_of
from dropout_lint.evaluations.trails import Trail, location
from dropout_lint.facts import Location
from dropout_lint.facts.evaluations import Sign
from dropout_lint.mode.program.terms import within
from dropout_lint.mode.program.values import Function
from dropout_lint.vocabulary import METRIC_WORDS, OUTPUT_CALLS, PLAIN_CALLS, PREDICTION_CALLS, words

_BY_CALL = (("result-prediction", PREDICTION_CALLS), ("result-output", OUTPUT_CALLS), ("result-plain", PLAIN_CALLS))
_SHAPE_CALLS = PLAIN_CALLS | {"size", "format", "dim", "str", "len", "info", "type"}
_SPREADS = {"std", "var", "stack", "std_mean", "var_mean"}
_MOST_CALLERS = 4
_STEPS = {"step", "minimize", "zero_grad"}


@dataclass(slots=True)
class Uses:
    """The calls that get an output, directly or through variables, with the first place of each."""

    calls: dict[str, Location] = field(default_factory=dict)
    sites: list[Call] = field(default_factory=list)
    returned: bool = False


def signs_of_results(site: Site, trails: tuple[Trail, ...], *, repeated: bool) -> Iterator[Sign]:
    """What the function does with the output, and its callers with what it returns; ``repeated`` on the same input."""
    uses = uses_of(site.summary, site.call)
    if site.call.unused:
        yield Sign("unused")
    receiver = site.summary.receiver
    if receiver and any(target.startswith(f"{receiver}.") for target in site.call.targets):
        yield Sign("result-kept")
    if not uses.returned and _asks_for_shape(site, set(uses.calls)):
        yield Sign("result-shape")
    if uses.returned:
        yield Sign("returned")
        yield from _in_callers(trails, uses)
    if "backward" in uses.calls:
        yield Sign("result-reaches-backward")
    yield from _meanings(uses)
    if repeated and not _SPREADS.isdisjoint(uses.calls):
        yield Sign("monte-carlo")


def is_for_training(site: Site, trail: Trail, program: Program) -> bool:
    """Whether the result is for a training step: in the function, or in a caller that gets it on this trail."""
    summary, call = site.summary, site.call
    for caller, place in trail.frames[1:_MOST_CALLERS]:
        uses = uses_of(summary, call)
        if _trains(summary, call, uses, program):
            return True
        following = next((c for c in caller.calls if c.place.order == place.order), None)
        if not uses.returned or following is None:
            return False
        summary, call = caller, following
    return _trains(summary, call, uses_of(summary, call), program)


def _trains(summary: Summary, call: Call, uses: Uses, program: Program) -> bool:
    """Whether a function runs a backward pass on a result, and steps an optimizer; also through one helper.

    A result without gradients that reaches a backward pass is an input or a target of a step, wherever that is.
    """
    if "backward" in uses.calls and (_steps(summary) or call.place.grad is False):
        return True
    for use in uses.sites:
        target = program.target(summary, use)
        inner = program.summary(target.home, target.flow.name) if isinstance(target, Function) else None
        if inner is not None and _steps(inner) and any(c.method == "backward" for c in inner.calls):
            return True
    return False


def _in_callers(trails: tuple[Trail, ...], uses: Uses) -> Iterator[Sign]:
    """What the callers do with it; their uses are added."""
    callers = {(id(t.frames[1][0]), t.frames[1][1].order): t.frames[1] for t in trails if len(t.frames) > 1}
    for caller, place in callers.values():
        call = next((c for c in caller.calls if c.place.order == place.order), None)
        outer = uses_of(caller, call).calls if call is not None else {}
        if "backward" in outer:
            yield Sign("caller-trains-with-result")
        for name, place_of_use in outer.items():
            if name != "backward":
                uses.calls.setdefault(name, place_of_use)


def _meanings(uses: Uses) -> Iterator[Sign]:
    for name, meant in _BY_CALL:
        hit = min(uses.calls.keys() & meant, default="")
        if hit:
            yield Sign(name, uses.calls[hit])
    measured = min((call for call in uses.calls if words(call) & METRIC_WORDS), default="")
    if measured:
        yield Sign("result-metric", uses.calls[measured])
    if any("loss" in call.lower() or "criterion" in call.lower() for call in uses.calls):
        yield Sign("result-loss")


def uses_of(summary: Summary, call: Call) -> Uses:
    """The uses of the result of a call in its function."""
    uses, tainted = Uses(), {target for target in call.targets if target}
    events: list[Call | Bind] = [c for c in summary.calls if c is not call]
    events += summary.binds
    for event in sorted(events, key=lambda e: (e.place.order, isinstance(e, Bind))):
        after = event.place.order > call.place.order
        if isinstance(event, Bind):
            if after and paths_in([event.value]) & tainted:
                tainted |= set(event.targets)
        elif any(t is call.term for t in within(event.term)) or (after and paths_in(event.term.parts) & tainted):
            uses.calls.setdefault(event.method, location(summary, event.place))
            uses.sites.append(event)
    uses.returned = any(
        paths_in([r.value]) & tainted or any(t is call.term for t in within(r.value)) for r in summary.returns
    )
    return uses


def _steps(summary: Summary) -> bool:
    """Whether a function steps an optimizer: a backward pass alone may be for attribution."""
    return any(c.method in _STEPS and c.receiver for c in summary.calls)


def _asks_for_shape(site: Site, calls: set[str]) -> bool:
    """Whether the output is only asked for its shape: ``print(net(x).shape)``."""
    if not calls <= _SHAPE_CALLS or not calls & {"print", "size"}:
        return False
    outputs = set(site.call.targets)
    return any(
        term.kind == "attribute"
        and term.text in {"shape", "size"}
        and (path_of(term.parts[0]) in outputs or any(t is site.call.term for t in within(term.parts[0])))
        for call in site.summary.calls
        for term in within(call.term)
    )
