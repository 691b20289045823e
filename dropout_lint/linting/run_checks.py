"""The checks of mode runs: follow the modes of models through a project, and check each run where it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.checks import checks
from dropout_lint.checks.support.context import Context
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Diagnostic, Failure
from dropout_lint.facts import FileFacts, ModeRun
from dropout_lint.mode.linking.link import link
from dropout_lint.project.project import Project

if TYPE_CHECKING:
    from dropout_lint.config.resolver import Settings


def check_runs(
    files: Sequence[FileFacts], settings_for: Callable[[Path], Settings], project: Project, load: Callable[[Path], str]
) -> list[Diagnostic | Failure]:
    """What the checks of mode runs find in some files. A file is linked with its own managed bases."""
    groups: dict[tuple[str, ...], dict[str, tuple[FileFacts, Settings, frozenset[str]]]] = {}
    for facts in files:
        path = Path(facts.path)
        settings = settings_for(path)
        on = frozenset(code for code, (kind, _) in checks(settings.enabled_for(path)).items() if kind is ModeRun)
        if on and facts.speaks_of_mode:
            groups.setdefault(settings.mode_managed_bases, {})[facts.path] = facts, settings, on
    found: list[Diagnostic | Failure] = []
    for managed, group in groups.items():
        check = _RunChecks(project, group, load)
        found += link(project, project.given, check, managed, project.jobs)
    return found


class _RunChecks:
    """The checks that are on for some files, at work on any run. Raises nothing for one that crashes."""

    def __init__(
        self,
        project: Project,
        files: dict[str, tuple[FileFacts, Settings, frozenset[str]]],
        load: Callable[[Path], str],
    ) -> None:
        self._project = project
        self._files = files
        self._load = load
        self._checks = checks(frozenset().union(*(on for _, _, on in files.values())))
        self._contexts = {code: RunContext(code, cache(partial(self._context, code))) for code in self._checks}

    def __call__(self, run: ModeRun) -> tuple[Diagnostic | Failure, ...]:
        found: list[Diagnostic | Failure] = []
        for code, (_, check) in self._checks.items():
            try:
                found += check(run, self._contexts[code])
            except Exception as error:  # a bug in one rule must not hide the findings of the others
                reason = f"rule {code} crashed: {type(error).__name__}: {error}".splitlines()[0]
                found.append(Failure(run.path, f"{reason}; this is a bug in dropout-lint", code))
        return tuple(found)

    def _context(self, code: str, path: str) -> Context | None:
        facts, settings, on = self._files.get(path, (None, None, frozenset()))
        if facts is None or settings is None or code not in on:
            return None
        return Context(code, facts, self._project, settings, partial(self._load, Path(path)))
