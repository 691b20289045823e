"""DRP408: a constructor parameter that configures dropout and that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModelClass


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report parameters of a Module's constructor, unless a base class has them too."""
    if not model.unread_parameters or not context.is_module(model.name) or context.facts.is_test:
        return
    for parameter in model.unread_parameters:
        if _expected(model.name, parameter.name, context):
            continue
        yield context.report(
            parameter.span, f"`{parameter.name}` is accepted and ignored: no dropout of this model depends on it."
        )


def _expected(class_name: str, parameter: str, context: Context) -> bool:
    """Whether a base class has the parameter too, or cannot be found."""
    for above in context.project.classes.ancestors(context.facts, "." + class_name):
        if above is None:
            return True
        summary = above[0].functions.get(f"{above[1].name}.__init__")
        if summary is not None and parameter in summary.parameters:
            return True
    return False
