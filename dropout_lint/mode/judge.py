"""Reads the events of a run and says what they prove."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dropout_lint.diagnostic import Related
from dropout_lint.mode import library
from dropout_lint.mode.contents import below
from dropout_lint.mode.events import EVAL, TRAIN, Event
from dropout_lint.mode.evidence import Evidence, Findings
from dropout_lint.mode.machine import Machine
from dropout_lint.mode.naming import built, layer, names, spelt
from dropout_lint.mode.values import Frame, Place, Thing, Turn

_NOT_AN_EVALUATION = re.compile(
    r"(?:^|_)(?:bn|recal\w*|calib\w*|adapt\w*|swa|warm\w*|popul\w*|stats?|momentum|bench\w*|speed|profile|latency|smoke|flops|sanity|mc)"
    r"(?:_|$)",
    re.IGNORECASE,
)


class Judge:
    """One run, judged."""

    def __init__(self, machine: Machine, findings: Findings) -> None:
        self._events = machine.events
        self._findings = findings
        self._modes = [e for e in self._events if e.kind in {"mode", "escape"}]
        self._backwards = [e for e in self._events if e.kind == "backward"]
        self._forwards = [e for e in self._events if e.kind == "forward"]
        self._below: dict[int, set[int]] = {}

    def run(self) -> None:
        """Add what is proven to the findings."""
        trained = [f for f in self._forwards if self._backward_of(f) is not None]
        self._readying = [
            *((f, self._backward_of(f)) for f in trained),
            *((e, None) for e in self._events if e.kind == "load"),
        ]
        self._trained = {t.number for f in trained if f.thing is not None for t in below(f.thing)}
        for forward in trained:
            self._left_in_eval(forward)
        self._evaluations(trained)
        self._explicit()
        for event in self._events:
            if event.kind == "trace":
                self._traced(event)
            elif event.kind == "flag":
                self._flagged(event)
            elif event.kind == "checkpoint" and event.live:
                self._add("DRP212", event, event.thing, detail=layer(event.live[0][0]))

    # Training in eval mode

    def _backward_of(self, forward: Event) -> Event | None:
        """The backward pass that a forward is for: later, in the same iteration, in a function on its path."""
        if forward.grad is False:
            return None
        turns = [(t.loop, t.turn) for t in forward.turns]
        for backward in self._backwards:
            if backward.order < forward.order:
                continue
            other = [(t.loop, t.turn) for t in backward.turns]
            shared = min(len(turns), len(other))
            if turns[:shared] != other[:shared]:
                continue
            common = _common(forward.frame, backward.frame)
            if common is None or (common is not forward.frame and common is not backward.frame and not turns):
                continue
            beside = common is not backward.frame and common is not forward.frame
            if beside and not (forward.frame.caller is common and backward.frame.caller is common):
                continue
            if any(library.evaluates(f.flow.name) for f in _until(forward.frame, common)):
                continue
            return backward
        return None

    def _left_in_eval(self, forward: Event) -> None:
        thing, cause = forward.thing, forward.cause
        if thing is None or "E" not in forward.modes or cause is None or cause.modes != EVAL:
            return
        live = next((p for p, modes in forward.live if "E" in modes), None)
        if live is None or forward.frame.home.is_test:
            return
        backward = self._backward_of(forward)
        if backward is None:
            return
        loops = {t.loop for t in cause.turns} & {t.loop for t in backward.turns}
        for turn in forward.turns:
            if turn.turn < 2 or turn.loop not in loops:
                continue
            inside = [e for e in self._modes if any(t.loop == turn.loop for t in e.turns) and self._touches(e, thing)]
            if any(e.kind == "escape" or e.modes != EVAL for e in inside):
                continue
            if not self._evaluated_after(cause, thing, turn):
                continue
            if self._generates(thing):
                continue
            place = cause.place
            for frame in cause.frame.chain():
                if frame.caller is turn.frame and frame.call is not None:
                    place = frame.call
            receiver = spelt(turn.frame, thing)
            related = [
                *built(thing, live),
                Related(cause.place.path, cause.place.span, "enters evaluation here"),
                Related(forward.place.path, forward.place.span, "trains here, in eval mode from the next turn on"),
            ]
            body = turn.body if turn.body is not None and turn.body.line > turn.place.span.line else None
            self._findings.add(
                Evidence(
                    "DRP205",
                    place.path,
                    place.span,
                    receiver or thing.label,
                    layer(live),
                    names(cause.frame) | names(forward.frame),
                    tuple(related),
                    body if receiver and place.path == turn.place.path else None,
                    receiver,
                )
            )
            return

    def _evaluated_after(self, cause: Event, thing: Thing, turn: Turn) -> bool:
        """Whether ``eval()`` serves an evaluation in the loop, and is not how the author wants to train."""
        if (
            any(library.evaluates(f.flow.name) for f in _until(cause.frame, turn.frame))
            and cause.frame is not turn.frame
        ):
            return True
        for forward in self._forwards:
            if (
                forward.order > cause.order
                and forward.thing is thing
                and any(t.loop == turn.loop for t in forward.turns)
            ):
                return self._backward_of(forward) is None
        return False

    # Evaluation in train mode

    def _evaluations(self, trained: list[Event]) -> None:
        groups: dict[tuple[object, ...], list[Event]] = {}
        training = {e.order for e in trained}
        shared = {place for e in trained for place in _places(e)}
        for forward in self._forwards:
            if forward.thing is not None:
                groups.setdefault((*_places(forward), forward.thing.number), []).append(forward)
        done: set[tuple[object, ...]] = set()
        for events in groups.values():
            first = events[0]
            thing = first.thing
            if thing is None or any(e.order in training for e in events):
                continue
            live = self._always_live(events)
            if live is None or not self._is_evaluation(first, thing):
                continue
            if not self._ready(events[-1], thing, live):
                continue
            if self._explicitly(first) is not None:
                continue
            where = first.region.span if first.region is not None else None
            # A helper that trains as well is right; the call that leads there from the evaluation is not.
            place, frame = next(
                (p for p in zip(_places(first), first.frame.chain(), strict=False) if p[0] not in shared),
                (first.place, first.frame),
            )
            if place != first.place:
                where = place.span
            key = (frame.home.path, frame.flow.name, where, spelt(frame, thing) or thing.label)
            if key in done:
                continue
            done.add(key)
            partly = self._others_in_eval(first, thing, frame)
            related = [*built(thing, live)]
            if partly is not None:
                related.append(Related(partly.place.path, partly.place.span, "only this one enters evaluation"))
            insert = first.region.span if first.region is not None else None
            if insert is None and first.frame.flow.steps:
                insert = first.frame.flow.steps[0].span if first.frame.flow.name else None
            if not self._trains_again(thing) or place != first.place:
                insert = None
            receiver = spelt(frame, thing)
            self._findings.add(
                Evidence(
                    "DRP208" if partly is not None else "DRP206",
                    place.path,
                    place.span,
                    receiver or thing.label,
                    layer(live),
                    names(first.frame),
                    tuple(related),
                    insert if receiver else None,
                    receiver,
                    "" if first.grad is False else first.frame.flow.name.rpartition(".")[2],
                )
            )

    def _ready(self, forward: Event, thing: Thing, live: Thing) -> bool:
        """Trained or loaded before: what runs earlier initializes lazy layers, or tries shapes."""
        numbers = {thing.number, live.number}
        return any(
            (backward or e).order < forward.order and e.thing is not None and numbers & self._numbers(e.thing)
            for e, backward in self._readying
        )

    def _always_live(self, events: list[Event]) -> Thing | None:
        """A part that computes differently by mode and is in train mode at every pass."""
        for part, _ in events[0].live:
            states = [modes for e in events for p, modes in e.live if p is part]
            if len(states) == len(events) and all(s == TRAIN for s in states) and all(e.modes == TRAIN for e in events):
                return part
        return None

    def _is_evaluation(self, forward: Event, thing: Thing) -> bool:
        frames = list(forward.frame.chain())
        if forward.unused or (forward.smoke and thing.number not in self._trained):
            return False
        if any(f.home.is_test for f in frames) or self._generates(thing):
            return False
        if any(f.instance is not None and f.instance.module for f in frames[:1]):
            return False
        if any(f.flow.intent or _NOT_AN_EVALUATION.search(f.flow.name.rpartition(".")[2]) for f in frames):
            return False
        named = any(library.evaluates(f.flow.name) for f in frames)
        if forward.grad is False:
            if named:
                return True
            turns = [(t.loop, t.turn) for t in forward.turns]
            for backward in self._backwards:
                other = [(t.loop, t.turn) for t in backward.turns]
                if other == turns and _common(forward.frame, backward.frame) is backward.frame:
                    return False
            return True
        if forward.grad is not True or not named or thing.number not in self._trained:
            return False
        evaluating = next(f for f in frames if library.evaluates(f.flow.name))
        return not any(evaluating in b.frame.chain() for b in self._backwards)

    def _others_in_eval(self, forward: Event, thing: Thing, frame: Frame) -> Event | None:
        """Another model that the same function sets to eval."""
        own = self._numbers(thing)
        for event in self._modes:
            if (
                (
                    event.kind == "mode"
                    and event.modes == EVAL
                    and event.thing is not None
                    and event.thing.module is not False
                )
                and event.frame in set(forward.frame.chain())
                and event.thing.number not in own
            ):
                near = event.region == forward.region or (
                    event.frame is frame and event.grad is False and forward.grad is False
                )
                near = near or not any(event.frame is b.frame for b in self._backwards)
                if near and thing.number not in self._numbers(event.thing):
                    return event
        return None

    def _explicitly(self, forward: Event) -> Event | None:
        """The ``train()`` in the same function that a forward is for, and no training before it."""
        cause = forward.cause
        if cause is None or cause.kind != "mode" or cause.modes != TRAIN or cause.frame is not forward.frame:
            return None
        if any(cause.order < e.order < forward.order for e in self._backwards):
            return None
        return cause

    def _explicit(self) -> None:
        """``train()`` in a function that evaluates, and then a forward of the same model."""
        for forward in self._forwards:
            cause = self._explicitly(forward)
            thing = forward.thing
            if cause is None or thing is None or forward.smoke or forward.modes != TRAIN:
                continue
            frames = list(forward.frame.chain())
            if any(f.home.is_test for f in frames) or self._generates(thing):
                continue
            if any(f.flow.intent or _NOT_AN_EVALUATION.search(f.flow.name.rpartition(".")[2]) for f in frames[:2]):
                continue
            if forward.frame.instance is not None and forward.frame.instance.module:
                continue
            if any(forward.frame in b.frame.chain() and self._near(b, cause) for b in self._backwards):
                continue
            named = library.evaluates(forward.frame.flow.name)
            undone = self._undoes(cause, thing)
            if not named and undone is None:
                continue
            live = next((p for p, modes in forward.live if modes == TRAIN), None)
            if live is None and not any(p.live is None and (p.opaque or p.home is None) for p in below(thing)):
                continue
            if forward.grad is None or (forward.grad is True and not named):
                continue
            related = [*built(thing, live)] if live is not None else []
            related.append(Related(forward.place.path, forward.place.span, "and evaluates here"))
            self._findings.add(
                Evidence(
                    "DRP207",
                    cause.place.path,
                    cause.place.span,
                    spelt(forward.frame, thing) or thing.label,
                    layer(live) if live is not None else "",
                    names(forward.frame),
                    tuple(related),
                    extra="" if forward.grad is False else "gradients on",
                )
            )

    def _near(self, backward: Event, cause: Event) -> bool:
        """Whether a backward pass belongs to the piece of a function in which ``train()`` stands."""
        turns = {t.loop for t in cause.turns}
        if cause.region is not None:
            return backward.region == cause.region
        return turns <= {t.loop for t in backward.turns} or backward.order > cause.order

    def _undoes(self, cause: Event, thing: Thing) -> Event | None:
        """The ``eval()`` just before a ``train()`` that stands inside a region without gradient."""
        if cause.grad is not False or cause.region is None:
            return None
        before = [
            e for e in self._modes if e.frame is cause.frame and e.order < cause.order and self._touches(e, thing)
        ]
        evals = [e for e in before if e.kind == "mode" and e.modes == EVAL]
        return evals[-1] if evals and before and before[-1].modes in {EVAL, TRAIN} else None

    def _trains_again(self, thing: Thing) -> bool:
        """Nothing trains it, or a ``train()`` brings it back."""
        if thing.number not in self._trained:
            return True
        return any(e.kind == "mode" and e.modes == TRAIN and self._touches(e, thing) for e in self._modes)

    # Export

    def _traced(self, event: Event) -> None:
        if event.thing is None or event.frame.home.is_test or any(f.flow.intent for f in event.frame.chain()):
            return
        live = next((p for p, modes in event.live if modes == TRAIN), None)
        if event.label.endswith("symbolic_trace"):  # dropout modules go on obeying; a functional one is fixed
            live = next((p for p, modes in event.live if modes == TRAIN and p.home is not None), None)
        if live is None or event.modes != TRAIN:
            return
        if event.cause is not None and event.thing.number not in self._trained:
            return  # train() and then an export: the training graph is what is wanted
        self._add("DRP209", event, event.thing, live, extra=event.label)

    def _flagged(self, event: Event) -> None:
        thing, frame = event.thing, event.frame
        if thing is None or thing.module is not True or not event.live or frame.home.is_test:
            return
        if frame.instance is thing and not frame.flow.name.endswith("__init__"):
            return
        if any(e.kind == "mode" and e.frame is frame and self._touches(e, thing) for e in self._events):
            return
        self._add("DRP204", event, thing, event.live[0][0], extra=event.label)

    # Helpers

    def _add(
        self, code: str, event: Event, thing: Thing | None, live: Thing | None = None, detail: str = "", extra: str = ""
    ) -> None:
        receiver = spelt(event.frame, thing) if thing is not None else ""
        self._findings.add(
            Evidence(
                code,
                event.place.path,
                event.place.span,
                receiver or (thing.label if thing is not None else ""),
                detail or (layer(live) if live is not None else ""),
                names(event.frame),
                tuple(built(thing, live)) if thing is not None and live is not None else (),
                event.statement,
                receiver,
                extra,
            )
        )

    def _numbers(self, thing: Thing) -> set[int]:
        if thing.number not in self._below:
            self._below[thing.number] = {t.number for t in below(thing)}
        return self._below[thing.number]

    def _touches(self, event: Event, thing: Thing) -> bool:
        return event.thing is not None and (
            event.thing is thing
            or thing.number in self._numbers(event.thing)
            or event.thing.number in self._numbers(thing)
        )

    @staticmethod
    def _generates(thing: Thing) -> bool:
        names = [thing.label, thing.name.rpartition(".")[2]]
        return any(n and library.GENERATIVE.search(n) for n in names)


def _places(event: Event) -> tuple[Place, ...]:
    """Where a forward stands, and the calls that lead there, innermost first."""
    return (event.place, *(f.call for f in event.frame.chain() if f.call is not None))


def _common(one: Frame, other: Frame) -> Frame | None:
    chain = set(one.chain())
    return next((f for f in other.chain() if f in chain), None)


def _until(frame: Frame, last: Frame | None) -> Iterator[Frame]:
    for current in frame.chain():
        if current is last:
            return
        yield current
