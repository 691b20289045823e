"""Choose which runs to make: the scripts of a project, then the functions that no script reaches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.facts import FileFacts, ModeRun
from dropout_lint.mode.linking.ahead import RunsAhead
from dropout_lint.mode.linking.candidates import Candidates
from dropout_lint.mode.linking.neighbours import Neighbours
from dropout_lint.mode.linking.runs import Run, Runs
from dropout_lint.project.project import Project
from dropout_lint.source.module.triage import speaks_of_mode, starts_program


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
) -> tuple[LinkedRun, ...]:
    """Make all runs that begin in ``files``, or in files that may call into them.

    ``checked`` are the paths of all checked files, with and without facts. ``managed`` are further base classes whose
    methods a framework calls in a mode that it sets; those of known frameworks are known.
    """
    neighbours = Neighbours(project.files)
    given = [f for f in files if f.speaks_of_mode]
    roots = _roots(project, given, checked, neighbours)
    candidates = Candidates(project, roots, neighbours.users(f.path for f in given))
    starting = [(facts, names) for facts in roots if (names := candidates.of(facts))]
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
    users = neighbours.users(found)
    for user in neighbours.outside(frozenset(path.resolve() for path in checked), list(found)):
        facts = project.files.facts(user) if speaks_of_mode(project.files.data(user)) else None
        if facts is not None and facts.speaks_of_mode:
            found[user] = facts
    for user in users - found.keys():
        facts = project.files.facts(user) if _drives(project, user) else None
        if facts is not None:
            found[user] = facts
    return [facts for _, facts in sorted(found.items()) if not facts.is_test]


def _drives(project: Project, path: Path) -> bool:
    """Whether a file may run models of other files without a word about modes, as a ``main.py`` does."""
    library = project.files.disk.is_file(path.parent / "__init__.py")
    return path.suffix == ".ipynb" or starts_program(project.files.data(path), library=library)


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
