"""DRP206: an evaluation of a model that is in train mode on every path to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dropout_lint.checks.support.context import Context, advice
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
from dropout_lint.checks.support.mode_insertion import eval_call, named_around, outermost_loop, place_in, resumption
from dropout_lint.checks.support.observed import ObservedContext
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Fix, Related, Span
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
            fix=_fix(here, history, found),
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


def _fix(here: Context, history: History, found: Evaluation) -> Fix:
    """Insert ``eval()`` where it helps and does no harm."""
    forward = found.first
    otherwise = "Call `eval()` before evaluating"
    if found.location != forward.location or phases(forward):
        return advice(otherwise)  # the statement belongs to one of the phases only
    if forward.label in {"eval", "train"}:
        return advice(otherwise)  # the class has a method of its own by that name
    name, around = named_around(here, history.run, forward.frame, found.model, forward.location.span)
    region = forward.region.span if forward.region is not None else None
    inside = [step for step in around if region is None or step.span.within(region)]
    before = next((step.span for step in inside if step.span == region), outermost_loop(inside))
    if before is None or _is_undone(history, before, forward, found.model):
        return advice(otherwise)
    return eval_call(name, before, resumption(here, history, forward, found.model), otherwise)


def _is_undone(history: History, before: Span, forward: RunEvent, model: int) -> bool:
    """Whether a statement trains the model, or calls ``train()`` on the way to a forward in it."""
    loops = {t.loop for t in forward.turns if t.location.span.within(before)}
    trains = (e for e in history.modes if e.kind == "mode" and e.modes == TRAIN)
    earlier = (e for e in trains if e.order < forward.order or loops & {t.loop for t in e.turns})
    for event in (*earlier, *history.training):
        place = place_in(history, event, forward.frame) if history.touches(event, model) else None
        if place is not None and place.within(before):
            return True
    return False


def check_forwards(seen: EvaluatedInTrainMode, context: ObservedContext) -> Iterator[Diagnostic]:
    """Report an evaluation that a watched run showed."""
    yield context.report(seen, "The model is evaluated, one input after another without gradients, in train mode")
