"""The events of a run, indexed for the checks: which forwards train, and which mode calls set the mode of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache

from dropout_lint.facts import TRAIN, Location, ModeRun, RunEvent, RunFunction
from dropout_lint.vocabulary import evaluates


class History:
    """The events of a run by kind, and the backward pass of each forward."""

    def __init__(self, run: ModeRun) -> None:
        self.run = run
        self.modes = [e for e in run.events if e.kind in {"mode", "escape"}]
        self.backwards = [e for e in run.events if e.kind == "backward"]
        self.forwards = [e for e in run.events if e.kind == "forward"]
        self.chain: Callable[[int], tuple[int, ...]] = cache(lambda frame: tuple(run.chain(frame)))
        """A frame and those that called it, innermost first."""
        self.parts: Callable[[int], frozenset[int]] = cache(lambda model: frozenset(run.below(model)))
        """A model and all that it holds."""
        found = ((f, self._find_backward(f)) for f in self.forwards)
        self._backward = {f.order: backward for f, backward in found if backward is not None}
        self.training = [f for f in self.forwards if f.order in self._backward]
        """Forwards for a training step."""
        self._trained = {part for f in self.training if f.model is not None for part in self.parts(f.model)}

    def originals(self, model: int) -> Iterator[int]:
        """A model, and those that it is a copy of: an average of weights is made of what another model has learnt."""
        current: int | None = model
        while current is not None:
            yield current
            current = self.run.models[current].copy_of

    def functions(self, frame: int) -> Iterator[RunFunction]:
        """The functions on the path to a frame, innermost first."""
        return map(self.run.function_of, self.chain(frame))

    def readying(self) -> Iterator[tuple[RunEvent, int]]:
        """Training steps and loads of weights, each with the order at which the model was ready for use."""
        yield from ((f, self._backward[f.order].order) for f in self.training)
        yield from ((e, e.order) for e in self.run.events if e.kind == "load")

    def backward_of(self, forward: RunEvent) -> RunEvent | None:
        """The backward pass that a forward is for: later, in the same iteration, in a function on its path."""
        return self._backward.get(forward.order)

    def _find_backward(self, forward: RunEvent) -> RunEvent | None:
        if forward.grad is False:
            return None
        return next((b for b in self.backwards if b.order > forward.order and self._is_for(forward, b)), None)

    def updates_weights(self, forward: RunEvent) -> bool:
        """Whether a call of ``step()`` follows the backward pass of a forward. An attack on inputs has none."""
        backward = self.backward_of(forward)
        return backward is not None and any(
            e.kind == "step" and e.order > backward.order and self._is_together(backward, e) for e in self.run.events
        )

    def feeds_step(self, forward: RunEvent) -> bool:
        """Whether a forward without gradients is in the turn of a loop that goes on with a backward pass.

        So a teacher gives the targets of a training step.
        """
        turns = iteration(forward)
        return bool(turns) and any(
            b.order > forward.order and iteration(b)[: len(turns)] == turns and self._is_for(forward, b)
            for b in self.backwards
        )

    def _is_for(self, forward: RunEvent, backward: RunEvent) -> bool:
        common = self.common_caller(forward.frame, backward.frame)
        if common is None or not self._is_together(forward, backward):
            return False
        return not any(evaluates(f.name) for f in self.functions_until(forward.frame, common))

    def _is_together(self, event: RunEvent, later: RunEvent) -> bool:
        """Whether two events belong to one turn of the loops around them, and one function leads to both."""
        turns, other = iteration(event), iteration(later)
        shared = min(len(turns), len(other))
        common = self.common_caller(event.frame, later.frame)
        if turns[:shared] != other[:shared] or common is None:
            return False
        callers = {self.run.frames[event.frame].caller, self.run.frames[later.frame].caller}
        return common in (event.frame, later.frame) or (bool(turns) and callers == {common})

    def is_trained(self, model: int) -> bool:
        """Whether a training step runs the model, or one that holds it."""
        return model in self._trained

    def trains_again(self, model: int) -> bool:
        """Whether nothing trains a model, or a ``train()`` puts it back into train mode."""
        return not self.is_trained(model) or any(
            e.kind == "mode" and e.modes == TRAIN and self.touches(e, model) for e in self.modes
        )

    def explicit_train(self, forward: RunEvent) -> RunEvent | None:
        """The ``train()`` in the same function that set the mode of a forward, with no training in between."""
        cause = self.cause(forward)
        if cause is None or cause.kind != "mode" or cause.modes != TRAIN or cause.frame != forward.frame:
            return None
        return None if any(cause.order < e.order < forward.order for e in self.backwards) else cause

    def cause(self, event: RunEvent) -> RunEvent | None:
        """The event that set the mode of a model."""
        return self.run.events[event.cause] if event.cause is not None else None

    def touches(self, event: RunEvent, model: int) -> bool:
        """Whether the model of an event is this model, a part of it, or one that holds it."""
        return event.model is not None and (model in self.parts(event.model) or event.model in self.parts(model))

    def common_caller(self, one: int, other: int) -> int | None:
        """The innermost frame on the call stacks of both."""
        chain = self.chain(one)
        return next((frame for frame in self.chain(other) if frame in chain), None)

    def call_towards(self, event: RunEvent, frame: int) -> Location | None:
        """The call in a frame that leads to an event in another one."""
        frames = self.run.frames
        return next((frames[f].call for f in self.chain(event.frame) if frames[f].caller == frame), None)

    def functions_until(self, frame: int, last: int) -> Iterator[RunFunction]:
        """The functions on the path to a frame, up to one that is left out."""
        for one in self.chain(frame):
            if one == last:
                return
            yield self.run.function_of(one)

    def in_test(self, frame: int) -> bool:
        """Whether a file of tests leads to a frame."""
        return any(f.is_test for f in self.functions(frame))

    def in_module(self, frame: int) -> bool:
        """Whether a frame is a call of a method of a module."""
        instance = self.run.instance_of(frame)
        return instance is not None and bool(instance.module)


@lru_cache(maxsize=1)
def history_of(run: ModeRun) -> History:
    """The history of a run, made once for all checks of it."""
    return History(run)


def iteration(event: RunEvent) -> list[tuple[int, int]]:
    """The turns of the loops around an event."""
    return [(t.loop, t.turn) for t in event.turns]
