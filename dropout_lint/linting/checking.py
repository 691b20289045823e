"""The third stage: the checks at work on facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint import checks
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Failure
from dropout_lint.disk import FileChangedError
from dropout_lint.facts import FileFacts, LayerGraph, ModeRun
from dropout_lint.linting.stages import Checked, Collected, Found, Linked
from dropout_lint.project.networks import Networks
from dropout_lint.syntax.text import UnreadableSource

if TYPE_CHECKING:
    from dropout_lint.project.project import Project

FactsOf = Callable[[type], Iterable[object]]
"""Gives the facts of a kind that the checks of one file read."""


def check_files(collected: Collected, project: Project) -> Checked:
    """What the rules find that read what a file says."""
    networks = Networks(project)

    def of_kind(facts: FileFacts, kind: type) -> Iterable[object]:
        return networks.of(facts) if kind is LayerGraph else facts.of_kind(kind)

    found = {}
    for facts in _checkable(collected):
        enabled = collected.files.enabled(Path(facts.path))
        contexts = _contexts(facts, collected, project)
        found[facts.path] = run_checks(facts.path, enabled, partial(of_kind, facts), contexts)
    return Checked(collected, found)


def check_runs(linked: Linked, project: Project) -> Checked:
    """What the rules find that read runs. The first finding of a rule at a place counts, in the order of the runs."""
    files = _RunFiles(linked.collected, project)
    diagnostics: dict[tuple[object, ...], Diagnostic] = {}
    failures: dict[Failure, None] = {}
    for facts in linked.collected.facts:
        if facts.speaks_of_mode and facts.path in linked.crashed:
            reason = linked.crashed[facts.path]
            failures.update((_crash(facts.path, code, reason), None) for code in files.codes([facts.path]))
    for run, counts in ((one.run, one.files) for one in linked.runs):
        found = run_checks(run.path, files.codes(counts), partial(_of_run, run), files.contexts(counts))
        for diagnostic in found.diagnostics:
            diagnostics.setdefault((diagnostic.code, diagnostic.path, diagnostic.span), diagnostic)
        failures.update((replace(failure, path=path), None) for failure in found.failures for path in counts)
    return Checked(linked.collected, _by_path(diagnostics.values(), [*failures, *files.changed.values()]))


def run_checks(path: str, codes: Collection[str], facts_of: FactsOf, context: Callable[[str], object]) -> Found:
    """Run the checks of some rules on the facts of the kinds that they read. A check that crashes is a failure."""
    diagnostics: list[Diagnostic] = []
    failures: list[Failure] = []
    for code, (kind, check) in checks.checks(codes).items():
        at_work = context(code)
        try:
            for fact in facts_of(kind):
                diagnostics.extend(check(fact, at_work))
        except Exception as error:  # a bug in one rule must not hide the findings of the others
            failures.append(_crash(path, code, f"{type(error).__name__}: {error}"))
    return Found(tuple(diagnostics), tuple(failures))


def _reading_runs(codes: Collection[str]) -> frozenset[str]:
    return frozenset(code for code, (kind, _) in checks.checks(codes).items() if kind is ModeRun)


def _of_run(run: ModeRun, kind: type) -> Iterable[object]:
    return (run,) if kind is ModeRun else ()


class _RunFiles:
    """The files in which findings of runs count."""

    def __init__(self, collected: Collected, project: Project) -> None:
        self._enabled = cache(lambda path: _reading_runs(collected.files.enabled(Path(path))))
        self._context = cache(self._new_context)
        self._facts = {facts.path: facts for facts in collected.facts}
        self._collected = collected
        self._project = project
        self.changed: dict[str, Failure] = {}
        """Files that are no longer what their facts were collected from."""

    def codes(self, paths: Iterable[str]) -> frozenset[str]:
        """The rules that read runs and are on for some of the files."""
        return frozenset().union(*map(self._enabled, paths))

    def contexts(self, paths: frozenset[str]) -> Callable[[str], RunContext]:
        """The context of each rule at work on a run, whose findings count in some of the files."""
        return lambda code: RunContext(code, lambda path: self._context(code, path) if path in paths else None)

    def _new_context(self, code: str, path: str) -> Context | None:
        if code not in self._enabled(path):
            return None
        try:
            self._project.files.lines(Path(path))  # every finding of a run needs the text
        except (OSError, UnreadableSource):  # it could be read when its facts were collected
            self.changed[path] = Failure(path, str(FileChangedError()))
            return None
        return _contexts(self._facts[path], self._collected, self._project)(code)


def _by_path(diagnostics: Iterable[Diagnostic], failures: Iterable[Failure]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for diagnostic in diagnostics:
        found[diagnostic.path] = found.get(diagnostic.path, Found()) + Found((diagnostic,))
    for failure in failures:
        found[failure.path] = found.get(failure.path, Found()) + Found((), (failure,))
    return found


def _crash(path: str, code: str, error: str) -> Failure:
    reason = f"rule {code} crashed: {error}".splitlines()[0]
    return Failure(path, f"{reason}; this is a bug in dropout-lint", code)


def _contexts(facts: FileFacts, collected: Collected, project: Project) -> Callable[[str], Context]:
    settings = collected.files.settings[Path(facts.path)]
    return lambda code: Context(code, facts, project, settings)


def _checkable(collected: Collected) -> Iterator[FileFacts]:
    return (facts for facts in collected.facts if facts.has_anything)
