"""Find terms in the statements of a function, without evaluating them."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.facts import Step, Term


def within(term: Term) -> Iterator[Term]:
    """A term and all terms inside it."""
    yield term
    for part in (*term.parts, *(value for _, value in term.keywords)):
        yield from within(part)


def operands(step: Step) -> tuple[Term, ...]:
    """The targets and the value of a statement, without its blocks."""
    return (*step.targets, step.value) if step.value is not None else step.targets


def terms(steps: tuple[Step, ...]) -> Iterator[Term]:
    """All terms of statements, also of the blocks in them."""
    for step in steps:
        for one in operands(step):
            yield from within(one)
        for arm in step.arms:
            yield from terms(arm)


def targets(steps: tuple[Step, ...]) -> Iterator[Term]:
    """What statements assign to, also in the blocks in them."""
    for step in steps:
        yield from step.targets if step.kind == "bind" else ()
        for arm in step.arms:
            yield from targets(arm)


def attribute_called(term: Term, receiver: str) -> str:
    """The attribute ``x`` in ``receiver.x(...)`` or ``receiver.x.method(...)``, "" for other terms."""
    func = term.parts[0] if term.kind == "call" else None
    while func is not None and func.kind == "attribute":
        if func.parts[0] == Term("name", receiver):
            return func.text
        func = func.parts[0]
    return ""


def spelled(term: Term) -> str:
    """A dotted name as it is written, "" for other terms."""
    if term.kind == "name":
        return term.text
    base = spelled(term.parts[0]) if term.kind == "attribute" else ""
    return f"{base}.{term.text}" if base else ""


def is_mode_call(term: Term) -> bool:
    """Whether a term is ``x.eval(...)`` or ``x.train(...)``."""
    return term.kind == "call" and term.parts[0].kind == "attribute" and term.parts[0].text in {"eval", "train"}


def loop_variables(steps: tuple[Step, ...]) -> Iterator[str]:
    """The variables of ``for`` loops, which have another value at each turn."""
    for step in steps:
        if step.kind == "loop":
            yield from (t.text for target in step.targets for t in within(target) if t.kind == "name")
        for arm in step.arms:
            yield from loop_variables(arm)


def assignments(steps: tuple[Step, ...], name: str) -> Iterator[Term]:
    """The values that statements assign to a name, also in blocks; an empty term for a part of a tuple or a loop."""
    for step in steps:
        for target in step.targets if step.kind in {"bind", "loop"} else ():
            if target == Term("name", name) and step.kind == "bind" and step.value is not None:
                yield step.value
            elif target != Term("name", name) or step.kind == "loop":
                yield from (Term("group") for t in within(target) if t == Term("name", name))
        for arm in step.arms:
            yield from assignments(arm, name)
