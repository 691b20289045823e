"""DRP408: a constructor parameter that configures dropout and that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context
from dropout_lint.diagnostic import Confidence, Diagnostic
from dropout_lint.facts import ModelClass

_ALIKE = 3
"""Parameters that two constructors have at least, so that they are not the same by chance."""


def check(model: ModelClass, context: Context) -> Iterator[Diagnostic]:
    """Report parameters of a Module's constructor, unless a base class or a class beside it has them too.

    It is proven where the project passes one; elsewhere it may be for users of a common signature.
    """
    if not model.unread_parameters or not context.is_module(model.name) or context.facts.is_test:
        return
    for parameter in model.unread_parameters:
        if _expected(model.name, parameter.name, context):
            continue
        given = context.project.calls.given(context.facts, f"{model.name}.__init__", parameter.name)
        passed = bool(given.numbers - {0.0}) or given.unknown
        if not passed and _is_interface(model.name, parameter.name, context):
            continue
        yield context.report(
            parameter.span,
            f"`{parameter.name}` is accepted and ignored{', and the project passes it' if passed else ''}: no dropout "
            "of this model depends on it.",
            confidence=Confidence.PROVEN if passed else Confidence.POSSIBLE,
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


def _is_interface(class_name: str, parameter: str, context: Context) -> bool:
    """Whether another class of the folder takes the same parameters and reads this one, so that all are built alike."""
    own = context.facts.functions.get(f"{class_name}.__init__")
    if own is None or len(own.parameters) < _ALIKE:
        return False
    sites = [s for s in context.facts.sites if s.scope.class_name == class_name]
    if any(a.name == parameter for s in sites for a in s.arguments):
        return False  # another value is passed on under its name
    inside = {s.api.rpartition(".")[2] for s in sites}
    for home in context.project.files.in_folder_of(context.facts, parameter):
        unread = {(c.name, p.name) for c in home.classes for p in c.unread_parameters}
        for name, summary in home.functions.items():
            other, _, method = name.rpartition(".")
            beside = other not in inside and other != class_name
            same = method == "__init__" and beside and summary.parameters == own.parameters
            if same and (other, parameter) not in unread:
                return True
    return False
