"""DRP207: ``train()`` in a function that evaluates."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import built_places, live_layer, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_purpose import generates, serves_otherwise, wants_losses
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import EVAL, TRAIN, ModeRun, RunEvent
from dropout_lint.vocabulary import evaluates


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report ``train()`` where a forward for evaluation follows."""
    yield from _in_both_branches(run, context)
    history = history_of(run)
    for forward in history.forwards:
        cause, model = history.explicit_train(forward), forward.model
        if cause is None or model is None or not _evaluates(history, forward, cause, model):
            continue
        live = next((part for part, modes in forward.live if modes == TRAIN), None)
        if live is None and (_is_known(history, model) or wants_losses(forward)):
            continue
        here = unless_intended(context, run, cause.location, forward.frame)
        if here is None:
            continue
        name = model_name(run, forward.frame, model) or "``"
        yield here.report(
            cause.location.span,
            f"{name} is put into train mode for an evaluation{live_layer(run, live)}.",
            fix=advice("Call `eval()` here, and `train()` before the training that follows"),
            related=(
                *(built_places(run, model, live) if live is not None else ()),
                related(forward.location, "and evaluates here"),
            ),
        )


def _in_both_branches(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report ``if training: model.train()`` with an ``else`` that calls ``train()`` too."""
    for event in run.events:
        function = run.function_of(event.frame)
        again = event.kind == "mode" and event.modes == TRAIN and event.location.span in function.repeated
        here = unless_intended(context, run, event.location, event.frame) if again and not function.is_test else None
        if here is None or event.model is None or generates(run.models[event.model]):
            continue
        name = model_name(run, event.frame, event.model) or "The model"
        yield here.report(
            event.location.span,
            f"{name} is put into train mode in both branches, so nothing puts it into eval mode.",
            fix=advice("Call `eval()` in the branch that does not train"),
        )


def _is_known(history: History, model: int) -> bool:
    """Whether nothing in the model is unknown: each part is known to be live or not, or its class is in the project."""
    models = history.run.models
    return all(models[part].live is not None or models[part].in_project for part in history.parts(model))


def _evaluates(history: History, forward: RunEvent, cause: RunEvent, model: int) -> bool:
    """Whether the function evaluates, by its name or by the ``eval()`` that ``train()`` undoes."""
    if _is_excused(history, forward, model) or _trains_nearby(history, forward, cause):
        return False
    if evaluates(history.run.function_of(forward.frame).name):
        return forward.grad is not None
    return forward.grad is False and _undoes_eval(history, cause, model)


def _is_excused(history: History, forward: RunEvent, model: int) -> bool:
    """``model(torch.randn(1, 3))``, ``generator(z)``, a pass in a test, in ``warm_up_bn`` or in a module."""
    if forward.random_input or forward.modes != TRAIN or generates(history.run.models[model]):
        return True
    nearest = list(history.functions(forward.frame))[:2]
    return history.in_test(forward.frame) or serves_otherwise(nearest) or history.in_module(forward.frame)


def _trains_nearby(history: History, forward: RunEvent, cause: RunEvent) -> bool:
    """Whether a backward pass comes after ``train()``, or in the same loop or region."""
    return any(forward.frame in history.chain(b.frame) and _is_near(b, cause) for b in history.backwards)


def _is_near(backward: RunEvent, cause: RunEvent) -> bool:
    if cause.region is not None:
        return backward.region == cause.region
    return {t.loop for t in cause.turns} <= {t.loop for t in backward.turns} or backward.order > cause.order


def _undoes_eval(history: History, cause: RunEvent, model: int) -> bool:
    """Whether ``eval()`` comes before a ``train()`` that is inside a region without gradients."""
    if cause.grad is not False or cause.region is None:
        return False
    before = [
        e for e in history.modes if e.frame == cause.frame and e.order < cause.order and history.touches(e, model)
    ]
    return any(e.kind == "mode" and e.modes == EVAL for e in before) and before[-1].modes in {EVAL, TRAIN}
