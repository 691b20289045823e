"""``train()`` in a function that evaluates (DRP207)."""

from __future__ import annotations

from dropout_lint import vocabulary
from dropout_lint.diagnostic import Related
from dropout_lint.mode.judges.evidence import Findings, at
from dropout_lint.mode.judges.history import History
from dropout_lint.mode.judges.naming import built
from dropout_lint.mode.judges.purpose import generates, serves_otherwise, wants_losses
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.events import EVAL, TRAIN, Event
from dropout_lint.mode.program.values import Thing


def explicit_train(history: History, findings: Findings) -> None:
    """``train()`` and then a forward of the same model, in a function that is there to evaluate."""
    for forward in history.forwards:
        cause, thing = history.explicit_train(forward), forward.thing
        if cause is None or thing is None or not _evaluates(history, forward, cause, thing):
            continue
        live = next((p for p, modes in forward.live if modes == TRAIN), None)
        if live is None and (_is_certain(thing) or wants_losses(forward)):
            continue
        related = (
            *(built(thing, live) if live is not None else ()),
            Related(forward.place.path, forward.place.span, "and evaluates here"),
        )
        findings.add(at("DRP207", cause.place, forward.frame, thing, live, related))


def _is_certain(thing: Thing) -> bool:
    """Whether all layers of a model are known."""
    return not any(p.live is None and (p.opaque or p.home is None) for p in below(thing))


def _evaluates(history: History, forward: Event, cause: Event, thing: Thing) -> bool:
    """Whether the function evaluates, by its name or by the ``eval()`` that ``train()`` undoes."""
    if forward.smoke or forward.modes != TRAIN or generates(thing):
        return False
    frames = list(forward.frame.chain())
    if any(f.home.is_test for f in frames) or serves_otherwise(frames[:2]):
        return False
    if forward.frame.instance is not None and forward.frame.instance.module:
        return False
    if any(forward.frame in b.frame.chain() and _is_near(b, cause) for b in history.backwards):
        return False
    if vocabulary.evaluates(forward.frame.flow.name):
        return forward.grad is not None
    return forward.grad is False and _undoes(history, cause, thing)


def _is_near(backward: Event, cause: Event) -> bool:
    """Whether a backward pass belongs to the piece of a function in which ``train()`` stands."""
    if cause.region is not None:
        return backward.region == cause.region
    return {t.loop for t in cause.turns} <= {t.loop for t in backward.turns} or backward.order > cause.order


def _undoes(history: History, cause: Event, thing: Thing) -> bool:
    """Whether ``eval()`` stands before a ``train()`` that is inside a region without gradient."""
    if cause.grad is not False or cause.region is None:
        return False
    before = [
        e for e in history.modes if e.frame is cause.frame and e.order < cause.order and history.touches(e, thing)
    ]
    return any(e.kind == "mode" and e.modes == EVAL for e in before) and before[-1].modes in {EVAL, TRAIN}
