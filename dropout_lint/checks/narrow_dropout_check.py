"""DRP213: code that switches dropout, and finds only ``nn.Dropout``."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.context import Context, advice, unsafe
from dropout_lint.diagnostic import Diagnostic, Edit, Fix
from dropout_lint.facts import ModeFlow, Step, Term
from dropout_lint.mode.terms import terms, within

_CLASSES = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout")
_WALKS = {"modules", "named_modules", "children", "named_children"}


def check(flow: ModeFlow, context: Context) -> Iterator[Diagnostic]:
    """Report tests in walks over modules, before a mode or a rate is set, where no other dropout is looked for."""
    mentioned = {t.text for t in terms(flow.steps) if t.kind in {"name", "attribute"}}
    if mentioned & {*_CLASSES[1:], "_DropoutNd"}:
        return
    for variable, branch in _branches(flow.steps, ()):
        if branch.value is None or not _switches(branch.arms[0], variable):
            continue
        for test in within(branch.value):
            if _asks_for_class(test, variable, context):
                yield context.report(
                    test.span,
                    "`nn.Dropout` is no base of `Dropout1d`, `Dropout2d`, `Dropout3d` and the alpha dropouts: those are"
                    " passed over here.",
                    fix=_all_classes(test, context),
                )
            elif _asks_for_name(test, variable):
                yield context.report(
                    test.span,
                    "The names of the alpha dropouts do not begin like this: they are passed over here.",
                    fix=advice("Ask for all six classes, or for the name anywhere"),
                )


def _branches(steps: tuple[Step, ...], variables: tuple[str, ...]) -> Iterator[tuple[str, Step]]:
    """The ``if`` statements in loops over modules, with each variable of the loops."""
    for step in steps:
        if step.kind == "branch":
            yield from ((variable, step) for variable in variables)
        walks = step.kind == "loop" and step.value is not None and any(_walks(t) for t in within(step.value))
        inner = tuple(t.text for target in step.targets for t in within(target) if t.kind == "name") if walks else ()
        for arm in step.arms:
            yield from _branches(arm, (*variables, *inner))


def _walks(term: Term) -> bool:
    return term.kind == "call" and term.parts[0].kind == "attribute" and term.parts[0].text in _WALKS


def _switches(steps: tuple[Step, ...], variable: str) -> bool:
    """Whether the mode or the rate of the module is set."""
    module = Term("name", variable)
    for step in steps:
        if any(t.kind == "attribute" and t.text in {"p", "training"} and t.parts[0] == module for t in step.targets):
            return True
        func = step.value.parts[0] if step.value is not None and step.value.kind == "call" else None
        if func is not None and func.kind == "attribute" and func.text in {"train", "eval"} and func.parts[0] == module:
            return True
    return False


def _asks_for_class(test: Term, variable: str, context: Context) -> bool:
    if test.kind != "call" or len(test.parts) != 3 or test.parts[0] != Term("name", "isinstance"):
        return False
    return test.parts[1] == Term("name", variable) and _qualified(test.parts[2], context) == "torch.nn.Dropout"


def _qualified(term: Term, context: Context) -> str:
    if term.kind == "name":
        return context.facts.imports.get(term.text, "")
    return f"{_qualified(term.parts[0], context)}.{term.text}" if term.kind == "attribute" else ""


def _asks_for_name(test: Term, variable: str) -> bool:
    """``type(m).__name__.startswith("Dropout")``."""
    if test.kind != "call" or len(test.parts) != 2 or test.parts[1].constant != "Dropout":
        return False
    name = test.parts[0].parts[0] if test.parts[0].kind == "attribute" and test.parts[0].text == "startswith" else None
    named = name is not None and name.kind == "attribute" and name.text == "__name__"
    return named and any(t == Term("name", variable) for t in within(test))


def _all_classes(test: Term, context: Context) -> Fix | None:
    asked = test.parts[2]
    if asked.kind != "attribute":
        return advice("Ask for all six classes")
    package = context.slice(asked.span).removesuffix(".Dropout")
    classes = ", ".join(f"{package}.{name}" for name in _CLASSES)
    return unsafe("Ask for all six classes", Edit(asked.span, f"({classes})"))
