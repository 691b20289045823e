"""Links the flows of a project: runs its scripts, then what no script reaches, and collects what that proves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import FileFacts
from dropout_lint.mode.linking.ahead import RunsAhead
from dropout_lint.mode.linking.candidates import Candidates
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.mode.linking.runs import Check, Finding, Run, Runs
from dropout_lint.project.project import Project
from dropout_lint.source.module.triage import speaks_of_mode


def link(
    project: Project, files: Iterable[FileFacts], check: Check, managed: tuple[str, ...] = (), jobs: int = 1
) -> list[Finding]:
    """What a check finds in the runs that begin in some files, and in the files around that may lead into them.

    ``managed`` are base classes, beside those of known frameworks, whose methods run in a mode that a framework set.
    """
    neighbours = Neighbours(project.disk)
    roots = _roots(project, [f for f in files if f.speaks_of_mode], neighbours)
    candidates = Candidates(project, roots)
    starting = [(facts, names) for facts in roots if (names := candidates.of(facts))]
    runs = RunsAhead(project, check, managed, starting, jobs)
    linker = _Linker(runs, neighbours)
    for facts, names in starting:
        if "" in names:
            linker.take(facts, runs.script(facts))
    for facts, names in starting:
        linker.rest(facts, names)
    return list(linker.findings.values())


def _roots(project: Project, files: list[FileFacts], neighbours: Neighbours) -> list[FileFacts]:
    """The files, and those of their projects that may lead into them, in an order that both kinds share."""
    found = {Path(f.path).resolve(): f for f in files}
    for user in neighbours.outside(project.checked, list(found)):
        facts = project.facts(user) if speaks_of_mode(project.disk.read_or_empty(user)) else None
        if facts is not None and facts.speaks_of_mode:
            found[user] = facts
    return [facts for _, facts in sorted(found.items()) if not facts.is_test]


class _Linker:
    """Takes in one run after the other; a function that a run reached is not run without knowing its parameters."""

    def __init__(self, runs: Runs, neighbours: Neighbours) -> None:
        self.findings: dict[tuple[object, ...], Finding] = {}
        """The first finding of each rule at each place."""
        self._runs = runs
        self._neighbours = neighbours
        self._reached: dict[tuple[str, str], set[str]] = {}
        """For each function that a run entered, the files at whose top level, or with whose function, runs began."""

    def rest(self, facts: FileFacts, names: frozenset[str]) -> None:
        """Take in the runs of the functions among some that nothing has reached."""
        starts = self._runs.starts(facts, names)
        wanted = dict.fromkeys(outermost for name, outermost in starts if not self._was_reached(facts, name))
        for name in wanted:
            if not self._was_reached(facts, name):
                self.take(facts, self._runs.alone(facts, name))

    def take(self, facts: FileFacts, run: Run) -> None:
        """Take in a run that began in a file."""
        for node in run.reached:
            self._reached.setdefault(node, set()).add(facts.path)
        for found in run.found:
            if self._sees(facts.path, found.path):
                place = found.span if isinstance(found, Diagnostic) else None
                self.findings.setdefault((found.code, found.path, place), found)

    def _was_reached(self, facts: FileFacts, name: str) -> bool:
        roots = self._reached.get((facts.path, name), set())
        return facts.path in roots or any(self._sees(root, facts.path) for root in roots)

    def _sees(self, user: str, path: str) -> bool:
        """Whether a check of one file alone would look at a run that starts in another."""
        return user == path or self._neighbours.sees(Path(user).resolve(), Path(path).resolve())
