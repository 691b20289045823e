"""Speculative runs of many files in parallel, made before it is known which are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dropout_lint.disk import Looks
from dropout_lint.facts import FileFacts
from dropout_lint.mode.linking.runs import NOTHING, Run, Runs
from dropout_lint.processes import FORKS, Lost, do, forked
from dropout_lint.project.project import Project

FILES_EACH = 20
"""The fewest files for which another process is worth its start."""
Root = tuple[FileFacts, frozenset[str]]
"""A file, and the definitions in it that a run may start with."""


@dataclass(frozen=True, slots=True)
class _Done:
    """All runs that may begin in one file, and what they read."""

    script: Run
    starts: tuple[tuple[str, str], ...]
    alone: dict[str, Run]
    looks: Looks


class RunsAhead(Runs):
    """Runs made in other processes; a missing one is made on demand."""

    def __init__(self, project: Project, managed: tuple[str, ...], roots: Sequence[Root], jobs: int) -> None:
        super().__init__(project, managed)
        self._roots = roots
        self._done: dict[str, _Done] = {}
        jobs = min(jobs, len(roots) // FILES_EACH)
        if FORKS and jobs > 1:
            self._run_all(jobs)

    def script(self, facts: FileFacts) -> Run:
        """The run of the top level of a file."""
        done = self._done.get(facts.path)
        return done.script if done is not None else super().script(facts)

    def starts(self, facts: FileFacts, names: frozenset[str]) -> tuple[tuple[str, str], ...]:
        """The functions of a root that act on modes, each with its entry point."""
        done = self._done.get(facts.path)
        return done.starts if done is not None else super().starts(facts, names)

    def alone(self, facts: FileFacts, name: str) -> Run:
        """The run of a function with unknown parameters."""
        done = self._done.get(facts.path)
        run = done.alone.get(name) if done is not None else None
        return run if run is not None else super().alone(facts, name)

    def _run_all(self, jobs: int) -> None:
        try:
            with forked(jobs, self._all_or_none) as pool:
                results = list(pool.map(do, range(len(self._roots))))
        except Lost:
            return
        for (facts, _), done in zip(self._roots, results, strict=True):
            if done is not None:
                self.project.disk.take_in(done.looks)
                self._done[facts.path] = done

    def _all_or_none(self, index: int) -> _Done | None:
        """All runs of a root. None if one crashed: the parent repeats it, and raises the error."""
        try:
            return self._all_of(index)
        except Exception:
            return None

    def _all_of(self, index: int) -> _Done:
        """The runs that begin in one root. A function that one of them entered is not run alone."""
        facts, names = self._roots[index]
        self.project.disk.hand_over()
        script = self.script(facts) if "" in names else NOTHING
        starts = self.starts(facts, names)
        reached = set(script.entered)
        alone: dict[str, Run] = {}
        for name, outermost in starts:
            if outermost not in alone and reached.isdisjoint({(facts.path, name), (facts.path, outermost)}):
                alone[outermost] = self.alone(facts, outermost)
                reached |= alone[outermost].entered
        return _Done(script, starts, alone, self.project.disk.hand_over())
