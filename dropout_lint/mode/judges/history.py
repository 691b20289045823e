"""The events of one run, and the questions about them that several judges ask."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint import vocabulary
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.events import TRAIN, Event
from dropout_lint.mode.program.values import Frame, Place, Thing


class History:
    """What happened in a run that came to its end."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.modes = [e for e in events if e.kind in {"mode", "escape"}]
        self.backwards = [e for e in events if e.kind == "backward"]
        self.forwards = [e for e in events if e.kind == "forward"]
        self._below: dict[int, set[int]] = {}
        found = ((f, self._find_backward(f)) for f in self.forwards)
        self._backward = {f.order: backward for f, backward in found if backward is not None}
        self.training = [f for f in self.forwards if f.order in self._backward]
        """Forwards for a training step."""
        self.readying = [(f, self._backward[f.order].order) for f in self.training]
        """Forwards for a training step and loads of weights, with the order at which the model was ready for use."""
        self.readying += [(e, e.order) for e in events if e.kind == "load"]
        self._trained = {t.number for f in self.training if f.thing is not None for t in below(f.thing)}

    def backward_of(self, forward: Event) -> Event | None:
        """The backward pass that a forward is for: later, in the same iteration, in a function on its path."""
        return self._backward.get(forward.order)

    def _find_backward(self, forward: Event) -> Event | None:
        if forward.grad is False:
            return None
        turns = iteration(forward)
        for backward in self.backwards:
            if backward.order < forward.order:
                continue
            other = iteration(backward)
            shared = min(len(turns), len(other))
            if turns[:shared] != other[:shared]:
                continue
            common = common_caller(forward.frame, backward.frame)
            if common is None or (common is not forward.frame and common is not backward.frame and not turns):
                continue
            beside = common is not backward.frame and common is not forward.frame
            if beside and not (forward.frame.caller is common and backward.frame.caller is common):
                continue
            if any(vocabulary.evaluates(f.flow.name) for f in callers_until(forward.frame, common)):
                continue
            return backward
        return None

    def is_trained(self, thing: Thing) -> bool:
        """Whether some training step runs a model, or a whole that it is a part of."""
        return thing.number in self._trained

    def trains_again(self, thing: Thing) -> bool:
        """Nothing trains it, or a ``train()`` brings it back."""
        return not self.is_trained(thing) or any(
            e.kind == "mode" and e.modes == TRAIN and self.touches(e, thing) for e in self.modes
        )

    def explicit_train(self, forward: Event) -> Event | None:
        """The ``train()`` in the same function that a forward is for, and no training before it."""
        cause = forward.cause
        if cause is None or cause.kind != "mode" or cause.modes != TRAIN or cause.frame is not forward.frame:
            return None
        return None if any(cause.order < e.order < forward.order for e in self.backwards) else cause

    def numbers(self, thing: Thing) -> set[int]:
        """A module and all modules that it holds."""
        if thing.number not in self._below:
            self._below[thing.number] = {t.number for t in below(thing)}
        return self._below[thing.number]

    def touches(self, event: Event, thing: Thing) -> bool:
        """Whether an event is about a model, a part of it, or a whole that it is a part of."""
        return event.thing is not None and (
            event.thing is thing
            or thing.number in self.numbers(event.thing)
            or event.thing.number in self.numbers(thing)
        )


def iteration(event: Event) -> list[tuple[int, int]]:
    """The turns of the loops around an event."""
    return [(t.loop, t.turn) for t in event.turns]


def common_caller(one: Frame, other: Frame) -> Frame | None:
    """The innermost function that leads to both."""
    chain = set(one.chain())
    return next((f for f in other.chain() if f in chain), None)


def call_towards(event: Event, frame: Frame) -> Place | None:
    """The call in a function that led to an event in another one."""
    return next((f.call for f in event.frame.chain() if f.caller is frame), None)


def callers_until(frame: Frame, last: Frame | None) -> Iterator[Frame]:
    """A function and those that led to it, up to one that is left out."""
    for current in frame.chain():
        if current is last:
            return
        yield current
