"""Before which statements of a function a name surely has its value: there, a fix may insert a call on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dropout_lint.diagnostic import Span
from dropout_lint.facts import ModeFlow, Step, Term
from dropout_lint.mode.program.terms import operands, spelled, within

_LEAVES = {"return", "stop"}
_NO_MODEL = Term("constant", "NoneType", constant=None)


def statements_with_value(flow: ModeFlow, path: str, at: Span, setters: Collection[str] = ()) -> tuple[Step, ...]:
    """The statements around a place before which ``path``, such as ``self.net``, has the value that it has there.

    The outermost comes first. A statement that binds the name again is none of them. ``setters`` are methods that
    bind the attribute. In ``if net is not None: net(x)``, those are left out that are around the ``if``.
    """
    if _is_own_variable(flow.steps, path, at):
        return ()
    given = {*flow.parameters, flow.rest}
    known = {name: name in given or not _binds(flow.steps, name, setters) for name in _prefixes(path)}
    return tuple(_around(flow.steps, path, at, known, setters)[0])


def has_value_before(flow: ModeFlow, path: str, statement: Span, setters: Collection[str] = ()) -> bool:
    """Whether a name surely has a value before a statement."""
    return any(step.span == statement for step in statements_with_value(flow, path, statement, setters))


def setters_of(flows: Iterator[ModeFlow], path: str) -> frozenset[str]:
    """The methods, among some, that bind an attribute: ``build`` in ``def build(self): self.net = Net()``."""
    _, _, attribute = path.partition(".")
    return frozenset(
        flow.name.rpartition(".")[2]
        for flow in flows
        if attribute and flow.parameters and _binds(flow.steps, f"{flow.parameters[0]}.{attribute}", ())
    )


def _around(
    steps: Sequence[Step], path: str, at: Span, known: dict[str, bool], setters: Collection[str]
) -> tuple[list[Step], bool]:
    """The statements around a place, and whether one of them asks for the value, so that it may be None outside.

    ``known`` says which names have their value already.
    """
    for step in steps:
        inner = next((arm for arm in step.arms if any(at.within(s.span) for s in arm)), None)
        if not at.within(step.span) or (inner is None and step.kind == "try"):  # ``finally`` follows its ``try``
            known.update((name, True) for name in known if _surely_binds(step, name, setters))
            continue
        if inner is None:
            return [step], False  # what uses the name right away has its value
        entered = {name: had or any(_is_target(t, name) for t in _entered(step)) for name, had in known.items()}
        below, guarded = _around(inner, path, at, entered, setters)
        guarded |= step.kind == "branch" and step.value is not None and _mentions(step.value, path)
        stays = step.kind != "try" and not any(_binds_inside(step, name, setters) for name in known)
        return ([step, *below] if all(known.values()) and stays and not guarded else below), guarded
    return [], False


def _entered(step: Step) -> tuple[Term, ...]:
    """What a loop or a ``with`` binds before its body."""
    if step.kind == "loop":
        return step.targets
    return tuple(item.parts[1] for item in step.targets) if step.kind == "region" else ()


def _surely_binds(step: Step, name: str, setters: Collection[str]) -> bool:
    """Whether a name has a value after a statement, whatever way is taken."""
    if step.kind in {"bind", "define"}:
        return any(_is_target(t, name) for t in step.targets) and step.value != _NO_MODEL
    if step.kind == "evaluate":
        return _calls_setter(step, name, setters)
    if step.kind == "region" and any(_is_target(t, name) for t in _entered(step)):
        return True
    if step.kind not in {"branch", "region", "try"} or not step.arms:
        return False
    staying = [arm for arm in step.arms if not any(s.kind in _LEAVES for s in arm)]
    return all(any(_surely_binds(s, name, setters) for s in arm) for arm in staying)


def _binds(steps: Sequence[Step], name: str, setters: Collection[str]) -> bool:
    """Whether some statement binds a name."""
    return any(
        (step.kind in {"bind", "define"} and any(_is_target(t, name) for t in step.targets))
        or _calls_setter(step, name, setters)
        or _binds_inside(step, name, setters)
        for step in steps
        if step.kind != "outer"
    )


def _binds_inside(step: Step, name: str, setters: Collection[str]) -> bool:
    """Whether a compound statement binds a name."""
    entered = any(_is_target(t, name) for t in _entered(step))
    return entered or any(_binds(arm, name, setters) for arm in step.arms)


def _calls_setter(step: Step, name: str, setters: Collection[str]) -> bool:
    """``self.build()``, where ``build`` binds ``self.net``."""
    root, dot, _ = name.partition(".")
    value = step.value
    return (
        bool(dot and setters)
        and value is not None
        and any(
            one.kind == "call" and one.parts[0].kind == "attribute" and one.parts[0].text in setters
            for one in within(value)
            if one.parts and one.parts[0].parts and one.parts[0].parts[0] == Term("name", root)
        )
    )


def _is_own_variable(steps: Sequence[Step], path: str, at: Span) -> bool:
    """Whether a name belongs to a lambda or a comprehension around a place: ``[net(x) for net in nets]``."""
    root = path.partition(".")[0]
    return any(
        one.kind in {"lambda", "each"} and root in one.text.split(",") and any(t.span == at for t in within(one))
        for term in _terms(steps, at)
        for one in within(term)
    )


def _terms(steps: Sequence[Step], at: Span) -> Iterator[Term]:
    """The terms of the statements around a place."""
    for step in steps:
        if at.within(step.span):
            yield from operands(step)
            for arm in step.arms:
                yield from _terms(arm, at)


def _mentions(term: Term, path: str) -> bool:
    """Whether a test asks for a value, or for what holds it: ``net is None``; not ``self.flag`` for ``self``."""
    name = spelled(term)
    if name:
        return name == path or path.startswith(f"{name}.")
    return any(_mentions(part, path) for part in (*term.parts, *(value for _, value in term.keywords)))


def _is_target(target: Term, name: str) -> bool:
    if target.kind in {"tuple", "star"}:
        return any(_is_target(part, name) for part in target.parts)
    return spelled(target) == name


def _prefixes(path: str) -> Iterator[str]:
    """``self``, ``self.net`` of ``self.net``."""
    parts = path.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
