"""From files to diagnostics: facts in parallel, then checks over the facts, then suppressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.analysis import Analysed, analyse_text, without_collecting
from dropout_lint.diagnostic import Diagnostic, Failure, Span
from dropout_lint.disk import Disk
from dropout_lint.rulebook import rules
from dropout_lint.source.place import place_of
from dropout_lint.source.text import read_source
from dropout_lint.suppressions import TOOL_RULES, UNKNOWN, UNUSED, apply_suppressions

if TYPE_CHECKING:
    from dropout_lint.cache.folder import CacheFolder
    from dropout_lint.cache.store import FactsStore
    from dropout_lint.config import Settings
    from dropout_lint.facts import FileFacts
    from dropout_lint.merging import Findings
    from dropout_lint.project import Project

MODE_RULES = "DRP2"
"""The group of rules that need the modes of models followed through a project."""


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
        from dropout_lint.cache.runs import Runs, run_key

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
        from dropout_lint.gathering import gather

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
        from dropout_lint.project import Project

        return Project(_roots(files, self._disk), self._disk, self._store, self._texts)

    @cached_property
    def _store(self) -> FactsStore | None:
        if self._cache is None:
            return None
        from dropout_lint.cache.store import FactsStore

        return FactsStore(self._cache)

    def _follows_modes(self, path: Path) -> bool:
        """Whether a rule about train and eval mode is on for a file; following modes takes as long as all the rest."""
        enabled = self._settings_for(path).enabled_for(path)
        return any(code.startswith(MODE_RULES) and not rules()[code].engines for code in enabled)

    def _judge(self, analysed: Sequence[Analysed]) -> LintResult:
        with without_collecting():
            return self._judged(analysed)

    def _judged(self, analysed: Sequence[Analysed]) -> LintResult:
        diagnostics: list[Diagnostic] = []
        failures: list[Failure] = []
        for one in analysed:
            if one.failure:
                failures.append(Failure(str(one.path), one.failure))
                diagnostics += self._with_runs(one.path, [])
                continue
            crashed: list[Failure] = []
            found = self._with_runs(one.path, list(self._findings(one, crashed)))
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

    def _findings(self, one: Analysed, failures: list[Failure]) -> Iterator[Diagnostic]:
        if one.syntax_error is not None:
            message, line, column = one.syntax_error
            settings = self._settings_for(one.path)
            if "DRP001" in settings.enabled_for(one.path):
                span = Span(line, column, line, column + 1)
                yield Diagnostic("DRP001", str(one.path), span, f"Syntax error: {message}", rules()["DRP001"].severity)
        if one.facts is not None and one.facts.has_anything:
            yield from self._check(one, one.facts, failures)

    def _check(self, one: Analysed, facts: FileFacts, failures: list[Failure]) -> Iterator[Diagnostic]:
        from dropout_lint.checks import checks
        from dropout_lint.checks.context import Context

        settings = self._settings_for(one.path)
        enabled = settings.enabled_for(one.path)
        project = self._project_of(one.path)
        for code, (kind, check) in checks(enabled).items():
            context = Context(code, facts, project, settings, lambda: self._text(one.path))
            try:
                for fact in context.subjects(kind):
                    yield from check(fact, context)
            except Exception as error:  # a bug in one rule must not hide the findings of the others
                reason = f"rule {code} crashed: {type(error).__name__}: {error}".splitlines()[0]
                failures.append(Failure(str(one.path), f"{reason}; this is a bug in dropout-lint", code))

    def _text(self, path: Path) -> str:
        return self._texts[path] if path in self._texts else read_source(path).text


def _roots(files: Sequence[Path], disk: Disk) -> tuple[Path, ...]:
    """The outermost package folder, or else the folder, of each file; none inside another."""
    tops = set()
    for folder in {path.resolve().parent for path in files}:
        top = folder
        while disk.is_file(top.parent / "__init__.py"):
            top = top.parent
        tops.add(top)
    return tuple(sorted(t for t in tops if not any(other in t.parents for other in tops)))
