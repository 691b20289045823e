"""From files to diagnostics: facts in parallel, then checks over the facts, then suppressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Diagnostic, Failure, Span
from dropout_lint.disk import Disk
from dropout_lint.linting.analysis import Analysed, analyse_text, without_collecting
from dropout_lint.linting.checking import Checker, Found, follows_modes
from dropout_lint.processes import processors
from dropout_lint.rulebook import rules
from dropout_lint.source.names.place import place_of
from dropout_lint.suppressions.matching import TOOL_RULES, UNKNOWN, UNUSED, apply_suppressions

if TYPE_CHECKING:
    from dropout_lint.cache.folder import CacheFolder
    from dropout_lint.config.resolver import Settings
    from dropout_lint.linting.facts_store import FactsStore
    from dropout_lint.linting.merging import Findings
    from dropout_lint.project.project import Project


@dataclass(frozen=True, slots=True)
class LintResult:
    """What a run found, sorted; ``failures`` are what it could not check; ``checked`` counts files."""

    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[Failure, ...]
    checked: int


class Linter:
    """Lints files under the settings of each. ``jobs`` 0 means as many processes as there are processors.

    ``cache`` has what earlier runs found; without it, nothing is read or written but the files.
    """

    def __init__(
        self,
        settings_for: Callable[[Path], Settings],
        jobs: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
        runs: Findings | None = None,
        cache: CacheFolder | None = None,
    ) -> None:
        """``runs`` are what running models found in the same files."""
        self._settings_for = settings_for
        self._jobs = jobs
        self._on_progress = on_progress
        self._runs = runs
        self._disk = Disk()
        self._cache = cache
        self._files: Sequence[Path] = ()
        self._project: Project | None = None
        self._texts: dict[Path, str] = {}

    def run(self, files: Sequence[Path]) -> LintResult:
        """Lint files from disk. Never raises for what a file contains."""
        self._files = files
        if self._cache is None:
            return self._judge(self._collect(files))
        from dropout_lint.linting.run_cache import Runs, run_key

        runs, key = Runs(self._cache), run_key(files, self._settings_for)
        recalled = runs.recall(key, self._disk)
        if recalled is not None:
            return LintResult(recalled, (), len(files))
        self._disk = Disk()
        result = self._judge(self._collect(files))
        if self._store is not None:
            self._store.save()
        if not result.failures:
            runs.remember(key, result.diagnostics, self._disk)
        return result

    def run_text(self, path: Path, text: str) -> LintResult:
        """Lint one text as if it were the content of ``path``."""
        self._texts[path] = text
        place = place_of(path, self._disk)
        one = analyse_text(path, text, text.encode(errors="replace"), place, self._follows_modes(path))
        if one.facts is not None:
            self._project_of(path).add(one.facts)
        return self._judge([one])

    def _collect(self, files: Sequence[Path]) -> list[Analysed]:
        from dropout_lint.linting.gathering import gather

        analysed: list[Analysed] = []
        store = self._store
        with without_collecting():
            for one in gather(files, self._follows_modes, self._disk, store, self._jobs):
                analysed.append(one)
                if self._on_progress is not None:
                    self._on_progress(len(analysed), len(files))
        facts = [one.facts for one in analysed if one.facts is not None]
        if facts:
            self._project = self._new_project(files)
            self._project.add_all(facts, files)
        return analysed

    def _project_of(self, path: Path) -> Project:
        if self._project is None and self._files:
            self._collect(self._files)  # the findings of the run were known from an earlier one
        if self._project is None:
            self._project = self._new_project([path])
        return self._project

    def _new_project(self, files: Sequence[Path]) -> Project:
        from dropout_lint.project.project import Project

        jobs = self._jobs or processors()
        return Project(_roots(files, self._disk), self._disk, self._store, self._texts, jobs)

    @cached_property
    def _store(self) -> FactsStore | None:
        if self._cache is None:
            return None
        from dropout_lint.linting.facts_store import FactsStore

        return FactsStore(self._cache)

    def _follows_modes(self, path: Path) -> bool:
        return follows_modes(self._settings_for(path), path)

    def _judge(self, analysed: Sequence[Analysed]) -> LintResult:
        with without_collecting():
            return self._judged(analysed)

    def _judged(self, analysed: Sequence[Analysed]) -> LintResult:
        diagnostics: list[Diagnostic] = []
        failures: list[Failure] = []
        checked = self._checked(analysed)
        for one in analysed:
            if one.failure:
                failures.append(Failure(str(one.path), one.failure))
                diagnostics += self._with_runs(one.path, [])
                continue
            by_checks, crashed = checked.get(one.path, Found([], []))
            found = self._with_runs(one.path, [*self._syntax_error(one), *by_checks])
            failures += crashed
            if one.suppressions.directives:
                enabled = self._decided(one) - {f.code for f in crashed}
                definitions = one.facts.definitions if one.facts is not None else ()
                found = list(apply_suppressions(one.suppressions, found, str(one.path), enabled, definitions))
            diagnostics += found
        return LintResult(
            tuple(sorted(set(diagnostics), key=lambda d: d.sort_key)),
            tuple(sorted(failures, key=lambda f: (f.path, f.code))),
            len(analysed),
        )

    def _checked(self, analysed: Sequence[Analysed]) -> dict[Path, Found]:
        facts = {one.path: one.facts for one in analysed if one.facts is not None and one.facts.has_anything}
        if not facts:
            return {}
        checker = Checker(self._settings_for, self._project_of(next(iter(facts))), self._texts)
        return dict(zip(facts, checker.run(list(facts.values())), strict=True))

    def _with_runs(self, path: Path, found: list[Diagnostic]) -> list[Diagnostic]:
        if self._runs is None:
            return found
        enabled = self._settings_for(path).enabled_for(path)
        return [item for item in self._runs.joined(str(path), found) if item.code in enabled]

    def _decided(self, one: Analysed) -> frozenset[str]:
        """The rules of which a comment in the file is known to be unused when nothing is found."""
        from dropout_lint.checks import codes

        settings = self._settings_for(one.path)
        enabled = settings.enabled_for(one.path) & (codes() | TOOL_RULES)
        if one.syntax_error is not None:
            return enabled - {UNUSED, UNKNOWN}
        if settings.models and (self._runs is None or not self._runs.complete):
            return enabled - {UNUSED}  # the comment may be there for what a run of the models finds
        return enabled

    def _syntax_error(self, one: Analysed) -> Iterator[Diagnostic]:
        if one.syntax_error is not None and "DRP001" in self._settings_for(one.path).enabled_for(one.path):
            message, line, column = one.syntax_error
            span = Span(line, column, line, column + 1)
            yield Diagnostic("DRP001", str(one.path), span, f"Syntax error: {message}", rules()["DRP001"].severity)


def _roots(files: Sequence[Path], disk: Disk) -> tuple[Path, ...]:
    """The outermost package folder, or else the folder, of each file; none inside another."""
    tops = set()
    for folder in {path.resolve().parent for path in files}:
        top = folder
        while disk.is_file(top.parent / "__init__.py"):
            top = top.parent
        tops.add(top)
    return tuple(sorted(top for top in tops if tops.isdisjoint(top.parents)))
