"""Parts that a constructor or a ``freeze()`` puts into eval mode, and that a ``train()`` of the whole puts back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dropout_lint.checks.support.frozen_parts import WITH_WEIGHTS, Frozen, frozen_in_train_mode
from dropout_lint.checks.support.mode_history import History
from dropout_lint.facts import EVAL, TRAIN, ModeRun, OwnerClass, RunEvent
from dropout_lint.vocabulary import FREEZES


@dataclass(frozen=True, slots=True)
class Undone:
    """A part whose ``eval()`` does not last."""

    call: RunEvent
    """The ``eval()``."""
    whole: int
    name: str
    """The attribute of the whole that holds the part."""
    part: int
    live: int
    """A layer in it that differs between the modes."""
    built: bool
    """The constructor makes the call, not a ``freeze()``."""
    proof: RunEvent | None = None
    """A pass for a training step with the part in train mode; None where the class alone tells."""
    trained: bool = False
    """The run calls ``train()`` on the whole."""


@lru_cache(maxsize=1)
def undone_parts(history: History) -> tuple[Undone, ...]:
    """The parts that the run shows in train mode at each training step, and those that a ``train()`` will reach."""
    found: dict[tuple[int, int], Undone] = {}
    for frozen in frozen_in_train_mode(history):
        for one in _proven(history, frozen):
            found.setdefault((one.whole, one.part), one)
    for one in _expected(history):
        found.setdefault((one.whole, one.part), one)
    return tuple(found.values())


def _proven(history: History, frozen: Frozen) -> Iterator[Undone]:
    """A part with fixed weights, as the training steps see it: the last mode call of a set-up is undone."""
    run, step = history.run, frozen.forward
    if step is None or frozen.live is None:
        return
    for (whole, built), events in _set_up(run).items():
        names = [name for name, part in run.models[whole].attributes if part == frozen.model]
        calls = [e for e in events if frozen.model in _holders(run, e) and e.order < step.order]
        calls = [e for e in calls if _may_be(run, frozen.live, frozen.model, e)]
        if names and calls and calls[-1].modes == EVAL:
            yield Undone(calls[-1], whole, names[0], frozen.model, frozen.live, built, step, trained=True)


def _expected(history: History) -> Iterator[Undone]:
    """The parts of a class that uses them beside others that are trained."""
    run = history.run
    for (whole, built), events in _set_up(run).items():
        owner, function = run.models[whole].owner, run.function_of(events[0].frame)
        if owner is None or function.is_test or not _is_undone(history, whole, owner, events, built):
            continue
        if not _trains_another_part(history, whole, owner, events):
            continue
        trained = any(e.kind == "mode" and e.modes == TRAIN and _is_on_whole(history, e, whole) for e in run.events)
        attributes = dict(run.models[whole].attributes)
        for name, (event, live) in _frozen_parts(history, whole, owner, events).items():
            yield Undone(event, whole, name, attributes[name], live, built, None, trained)


def _set_up(run: ModeRun) -> dict[tuple[int, bool], list[RunEvent]]:
    """The mode calls that set a module up, by the module: those of its constructor, and those of its ``freeze()``."""
    found: dict[tuple[int, bool], list[RunEvent]] = {}
    for event in run.events:
        whole = run.frames[event.frame].instance
        model = run.models[whole] if whole is not None else None
        if event.kind != "mode" or whole is None or model is None or not model.module:
            continue
        name = run.function_of(event.frame).name
        if name == f"{model.name}.__init__" or FREEZES.search(name.rpartition(".")[2]):
            found.setdefault((whole, name.endswith("__init__")), []).append(event)
    return found


# Whether a train() reaches the parts


def _is_undone(history: History, whole: int, owner: OwnerClass, events: list[RunEvent], built: bool) -> bool:
    """Whether a ``train()`` on the whole undoes the ``eval()`` on its parts.

    It does not if the class sets modes in a method, or if code outside of it calls ``eval()`` on a part. Otherwise the
    mode calls on the whole decide. Where there are none, a ``train()`` is expected unless the whole is run without it.
    """
    if owner.sets_mode or not owner.sees_bases:
        return False
    run = history.run
    outside = [e for e in run.events if e.model is not None and run.frames[e.frame].instance != whole]
    if _sets_part_to_eval(history, whole, outside):
        return False
    if not built or owner.freezes:
        return _trains_without_a_part(history, whole, outside, events[-1])
    calls = [e for e in outside if e.kind == "mode" and _is_on_whole(history, e, whole)]
    if calls:
        return any(e.modes == TRAIN for e in calls)
    return not any(e.kind == "forward" and _is_on_whole(history, e, whole) for e in outside)


def _trains_without_a_part(history: History, whole: int, outside: list[RunEvent], frozen: RunEvent) -> bool:
    """Whether ``train()`` on the whole comes after ``freeze()``, and no other ``freeze()`` before the training."""
    run = history.run
    trains = [e for e in outside if e.kind == "mode" and e.modes == TRAIN and e.order > frozen.order]
    first = next((e.order for e in trains if _is_on_whole(history, e, whole)), None)
    inside = (e for e in run.events if e.kind == "mode" and run.frames[e.frame].instance == whole)
    again = first is not None and any(e.order > first and e.modes == EVAL for e in inside)
    return first is not None and not again and history.is_trained(whole)


def _is_on_whole(history: History, event: RunEvent, whole: int) -> bool:
    """Whether an event, such as ``model.train()`` or ``model(x)``, is on the whole or on a model that holds it."""
    return event.model is not None and whole in history.parts(event.model)


def _sets_part_to_eval(history: History, whole: int, outside: list[RunEvent]) -> bool:
    """Whether an event sets a part to eval mode, as ``model.backbone.eval()`` does."""
    parts = history.parts(whole) - {whole}
    return any(e.kind == "mode" and e.modes == EVAL and e.model in parts for e in outside)


# Which parts the constructor freezes


def _frozen_parts(
    history: History, whole: int, owner: OwnerClass, events: list[RunEvent]
) -> dict[str, tuple[RunEvent, int]]:
    """The attributes that ``forward`` uses and that the constructor leaves in eval mode.

    Each comes with its ``eval()`` and with a layer in it that computes differently by mode.
    """
    run = history.run
    last = {part: e for e in events for part in _holders(run, e)}
    found: dict[str, tuple[RunEvent, int]] = {}
    for name, part in run.models[whole].attributes:
        event = last.get(part)
        if event is None or event.modes != EVAL or name not in owner.used or _is_probed(run, event):
            continue
        live = next((p for p in run.below(part) if run.models[p].live and _may_be(run, p, part, event)), None)
        if live is not None:
            found[name] = event, live
    return found


def _holders(run: ModeRun, event: RunEvent) -> Iterator[int]:
    """The model of an event, and those that it is an unknown part of."""
    current = event.model
    while current is not None:
        yield current
        current = run.models[current].part_of


def _may_be(run: ModeRun, live: int, part: int, event: RunEvent) -> bool:
    """Whether an event reaches a layer of a part: a loop over ``modules()`` is mostly about the batch norms in it."""
    return event.model == part or "BatchNorm" in run.models[live].name


def _is_probed(run: ModeRun, event: RunEvent) -> bool:
    """Whether the constructor runs the part after its ``eval()``, as in ``self.backbone(x).shape``."""
    return any(
        e.kind == "forward" and e.order > event.order and e.frame == event.frame and e.model == event.model
        for e in run.events
    )


def _trains_another_part(history: History, whole: int, owner: OwnerClass, events: list[RunEvent]) -> bool:
    """Whether ``forward`` also uses a part with weights whose mode the constructor leaves alone."""
    run, set_here = history.run, {e.model for e in events}
    return any(
        name in owner.used
        and part not in set_here
        and any(WITH_WEIGHTS.match(run.models[p].name) for p in history.parts(part))
        for name, part in run.models[whole].attributes
    )
