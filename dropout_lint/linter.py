"""From files to diagnostics: facts in parallel, then checks over the facts, then suppressions."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Diagnostic, Failure, Span
from dropout_lint.rulebook import rules
from dropout_lint.source.text import UnreadableSource, read_source
from dropout_lint.source.triage import PARSE_ANYWAY, speaks_of_dropout, speaks_of_mode
from dropout_lint.suppressions import Suppressions, apply_suppressions, parse_suppressions

if TYPE_CHECKING:
    from dropout_lint.config import Settings
    from dropout_lint.facts import FileFacts
    from dropout_lint.project import Project

PARALLEL_FROM = 1_500_000
"""Bytes of source below which starting processes costs more than it saves."""
_RECURSION_LIMIT = 8_000
MODE_RULES = "DRP2"
"""The group of rules that need the modes of models followed through a project."""


@dataclass(frozen=True, slots=True)
class LintResult:
    """What a run found, sorted; ``failures`` are what it could not check; ``checked`` counts files."""

    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[Failure, ...]
    checked: int


@dataclass(frozen=True, slots=True)
class _Analysed:
    path: Path
    facts: FileFacts | None = None
    suppressions: Suppressions = field(default_factory=Suppressions)
    syntax_error: tuple[str, int, int] | None = None
    failure: str = ""


class Linter:
    """Lints files under the settings of each. ``jobs`` 0 means as many processes as there are processors."""

    def __init__(
        self,
        settings_for: Callable[[Path], Settings],
        jobs: int = 0,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._settings_for = settings_for
        self._jobs = jobs
        self._on_progress = on_progress
        self._project: Project | None = None
        self._texts: dict[Path, str] = {}

    def run(self, files: Sequence[Path]) -> LintResult:
        """Lint files from disk. Never raises for what a file contains."""
        analysed: list[_Analysed] = []
        for done, one in enumerate(self._analyse_all(files), 1):
            analysed.append(one)
            if self._on_progress is not None:
                self._on_progress(done, len(files))
        if any(a.facts is not None for a in analysed):
            self._project_of(files).add_all([a.facts for a in analysed if a.facts is not None], files)
        return self._judge(analysed)

    def run_text(self, path: Path, text: str) -> LintResult:
        """Lint one text as if it were the content of ``path``."""
        self._texts[path] = text
        one = _analyse_text(path, text, text.encode(errors="replace"), self._follows_modes(path))
        if one.facts is not None:
            self._project_of([path]).add(one.facts)
        return self._judge([one])

    def _project_of(self, files: Sequence[Path]) -> Project:
        if self._project is None:
            from dropout_lint.project import Project

            self._project = Project(_roots(files), self._texts)
        return self._project

    def _analyse_all(self, files: Sequence[Path]) -> Iterator[_Analysed]:
        sizes = {path: _size(path) for path in files}
        jobs = self._jobs or _processors()
        if jobs <= 1 or sum(sizes.values()) < PARALLEL_FROM:
            yield from map(_analyse, files, map(self._follows_modes, files))
            return
        from concurrent.futures import ProcessPoolExecutor

        # Largest first: a long file at the end would keep one process busy alone.
        order = sorted(files, key=lambda p: -sizes[p])
        with ProcessPoolExecutor(jobs, initializer=_start_worker) as pool:
            yield from pool.map(_analyse, order, map(self._follows_modes, order), chunksize=8)

    def _follows_modes(self, path: Path) -> bool:
        """Whether a rule about train and eval mode is on for a file; following modes takes as long as all the rest."""
        return any(code.startswith(MODE_RULES) for code in self._settings_for(path).enabled_for(path))

    def _judge(self, analysed: Sequence[_Analysed]) -> LintResult:
        with _without_collecting():
            return self._judged(analysed)

    def _judged(self, analysed: Sequence[_Analysed]) -> LintResult:
        diagnostics: list[Diagnostic] = []
        failures: list[Failure] = []
        for one in analysed:
            if one.failure:
                failures.append(Failure(str(one.path), one.failure))
                continue
            crashed: list[Failure] = []
            found = list(self._findings(one, crashed))
            failures += crashed
            if one.suppressions.directives:
                enabled = self._settings_for(one.path).enabled_for(one.path) - {f.code for f in crashed}
                if one.syntax_error is not None:
                    enabled -= {"DRP002", "DRP003"}
                definitions = one.facts.definitions if one.facts is not None else ()
                found = list(apply_suppressions(one.suppressions, found, str(one.path), enabled, definitions))
            diagnostics += found
        return LintResult(
            tuple(sorted(set(diagnostics), key=lambda d: d.sort_key)),
            tuple(sorted(failures, key=lambda f: (f.path, f.code))),
            len(analysed),
        )

    def _findings(self, one: _Analysed, failures: list[Failure]) -> Iterator[Diagnostic]:
        if one.syntax_error is not None:
            message, line, column = one.syntax_error
            settings = self._settings_for(one.path)
            if "DRP001" in settings.enabled_for(one.path):
                span = Span(line, column, line, column + 1)
                yield Diagnostic("DRP001", str(one.path), span, f"Syntax error: {message}", rules()["DRP001"].severity)
        elif one.facts is not None and one.facts.has_anything:
            yield from self._check(one, one.facts, failures)

    def _check(self, one: _Analysed, facts: FileFacts, failures: list[Failure]) -> Iterator[Diagnostic]:
        from dropout_lint.checks import checks
        from dropout_lint.checks.context import Context

        settings = self._settings_for(one.path)
        enabled = settings.enabled_for(one.path)
        project = self._project_of([one.path])
        for code, (kind, check) in checks(enabled).items():
            context = Context(code, facts, project, settings, lambda: self._text(one.path))
            try:
                for fact in facts.of_kind(kind):
                    yield from check(fact, context)
            except Exception as error:  # a bug in one rule must not hide the findings of the others
                reason = f"rule {code} crashed: {type(error).__name__}: {error}".splitlines()[0]
                failures.append(Failure(str(one.path), f"{reason}; this is a bug in dropout-lint", code))

    def _text(self, path: Path) -> str:
        return self._texts[path] if path in self._texts else read_source(path).text


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which says what it stopped
    gc.disable()
    sys.setrecursionlimit(_RECURSION_LIMIT)


def _analyse(path: Path, modes: bool) -> _Analysed:
    try:
        source = read_source(path)
    except UnreadableSource as error:
        return _Analysed(path, failure=str(error))
    return _analyse_text(path, source.text, source.data, modes)


def _analyse_text(path: Path, text: str, data: bytes, modes: bool) -> _Analysed:
    from dropout_lint.source.syntax import MAX_BYTES

    speaks = speaks_of_dropout(data) or (modes and speaks_of_mode(data))
    if len(data) > (MAX_BYTES if speaks else PARSE_ANYWAY):
        size = f"{len(data) / 1e6:.0f} MB are more than the {MAX_BYTES / 1e6:.0f} MB that are parsed"
        return _Analysed(path, failure=f"too large to check: {size}") if speaks else _Analysed(path)
    with _without_collecting():
        return _parsed(path, text, modes, speaks)


def _parsed(path: Path, text: str, modes: bool, speaks: bool) -> _Analysed:
    from dropout_lint.source.syntax import NotParsed, SourceSyntaxError, parse

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        suppressions = parse_suppressions(text, any_findings=speaks)
        if not speaks:
            parse(text)
            return _Analysed(path, suppressions=suppressions)
        from dropout_lint.source.engine import collect

        return _Analysed(path, collect(path, text, modes=modes), suppressions)
    except SourceSyntaxError as error:
        return _Analysed(path, suppressions=suppressions, syntax_error=(str(error), error.line, error.column))
    except NotParsed as error:
        return _Analysed(path, failure=str(error))
    except RecursionError:
        return _Analysed(path, failure="nested too deeply to be analysed")
    except Exception as error:  # a bug on one file must not hide the findings in the others
        reason = f"the analysis crashed: {type(error).__name__}: {error}".splitlines()[0]
        return _Analysed(path, failure=f"{reason}; this is a bug in dropout-lint")
    finally:
        sys.setrecursionlimit(limit)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Trees are acyclic and short-lived: collecting garbage while parsing costs a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _processors() -> int:
    """Processors that this process may use; Linux alone can tell them from those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _roots(files: Sequence[Path]) -> tuple[Path, ...]:
    """The outermost package folder, or else the folder, of each file; none inside another."""
    tops = set()
    for folder in {path.resolve().parent for path in files}:
        top = folder
        while (top.parent / "__init__.py").is_file():
            top = top.parent
        tops.add(top)
    return tuple(sorted(t for t in tops if not any(other in t.parents for other in tops)))
