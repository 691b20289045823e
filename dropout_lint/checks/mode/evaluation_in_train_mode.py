"""DRP206: an evaluation of a model that is in train mode on every path to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.evidence import SHOWN, confidence
from dropout_lint.checks.support.mode import (
    is_named_intent,
    live_layer,
    mode_call,
    model_name,
    related,
    unless_intended,
)
from dropout_lint.checks.support.mode_evaluations import Evaluation, evaluations_in_train_mode, evidence, phases
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Related, Span
from dropout_lint.facts import TRAIN, ModeRun, RunEvent
from dropout_lint.facts.evaluations import EvaluationSite

if TYPE_CHECKING:
    from dropout_lint.facts.observations import EvaluatedInTrainMode


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report evaluations in train mode. Where another model is in eval mode, DRP208 reports them."""
    history = history_of(run)
    for found in evaluations_in_train_mode(run):
        here = unless_intended(context, run, found.location, found.first.frame)
        if found.other is not None or here is None:
            continue
        why = "a `train()` undoes the `eval()`" if found.undone is not None else "no path calls `eval()`"
        name = model_name(run, found.frame, found.model) or "the model"
        yield here.report(
            found.location.span,
            f"{name} is evaluated {_where(run, found)} while it is in train mode: {why}{live_layer(run, found.live)}.",
            fix=mode_call(
                _insertion(history, found),
                run.spelling(found.frame, found.model),
                "eval()",
                "Call `eval()` before evaluating",
            ),
            related=tuple(evidence(run, found)),
        )


def weigh(site: EvaluationSite, context: Context) -> Iterator[Diagnostic]:
    """Report an evaluation that no run proves, where the evidence for it is strong enough."""
    level = confidence(s.name for s in site.signs)
    if level is None or is_named_intent(context, site.names, site.location.span.line):
        return
    layer = f" (its `{site.layer}` differs between the modes)" if site.layer else ""
    yield context.report(
        site.location.span,
        f"`{site.model}` seems to be evaluated in train mode: {_why(site)}{layer}.",
        confidence=level,
        fix=mode_call(site.insert, site.model, "eval()", "Call `eval()` before evaluating"),
        related=tuple(_seen(site)),
    )


def _why(site: EvaluationSite) -> str:
    if site.sign("train-called-last") is not None:
        return "the last mode call before it is `train()`"
    if site.sign("eval-in-function") is not None:
        return "the function calls `eval()` on other models only"
    if site.sign("other-paths-call-eval") is not None:
        return "this caller does not call `eval()`, others do"
    return "nothing on the way calls `eval()`"


def _seen(site: EvaluationSite) -> Iterator[Related]:
    """The evidence that has a place, in the order in which a reader follows it."""
    for name, text in SHOWN.items():
        sign = site.sign(name)
        if sign is not None and sign.location is not None:
            yield related(sign.location, text)


def _where(run: ModeRun, found: Evaluation) -> str:
    if found.first.grad is False:
        return "without gradients"
    name = next(iter(phases(found.first)), run.function_of(found.first.frame).name.rpartition(".")[2])
    return f"in `{name}`" if name else "without gradients"


def _insertion(history: History, found: Evaluation) -> Span | None:
    """The statement before which an ``eval()`` helps and does no harm."""
    forward = found.first
    if found.location != forward.location:
        return None
    function = history.run.function_of(forward.frame)
    statements = function.statements if function.name else ()
    around = next((span for span in statements if forward.statement.within(span)), None)
    span = forward.region.span if forward.region is not None else around
    if span is None or phases(forward):
        return None  # the statement belongs to one of the phases only
    if forward.label in {"eval", "train"}:
        return None  # the class has a method of its own by that name
    return span if not _is_set_again(history, span, forward) and _trains_on(history, forward, found.model) else None


def _trains_on(history: History, forward: RunEvent, model: int) -> bool:
    """Whether ``eval()`` here does no harm to later training: there is none, or a ``train()`` comes before it."""
    later = (f for f in history.training if f.order > forward.order and history.touches(f, model))
    step = next(later, None)
    if step is None:
        return True
    if {t.loop for t in step.turns} & {t.loop for t in forward.turns}:
        return history.trains_again(model)
    between = (e for e in history.modes if forward.order < e.order < step.order)
    return any(e.kind == "mode" and e.modes == TRAIN and history.touches(e, model) for e in between)


def _is_set_again(history: History, insert: Span, forward: RunEvent) -> bool:
    """Whether a later call, in the same block or nested in the statement, sets the mode again."""
    cause = history.cause(forward)
    call = history.call_towards(cause, forward.frame) if cause is not None else None
    end = (forward.region or forward.location).span.end_line
    return call is not None and insert.line <= call.span.line <= end


def check_forwards(seen: EvaluatedInTrainMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report an evaluation that a watched run showed."""
    yield context.report(seen, "The model is evaluated, one input after another without gradients, in train mode")
