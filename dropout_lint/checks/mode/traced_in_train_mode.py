"""DRP209: a model traced or exported in the mode that its constructor or its training left it in."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.mode import built_places, live_layer, model_name, unless_intended
from dropout_lint.checks.support.mode_history import History, history_of
from dropout_lint.checks.support.mode_insertion import eval_call, named_around, resumption
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import TRAIN, ModeRun, RunEvent


def check(run: ModeRun, context: RunContext) -> Iterator[Diagnostic]:
    """Report calls that record a graph of a model in train mode."""
    history = history_of(run)
    for trace in run.events:
        if trace.kind != "trace" or trace.model is None:
            continue
        live = _live_in_train(history, trace, trace.model)
        here = unless_intended(context, run, trace.location, trace.frame) if live is not None else None
        if live is None or here is None:
            continue
        name = model_name(run, trace.frame, trace.model) or "The model"
        # The exporter of older versions switches to eval mode by itself.
        where = " with `dynamo=True`, the default since torch 2.9" if trace.label == "torch.onnx.export" else ""
        receiver, around = named_around(here, run, trace.frame, trace.model, trace.location.span)
        before = around[-1].span if around else None
        resume = resumption(here, history, trace, trace.model)
        yield here.report(
            trace.location.span,
            f"{name} is in train mode, and `{trace.label}` records that for good{where}{live_layer(run, live)}.",
            fix=eval_call(receiver, before, resume, "Call `eval()` before the export"),
            related=tuple(built_places(run, trace.model, live)),
        )


def _live_in_train(history: History, trace: RunEvent, model: int) -> int | None:
    """A layer that is in train mode in the graph, and would compute differently in eval mode."""
    run = history.run
    if run.function_of(trace.frame).is_test or trace.modes != TRAIN:
        return None
    if any(function.intent for function in history.functions(trace.frame)):
        return None
    if trace.cause is not None and not history.is_trained(model):
        return None  # train() and then an export: the training graph is what is wanted
    # A symbolic trace calls the modules, which keep following the mode; only functional dropouts are fixed.
    keeps_modules = trace.label.endswith("symbolic_trace")
    layers = (part for part, modes in trace.live if modes == TRAIN)
    return next((part for part in layers if run.models[part].in_project or not keeps_modules), None)
