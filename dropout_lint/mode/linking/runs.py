"""Make the runs that begin in one file: of its top level, and of functions with unknown parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dropout_lint.facts import FileFacts, Location, ModeFlow, ModeRun
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.construction import construct
from dropout_lint.mode.execution.functions import run_function
from dropout_lint.mode.execution.interpreter import Interpreter
from dropout_lint.mode.execution.statements import run
from dropout_lint.mode.libraries import frameworks, library
from dropout_lint.mode.linking.siblings import switched_elsewhere
from dropout_lint.mode.program.definitions import Memory
from dropout_lint.mode.program.machine import ALONE, Exhausted
from dropout_lint.mode.program.run_facts import mode_run
from dropout_lint.mode.program.terms import terms
from dropout_lint.mode.program.values import Class, Frame, Function, Value
from dropout_lint.project.project import Project
from dropout_lint.vocabulary import FREEZE_WORDS, words

_SETS_PARTS = {"requires_grad", "requires_grad_", "from_pretrained"}


@dataclass(frozen=True, slots=True)
class Run:
    """The result of a run."""

    entered: frozenset[tuple[str, str]]
    """The functions that it entered, each by file and name."""
    facts: ModeRun | None
    """Its events; None if it ran over its budget, or nothing happened to a model."""


NOTHING = Run(frozenset(), None)


class Runs:
    """Makes the runs of a project. A run depends on the files alone, not on earlier runs."""

    def __init__(self, project: Project, managed: tuple[str, ...] = ()) -> None:
        self.project = project
        self._managed = frameworks.MANAGED_BASES.union(managed)
        self._memory = Memory()

    def script(self, facts: FileFacts) -> Run:
        """Run the top level of a file."""
        reader = self.project.files.flows(facts)
        if reader is None:
            return NOTHING
        machine = self._machine(facts, reader.top)
        return _finished(machine, lambda: run(machine, reader.top.steps, machine.top))

    def starts(self, facts: FileFacts, names: frozenset[str]) -> tuple[tuple[str, str], ...]:
        """The functions in ``names`` that act on modes, each with the outermost function around it, the entry point."""
        reader = self.project.files.flows(facts) if names - {""} else None
        if reader is None:
            return ()
        found: list[tuple[str, str]] = []
        for name in sorted(names - {""}):
            flows = {f.name: f for f in reader.within(name)}
            builds = name in facts.headers and any(map(_sets_parts, flows.values()))
            acting = [f for f in flows.values() if f.relevant or (builds and f.name.endswith("__init__"))]
            found += [(f.name, _outermost(f.name, flows)) for f in acting]
        return tuple(found)

    def alone(self, facts: FileFacts, name: str) -> Run:
        """Run a function with unknown parameters."""
        reader = self.project.files.flows(facts)
        flow = reader.flow(name) if reader is not None else None
        if reader is None or flow is None:
            return NOTHING
        machine = self._machine(facts, reader.top)
        machine.budget = ALONE
        return _finished(machine, lambda: self._run_alone(machine, facts, flow), name)

    def _machine(self, facts: FileFacts, flow: ModeFlow) -> Interpreter:
        machine = Interpreter(facts, project=self.project, memory=self._memory)
        machine.top = Frame(facts, flow)
        return machine

    def _run_alone(self, machine: Interpreter, facts: FileFacts, flow: ModeFlow) -> None:
        place = Location(facts.path, flow.span)
        instance = None
        if flow.owner:
            if not self._only_project_calls(facts, flow):
                return
            static = {d.text for d in flow.decorators} & {"staticmethod", "classmethod"}
            if not static:
                chosen = self._choices(machine, facts, flow.owner)
                instance = construct(
                    machine, Class(facts, flow.owner), Arguments([], chosen, unpacked=False), machine.top, place
                )
        if instance is not None:
            machine.forget(switched_elsewhere(machine, instance, flow))
        if not flow.name.endswith("__init__"):
            optional: dict[str, Value] = {
                n: machine.make_unknown(n) for n, default in flow.defaults if default.text == "NoneType"
            }
            given = Arguments([], optional, unpacked=False)
            run_function(machine, Function(facts, flow, instance), given, machine.top, place)

    def _choices(self, machine: Interpreter, facts: FileFacts, owner: str) -> dict[str, Value]:
        """Unknown values for the parameters of a constructor by which the caller freezes parts."""
        init = machine.definitions.method(facts, owner, "__init__")
        defaults = init[1].defaults if init is not None else ()
        return {
            name: machine.make_unknown(name)
            for name, default in defaults
            if isinstance(default.constant, bool) and words(name) & FREEZE_WORDS
        }

    def _only_project_calls(self, facts: FileFacts, flow: ModeFlow) -> bool:
        """Whether only the project calls the methods of a class: no framework, and no base class that is not found."""
        if self.project.classes.is_module(facts, "." + flow.owner):
            if flow.checkpoints or flow.name.endswith("__init__"):
                return True
            if not _trains(flow):
                return False
        pending, seen = [(facts, flow.owner)], set()
        while pending:
            home, name = pending.pop()
            if (home.path, name) in seen:
                continue
            seen.add((home.path, name))
            reader = self.project.files.flows(home)
            known = reader.mode_class(name) if reader is not None else None
            for base in known.bases if known is not None else ():
                if library.is_plain_base(base):
                    continue
                if base in self._managed:
                    return False
                located = self.project.names.find(home, base)
                if located is None:
                    return False
                pending.append(located)
        return True


def _finished(machine: Interpreter, execute: Callable[[], object], name: str = "") -> Run:
    """Execute ``execute`` and take the events; a run over budget has none."""
    try:
        execute()
    except (Exhausted, RecursionError):
        return Run(frozenset(machine.reached), None)
    return Run(frozenset(machine.reached), mode_run(machine, name) if machine.events else None)


def _outermost(name: str, known: dict[str, ModeFlow]) -> str:
    parts = name.split(".")
    return next((outer for cut in range(1, len(parts)) if (outer := ".".join(parts[:cut])) in known), name)


def _sets_parts(flow: ModeFlow) -> bool:
    """Whether a method freezes parameters, or gets a model in eval mode."""
    return any(t.text in _SETS_PARTS for t in terms(flow.steps))


def _trains(flow: ModeFlow) -> bool:
    """Whether a method runs ``backward()``, such as ``fit`` of a module."""
    return any(t.kind == "attribute" and t.text == "backward" for t in terms(flow.steps))
