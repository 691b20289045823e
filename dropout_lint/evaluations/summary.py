"""The calls and bindings of one function, in order, with the loop, branch and ``no_grad`` around each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts import NOWHERE, FileFacts, ModeFlow, Step, Term
from dropout_lint.mode.libraries import frameworks, library

Arms = tuple[tuple[int, int], ...]
"""The branches around a place: the number of each, and which arm."""
_SUPER = Term("name", "super")
_PARTS = {"modules", "children", "named_modules", "named_children"}
_KEEPS = library.SAME | {"eval", "train", "copy", "deepcopy", "unwrap_model", "prepare", "get_model", "cuda", "item"}
_GIVES_ARGUMENT = library.WRAPPERS | frameworks.PREPARES | {"deepcopy", "unwrap_model", "nn.DataParallel"}


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop: what it runs over, and what it binds."""

    source: Term
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens in a function. ``order`` counts the calls and bindings before it."""

    order: int
    span: Span
    statement: Span
    loops: tuple[int, ...]
    arms: Arms
    grad: bool | None
    """False where gradients are off; None where a value decides."""
    region: Span | None
    """The ``with`` statement that switches gradients off."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call. ``subject`` is the callee as a path: ``self.net.eval``."""

    subject: str
    term: Term
    place: Place
    unused: bool
    """It is a statement of its own."""
    targets: tuple[str, ...]
    """What the statement binds."""

    @property
    def receiver(self) -> str:
        """``self.net`` of ``self.net.eval``."""
        return self.subject.rpartition(".")[0]

    @property
    def method(self) -> str:
        """``eval`` of ``self.net.eval``."""
        return self.subject.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Bind:
    """An assignment of a value to paths."""

    targets: tuple[str, ...]
    value: Term
    place: Place


@dataclass(slots=True)
class Summary:
    """What one function does."""

    home: FileFacts
    flow: ModeFlow
    calls: list[Call] = field(default_factory=list)
    binds: list[Bind] = field(default_factory=list)
    returns: list[Bind] = field(default_factory=list)
    loops: dict[int, Loop] = field(default_factory=dict)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names for other paths: the variable of a loop over models, or ``net = self.net``."""
    tests: dict[int, Term | None] = field(default_factory=dict)
    """The condition of each branch."""
    flags: list[tuple[str, Place]] = field(default_factory=list)
    """Assignments to ``x.training``, and ``x.eval`` without the call."""

    @property
    def receiver(self) -> str:
        """The name of the instance, such as ``self``; "" in a plain function."""
        static = {d.text for d in self.flow.decorators} & {"staticmethod", "classmethod"}
        return self.flow.parameters[0] if self.flow.owner and self.flow.parameters and not static else ""

    def same(self, path: str) -> frozenset[str]:
        """A path and all other paths of the same object: ``net`` and ``self.net`` after ``net = self.net``."""
        found = {path}
        for _ in range(3):
            for one in list(found):
                head, dot, rest = one.partition(".")
                found.update(f"{other}{dot}{rest}" for other in self.aliases.get(head, ()))
                found.update(self.aliases.get(one, ()))
        return frozenset(found)


def path_of(term: Term) -> str:
    """An expression as a dotted path, without calls that return the same model; "" if it is none."""
    match term.kind:
        case "name":
            return term.text
        case "attribute":
            base = path_of(term.parts[0])
            return base if term.text in {"module", "_orig_mod"} else f"{base}.{term.text}" if base else ""
        case "item":
            base = path_of(term.parts[0])
            return f"{base}[]" if base else ""
        case "choice":
            return next((p for p in map(path_of, term.parts[1:]) if p), "")
        case "call":
            return _path_of_call(term)
    return ""


def _path_of_call(term: Term) -> str:
    func = term.parts[0]
    name = func.text if func.kind in {"name", "attribute"} else ""
    if name in _GIVES_ARGUMENT and len(term.parts) > 1:
        return path_of(term.parts[1])
    if func.kind == "attribute" and name in _KEEPS:
        return path_of(func.parts[0])
    return ""


def covers(whole: str, part: str) -> bool:
    """Whether a path is a model, or holds it: ``self`` and ``self.net``."""
    return bool(whole) and (part == whole or part.startswith((f"{whole}.", f"{whole}[]")))


def is_super(func: Term) -> bool:
    """``super().build``."""
    base = func.parts[0] if func.kind == "attribute" else None
    return base is not None and base.kind == "call" and base.parts[0] == _SUPER


def summarize(home: FileFacts, flow: ModeFlow) -> Summary:
    """The summary of a function."""
    summary = Summary(home, flow)
    off = any(_switches_off(d) is False for d in flow.decorators)
    _Reader(summary).block(flow.steps, (), (), not off, flow.span if off else None)
    _find_aliases(summary)
    return summary


class _Reader:
    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._order = 0
        self._number = 0

    def block(
        self, steps: tuple[Step, ...], loops: tuple[int, ...], arms: Arms, grad: bool | None, region: Span | None
    ) -> None:
        for step in steps:
            self._step(step, loops, arms, grad, region)
            if step.kind in {"return", "stop"}:
                break  # what follows is never reached

    def _step(self, step: Step, loops: tuple[int, ...], arms: Arms, grad: bool | None, region: Span | None) -> None:
        place = Place(0, step.span, step.span, loops, arms, grad, region)
        bound = tuple(p for t in step.targets for p in _bound(t)) if step.kind == "bind" else ()
        if step.kind == "evaluate" and step.value is not None and step.value.kind == "attribute":
            self._forgotten(step.value, place)
        if step.value is not None and step.kind != "loop":
            self._calls(step.value, place, bound, bound == ("_",) or (step.kind == "evaluate" and not step.text))
        match step.kind:
            case "bind":
                self._bind(step, bound, place)
            case "return":
                self._summary.returns.append(Bind((), step.value or Term("group"), self._next(place)))
            case "branch" | "try":
                self._arms(step, loops, arms, grad, region)
            case "loop":
                self._loop(step, place)
            case "region":
                self._region(step, place)

    def _forgotten(self, value: Term, place: Place) -> None:
        """``net.eval`` without the call: DRP201 reports it."""
        if value.text in {"eval", "train"}:
            self._summary.flags.append((path_of(value.parts[0]), self._next(place)))

    def _next(self, place: Place, span: Span | None = None) -> Place:
        self._order += 1
        return replace(place, order=self._order, span=span or place.span)

    def _bind(self, step: Step, bound: tuple[str, ...], place: Place) -> None:
        value, here = step.value or Term("group"), self._next(place)
        self._summary.flags += [(t.rpartition(".")[0], here) for t in bound if t.endswith(".training")]
        whole = len(step.targets) == 1 and step.targets[0].kind == "tuple"
        if whole and value.kind == "tuple" and len(value.parts) == len(step.targets[0].parts):
            pairs = zip(step.targets[0].parts, value.parts, strict=True)
            self._summary.binds += [Bind(tuple(_bound(t)), v, here) for t, v in pairs]
        else:
            self._summary.binds.append(Bind(bound, value, here))

    def _calls(self, term: Term, place: Place, targets: tuple[str, ...], unused: bool) -> None:
        for part in (*term.parts, *(v for _, v in term.keywords)):
            self._calls(part, place, targets, unused=False)
        if term.kind == "call":
            subject = path_of(term.parts[0])
            if term.parts[0].kind == "attribute" and not subject:
                subject = f"?.{term.parts[0].text}"
            here = self._next(place, term.span if term.span != NOWHERE else place.span)
            self._summary.calls.append(Call(subject, term, here, unused, targets))

    def _arms(self, step: Step, loops: tuple[int, ...], arms: Arms, grad: bool | None, region: Span | None) -> None:
        self._number += 1
        number = self._number
        self._summary.tests[number] = step.value if step.kind == "branch" else None
        for index, arm in enumerate(step.arms):
            inside = arms if step.kind == "try" and index == 0 else (*arms, (number, index))
            self.block(arm, loops, inside, grad, region)

    def _loop(self, step: Step, place: Place) -> None:
        if step.value is not None:
            self._calls(step.value, place, (), unused=False)
        self._number += 1
        number = self._number
        targets = tuple(p for t in step.targets for p in _bound(t))
        self.block(step.arms[0], (*place.loops, number), place.arms, place.grad, place.region)
        self._summary.loops[number] = Loop(step.value or Term("group"), targets)
        for arm in step.arms[1:]:
            self.block(arm, place.loops, place.arms, place.grad, place.region)

    def _region(self, step: Step, place: Place) -> None:
        grad, region = place.grad, place.region
        for item in step.targets:
            self._calls(item.parts[0], place, (), unused=False)
            effect = _switches_off(item.parts[0])
            if effect != "same":
                grad, region = effect, step.span if effect is not True else None
        self.block(step.arms[0], place.loops, place.arms, grad, region)


def _bound(target: Term) -> Iterator[str]:
    if target.kind in {"tuple", "star"}:
        for part in target.parts:
            yield from _bound(part)
    elif path := path_of(target):
        yield path


def _switches_off(manager: Term) -> bool | Literal["same"] | None:
    """The effect of a decorator or context manager on gradients: on, off, by a value (None), or "same"."""
    func = manager.parts[0] if manager.kind == "call" else manager
    match func.text if func.kind in {"name", "attribute"} else "":
        case "no_grad" | "inference_mode":
            return False
        case "enable_grad":
            return True
        case "set_grad_enabled":
            value = manager.parts[1] if len(manager.parts) > 1 else Term("group")
            return value.constant if isinstance(value.constant, bool) else None
    return "same"


def _find_aliases(summary: Summary) -> None:
    found: dict[str, set[str]] = {}
    for bind in summary.binds:
        paths = _alternatives(bind.value)
        for target in bind.targets:
            found.setdefault(target, set()).update(p for p in paths if p != target)
    for loop in summary.loops.values():
        for target in loop.targets[-1:]:
            found.setdefault(target, set()).update(_members(loop.source))
    summary.aliases.update((name, tuple(sorted(paths))) for name, paths in found.items() if paths)


def _alternatives(value: Term) -> set[str]:
    if value.kind == "choice":
        return {p for part in value.parts[1:] for p in _alternatives(part)}
    path = path_of(value)
    return {path} if path else set()


def _members(source: Term) -> set[str]:
    """What a loop variable may be: elements written out, or of a list by name."""
    if source.kind == "tuple":
        return {p for p in map(path_of, source.parts) if p}
    if source.kind == "call" and len(source.parts) > 1 and source.parts[0].text in {"enumerate", "reversed", "list"}:
        return _members(source.parts[1])
    if source.kind == "call" and source.parts[0].kind == "attribute" and source.parts[0].text in _PARTS:
        path = path_of(source.parts[0].parts[0])
        return {f"{path}.*"} if path else set()
    if source.kind == "call" and source.parts[0].kind == "attribute" and source.parts[0].text in {"values", "items"}:
        path = path_of(source.parts[0].parts[0])
        return {f"{path}[]"} if path else set()
    path = path_of(source)
    return {f"{path}[]"} if path else set()


def arguments_of(call: Call, flow: ModeFlow, *, bound: bool) -> Mapping[str, Term]:
    """The arguments of a call by parameter; ``bound`` if the first parameter is the instance."""
    names = list(flow.parameters)
    if bound and names:
        names.pop(0)
    room = flow.positional - (1 if bound else 0)
    given: dict[str, Term] = {}
    for name, part in zip(names[: max(room, 0)], call.term.parts[1:], strict=False):
        if part.kind == "star":
            break
        given[name] = part
    given.update((name, part) for name, part in call.term.keywords if name in flow.parameters)
    return given
