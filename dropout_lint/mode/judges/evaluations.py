"""Evaluation in train mode: of a model that nothing sets to eval (DRP206), or of one of several (DRP208)."""

from __future__ import annotations

from dropout_lint import vocabulary
from dropout_lint.diagnostic import Related, Span
from dropout_lint.mode.judges.evidence import Evidence, Findings
from dropout_lint.mode.judges.history import History, call_towards, common_caller, iteration
from dropout_lint.mode.judges.naming import built, layer, names, spelt
from dropout_lint.mode.judges.purpose import generates, serves_otherwise
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.events import EVAL, TRAIN, Event
from dropout_lint.mode.program.values import Frame, Place, Thing

UNDONE = "puts it back into train mode here"


def evaluations(history: History, findings: Findings) -> None:
    """Forwards of one place, that are all in train mode, of a model that was trained or loaded before."""
    groups: dict[tuple[object, ...], list[Event]] = {}
    training = {e.order for e in history.training}
    shared = {place for e in history.training for place in _path(e)}
    for forward in history.forwards:
        if forward.thing is not None:
            groups.setdefault((*_path(forward), *_phases(forward), forward.thing.number), []).append(forward)
    done: set[tuple[object, ...]] = set()
    for events in groups.values():
        first, thing = events[0], events[0].thing
        if thing is None or any(e.order in training for e in events):
            continue
        live = _always_live(events)
        if live is None or not _is_evaluation(history, first, thing) or not _ready(history, events[-1], thing, live):
            continue
        if history.explicit_train(first) is not None:
            continue
        # A helper that trains as well is right; the call that leads there from the evaluation is not.
        path = zip(_path(first), first.frame.chain(), strict=False)
        place, frame = next((p for p in path if p[0] not in shared), (first.place, first.frame))
        where = place if place != first.place else first.region
        key = (frame.home.path, frame.flow.name, where and where.span, spelt(frame, thing) or thing.label)
        if key not in done:
            done.add(key)
            findings.add(_evidence(history, first, thing, live, place, frame))


def _path(event: Event) -> tuple[Place, ...]:
    """Where a forward stands, and the calls that lead there, innermost first."""
    return (event.place, *(f.call for f in event.frame.chain() if f.call is not None))


def _phases(forward: Event) -> tuple[str, ...]:
    return tuple(t.word for t in forward.turns if t.word)


def _always_live(events: list[Event]) -> Thing | None:
    """A part that computes differently by mode and is in train mode at every pass."""
    for part, _ in events[0].live:
        states = [modes for e in events for p, modes in e.live if p is part]
        if len(states) == len(events) and all(s == TRAIN for s in states) and all(e.modes == TRAIN for e in events):
            return part
    return None


def _is_evaluation(history: History, forward: Event, thing: Thing) -> bool:
    frames = list(forward.frame.chain())
    if forward.unused or (forward.smoke and not history.is_trained(thing)):
        return False
    if any(f.home.is_test for f in frames) or generates(thing) or serves_otherwise(frames):
        return False
    if forward.frame.instance is not None and forward.frame.instance.module:
        return False
    evaluating = next((f for f in frames if vocabulary.evaluates(f.flow.name)), None)
    if forward.grad is not None and history.is_trained(thing) and any(map(vocabulary.evaluates, _phases(forward))):
        return True
    if forward.grad is False:
        return evaluating is not None or not any(_feeds(history, forward, thing, b) for b in history.backwards)
    if forward.grad is not True or evaluating is None:
        return False
    if not history.is_trained(thing):
        return not history.backwards and any(e.kind == "load" and e.thing is thing for e in history.events)
    return not any(evaluating in b.frame.chain() for b in history.backwards)


def _feeds(history: History, forward: Event, thing: Thing, backward: Event) -> bool:
    """Whether a pass is for a training step: of the same turn, or of another model in a loop inside of the turn."""
    turns = iteration(forward)
    if common_caller(forward.frame, backward.frame) is not backward.frame:
        return False
    if iteration(backward) == turns:
        return True
    if not turns or backward.order < forward.order or iteration(backward)[: len(turns)] != turns:
        return False
    trained = [f for f in history.training if history.backward_of(f) is backward]
    return bool(trained) and not any(history.touches(f, thing) for f in trained)


def _ready(history: History, forward: Event, thing: Thing, live: Thing) -> bool:
    """Trained or loaded before: what runs earlier initializes lazy layers, or tries shapes."""
    numbers = {thing.number, live.number}
    return any(
        end < forward.order and e.thing is not None and not numbers.isdisjoint(history.numbers(e.thing))
        for e, end in history.readying
    )


def _evidence(history: History, first: Event, thing: Thing, live: Thing, place: Place, frame: Frame) -> Evidence:
    partly = _other_in_eval(history, first, thing, frame)
    related = [*built(thing, live)]
    if partly is not None:
        related.append(Related(partly.place.path, partly.place.span, "only this one enters evaluation"))
    undone = _undone(history, first, thing)
    if undone is not None:
        related.append(Related(undone.place.path, undone.place.span, UNDONE))
    receiver = spelt(frame, thing)
    return Evidence(
        "DRP208" if partly is not None else "DRP206",
        place.path,
        place.span,
        receiver or thing.label,
        layer(live),
        names(first.frame),
        tuple(related),
        _insertion(history, first, thing) if receiver and place == first.place else None,
        receiver,
        "" if first.grad is False else next(iter(_phases(first)), first.frame.flow.name.rpartition(".")[2]),
    )


def _insertion(history: History, first: Event, thing: Thing) -> Span | None:
    """The statement before which an ``eval()`` helps and does no harm."""
    steps = first.frame.flow.steps if first.frame.flow.name else ()
    span = first.region.span if first.region is not None else next((step.span for step in steps), None)
    if span is None or _phases(first):
        return None  # the statement belongs to one of the phases only
    if first.label in {"eval", "train"}:
        return None  # the class has a method of its own by that name
    return span if not _is_set_behind(span, first) and _trains_on(history, first, thing) else None


def _trains_on(history: History, forward: Event, thing: Thing) -> bool:
    """Whether a model that is put into eval mode here is trained in train mode later, or DRP205 will see to it."""
    later = (f for f in history.training if f.order > forward.order and history.touches(f, thing))
    step = next(later, None)
    if step is None:
        return True
    if {t.loop for t in step.turns} & {t.loop for t in forward.turns}:
        return history.trains_again(thing)
    between = (e for e in history.modes if forward.order < e.order < step.order)
    return any(e.kind == "mode" and e.modes == TRAIN and history.touches(e, thing) for e in between)


def _is_set_behind(insert: Span, forward: Event) -> bool:
    """Whether a call behind the statement, in the same block or inside of it, sets the mode again."""
    call = call_towards(forward.cause, forward.frame) if forward.cause is not None else None
    end = (forward.region or forward.place).span.end_line
    return call is not None and insert.line <= call.span.line <= end


def _undone(history: History, forward: Event, thing: Thing) -> Event | None:
    """The ``train()`` between an ``eval()`` and the evaluation that it was meant for."""
    cause = forward.cause
    if cause is None or cause.modes != TRAIN or forward.frame not in cause.frame.chain():
        return None
    before = (e for e in history.modes if e.modes == EVAL and e.order < cause.order and e.frame is forward.frame)
    return cause if any(history.touches(e, thing) for e in before) else None


def _other_in_eval(history: History, forward: Event, thing: Thing, frame: Frame) -> Event | None:
    """The ``eval()`` of another model in the same function."""
    chain = set(forward.frame.chain())
    for event in history.modes:
        other = event.thing
        if event.kind != "mode" or event.modes != EVAL or event.frame not in chain:
            continue
        if other is None or other.module is False or other.number in history.numbers(thing):
            continue
        if all(part.live is False for part in below(other)):
            continue  # a loss, which is the same in both modes
        near = event.region == forward.region or (
            event.frame is frame and event.grad is False and forward.grad is False
        )
        trains = any(event.frame is b.frame for b in history.backwards)
        if (near or not trains) and thing.number not in history.numbers(other):
            return event
    return None
