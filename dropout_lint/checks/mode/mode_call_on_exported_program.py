"""DRP210: a mode call on a graph that has its mode for good, or on the original of a scripted copy."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, advice
from dropout_lint.checks.support.mode import evidence, of
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report the calls, by how the graph was made."""
    for found in evidence(outline, context, context.code):
        name = f"`{found.subject}`" if found.subject else "This"
        if found.extra == "raises":
            message = f"{name} is an exported program, whose mode is fixed: this call raises `NotImplementedError`."
            todo = "Set the mode before the export"
        elif found.extra == "scripted":
            message = f"The scripted copy of {name} keeps its own mode and stays in train mode{of(found)}."
            todo = "Call `eval()` before `torch.jit.script`, or on the scripted model"
        else:
            message = f"{name} was traced in {found.extra} mode and stays in it{of(found)}: this call changes nothing."
            todo = "Set the mode before the trace"
        yield context.report(found.span, message, fix=advice(todo), related=found.related)
