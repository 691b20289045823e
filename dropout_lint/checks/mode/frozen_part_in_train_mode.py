"""DRP215: a part whose weights never change is in train mode while the rest is trained."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import advice
from dropout_lint.checks.support.frozen_parts import Frozen, frozen_in_train_mode
from dropout_lint.checks.support.mode import built_places, live_layer, model_name, related, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_override import override
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Fix, Related, Span
from dropout_lint.facts import ModeRun

_NOT_KNOWN = ", where its dropout drops and its batch norm learns"


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report where the weights are frozen."""
    history = history_of(run)
    all_found = list(frozen_in_train_mode(history))
    for found in all_found:
        frames = (found.frame, *((found.forward.frame,) if found.forward is not None else ()))
        here = unless_intended(context, run, found.location, *frames)
        if here is None:
            continue
        name = model_name(run, found.frame, found.model) or "this model"
        when = "it is in train mode while the rest is trained"
        if found.forward is None:
            when = "`train()` of this Module puts it into train mode"
        yield here.report(
            found.location.span,
            f"{_fixed(found, name)}, but {when}{live_layer(run, found.live) or _NOT_KNOWN}.",
            fix=_override(run, found, all_found),
            related=(*built_places(run, found.model, found.live), *_steps(history, found)),
        )


def _override(run: ModeRun, found: Frozen, all_found: list[Frozen]) -> Fix:
    """One override for all frozen parts of a class, if its constructor freezes each in any case."""
    whole = run.frames[found.frame].instance
    function = run.function_of(found.frame)
    owner = run.models[whole].owner if whole is not None else None
    alike = [one for one in all_found if one.frame == found.frame]
    names = [_attribute(run, whole, one.model) for one in alike] if whole is not None else []
    always = all(_statement(one) in function.statements for one in alike)
    if owner is None or owner.sets_mode or not function.name.endswith("__init__") or not always or "" in names:
        return advice("Call `eval()` on it after each `train()`, or override `train` to do so")
    return override(function.receiver, names, function.statements[-1])


def _attribute(run: ModeRun, whole: int, model: int) -> str:
    return next((name for name, part in run.models[whole].attributes if part == model), "")


def _statement(found: Frozen) -> Span:
    """The statement that freezes, or the outermost loop around it in its function."""
    loops = (turn.location.span for turn in found.freeze.turns if turn.frame == found.freeze.frame)
    return next(loops, found.freeze.statement)


def _fixed(found: Frozen, name: str) -> str:
    return f"The weights of {name} are frozen" if found.freeze.kind == "freeze" else f"{name} runs without gradients"


def _steps(history: History, found: Frozen) -> Iterator[Related]:
    if found.forward is None:
        return
    cause = history.cause(found.forward)
    if cause is not None:
        yield related(cause.location, "puts it into train mode")
    yield related(found.forward.location, "runs in train mode here")
