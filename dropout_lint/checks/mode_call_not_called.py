"""DRP201: ``model.eval`` as a statement, which does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.context import Context, insertion, unsafe
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import ModeFlow, Step, Term

_OF_MODULES = {
    "parameters",
    "state_dict",
    "load_state_dict",
    "zero_grad",
    "train",
    "eval",
    "named_parameters",
    "forward",
}


def check(flow: ModeFlow, context: Context) -> Iterator[Diagnostic]:
    """Report them on names that the file also uses as a model."""
    if not flow.bare:
        return
    models = set()
    for other in context.facts.flows or ():
        models |= _models(other.steps)
    for bare in flow.bare:
        name = _dotted(bare.parts[0])
        if name and (name in models or "()" + name in models or _is_instance(flow, name, context)):
            yield context.report(
                bare.span,
                f"`{name}.{bare.text}` names the method and does not call it, so the mode stays as it is.",
                fix=unsafe(f"Call `{name}.{bare.text}()`", insertion(bare.span.end_line, bare.span.end_column, "()")),
            )


def _is_instance(flow: ModeFlow, name: str, context: Context) -> bool:
    return bool(flow.owner) and flow.parameters[:1] == (name,) and context.is_module(flow.owner)


def _models(steps: tuple[Step, ...]) -> set[str]:
    """Names on which a method of Module is called."""
    found: set[str] = set()
    for step in steps:
        for term in (*step.targets, *([step.value] if step.value is not None else [])):
            found |= _in(term)
        for arm in step.arms:
            found |= _models(arm)
    return found


def _in(term: Term) -> set[str]:
    found: set[str] = set()
    if term.kind == "call" and term.parts[0].kind == "attribute" and term.parts[0].text in _OF_MODULES:
        found.add(_dotted(term.parts[0].parts[0]))
    for part in (*term.parts, *(k for _, k in term.keywords)):
        found |= _in(part)
    if term.kind == "call" and term.parts[0].kind in {"name", "attribute"}:
        found.add("()" + _dotted(term.parts[0]))
    return found


def _dotted(term: Term) -> str:
    if term.kind == "name":
        return term.text
    if term.kind == "attribute":
        base = _dotted(term.parts[0])
        return f"{base}.{term.text}" if base else ""
    return ""
