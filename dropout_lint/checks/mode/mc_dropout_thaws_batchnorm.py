"""DRP214: Monte Carlo dropout by ``train()`` on a model with batch norm."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.mode import is_intended, model_name, related
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import TRAIN, Location, ModeRun, RunEvent


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report ``train()`` before samples of Monte Carlo dropout.

    A forward is a sample if a loop repeats it on the same input, or if a name or a pragma says so.
    """
    history = history_of(run)
    seen: set[Location] = set()
    for forward in history.forwards:
        cause, model, norm = history.cause(forward), forward.model, _thawed_norm(history, forward)
        if cause is None or model is None or norm is None or cause.location in seen:
            continue
        seen.add(cause.location)  # the first forward decides
        here = context.file(cause.location.path)
        if here is None:
            continue
        are_samples = forward.repeated or run.function_of(forward.frame).intent
        if not are_samples and not is_intended(here, run, cause.location, forward.frame):
            continue
        name = model_name(run, cause.frame, model) or "the model"
        layer, place = run.models[norm].class_name, run.models[norm].built
        yield here.report(
            cause.location.span,
            f"This puts the `{layer}` of {name} into train mode too: samples depend on their batch, and each"
            " pass moves the running averages.",
            fix=advice("Call `eval()`, and then `train()` on the dropout layers alone"),
            related=(
                related(forward.location, "and draws here"),
                *([related(place, "is in train mode then as well")] if place is not None else []),
            ),
        )


def _thawed_norm(history: History, forward: RunEvent) -> int | None:
    """A batch norm that the ``train()`` before a forward puts into train mode together with dropout.

    None if the function that calls ``train()``, or a function that it calls, also runs a backward pass.
    """
    run, cause = history.run, history.cause(forward)
    if cause is None or forward.model is None or run.function_of(forward.frame).is_test:
        return None
    if cause.kind != "mode" or cause.frame not in history.chain(forward.frame):
        return None
    if forward.grad is None or forward.modes != TRAIN or cause.modes != TRAIN:
        return None
    if any(cause.frame in history.chain(b.frame) for b in history.backwards):
        return None
    live = [(part, run.models[part].name) for part, modes in forward.live if modes == TRAIN]
    has_dropout = any("Norm" not in name for _, name in live)
    return next((part for part, name in live if has_dropout and "BatchNorm" in name), None)
