"""Links the flows of a project: runs its scripts, then what no script reaches, and collects what that proves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dropout_lint.facts import FileFacts, ModeFlow
from dropout_lint.mode import frameworks, library
from dropout_lint.mode.arguments import Arguments
from dropout_lint.mode.candidates import Candidates
from dropout_lint.mode.construction import construct
from dropout_lint.mode.definitions import Memory
from dropout_lint.mode.evidence import Findings
from dropout_lint.mode.functions import run_function
from dropout_lint.mode.interpreter import Interpreter
from dropout_lint.mode.judge import judged
from dropout_lint.mode.machine import ALONE, Exhausted
from dropout_lint.mode.neighbours import Neighbours
from dropout_lint.mode.siblings import switched_elsewhere
from dropout_lint.mode.statements import run
from dropout_lint.mode.terms import terms
from dropout_lint.mode.values import Class, Frame, Function, Place, Value
from dropout_lint.project import Project
from dropout_lint.source.triage import speaks_of_mode


def link(project: Project, files: Iterable[FileFacts], managed: tuple[str, ...] = ()) -> Findings:
    """Everything that the project around the files proves about them.

    Each file is the root of its own runs, so the cost grows with their number.
    """
    neighbours = Neighbours(project.disk)
    roots = _roots(project, [f for f in files if f.speaks_of_mode], neighbours)
    candidates = Candidates(project, roots)
    linker = _Linker(project, neighbours, managed)
    for facts in roots:
        if "" in candidates.of(facts):
            linker.script(facts)
    for facts in roots:
        linker.rest(facts, candidates.of(facts))
    return linker.findings


def _roots(project: Project, files: list[FileFacts], neighbours: Neighbours) -> list[FileFacts]:
    """The files, and those of their projects that may lead into them, in an order that both kinds share."""
    found = {Path(f.path).resolve(): f for f in files}
    for user in neighbours.outside(project.checked, list(found)):
        facts = project.facts(user) if speaks_of_mode(project.disk.read_or_empty(user)) else None
        if facts is not None and facts.speaks_of_mode:
            found[user] = facts
    return [facts for _, facts in sorted(found.items()) if not facts.is_test]


class _Linker:
    def __init__(self, project: Project, neighbours: Neighbours, managed: tuple[str, ...]) -> None:
        self.findings = Findings()
        self._project = project
        self._neighbours = neighbours
        self._managed = frameworks.MANAGED_BASES.union(managed)
        self._reached: dict[tuple[str, str], set[str]] = {}
        """For each function that a run entered, the files at whose top level, or with whose function, runs began."""
        self._memory = Memory()

    def _machine(self, facts: FileFacts, flow: ModeFlow) -> Interpreter:
        machine = Interpreter(facts, project=self._project, memory=self._memory)
        machine.top = Frame(facts, flow)
        return machine

    def _finish(self, machine: Interpreter, complete: bool) -> None:
        root = machine.root.path
        for node in machine.reached:
            self._reached.setdefault(node, set()).add(root)
        if complete:
            for found in (f for one in judged(machine).by_file.values() for f in one):
                if self._sees(root, found.path):
                    self.findings.add(found)

    def _sees(self, user: str, path: str) -> bool:
        """Whether a check of one file alone would look at a run that starts in another."""
        return user == path or self._neighbours.sees(Path(user).resolve(), Path(path).resolve())

    def _was_reached(self, facts: FileFacts, flow: ModeFlow) -> bool:
        roots = self._reached.get((facts.path, flow.name), set())
        return facts.path in roots or any(self._sees(root, facts.path) for root in roots)

    def script(self, facts: FileFacts) -> None:
        """Run the top level of a file."""
        reader = self._project.flows(facts)
        if reader is None:
            return
        machine = self._machine(facts, reader.top)
        complete = True
        try:
            run(machine, reader.top.steps, machine.top)
        except (Exhausted, RecursionError):
            complete = False
        self._finish(machine, complete)

    def rest(self, facts: FileFacts, names: frozenset[str]) -> None:
        """Run the functions among some that no script reached, with parameters about which nothing is known."""
        reader = self._project.flows(facts) if names - {""} else None
        if reader is None:
            return
        wanted: dict[str, ModeFlow] = {}
        for name in sorted(names - {""}):
            flows = {f.name: f for f in reader.within(name)}
            for flow in flows.values():
                if flow.relevant and not self._was_reached(facts, flow):
                    outermost = self._outermost(flow, flows)
                    wanted.setdefault(outermost.name, outermost)
        for flow in wanted.values():
            if not self._was_reached(facts, flow):
                self._run_alone(facts, flow, reader.top)

    @staticmethod
    def _outermost(flow: ModeFlow, by_name: dict[str, ModeFlow]) -> ModeFlow:
        parts = flow.name.split(".")
        for cut in range(1, len(parts)):
            outer = by_name.get(".".join(parts[:cut]))
            if outer is not None:
                return outer
        return flow

    def _run_alone(self, facts: FileFacts, flow: ModeFlow, top: ModeFlow) -> None:
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
                    instance = construct(
                        machine, Class(facts, flow.owner), Arguments([], {}, False), machine.top, place
                    )
            if instance is not None:
                machine.forget(switched_elsewhere(machine, instance, flow))
            if not flow.name.endswith("__init__"):
                optional: dict[str, Value] = {
                    n: machine.fresh(n) for n, default in flow.defaults if default.text == "NoneType"
                }
                given = Arguments([], optional, False)
                run_function(machine, Function(facts, flow, instance), given, machine.top, place)
        except (Exhausted, RecursionError):
            complete = False
        self._finish(machine, complete)

    def _ours(self, facts: FileFacts, flow: ModeFlow) -> bool:
        """Whether nobody else sets modes for the methods of a class: no framework, no base out of sight."""
        if self._project.is_module(facts, "." + flow.owner):
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
            reader = self._project.flows(home)
            known = reader.mode_class(name) if reader is not None else None
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
