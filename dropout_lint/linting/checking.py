"""The third stage: the checks at work on facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint import checks
from dropout_lint.checks.support.context import Context
from dropout_lint.diagnostic import Diagnostic, Failure
from dropout_lint.disk import FileChangedError
from dropout_lint.facts import FileFacts, LayerGraph, ModeOutline
from dropout_lint.linting.stages import Checked, Collected, Found, Linked
from dropout_lint.project.networks import Networks
from dropout_lint.syntax.text import UnreadableSource

if TYPE_CHECKING:
    from dropout_lint.mode.judges.evidence import Evidence
    from dropout_lint.project.project import Project

FactsOf = Callable[[type], Iterable[object]]
"""Gives the facts of a kind that the checks of one file read."""


def check_files(collected: Collected, project: Project) -> Checked:
    """What the rules find that read what a file says."""
    networks = Networks(project)

    def of_kind(facts: FileFacts, kind: type) -> Iterable[object]:
        if kind is ModeOutline:
            return ()
        return networks.of(facts) if kind is LayerGraph else facts.of_kind(kind)

    found = {}
    for facts in _checkable(collected):
        enabled = collected.files.enabled(Path(facts.path))
        contexts = _contexts(facts, collected, project)
        found[facts.path] = run_checks(facts.path, enabled, partial(of_kind, facts), contexts)
    return Checked(collected, found)


def check_runs(linked: Linked, project: Project) -> Checked:
    """What the rules find that read what linking found."""
    collected = linked.collected

    def of_kind(facts: FileFacts, kind: type) -> Iterable[object]:
        return facts.of_kind(kind) if kind is ModeOutline else ()

    found = {}
    for facts in _checkable(collected):
        enabled = collected.files.enabled(Path(facts.path))
        if facts.path in linked.crashed and facts.of_kind(ModeOutline):
            readers = [code for code, (kind, _) in checks.checks(enabled).items() if kind is ModeOutline]
            failures = tuple(_crash(facts.path, code, linked.crashed[facts.path]) for code in readers)
            found[facts.path] = Found((), failures)
        elif evidence := linked.evidence.get(facts.path):
            contexts = _contexts(facts, collected, project, evidence)
            found[facts.path] = run_checks(facts.path, enabled, partial(of_kind, facts), contexts)
    return Checked(collected, found)


def run_checks(path: str, codes: Collection[str], facts_of: FactsOf, context: Callable[[str], Context]) -> Found:
    """Run the checks of some rules on the facts of the kinds that they read.

    A check that crashes is a failure, and so is a file that is no longer what its facts were collected from.
    """
    diagnostics: list[Diagnostic] = []
    failures: list[Failure] = []
    for code, (kind, check) in checks.checks(codes).items():
        at_work = context(code)
        try:
            for fact in facts_of(kind):
                diagnostics.extend(check(fact, at_work))
        except FileChangedError as error:
            return Found((), (Failure(path, str(error)),))
        except Exception as error:  # a bug in one rule must not hide the findings of the others
            failures.append(_crash(path, code, f"{type(error).__name__}: {error}"))
    return Found(tuple(diagnostics), tuple(failures))


def _crash(path: str, code: str, error: str) -> Failure:
    reason = f"rule {code} crashed: {error}".splitlines()[0]
    return Failure(path, f"{reason}; this is a bug in dropout-lint", code)


def _contexts(
    facts: FileFacts, collected: Collected, project: Project, evidence: tuple[Evidence, ...] = ()
) -> Callable[[str], Context]:
    path = Path(facts.path)
    settings = collected.files.settings[path]

    def text() -> str:
        try:
            return project.files.source(path)
        except (OSError, UnreadableSource):  # it could be read when its facts were collected
            raise FileChangedError from None

    return lambda code: Context(code, facts, project, settings, text, evidence)


def _checkable(collected: Collected) -> Iterator[FileFacts]:
    return (facts for facts in collected.facts if facts.has_anything)
