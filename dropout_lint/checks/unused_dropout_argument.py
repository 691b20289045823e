"""DRP408: a constructor parameter that configures dropout and that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.context import Context
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModelClass


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report parameters of a Module's constructor; signatures that follow a base class are left alone."""
    if not model.unread_parameters or not context.is_module(model.name) or context.facts.is_test:
        return
    for parameter in model.unread_parameters:
        yield context.report(
            parameter.span, f"`{parameter.name}` is accepted and ignored: no dropout of this model depends on it."
        )
