"""The last stage: merge in the findings of models that ran, apply the suppression comments, leave out the unsure.

Comments come first: one that suppresses a finding is used, whether the finding would be reported or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Diagnostic, Failure, Span
from dropout_lint.linting.analysis import AnalysedFile
from dropout_lint.linting.stages import Checked, FileSet, Found, LintResult
from dropout_lint.rulebook import rules
from dropout_lint.suppressions.matching import TOOL_RULES, UNKNOWN, UNUSED, apply_suppressions

if TYPE_CHECKING:
    from dropout_lint.linting.merging import Findings


def suppress(checked: Checked, runs: Findings | None = None) -> LintResult:
    """The findings to report. ``runs``: findings of models that ran, to be merged in."""
    files = checked.collected.files
    diagnostics: set[Diagnostic] = set()
    unsure: set[Diagnostic] = set()
    failures: list[Failure] = []
    for one in checked.collected.analysed:
        found = checked.found.get(str(one.path), Found())
        failed = [Failure(str(one.path), one.failure)] if one.failure else list(found.failures)
        failures += failed
        by_checks = () if any(not failure.code for failure in failed) else found.diagnostics
        reported = _with_runs(one.path, [*_syntax_error(one, files), *by_checks], files, runs)
        if one.suppressions.directives:
            enabled = _checked_rules(one, files, runs) - {f.code for f in failed}
            definitions = one.facts.definitions if one.facts is not None else ()
            reported = list(apply_suppressions(one.suppressions, reported, str(one.path), enabled, definitions))
        for item in reported:
            (diagnostics if files.settings[one.path].is_sure_enough(item) else unsure).add(item)
    return LintResult(
        _sorted(diagnostics),
        tuple(sorted(failures, key=lambda f: (f.path, f.code))),
        len(checked.collected.analysed),
        checked.collected,
        _sorted(unsure),
    )


def _sorted(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(found, key=lambda d: d.sort_key))


def _with_runs(path: Path, found: list[Diagnostic], files: FileSet, runs: Findings | None) -> list[Diagnostic]:
    if runs is None:
        return found
    enabled = files.enabled(path)
    return [item for item in runs.merged_with(str(path), found) if item.code in enabled]


def _checked_rules(one: AnalysedFile, files: FileSet, runs: Findings | None) -> frozenset[str]:
    """The rules that were checked in full: a comment for one of them is unused if there is no finding."""
    from dropout_lint.checks import codes

    enabled = files.enabled(one.path) & (codes() | TOOL_RULES)
    if one.syntax_error is not None:
        return enabled - {UNUSED, UNKNOWN}
    if files.settings[one.path].models and (runs is None or not runs.complete):
        return enabled - {UNUSED}  # the comment may be there for what a run of the models finds
    return enabled


def _syntax_error(one: AnalysedFile, files: FileSet) -> Iterator[Diagnostic]:
    if one.syntax_error is not None and "DRP001" in files.enabled(one.path):
        message, line, column = one.syntax_error
        span = Span(line, column, line, column + 1)
        yield Diagnostic("DRP001", str(one.path), span, f"Syntax error: {message}", rules()["DRP001"].severity)
