"""DRP205: a loop that evaluates with ``eval()`` and goes on training without ``train()``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.mode import built_places, live_layer, mode_call, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_insertion import start_of_turn
from dropout_lint.checks.support.mode_purpose import generates
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Span
from dropout_lint.facts import EVAL, TRAIN, ModeRun, RunEvent, RunTurn
from dropout_lint.vocabulary import evaluates

if TYPE_CHECKING:
    from dropout_lint.facts.observations import TrainedInEvalMode


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report the call that leaves the model in eval mode for the next turn of a training loop."""
    history = history_of(run)
    for forward in history.training:
        cause, model = history.cause(forward), forward.model
        turn = _turn_in_eval(history, forward)
        if cause is None or model is None or turn is None:
            continue
        location = history.call_towards(cause, turn.frame) or cause.location
        here = unless_intended(context, run, location, cause.frame, forward.frame)
        live = _live_in_eval(forward)
        if here is None or live is None:
            continue
        name = model_name(run, turn.frame, model) or "the model"
        start = _start(here, history, turn, cause, model)
        why = "nothing in the loop calls `train()` before it trains on"
        yield here.report(
            location.span,
            f"This leaves {name} in eval mode, and {why}{live_layer(run, live)}.",
            fix=mode_call(
                start[1] if start is not None else None,
                start[0] if start is not None else "",
                "train()",
                "Call `train()` at the start of each turn of the loop",
            ),
            related=(
                *built_places(run, model, live),
                related(cause.location, "enters evaluation here"),
                related(forward.location, "trains here, in eval mode from the next turn on"),
            ),
        )


def _turn_in_eval(history: History, forward: RunEvent) -> RunTurn | None:
    """The turn in which a model trains in eval mode, since an evaluation in the turn before left it so."""
    run, model, cause = history.run, forward.model, history.cause(forward)
    backward = history.backward_of(forward)
    if model is None or cause is None or backward is None or cause.modes != EVAL:
        return None
    if not forward.modes >= EVAL or _live_in_eval(forward) is None:
        return None
    if run.function_of(forward.frame).is_test or generates(run.models[model]):
        return None
    if run.models[model].copy_of is not None:
        return None  # meta-learning trains a copy that each turn makes anew
    if not history.updates_weights(forward):
        return None
    loops = {t.loop for t in cause.turns} & {t.loop for t in backward.turns}
    later = (t for t in forward.turns if t.turn > 1 and t.loop in loops)
    return next(
        (t for t in later if _is_left(history, cause, model, t) and not _begins_in_eval(history, model, t)), None
    )


def _begins_in_eval(history: History, model: int, turn: RunTurn) -> bool:
    """Whether an ``eval()`` before the loop is in force at its first training step, so that it is meant."""
    steps = (f for f in history.training if f.model is not None and model in history.parts(f.model))
    first = next((f for f in steps if any(t.loop == turn.loop for t in f.turns)), None)
    cause = history.cause(first) if first is not None else None
    if cause is None or cause.kind != "mode" or cause.modes != EVAL:
        return False
    return not any(t.loop == turn.loop for t in cause.turns)


def _live_in_eval(forward: RunEvent) -> int | None:
    """A layer that may be in eval mode and computes differently then."""
    return next((part for part, modes in forward.live if modes >= EVAL), None)


def _is_left(history: History, cause: RunEvent, model: int, turn: RunTurn) -> bool:
    """Whether nothing in a loop sets the mode back, and ``eval()`` is for an evaluation in the loop."""
    inside = [e for e in history.modes if any(t.loop == turn.loop for t in e.turns) and history.touches(e, model)]
    alone = all(e.kind != "escape" and e.modes == EVAL for e in inside)
    return alone and _is_for_an_evaluation(history, cause, model, turn)


def _is_for_an_evaluation(history: History, cause: RunEvent, model: int, turn: RunTurn) -> bool:
    """Whether ``eval()`` is for an evaluation in the loop; else the author may want to train in eval mode."""
    if cause.grad is False or any(evaluates(f.name) for f in history.functions_until(cause.frame, turn.frame)):
        return True
    after = (f for f in history.forwards if f.order > cause.order and f.model == model)
    first = next((f for f in after if any(t.loop == turn.loop for t in f.turns)), None)
    return first is not None and history.backward_of(first) is None


def _start(here: Context, history: History, turn: RunTurn, cause: RunEvent, model: int) -> tuple[str, Span] | None:
    """The model and the first statement of the loop, where ``train()`` before it sets the mode for the training alone.

    It does not if the turn itself calls ``eval()`` before it trains, or evaluates before it calls ``eval()``.
    """
    evaluated = (f for f in history.forwards if f.grad is False and history.touches(f, model) and f.modes >= TRAIN)
    if turn in cause.turns or any(t.loop == turn.loop for f in evaluated for t in f.turns):
        return None
    return start_of_turn(here, history.run, turn, model)


def check_step(seen: TrainedInEvalMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report an optimizer step on a model in eval mode that was trained in train mode before."""
    yield context.report(seen, "The model was trained, then put in eval mode, and is trained on in it")
