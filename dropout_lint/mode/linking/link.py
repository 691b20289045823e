"""Choose which runs to make: the scripts of a project, then the functions that no script reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.facts import FileFacts, ModeRun
from dropout_lint.mode.linking.ahead import RunsAhead
from dropout_lint.mode.linking.candidates import Candidates
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.mode.linking.runs import Run, Runs
from dropout_lint.project.project import Project
from dropout_lint.source.module.triage import speaks_of_mode
from dropout_lint.source.names.place import place_of


@dataclass(frozen=True, slots=True)
class LinkedRun:
    """A run, and the files whose findings it may prove. Checking one of these files alone makes the same run."""

    run: ModeRun
    files: frozenset[str]


def link(
    project: Project,
    files: Iterable[FileFacts],
    checked: Iterable[Path],
    managed: tuple[str, ...] = (),
    jobs: int = 1,
    neighbours: Neighbours | None = None,
) -> tuple[LinkedRun, ...]:
    """Make all runs that begin in ``files``, or in files that may call into them.

    ``checked`` are the paths of all checked files, with and without facts. ``managed`` are further base classes whose
    methods a framework calls in a mode that it sets; those of known frameworks are known.
    """
    neighbours = neighbours or Neighbours(project.files)
    given = [f for f in files if f.speaks_of_mode or (f.drives and neighbours.speak_of_mode(Path(f.path).resolve()))]
    roots = _roots(project, given, checked, neighbours)
    starting = list(_starting(project, roots, neighbours))
    linker = _Linker(RunsAhead(project, managed, starting, jobs), neighbours, frozenset(f.path for f in given))
    for facts, names in starting:
        if "" in names:
            linker.script(facts)
    for facts, names in starting:
        linker.functions(facts, names)
    return tuple(linker.runs)


def _roots(
    project: Project, files: list[FileFacts], checked: Iterable[Path], neighbours: Neighbours
) -> list[FileFacts]:
    """The files, and other files that may import them. Sorted by path; test files are left out."""
    found = {Path(f.path).resolve(): f for f in files}
    given = list(found)
    for user in neighbours.outside(frozenset(path.resolve() for path in checked), given):
        read = speaks_of_mode(project.files.data(user)) and not place_of(user, project.disk).is_test
        facts = project.files.facts(user) if read else None
        if facts is not None and facts.speaks_of_mode:
            found[user] = facts
    for user in neighbours.drivers(given) - found.keys():
        facts = None if place_of(user, project.disk).is_test else project.files.facts(user)
        if facts is not None:
            found[user] = facts
    return [facts for _, facts in sorted(found.items()) if not facts.is_test]


def _starting(
    project: Project, roots: list[FileFacts], neighbours: Neighbours
) -> Iterator[tuple[FileFacts, frozenset[str]]]:
    """The roots in which runs begin, each with the definitions worth running.

    A program may lead to models through files without a word about them. Those of a library are too many to follow.
    """
    library = {facts.path for facts in roots if neighbours.is_library(Path(facts.path))}
    of_library = Candidates(project, [facts for facts in roots if facts.path in library])
    of_programs = Candidates(project, [facts for facts in roots if facts.path not in library], through_all=True)
    for facts in roots:
        names = (of_library if facts.path in library else of_programs).of(facts)
        if names:
            yield facts, names


class _Linker:
    """Collects runs. A function that a run has entered is not run alone as well."""

    def __init__(self, runs: Runs, neighbours: Neighbours, given: frozenset[str]) -> None:
        self.runs: list[LinkedRun] = []
        self._runs = runs
        self._neighbours = neighbours
        self._given = given
        self._entered: dict[tuple[str, str], set[str]] = {}
        """The functions that runs have entered, each with the files where those runs begin."""

    def script(self, facts: FileFacts) -> None:
        """Add the run of the top level of a file."""
        self._add(facts, self._runs.script(facts))

    def functions(self, facts: FileFacts, names: frozenset[str]) -> None:
        """Add the runs of the functions in ``names`` that no run has entered."""
        starts = self._runs.starts(facts, names)
        wanted = dict.fromkeys(outermost for name, outermost in starts if not self._was_entered(facts, name))
        for name in wanted:
            if not self._was_entered(facts, name):
                self._add(facts, self._runs.alone(facts, name))

    def _add(self, facts: FileFacts, run: Run) -> None:
        for node in run.entered:
            self._entered.setdefault(node, set()).add(facts.path)
        if run.facts is not None:
            paths = {function.path for function in run.facts.functions} & self._given
            files = frozenset(path for path in paths if self._sees(facts.path, path))
            if files:
                self.runs.append(LinkedRun(run.facts, files))

    def _was_entered(self, facts: FileFacts, name: str) -> bool:
        roots = self._entered.get((facts.path, name), set())
        return facts.path in roots or any(self._sees(root, facts.path) for root in roots)

    def _sees(self, user: str, path: str) -> bool:
        """Whether checking ``path`` alone would make the runs that begin in ``user``."""
        return user == path or self._neighbours.sees(Path(user).resolve(), Path(path).resolve())
