"""Mistakes that one event shows: a flag set by hand (DRP204), a trace in train mode (DRP209), a checkpoint (DRP212)."""

from __future__ import annotations

from dropout_lint.diagnostic import Related
from dropout_lint.mode.judges.evidence import Findings, at
from dropout_lint.mode.judges.history import History
from dropout_lint.mode.judges.naming import built
from dropout_lint.mode.program.events import TRAIN, Event
from dropout_lint.mode.program.values import Thing


def single_events(history: History, findings: Findings) -> None:
    """Look at each event that may be a mistake by itself."""
    for event in history.events:
        thing = event.thing
        if thing is None:
            continue
        if event.kind == "trace":
            live = _traced_in_train(history, event, thing)
            if live is not None:
                _add(findings, "DRP209", event, thing, live, tuple(built(thing, live)))
        elif event.kind == "flag" and _is_by_hand(history, event, thing):
            live = event.live[0][0]
            _add(findings, "DRP204", event, thing, live, tuple(built(thing, live)))
        elif event.kind == "checkpoint" and event.live:
            _add(findings, "DRP212", event, thing, event.live[0][0], ())


def _add(findings: Findings, code: str, event: Event, thing: Thing, live: Thing, related: tuple[Related, ...]) -> None:
    findings.add(at(code, event.place, event.frame, thing, live, related, event.statement, event.label))


def _traced_in_train(history: History, event: Event, thing: Thing) -> Thing | None:
    """The part of a model by which its graph differs from the one in eval mode."""
    if event.frame.home.is_test or event.modes != TRAIN or any(f.flow.intent for f in event.frame.chain()):
        return None
    if event.cause is not None and not history.is_trained(thing):
        return None  # train() and then an export: the training graph is what is wanted
    obeys = event.label.endswith("symbolic_trace")  # dropout modules go on obeying; a functional one is fixed
    return next((p for p, modes in event.live if modes == TRAIN and (p.home is not None or not obeys)), None)


def _is_by_hand(history: History, event: Event, thing: Thing) -> bool:
    """Whether a flag is set for a whole model, without its parts, and not by the model's own methods."""
    frame = event.frame
    if thing.module is not True or not event.live or frame.home.is_test:
        return False
    if frame.instance is thing and not frame.flow.name.endswith("__init__"):
        return False
    return not any(e.kind == "mode" and e.frame is frame and history.touches(e, thing) for e in history.events)
