"""DRP209: a model traced or exported in the mode that its constructor or its training left it in."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.mode import evidence, inserted, of
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeOutline
from dropout_lint.mode.judges.evidence import Evidence


def check(outline: ModeOutline, context: Context) -> Iterator[Diagnostic]:
    """Report calls that record a graph of a model in train mode."""
    for found in evidence(outline, context, context.code):
        name = f"`{found.subject}`" if found.subject else "The model"
        yield context.report(
            found.span,
            f"{name} is in train mode, and `{found.extra}` records that for good{_where(found)}{of(found)}.",
            fix=inserted(found.insert, found.receiver, "eval()", "Call `eval()` before the export"),
            related=found.related,
        )


def _where(found: Evidence) -> str:
    """The exporter of older versions switches to eval mode by itself."""
    return " with `dynamo=True`, the default since torch 2.9" if found.extra == "torch.onnx.export" else ""
