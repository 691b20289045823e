"""Links the flows of a project: runs its scripts, then what no script reaches, and collects what that proves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dropout_lint.facts import FileFacts
from dropout_lint.mode.judges.evidence import Findings
from dropout_lint.mode.linking.ahead import RunsAhead
from dropout_lint.mode.linking.candidates import Candidates
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.mode.linking.runs import Run, Runs
from dropout_lint.project.project import Project
from dropout_lint.source.module.triage import speaks_of_mode


def link(
    project: Project,
    files: Iterable[FileFacts],
    checked: Iterable[Path],
    managed: tuple[str, ...] = (),
    jobs: int = 1,
) -> Findings:
    """Everything that the project around the files proves about them.

    ``checked`` are the paths of all files of the run, with and without facts. Each of the files is the root of its own
    runs, so the cost grows with their number.
    """
    neighbours = Neighbours(project.files)
    roots = _roots(project, [f for f in files if f.speaks_of_mode], checked, neighbours)
    candidates = Candidates(project, roots)
    starting = [(facts, names) for facts in roots if (names := candidates.of(facts))]
    runs = RunsAhead(project, managed, starting, jobs)
    linker = _Linker(runs, neighbours)
    for facts, names in starting:
        if "" in names:
            linker.take(facts, runs.script(facts))
    for facts, names in starting:
        linker.rest(facts, names)
    return linker.findings


def _roots(
    project: Project, files: list[FileFacts], checked: Iterable[Path], neighbours: Neighbours
) -> list[FileFacts]:
    """The files, and those of their projects that may lead into them, in an order that both kinds share."""
    found = {Path(f.path).resolve(): f for f in files}
    for user in neighbours.outside(frozenset(path.resolve() for path in checked), list(found)):
        facts = project.files.facts(user) if speaks_of_mode(project.files.data(user)) else None
        if facts is not None and facts.speaks_of_mode:
            found[user] = facts
    return [facts for _, facts in sorted(found.items()) if not facts.is_test]


class _Linker:
    """Takes in one run after the other; a function that a run reached is not run without knowing its parameters."""

    def __init__(self, runs: Runs, neighbours: Neighbours) -> None:
        self.findings = Findings()
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
        for found in run.proof:
            if self._sees(facts.path, found.path):
                self.findings.add(found)

    def _was_reached(self, facts: FileFacts, name: str) -> bool:
        roots = self._reached.get((facts.path, name), set())
        return facts.path in roots or any(self._sees(root, facts.path) for root in roots)

    def _sees(self, user: str, path: str) -> bool:
        """Whether a check of one file alone would look at a run that starts in another."""
        return user == path or self._neighbours.sees(Path(user).resolve(), Path(path).resolve())
