"""Fix files: each is fixed in memory, linted again with its new text, and replaced in one step.

A file that cannot be fixed is not changed. Later files are linted with the new texts of earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.atomic_write import reason
from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Applicability, Diagnostic, Failure

if TYPE_CHECKING:
    from dropout_lint.fixing.fixer import FixOutcome
    from dropout_lint.linting.linter import Linter
    from dropout_lint.linting.stages import LintResult
    from dropout_lint.syntax.text import SourceText


@dataclass(frozen=True, slots=True)
class FixRun:
    """What is left to report after fixing, how many findings were fixed, and the changes as patches."""

    result: LintResult
    fixed: int
    patches: tuple[str, ...]
    rejected: tuple[Diagnostic, ...]


class NotFixedError(Exception):
    """A file was not changed; the message is the reason, in one line."""


def without_unfixable(diagnostics: Sequence[Diagnostic], settings_for: Callable[[Path], Settings]) -> list[Diagnostic]:
    """The diagnostics, those of rules outside of the setting ``fixable`` without their fix."""
    return [
        item if item.fix is None or item.code in settings_for(Path(item.path)).fixable else replace(item, fix=None)
        for item in diagnostics
    ]


def is_applicable(diagnostic: Diagnostic, settings: Settings) -> bool:
    """True when ``--fix`` applies the fix of this diagnostic."""
    fix = diagnostic.fix
    if fix is None or not fix.edits or diagnostic.code not in settings.fixable:
        return False
    return fix.applicability is Applicability.SAFE or (
        fix.applicability is Applicability.UNSAFE and settings.unsafe_fixes
    )


def fix_source(
    source: SourceText, linter: Linter, settings: Settings, known: frozenset[Failure] = frozenset()
) -> FixOutcome:
    """Fix one text in memory. Raises NotFixedError, also for a new failure, which is not in ``known``."""
    from dropout_lint.fixing.fixer import FixFailed, fix_text

    def lint(text: str) -> tuple[Diagnostic, ...]:
        result = linter.run_text(source.path, text)
        for failure in result.failures:
            if failure not in known:
                raise NotFixedError(failure.reason)
        return result.diagnostics

    try:
        outcome = fix_text(source.text, lint, lambda diagnostic: is_applicable(diagnostic, settings))
        source.encode(outcome.text)
    except (FixFailed, ValueError) as problem:
        raise NotFixedError(str(problem)) from None
    return outcome


def fix_files(result: LintResult, linter: Linter, settings_for: Callable[[Path], Settings], *, write: bool) -> FixRun:
    """Fix every file of ``result`` that has an applicable fix; without ``write``, only return the patches."""
    from dropout_lint.fixing.fixer import unified_diff
    from dropout_lint.syntax.text import UnreadableSource

    by_path: dict[str, list[Diagnostic]] = {}
    for item in result.diagnostics:
        by_path.setdefault(item.path, []).append(item)
    failures = list(result.failures)
    patches: list[str] = []
    rejected: list[Diagnostic] = []
    fixed = 0
    linter = linter.after(result)
    for name, found in by_path.items():
        path = Path(name)
        settings = settings_for(path)
        if not any(is_applicable(item, settings) for item in found):
            continue
        try:
            source = linter.source(path)
            outcome = fix_source(source, linter, settings, frozenset(f for f in failures if f.path == name))
            if write and outcome.text != source.text:
                replace_file(source, outcome.text)
        except (UnreadableSource, NotFixedError) as problem:
            failures.append(Failure(name, f"not fixed: {problem}"))
            continue
        linter = linter.with_text(path, outcome.text)
        by_path[name] = list(outcome.remaining)
        rejected += outcome.rejected
        fixed += len(outcome.applied)
        if patch := unified_diff(*source.patch_texts(outcome.text), name):
            patches.append(patch)
    remaining = tuple(item for found in by_path.values() for item in found)
    left = replace(result, diagnostics=remaining, failures=tuple(failures))
    return FixRun(left, fixed, tuple(patches), tuple(rejected))


def replace_file(source: SourceText, text: str) -> None:
    """Write a changed text to its file. Raises NotFixedError, and then has not changed the file."""
    from dropout_lint.atomic_write import write_atomically

    try:
        if source.path.read_bytes() != source.data:
            raise NotFixedError("the file changed during the run; left alone")
        write_atomically(source.path, source.encode(text))
    except OSError as problem:
        raise NotFixedError(f"cannot be written: {reason(problem)}") from None
    except ValueError as problem:
        raise NotFixedError(str(problem)) from None
