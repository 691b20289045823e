"""Evaluations of a model in train mode: ``model(x)`` under ``no_grad()`` after training, without ``eval()``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dropout_lint.checks.support.mode import built_places, model_name, related
from dropout_lint.checks.support.mode_history import History, history_of, iteration
from dropout_lint.checks.support.mode_purpose import generates, serves_otherwise
from dropout_lint.diagnostic import Related
from dropout_lint.facts import EVAL, TRAIN, Location, ModeRun, RunEvent
from dropout_lint.vocabulary import evaluates


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The forwards of one model at one place, if all of them run in train mode."""

    first: RunEvent
    model: int
    live: int
    """The layer that proves that the mode matters."""
    location: Location
    """Where to report: the forward, or, if a helper that trains as well contains it, the call of that helper."""
    frame: int
    """The frame of ``location``."""
    other: RunEvent | None
    """The ``eval()`` of another model in the same evaluation."""
    undone: RunEvent | None
    """The ``train()`` that undoes an ``eval()`` before the evaluation."""


@lru_cache(maxsize=1)
def evaluations_in_train_mode(run: ModeRun) -> tuple[Evaluation, ...]:
    """Evaluations in train mode of models that were trained or loaded before.

    They are left out if ``train()`` is called in the same function: DRP207 reports those.
    """
    history = history_of(run)
    training = {e.order for e in history.training}
    shared = {place for e in history.training for place in _path(run, e)}
    found: dict[tuple[object, ...], Evaluation] = {}
    for events in _passes(history):
        first, model = events[0], events[0].model
        if model is None or any(e.order in training for e in events):
            continue
        live = _always_live(events)
        if live is None or not _is_evaluation(history, first, model) or not _is_ready(history, events[-1], model, live):
            continue
        if history.explicit_train(first) is not None:
            continue
        path = zip(_path(run, first), history.chain(first.frame), strict=False)
        location, frame = next((p for p in path if p[0] not in shared), (first.location, first.frame))
        where = location if location != first.location else first.region
        function = run.function_of(frame)
        key = (function.path, function.name, where, model_name(run, frame, model))
        if key not in found:
            other = _other_in_eval(history, first, model, frame)
            found[key] = Evaluation(first, model, live, location, frame, other, _undone(history, first, model))
    return tuple(found.values())


def evidence(run: ModeRun, found: Evaluation) -> Iterator[Related]:
    """Related places that prove an evaluation in train mode."""
    yield from built_places(run, found.model, found.live)
    if found.other is not None:
        yield related(found.other.location, "only this one enters evaluation")
    if found.undone is not None:
        yield related(found.undone.location, "puts it back into train mode here")


def _passes(history: History) -> Iterator[list[RunEvent]]:
    """Forwards in groups: of one model, through one path of calls, in one phase of an epoch."""
    groups: dict[tuple[object, ...], list[RunEvent]] = {}
    for forward in history.forwards:
        if forward.model is not None:
            key = (*_path(history.run, forward), *phases(forward), forward.model)
            groups.setdefault(key, []).append(forward)
    yield from groups.values()


def _path(run: ModeRun, event: RunEvent) -> tuple[Location, ...]:
    """The place of a forward, and the calls that lead there, innermost first."""
    calls = (run.frames[frame].call for frame in run.chain(event.frame))
    return (event.location, *(call for call in calls if call is not None))


def phases(forward: RunEvent) -> tuple[str, ...]:
    """The words of the turns around a forward, as in ``for phase in ["train", "val"]``."""
    return tuple(t.word for t in forward.turns if t.word)


def _always_live(events: Sequence[RunEvent]) -> int | None:
    """A layer whose computation differs between the modes and that is in train mode at every pass."""
    if any(e.modes != TRAIN for e in events):
        return None
    modes = [dict(e.live) for e in events]
    return next((part for part, _ in events[0].live if all(m.get(part) == TRAIN for m in modes)), None)


def _is_ready(history: History, forward: RunEvent, model: int, live: int) -> bool:
    """Whether the model was trained or loaded before. Passes before that initialize lazy layers, or try shapes."""
    ready = {*history.originals(model), *history.originals(live)}
    return any(
        end < forward.order and e.model is not None and not history.parts(e.model).isdisjoint(ready)
        for e, end in history.readying()
    )


# Whether a forward is an evaluation


def _is_evaluation(history: History, forward: RunEvent, model: int) -> bool:
    excused = any(excuse(history, forward, model) for excuse in _EXCUSES)
    return not excused and any(sign(history, forward, model) for sign in _SIGNS)


def _is_warm_up(_history: History, forward: RunEvent, _model: int) -> bool:
    """``model(x)`` as a statement, which moves statistics or fills caches."""
    return forward.unused


def _is_smoke_test(history: History, forward: RunEvent, model: int) -> bool:
    """``model(torch.randn(1, 3))`` of a model that nothing trains."""
    return forward.random_input and not history.is_trained(model)


def _is_in_test(history: History, forward: RunEvent, _model: int) -> bool:
    """A pass in ``test_model.py``."""
    return history.in_test(forward.frame)


def _is_in_module(history: History, forward: RunEvent, _model: int) -> bool:
    """``self.encoder(x)`` in a method of a module: its caller sets the mode."""
    return history.in_module(forward.frame)


def _is_meant(history: History, forward: RunEvent, model: int) -> bool:
    """``generator(z)``, or a pass in ``warm_up_bn``."""
    return generates(history.run.models[model]) or serves_otherwise(history.functions(forward.frame))


_EXCUSES = (_is_warm_up, _is_smoke_test, _is_in_test, _is_in_module, _is_meant)


def _is_in_phase_that_evaluates(history: History, forward: RunEvent, model: int) -> bool:
    """``for phase in ["train", "val"]: ... model(x)``, in the second turn."""
    named = forward.grad is not None and any(map(evaluates, phases(forward)))
    return named and history.is_trained(model)


def _is_without_gradients(history: History, forward: RunEvent, model: int) -> bool:
    """``with torch.no_grad(): model(x)``, unless a training step uses the result."""
    if forward.grad is not False:
        return False
    named = _evaluating(history, forward) is not None
    return named or not any(_feeds(history, forward, model, b) for b in history.backwards)


def _is_in_function_that_evaluates(history: History, forward: RunEvent, model: int) -> bool:
    """``def validate(model): ... model(x)``, with gradients that nothing asks for."""
    frame = _evaluating(history, forward)
    if forward.grad is not True or frame is None:
        return False
    if history.is_trained(model):
        return not any(frame in history.chain(b.frame) for b in history.backwards)
    return not history.backwards and any(e.kind == "load" and e.model == model for e in history.run.events)


_SIGNS = (_is_in_phase_that_evaluates, _is_without_gradients, _is_in_function_that_evaluates)


def _evaluating(history: History, forward: RunEvent) -> int | None:
    """The innermost frame of a function that is named as one that evaluates."""
    frames = history.chain(forward.frame)
    return next((f for f in frames if evaluates(history.run.function_of(f).name)), None)


def _feeds(history: History, forward: RunEvent, model: int, backward: RunEvent) -> bool:
    """Whether a pass is for a training step: of the same turn, or of another model in a loop inside of the turn."""
    turns = iteration(forward)
    if history.common_caller(forward.frame, backward.frame) != backward.frame:
        return False
    if iteration(backward) == turns:
        return True
    if not turns or backward.order < forward.order or iteration(backward)[: len(turns)] != turns:
        return False
    trained = [f for f in history.training if history.backward_of(f) is backward]
    return bool(trained) and not any(history.touches(f, model) for f in trained)


# What else the evaluation does


def _undone(history: History, forward: RunEvent, model: int) -> RunEvent | None:
    """The ``train()`` between an ``eval()`` and the evaluation that it was meant for."""
    cause = history.cause(forward)
    if cause is None or cause.modes != TRAIN or forward.frame not in history.chain(cause.frame):
        return None
    before = (e for e in history.modes if e.modes == EVAL and e.order < cause.order and e.frame == forward.frame)
    return cause if any(history.touches(e, model) for e in before) else None


def _other_in_eval(history: History, forward: RunEvent, model: int, frame: int) -> RunEvent | None:
    """The ``eval()`` of another model in the same evaluation."""
    chain = history.chain(forward.frame)
    return next(
        (
            e
            for e in history.modes
            if e.kind == "mode" and e.modes == EVAL and e.frame in chain
            if e.model is not None and _is_other_model(history, e.model, model)
            if _is_near(history, e, forward, frame)
        ),
        None,
    )


def _is_other_model(history: History, other: int, model: int) -> bool:
    """Whether two models are apart, and the first is none that computes the same in both modes, such as a loss."""
    models = history.run.models
    if models[other].module is False or other in history.parts(model) or model in history.parts(other):
        return False
    return any(models[part].live is not False for part in history.parts(other))


def _is_near(history: History, event: RunEvent, forward: RunEvent, frame: int) -> bool:
    """Whether a mode call belongs to the evaluation that a forward is a part of."""
    if event.region == forward.region or (event.frame == frame and event.grad is False and forward.grad is False):
        return True
    return not any(event.frame == b.frame for b in history.backwards)
