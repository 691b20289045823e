"""Links the flows of a project: runs its scripts, then what no script reaches, and collects what that proves."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.facts import FileFacts, ModeFlow
from dropout_lint.mode import frameworks, library
from dropout_lint.mode.calls import Arguments, Caller
from dropout_lint.mode.evidence import Findings
from dropout_lint.mode.exported import exports
from dropout_lint.mode.frozen import frozen_parts
from dropout_lint.mode.interpreter import Memory
from dropout_lint.mode.judge import Judge
from dropout_lint.mode.machine import ALONE, Exhausted
from dropout_lint.mode.sampling import samplings
from dropout_lint.mode.terms import terms
from dropout_lint.mode.values import Class, Frame, Function, Place, Value
from dropout_lint.project import Project


def link(project: Project, files: Iterable[FileFacts], managed: tuple[str, ...] = ()) -> Findings:
    """Everything that the files prove. Each file is the root of its own runs, so the cost grows with their number."""
    findings = Findings()
    linker = _Linker(project, findings, managed)
    files = sorted((f for f in files if f.flows), key=lambda f: f.path)
    for facts in files:
        linker.script(facts)
    for facts in files:
        linker.rest(facts)
    return findings


class _Linker:
    def __init__(self, project: Project, findings: Findings, managed: tuple[str, ...]) -> None:
        self._project = project
        self._findings = findings
        self._managed = frameworks.MANAGED_BASES.union(managed)
        self._reached: set[tuple[str, str]] = set()
        self._memory = Memory()

    def _machine(self, facts: FileFacts, flow: ModeFlow) -> Caller:
        machine = Caller(facts, project=self._project, memory=self._memory)
        machine.top = Frame(machine.number(), facts, flow)
        return machine

    def _finish(self, machine: Caller, complete: bool) -> None:
        self._reached |= machine.reached
        if complete:
            Judge(machine, self._findings).run()
            for judge in (exports, frozen_parts, samplings):
                judge(machine, self._findings)

    def script(self, facts: FileFacts) -> None:
        """Run the top level of a file."""
        top = next((f for f in facts.flows or () if f.name == ""), None)
        if top is None or facts.is_test or all(s.kind in {"define", "bind"} and s.value is None for s in top.steps):
            return
        machine = self._machine(facts, top)
        complete = True
        try:
            machine.run(top.steps, machine.top)
        except (Exhausted, RecursionError):
            complete = False
        self._finish(machine, complete)

    def rest(self, facts: FileFacts) -> None:
        """Run the functions that no script reached, with parameters about which nothing is known."""
        if facts.is_test:
            return
        wanted: dict[str, ModeFlow] = {}
        by_name = {f.name: f for f in facts.flows or ()}
        for flow in facts.flows or ():
            if flow.name and flow.relevant and (facts.path, flow.name) not in self._reached:
                outermost = self._outermost(flow, by_name)
                wanted.setdefault(outermost.name, outermost)
        for flow in wanted.values():
            if (facts.path, flow.name) not in self._reached:
                self._run_alone(facts, flow)

    @staticmethod
    def _outermost(flow: ModeFlow, by_name: dict[str, ModeFlow]) -> ModeFlow:
        parts = flow.name.split(".")
        for cut in range(1, len(parts)):
            outer = by_name.get(".".join(parts[:cut]))
            if outer is not None:
                return outer
        return flow

    def _run_alone(self, facts: FileFacts, flow: ModeFlow) -> None:
        top = next(f for f in facts.flows or () if f.name == "")
        machine = self._machine(facts, top)
        machine.budget = ALONE
        place = Place(facts.path, flow.span)
        complete = True
        try:
            instance = None
            if flow.owner:
                if not self._ours(facts, flow):
                    return
                static = {d.text for d in flow.decorators} & {"staticmethod", "classmethod"}
                if not static:
                    instance = machine.construct(Class(facts, flow.owner), Arguments([], {}, False), machine.top, place)
            if not flow.name.endswith("__init__"):
                optional: dict[str, Value] = {
                    n: machine.fresh(n) for n, default in flow.defaults if default.text == "NoneType"
                }
                given = Arguments([], optional, False)
                machine.run_function(Function(facts, flow, instance), given, machine.top, place)
        except (Exhausted, RecursionError):
            complete = False
        self._finish(machine, complete)

    def _ours(self, facts: FileFacts, flow: ModeFlow) -> bool:
        """Whether nobody else sets modes for the methods of a class: no framework, no base out of sight."""
        if self._project.is_module(facts, "." + flow.owner):
            if _checkpoints(flow) or flow.name.endswith("__init__"):
                return True
            if not _trains(flow):
                return False
        pending, seen = [(facts, flow.owner)], set()
        while pending:
            home, name = pending.pop()
            if (home.path, name) in seen:
                continue
            seen.add((home.path, name))
            known = next((c for c in self._project.modes(home).classes if c.name == name), None)
            for base in known.bases if known is not None else ():
                if library.is_plain_base(base):
                    continue
                if base in self._managed:
                    return False
                located = self._project.find(home, base)
                if located is None:
                    return False
                pending.append(located)
        return True


def _trains(flow: ModeFlow) -> bool:
    """A loop of a module that trains itself, as in libraries with ``fit`` and ``predict``."""
    return any(t.kind == "attribute" and t.text == "backward" for t in terms(flow.steps))


def _checkpoints(flow: ModeFlow) -> bool:
    """A method of a module is run alone only for the checkpoints in it."""
    return "preserve_rng_state" in repr(flow.steps)
