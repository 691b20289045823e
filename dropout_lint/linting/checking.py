"""The third stage: run the checks of the enabled rules on facts.

``check_files`` runs those about facts of one file, ``check_runs`` those about ``ModeRun``, which may span files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint import checks
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Failure, surer
from dropout_lint.disk import FileChangedError
from dropout_lint.facts import FileFacts, LayerGraph, ModeRun
from dropout_lint.linting.stages import Checked, Collected, Found, Linked
from dropout_lint.project.networks import Networks

if TYPE_CHECKING:
    from dropout_lint.project.project import Project

_ABOUT_EVALUATIONS = frozenset({"DRP205", "DRP206", "DRP207", "DRP208"})
"""Where a run proves one of these, no evidence is weighed."""
FactsOf = Callable[[type], Iterable[object]]
"""Returns the facts of a kind, such as ``DropoutSite``."""


def check_files(collected: Collected, project: Project) -> Checked:
    """Run the checks on the facts of each file."""
    networks = Networks(project)

    def of_kind(facts: FileFacts, kind: type) -> Iterable[object]:
        return networks.of(facts) if kind is LayerGraph else facts.of_kind(kind)

    found = {}
    for facts in _checkable(collected):
        enabled = collected.files.enabled(Path(facts.path))
        contexts = _contexts(facts, collected, project)
        found[facts.path] = _run_checks(facts.path, enabled, partial(of_kind, facts), contexts)
    return Checked(collected, found)


def check_runs(linked: Linked, project: Project) -> Checked:
    """Run the checks on runs. Of equal findings, the surest is kept, or the first of those that are alike."""
    contexts = _RunContexts(linked.collected, project)
    diagnostics: dict[tuple[object, ...], Diagnostic] = {}
    failures: dict[Failure, None] = {}
    for facts in linked.collected.facts:
        if facts.speaks_of_mode and facts.path in linked.crashed:
            reason = linked.crashed[facts.path]
            failures.update((_crash(facts.path, code, reason), None) for code in contexts.codes([facts.path]))
    for run, paths in ((one.run, one.files) for one in linked.runs):
        found = _run_checks(run.path, contexts.codes(paths), partial(_of_run, run), contexts.of(paths))
        for diagnostic in found.diagnostics:
            key = (diagnostic.code, diagnostic.path, diagnostic.span)
            diagnostics[key] = surer(diagnostics.get(key, diagnostic), diagnostic)
        failures.update((replace(failure, path=path), None) for failure in found.failures for path in paths)
    for diagnostic in _weighed(linked, contexts, diagnostics.values()):
        diagnostics.setdefault((diagnostic.code, diagnostic.path, diagnostic.span), diagnostic)
    return Checked(linked.collected, _by_path(diagnostics.values(), [*failures, *contexts.changed.values()]))


def _weighed(linked: Linked, contexts: _RunContexts, proven: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings by evidence, where no run proves one at the call or at the ``train()`` before it."""
    settled = {(d.path, d.span.line) for d in proven if d.code in _ABOUT_EVALUATIONS}
    found: list[Diagnostic] = []
    for site in linked.sites:
        path = site.location.path
        called = site.sign("train-called-last")
        places = [site.location, site.forward, *([called.location] if called is not None and called.location else [])]
        if any((place.path, place.span.line) in settled for place in places):
            continue
        for code, weigh in checks.weighing(contexts.codes([path])).items():
            context = contexts.of(frozenset([path]))(code).file(path)
            found += weigh(site, context) if context is not None else ()
    return found


def _run_checks(path: str, codes: Collection[str], facts_of: FactsOf, context_of: Callable[[str], object]) -> Found:
    """Run the checks of the rules ``codes``, each on the facts of its kind. A check that crashes is a failure."""
    diagnostics: list[Diagnostic] = []
    failures: list[Failure] = []
    for code, (kind, check) in checks.checks(codes).items():
        context = context_of(code)
        try:
            for fact in facts_of(kind):
                diagnostics.extend(check(fact, context))
        except Exception as error:  # a bug in one rule must not hide the findings of the others
            failures.append(_crash(path, code, f"{type(error).__name__}: {error}"))
    return Found(tuple(diagnostics), tuple(failures))


def _run_rules(codes: Collection[str]) -> frozenset[str]:
    return frozenset(code for code, (kind, _) in checks.checks(codes).items() if kind is ModeRun)


def _of_run(run: ModeRun, kind: type) -> Iterable[object]:
    return (run,) if kind is ModeRun else ()


class _RunContexts:
    """The contexts of checks on runs: one for each rule and file. A run may have findings in several files."""

    def __init__(self, collected: Collected, project: Project) -> None:
        self._enabled = cache(lambda path: _run_rules(collected.files.enabled(Path(path))))
        self._context = cache(self._new_context)
        self._facts = {facts.path: facts for facts in collected.facts}
        self._collected = collected
        self._project = project
        self.changed: dict[str, Failure] = {}
        """Files that changed after their facts were collected."""

    def codes(self, paths: Iterable[str]) -> frozenset[str]:
        """The rules about runs that are enabled for at least one of the files."""
        return frozenset().union(*map(self._enabled, paths))

    def of(self, paths: frozenset[str]) -> Callable[[str], RunContext]:
        """A function from a rule to its context for a run that may report in these files only."""
        return lambda code: RunContext(code, lambda path: self._context(code, path) if path in paths else None)

    def _new_context(self, code: str, path: str) -> Context | None:
        if code not in self._enabled(path):
            return None
        try:
            self._project.files.lines(Path(path))  # every finding of a run needs the text
        except FileChangedError as error:
            self.changed[path] = Failure(path, str(error))
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
