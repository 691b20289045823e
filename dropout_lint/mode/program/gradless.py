"""Find the parts of a module whose every use in its methods is without gradients."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.facts import FileFacts, ModeFlow, Step, Term
from dropout_lint.mode.program.definitions import Definitions
from dropout_lint.mode.program.terms import operands, terms

_OFF = {"no_grad", "inference_mode"}
_ENTRIES = {"forward", "training_step"}
_MOST_CALLS = 60
_READ_ONLY = {"config", "device", "dtype", "training", "out_features", "in_features"}


def without_gradients(definitions: Definitions, home: FileFacts, name: str) -> frozenset[str]:
    """The attributes that the methods of a class call, and never with gradients."""
    reader = _Reader(definitions, home, name)
    for method in reader.entries():
        reader.read(method, off=False)
    return frozenset(part for part, offs in reader.found.items() if all(offs))


class _Reader:
    """Follows the methods of a class from those that no other one calls."""

    def __init__(self, definitions: Definitions, home: FileFacts, name: str) -> None:
        self.found: dict[str, list[bool]] = {}
        """For each attribute, whether each of its calls is without gradients."""
        self._definitions = definitions
        self._home, self._name = home, name
        self._methods = {m for _, known in definitions.lineage(home, name) for m in known.methods} - {"__init__"}
        self._seen: set[tuple[str, bool]] = set()

    def entries(self) -> list[str]:
        """The methods that no other method calls, and those that a framework calls."""
        called = {
            term.text
            for method in self._methods
            for flow in self._flows(method)
            for term in terms(flow.steps)
            if term.kind == "attribute" and term.parts[0] == _receiver(flow) and term.text != method
        }
        return sorted((self._methods - called) | (self._methods & _ENTRIES))

    def read(self, method: str, *, off: bool) -> None:
        """Note the calls of attributes in a method, and in those that it calls."""
        if (method, off) in self._seen or len(self._seen) > _MOST_CALLS:
            return
        self._seen.add((method, off))
        for flow in self._flows(method):
            decorated = any(_switches_off(d) for d in flow.decorators)
            self._steps(flow.steps, _receiver(flow), off or decorated)

    def _flows(self, method: str) -> Iterator[ModeFlow]:
        found = self._definitions.method(self._home, self._name, method)
        if found is not None and found[1].parameters:
            yield found[1]

    def _steps(self, steps: tuple[Step, ...], receiver: Term, off: bool) -> None:
        for step in steps:
            inside = off or (step.kind == "region" and any(_switches_off(item.parts[0]) for item in step.targets))
            for one in operands(step):
                self._term(one, receiver, off)
            for arm in step.arms:
                self._steps(arm, receiver, inside)

    def _term(self, term: Term, receiver: Term, off: bool) -> None:
        if term.kind == "attribute" and term.text in _READ_ONLY:
            return
        detached = term.kind == "call" and term.parts[0].kind == "attribute" and term.parts[0].text == "detach"
        if term.kind == "attribute" and term.parts[0] == receiver:
            if term.text in self._methods:
                self.read(term.text, off=off)
            else:
                self.found.setdefault(term.text, []).append(off)
        for part in (*term.parts, *(value for _, value in term.keywords)):
            self._term(part, receiver, off or detached)


def _receiver(flow: ModeFlow) -> Term:
    return Term("name", flow.parameters[0] if flow.parameters else "")


def _switches_off(manager: Term) -> bool:
    """Whether a decorator or context manager is ``no_grad``, or ``set_grad_enabled(False)``."""
    func = manager.parts[0] if manager.kind == "call" else manager
    if func.text == "set_grad_enabled" and len(manager.parts) > 1:
        return manager.parts[1] == Term("constant", "bool", constant=False)
    return func.text in _OFF
