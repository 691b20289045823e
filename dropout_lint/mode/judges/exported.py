"""Mode calls on what was traced, exported or scripted (DRP210)."""

from __future__ import annotations

from dropout_lint.diagnostic import Related
from dropout_lint.mode.judges.evidence import Findings, at
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.events import EVAL, TRAIN, Event
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import Thing

_RAISING = ("traced:torch.export.",)
_DEAF = ("traced:torch.jit.trace",)


def exports(machine: Machine, findings: Findings) -> None:
    """Calls that raise, that a graph does not hear, or that come too late for a scripted copy."""
    events = machine.events
    for event in events:
        if event.kind == "mode" and event.thing is not None and not event.frame.home.is_test:
            if event.thing.name.startswith(_RAISING):
                _add(findings, event, event.thing, None, "raises")
            elif event.thing.name.startswith(_DEAF):
                _deaf(events, event, event.thing, findings)
    for event in events:
        if event.kind == "script" and event.thing is not None and event.modes == TRAIN:
            _too_late(events, event, event.thing, findings)


def _deaf(events: list[Event], event: Event, graph: Thing, findings: Findings) -> None:
    """A graph keeps the mode of its trace: a call that asks for the other one is lost."""
    trace = next((e for e in reversed(events[: event.order]) if e.kind == "trace" and e.thing is graph.origin), None)
    if trace is None or (trace.modes, event.modes) not in {(TRAIN, EVAL), (EVAL, TRAIN)}:
        return
    live = next((part for part, modes in trace.live if modes == trace.modes), None)
    if live is not None:
        _add(findings, event, graph, live, "train" if trace.modes == TRAIN else "eval", trace)


def _too_late(events: list[Event], script: Event, copy: Thing, findings: Findings) -> None:
    """``eval()`` on the original, after which only the copy runs, still in train mode."""
    after = events[script.order + 1 :]
    original = copy.origin
    call = next((e for e in after if e.kind == "mode" and e.thing is original), None)
    if original is None or call is None or call.modes != EVAL or call.frame.home.is_test:
        return
    numbers = {part.number for part in (*below(copy), *below(original))}
    if any(e.kind in {"backward", "escape"} for e in after) or any(
        e.kind == "mode" and e is not call and e.thing is not None and e.thing.number in numbers for e in after
    ):
        return
    forwards = [e for e in after if e.kind == "forward" and e.order > call.order]
    if any(e.thing is original for e in forwards):
        return
    run = next((e for e in forwards if e.thing is copy), None)
    live = next((part for part, modes in run.live if modes == TRAIN), None) if run is not None else None
    if live is not None:
        _add(findings, call, original, live, "scripted", script)


def _add(
    findings: Findings, event: Event, thing: Thing, live: Thing | None, how: str, made: Event | None = None
) -> None:
    related = (Related(made.place.path, made.place.span, "the graph is made here"),) if made is not None else ()
    findings.add(at("DRP210", event.place, event.frame, thing, live, related, extra=how))
