"""Models whose weights never change, and that run in train mode while others are trained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint.checks.support.mode_history import History
from dropout_lint.checks.support.mode_purpose import generates
from dropout_lint.facts import EVAL, TRAIN, Location, RunEvent, RunModel

WITH_WEIGHTS = re.compile(r"^torch\.nn\..*(?:[Ll]inear|Conv\w*|Embedding\w*|LSTM|GRU|RNN|Attention|Transformer\w*)$")
"""Layers that can be trained."""
_LIBRARIES = re.compile(r"^(?:transformers|timm|torchvision\.models|torch_geometric\.nn)\.")
_TEACHER = re.compile(r"teacher", re.IGNORECASE)
"""A name that GENERATIVE matches too, since a teacher may be an average of its student; one that is frozen is not."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A model with fixed weights in train mode."""

    freeze: RunEvent
    """The event that fixes the weights."""
    location: Location
    """Where to report: the event, or the call of the helper that contains it."""
    frame: int
    """The frame of ``location``."""
    model: int
    live: int | None
    """A layer in it that differs between the modes; None if nothing is known about the model."""
    forward: RunEvent | None
    """The pass for a training step, of the model or of one that holds it; None if the run does not train."""


def frozen_in_train_mode(history: History) -> Iterator[Frozen]:
    """The models that the program freezes and that every training step of the run has in train mode.

    Of a module that no step of the run trains: the parts that a ``train()`` of the whole is going to reach.
    """
    seen: set[int] = set()
    for event in sorted(history.run.events, key=lambda e: e.kind != "freeze"):
        model = event.model
        if model is None or model in seen or not _fixes_weights(history, event, model):
            continue
        if _changes(history, model, event):
            continue
        seen.add(model)
        steps = _steps(history, model)
        later = [f for f in steps if f.order > event.order]
        if _sets_layers_to_eval(history, model, later):
            continue
        live = _always_live(history, model, later)
        if live is not None and not history.in_test(later[0].frame):
            yield Frozen(event, *_place(history, event, model), model, live, later[0])
        elif event.kind == "freeze" and (not steps or (_is_woken(history, later) and _is_given(history, event, model))):
            yield from _expected(history, event, model)


def _fixes_weights(history: History, event: RunEvent, model: int) -> bool:
    """Whether the weights of a model are fixed from an event on.

    It freezes them; or it loads them, or calls ``eval()``, for a part that its module runs without gradients only.
    """
    if event.kind == "freeze":
        return True
    loads = event.kind == "load" or (event.kind == "mode" and event.modes == EVAL and _in_constructor(history, event))
    return loads and runs_without_gradients(history, model)


def _in_constructor(history: History, event: RunEvent) -> bool:
    return history.run.function_of(event.frame).name.endswith("__init__")


def runs_without_gradients(history: History, model: int) -> bool:
    """Whether a model is a part that the methods of its module use under ``no_grad()`` alone."""
    holders = [one for one in history.run.models if (model in dict(one.attributes).values())]
    if not holders or any(f.model == model for f in history.training):
        return False
    return all(
        one.owner is not None and name in one.owner.without_gradients
        for one in holders
        for name, part in one.attributes
        if part == model
    )


def _place(history: History, event: RunEvent, model: int) -> tuple[Location, int]:
    """Where a model is frozen: a helper such as ``freeze(model)`` is left for its caller."""
    run = history.run
    location, frame = event.location, event.frame
    while not run.function_of(frame).name.endswith("__init__"):
        caller, call = run.frames[frame].caller, run.frames[frame].call
        if caller is None or call is None or not run.spelling(caller, model) or run.frames[frame].instance == model:
            break
        location, frame = call, caller
    return location, frame


def _changes(history: History, model: int, freeze: RunEvent) -> bool:
    """Whether something trains the weights after all: it switches gradients on, averages weights, or copies them.

    A layer of batch norm that is frozen alone has no weights to train, and its averages may be meant to move. So may be
    the noise of a generator.
    """
    known = history.run.models[model]
    if "BatchNorm" in known.name or (generates(known) and not _TEACHER.search(known.label)):
        return True
    holders = (one for one in history.run.models if model in one.parts)
    return any(one.owner is not None and one.owner.blends for one in holders) or any(
        history.touches(event, model) if event.model is not None else _is_beside(history, event, freeze)
        for event in history.run.events
        if event.kind in {"thaw", "adapt"} or (event.kind == "load" and event.turns)
    )


def _sets_layers_to_eval(history: History, model: int, steps: list[RunEvent]) -> bool:
    """Whether a loop over layers of a model calls ``eval()`` on those of some kind: the author decides for each.

    A ``train()`` before the training step undoes it.
    """
    models = history.run.models
    cause = history.cause(steps[0]) if steps else None
    for event in history.run.events[cause.order if cause is not None else 0 :]:
        if event.kind != "mode" or event.modes != EVAL or event.model is None:
            continue
        whole = models[event.model].part_of
        if whole is not None and (model in history.parts(whole) or whole in history.parts(model)):
            return True
    return False


def _is_beside(history: History, event: RunEvent, other: RunEvent) -> bool:
    """Whether two events happen in one function, or in methods of one object."""
    frames = history.run.frames
    instance = frames[event.frame].instance
    return event.frame == other.frame or (instance is not None and instance == frames[other.frame].instance)


def _steps(history: History, model: int) -> list[RunEvent]:
    """The passes for training steps in which a model takes part: it gives features or targets."""
    own = [f for f in history.forwards if f.model is not None and model in history.parts(f.model)]
    return [f for f in own if history.updates_weights(f) or (f.grad is False and history.feeds_step(f))]


def _always_live(history: History, model: int, steps: list[RunEvent]) -> int | None:
    """A layer of a model that differs between the modes and is in train mode at every training step."""
    if not steps:
        return None
    modes = [dict(f.live) for f in steps]
    return next((p for p in history.parts(model) if all(m.get(p) == TRAIN for m in modes)), None)


# A module that the run does not train, or a part of an unknown class


def _expected(history: History, event: RunEvent, model: int) -> Iterator[Frozen]:
    """A part that the constructor of a module freezes, beside others that are to be trained."""
    run = history.run
    whole = run.frames[event.frame].instance
    owner = run.models[whole].owner if whole is not None else None
    if whole is None or owner is None or run.function_of(event.frame).is_test:
        return
    name = next((name for name, part in run.models[whole].attributes if part == model), "")
    woken = owner.sees_bases or (bool(owner.framework) and event.modes == TRAIN)
    if name not in owner.used or owner.sets_mode or owner.thaws or not woken:
        return
    if _is_set_to_eval(history, whole, model) or not _trains_another_part(history, whole, model):
        return
    live = next((p for p in run.below(model) if run.models[p].live), None)
    if live is not None or _is_given(history, event, model):
        yield Frozen(event, event.location, event.frame, model, live, None)


def _is_given(history: History, event: RunEvent, model: int) -> bool:
    """Whether nothing is known about a part because the caller of the constructor passes it, such as ``teacher``.

    A network that is worth freezing is trained, and nearly all such have dropout or batch norm.
    """
    known = history.run.models[model]
    return not known.name and not known.in_project and history.run.spelling(event.frame, model) == known.label


def _is_woken(history: History, steps: list[RunEvent]) -> bool:
    """Whether a ``train()`` on the whole comes before each training step: it reaches parts of unknown classes."""
    causes = [history.cause(step) for step in steps]
    return bool(steps) and all(cause is not None and cause.kind == "mode" and cause.modes == TRAIN for cause in causes)


def _is_set_to_eval(history: History, whole: int, model: int) -> bool:
    """Whether something calls ``eval()`` on the part alone, or uses the whole without ``train()``."""
    events = [e for e in history.run.events if e.model is not None and history.touches(e, whole)]
    calls = [e for e in events if e.kind == "mode" and e.model is not None and whole in history.parts(e.model)]
    if any(e.kind == "mode" and e.modes == EVAL and e not in calls and history.touches(e, model) for e in events):
        return True
    used = any(e.kind == "forward" and e.model is not None and whole in history.parts(e.model) for e in events)
    return not any(e.modes == TRAIN for e in calls) if calls else used


def _has_weights(model: RunModel) -> bool:
    """Whether a layer or model has weights that can be trained; one that the caller passes is taken for one."""
    unknown = model.module is None and not model.name and not model.in_project
    return unknown or WITH_WEIGHTS.match(model.name) is not None or _LIBRARIES.match(model.name) is not None


def _trains_another_part(history: History, whole: int, frozen: int) -> bool:
    """Whether ``forward`` also uses a part with weights that nothing freezes."""
    run = history.run
    owner = run.models[whole].owner
    still = {e.model for e in run.events if e.kind == "freeze"}
    return owner is not None and any(
        name in owner.used
        and part != frozen
        and part not in still
        and any(_has_weights(run.models[p]) for p in history.parts(part))
        for name, part in run.models[whole].attributes
    )
