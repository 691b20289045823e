"""Applies fixes to a text: each with all its edits or not at all. Lints and fixes again until nothing changes."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dropout_lint.diagnostic import Diagnostic
from dropout_lint.fixing.edits import Change, changes_of
from dropout_lint.fixing.imports import ImportClash, add_imports
from dropout_lint.syntax.positions import Lines

MAX_PASSES = 20


class FixFailed(Exception):  # noqa: N818 - reported as a Failure
    """A file could not be fixed, and must not be written. The message is the reason."""


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """The fixed text, and what became of the diagnostics."""

    text: str
    applied: tuple[Diagnostic, ...]
    """Those that were fixed."""
    remaining: tuple[Diagnostic, ...]
    """Those of the fixed text."""
    rejected: tuple[Diagnostic, ...] = ()
    """Those whose fix would break the text, or would not change it."""


def apply_fixes(text: str, fixes: Sequence[Diagnostic]) -> tuple[str, tuple[Diagnostic, ...]]:
    """Apply the fixes that do not overlap an earlier one. Returns the text, and the diagnostics whose fix has to wait.

    Two insertions at one place overlap. Fixes with the same edits are applied once. A fix is not applied if its imports
    clash with names of the file, or if its edits lie outside of the text.
    """
    lines = Lines(text)
    accepted_fixes: set[tuple[Change, ...]] = set()
    accepted: list[Change] = []
    imports: tuple[str, ...] = ()
    addable: dict[tuple[str, ...], bool] = {(): True}
    waiting: list[Diagnostic] = []
    for diagnostic in sorted(fixes, key=lambda d: d.sort_key):
        fix = diagnostic.fix
        if fix is None or not fix.edits:
            continue
        wanted = tuple(dict.fromkeys([*imports, *fix.imports]))
        if wanted not in addable:
            addable[wanted] = _addable(text, wanted)
        changes = changes_of(lines, fix.edits)
        if changes is None or not addable[wanted]:
            waiting.append(diagnostic)
        elif changes not in accepted_fixes:
            if any(new.overlaps(old) for new in changes for old in accepted):
                waiting.append(diagnostic)
                continue
            accepted_fixes.add(changes)
            accepted.extend(changes)
            imports = wanted
    pieces: list[str] = []
    done = 0
    for change in sorted(accepted, key=lambda c: (c.start, c.end)):
        pieces += [text[done : change.start], change.replacement]
        done = change.end
    edited = "".join([*pieces, text[done:]])
    try:
        return add_imports(edited, imports), tuple(waiting)
    except (ImportClash, SyntaxError):  # the edits broke the text, which fix_text finds when it parses the text
        return edited, tuple(waiting)


def _addable(text: str, imports: Sequence[str]) -> bool:
    try:
        add_imports(text, imports)
    except (ImportClash, SyntaxError):
        return False
    return True


def is_sound(text: str, diagnostic: Diagnostic) -> bool:
    """Whether the fix, applied alone, changes the text and leaves it valid."""
    edited, waiting = apply_fixes(text, [diagnostic])
    return not waiting and edited != text and _parses(edited, _compiles(text))


def fix_text(
    text: str,
    lint: Callable[[str], tuple[Diagnostic, ...]],
    may_apply: Callable[[Diagnostic], bool],
) -> FixOutcome:
    """Lint and fix until nothing is left that may be applied.

    A fix that would leave text that does not parse, or that changes nothing, is rejected; the other fixes of its pass
    are still applied. Raises FixFailed if the fixes keep changing the text for MAX_PASSES passes.
    """
    remaining = lint(text)
    applied: list[Diagnostic] = []
    rejected: list[Diagnostic] = []
    refused: set[tuple[str, str, str]] = set()
    compiles = _compiles(text)
    for _ in range(MAX_PASSES):
        fixes = [d for d in remaining if d.fix and d.fix.edits and may_apply(d) and _identity(text, d) not in refused]
        if not fixes:
            return FixOutcome(text, tuple(applied), remaining, tuple(rejected))
        new, waiting = apply_fixes(text, fixes)
        done = [d for d in fixes if d not in waiting]
        if new == text or not _parses(new, compiles):
            new, done, broken = _one_by_one(text, fixes, compiles)
            rejected += broken
            refused.update(_identity(text, d) for d in broken)
        if not done:
            return FixOutcome(text, tuple(applied), remaining, tuple(rejected))
        applied += done
        text = new
        remaining = lint(text)
    raise FixFailed(f"the fixes did not come to an end in {MAX_PASSES} passes (last: {applied[-1].code})")


def _one_by_one(
    text: str, fixes: Sequence[Diagnostic], compiles: bool
) -> tuple[str, list[Diagnostic], list[Diagnostic]]:
    """Apply one fix after the other. Returns the text, the fixes that were applied, and those that break the text."""
    best = text
    good: list[Diagnostic] = []
    broken: list[Diagnostic] = []
    for diagnostic in sorted(fixes, key=lambda d: d.sort_key):
        candidate, waiting = apply_fixes(text, [*good, diagnostic])
        if waiting:
            continue
        if apply_fixes(text, [diagnostic])[0] == text or not _parses(candidate, compiles):
            broken.append(diagnostic)
            continue
        best = candidate
        good.append(diagnostic)
    return best, good, broken


def _identity(text: str, diagnostic: Diagnostic) -> tuple[str, str, str]:
    """Code, message and line text: equal for a finding before and after other fixes have moved it."""
    return diagnostic.code, diagnostic.message, Lines(text).line_text(diagnostic.span.line).strip()


def _compiles(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<fixed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _parses(text: str, compiles: bool) -> bool:
    """Whether the text is valid. It must compile if the file did (``compiles``) before it was fixed."""
    if compiles:
        return _compiles(text)
    from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse

    try:
        parse(text)
    except (SourceSyntaxError, NotParsed):
        return False
    return True


def unified_diff(old: str, new: str, path: str) -> str:
    """The change as a patch that ``git apply`` and ``patch`` read; empty if there is none.

    Lines end at line feeds only, as in those programs, and carriage returns stay in them.
    """
    lines: list[str] = []
    before, after = (text.split("\n") for text in (old, new))
    for line in difflib.unified_diff(_with_breaks(before), _with_breaks(after), path, path):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _with_breaks(lines: list[str]) -> list[str]:
    """The lines with their line feeds. The last has none, and is left out if it is empty."""
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
