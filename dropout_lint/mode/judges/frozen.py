"""Parts that a constructor puts into eval mode, and that ``train()`` of the whole puts back (DRP211)."""

from __future__ import annotations

import re

from dropout_lint.diagnostic import Related
from dropout_lint.facts import ModeFlow
from dropout_lint.mode.judges.evidence import Evidence, Findings
from dropout_lint.mode.judges.naming import layer, names
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.events import EVAL, TRAIN, Event
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import attribute_called, terms
from dropout_lint.mode.program.values import Thing

_WITH_WEIGHTS = re.compile(r"^torch\.nn\..*(?:[Ll]inear|Conv\w*|Embedding\w*|LSTM|GRU|RNN|Attention|Transformer\w*)$")


def frozen_parts(machine: Machine, findings: Findings) -> None:
    """Parts with a layer that differs by mode, in a class that has other layers to train and uses both."""
    constructors: dict[int, list[Event]] = {}
    for event in machine.events:
        whole, flow = event.frame.instance, event.frame.flow
        if event.kind == "mode" and whole is not None and whole.module and flow.name == f"{whole.name}.__init__":
            constructors.setdefault(whole.number, []).append(event)
    for events in constructors.values():
        whole = events[0].frame.instance
        if whole is not None and not events[0].frame.home.is_test and _undone(machine, whole):
            _report(machine, whole, events, findings)


def _undone(machine: Machine, whole: Thing) -> bool:
    """Whether a ``train()`` reaches the parts: no method of the class has a say, and no user leaves it alone."""
    if whole.home is None:
        return False
    for home, known in machine.definitions.lineage(whole.home, whole.name):
        for base in known.bases:
            if base != "torch.nn.Module" and machine.project.names.find(home, base) is None:
                return False
        for method in known.methods - {"__init__"}:
            flow = machine.definitions.flow(home, f"{known.name}.{method}")
            if method in {"train", "eval"} or (flow is not None and _sets_modes(flow)):
                return False
    outside = [e for e in machine.events if e.thing is not None and e.frame.instance is not whole]
    touching = [e for e in outside if e.kind == "mode" and e.thing is not None and whole in below(e.thing)]
    parts = {part.number for part in below(whole)[1:]}
    if any(e.kind == "mode" and e.modes == EVAL and e.thing is not None and e.thing.number in parts for e in outside):
        return False
    used = touching or any(e.kind == "forward" and e.thing is not None and whole in below(e.thing) for e in outside)
    return not used or any(e.modes == TRAIN for e in touching)


def _sets_modes(flow: ModeFlow) -> bool:
    return flow.sets_flag or any(t.kind == "attribute" and t.text in {"train", "eval"} for t in terms(flow.steps))


def _report(machine: Machine, whole: Thing, events: list[Event], findings: Findings) -> None:
    last = {e.thing.number: e for e in events if e.thing is not None}
    used = _used(machine, whole, "forward", set())
    frozen = {
        name: last[value.number]
        for name, value in whole.attributes.items()
        if isinstance(value, Thing) and value.number in last and last[value.number].modes == EVAL and name in used
        if not _is_probed(machine, last[value.number])
    }
    trainable = any(
        isinstance(value, Thing) and value.number not in last and any(_WITH_WEIGHTS.match(p.name) for p in below(value))
        for name, value in whole.attributes.items()
        if name in used
    )
    live = {n: next((p for p in below(e.thing) if p.live), None) for n, e in frozen.items() if e.thing is not None}
    shown = [name for name, proof in live.items() if proof is not None]
    steps = events[0].frame.flow.steps
    always = {frozen[name].statement for name in shown} <= {step.span for step in steps}
    for name in shown if trainable else ():
        event, proof = frozen[name], live[name]
        if proof is None:
            continue
        related = (Related(proof.place.path, proof.place.span, "computes differently by mode"),) if proof.place else ()
        findings.add(
            Evidence(
                "DRP211",
                event.place.path,
                event.place.span,
                f"{event.frame.flow.parameters[0]}.{name}",
                layer(proof),
                names(event.frame),
                related,
                steps[-1].span if always else None,
                event.frame.flow.parameters[0],
                ",".join(shown),
            )
        )


def _is_probed(machine: Machine, event: Event) -> bool:
    """Whether the constructor itself runs a part after ``eval()``, to see the shape of what it gives."""
    return any(
        e.kind == "forward" and e.order > event.order and e.frame is event.frame and e.thing is event.thing
        for e in machine.events
    )


def _used(machine: Machine, whole: Thing, method: str, seen: set[str]) -> set[str]:
    """The attributes that a method calls, also through other methods of the class."""
    found = (
        machine.definitions.method(whole.home, whole.name, method)
        if whole.home is not None and method not in seen
        else None
    )
    if found is None or not found[1].parameters:
        return set()
    seen.add(method)
    called = {attribute_called(t, found[1].parameters[0]) for t in terms(found[1].steps)} - {""}
    for one in sorted(called):
        called |= _used(machine, whole, one, seen)
    return called
