"""Training that goes on in eval mode after an evaluation (DRP205)."""

from __future__ import annotations

from dropout_lint import vocabulary
from dropout_lint.diagnostic import Related
from dropout_lint.mode.judges.evidence import Evidence, Findings
from dropout_lint.mode.judges.history import History, call_towards, callers_until
from dropout_lint.mode.judges.naming import built, layer, names, spelt
from dropout_lint.mode.judges.purpose import generates
from dropout_lint.mode.program.events import EVAL, Event
from dropout_lint.mode.program.values import Thing, Turn


def left_in_eval(history: History, findings: Findings) -> None:
    """From the second turn of a loop on, a model trains in the eval mode that the turn before left it in."""
    for forward in history.training:
        thing, cause, backward = forward.thing, forward.cause, history.backward_of(forward)
        if thing is None or cause is None or backward is None or cause.modes != EVAL:
            continue
        live = next((p for p, modes in forward.live if "E" in modes), None)
        if live is None or "E" not in forward.modes or forward.frame.home.is_test or generates(thing):
            continue
        loops = {t.loop for t in cause.turns} & {t.loop for t in backward.turns}
        later = (t for t in forward.turns if t.turn > 1 and t.loop in loops)
        turn = next((t for t in later if _is_left(history, cause, thing, t)), None)
        if turn is not None:
            findings.add(_evidence(forward, cause, thing, live, turn))


def _is_left(history: History, cause: Event, thing: Thing, turn: Turn) -> bool:
    """Whether nothing else in a loop sets the mode, and an evaluation in it is what ``eval()`` is for."""
    inside = [e for e in history.modes if any(t.loop == turn.loop for t in e.turns) and history.touches(e, thing)]
    return all(e.kind != "escape" and e.modes == EVAL for e in inside) and _evaluates(history, cause, thing, turn)


def _evaluates(history: History, cause: Event, thing: Thing, turn: Turn) -> bool:
    """Whether ``eval()`` serves an evaluation in the loop, and is not how the author wants to train."""
    if any(vocabulary.evaluates(f.flow.name) for f in callers_until(cause.frame, turn.frame)):
        return True
    after = (f for f in history.forwards if f.order > cause.order and f.thing is thing)
    first = next((f for f in after if any(t.loop == turn.loop for t in f.turns)), None)
    return first is not None and history.backward_of(first) is None


def _evidence(forward: Event, cause: Event, thing: Thing, live: Thing, turn: Turn) -> Evidence:
    place = call_towards(cause, turn.frame) or cause.place
    receiver = spelt(turn.frame, thing)
    body = turn.body if turn.body is not None and turn.body.line > turn.place.span.line else None
    if turn in cause.turns:
        body = None  # the turn itself calls eval() before it trains
    return Evidence(
        "DRP205",
        place.path,
        place.span,
        receiver or thing.label,
        layer(live),
        names(cause.frame) | names(forward.frame),
        (
            *built(thing, live),
            Related(cause.place.path, cause.place.span, "enters evaluation here"),
            Related(forward.place.path, forward.place.span, "trains here, in eval mode from the next turn on"),
        ),
        body if receiver and place.path == turn.place.path else None,
        receiver,
    )
