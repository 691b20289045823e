"""Applies fixes to text: all or nothing each, checked by parsing, repeated until nothing changes."""

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
    """A file could not be fixed, and why; nothing of it must be written."""


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """The fixed text, what was applied to get there, what is still found in it, and fixes that would break it."""

    text: str
    applied: tuple[Diagnostic, ...]
    remaining: tuple[Diagnostic, ...]
    rejected: tuple[Diagnostic, ...] = ()


def apply_fixes(text: str, fixes: Sequence[Diagnostic]) -> tuple[str, tuple[Diagnostic, ...]]:
    """Apply, in order of place, every fix that does not overlap one before it; also return those that were not.

    Insertions by two fixes at one place overlap, since only a new look at the file can tell what the second should
    be; fixes with the same edits are one. A fix whose imports clash with the file's names, or whose edits lie outside
    of the text, is not applied.
    """
    index = Lines(text)
    whole: set[tuple[Change, ...]] = set()
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
        changes = changes_of(index, fix.edits)
        if changes is None or not addable[wanted]:
            waiting.append(diagnostic)
        elif changes not in whole:
            if any(new.overlaps(old) for new in changes for old in accepted):
                waiting.append(diagnostic)
                continue
            whole.add(changes)
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
    except (ImportClash, SyntaxError):  # the edits broke the text: its parse in fix_text says so
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

    A fix that would leave text that does not parse, or that changes nothing, is dropped alone and returned in
    ``rejected``. Raises FixFailed if the fixes keep changing the text for MAX_PASSES passes.
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
            new, done, guilty = _one_by_one(text, fixes, compiles)
            rejected += guilty
            refused.update(_identity(text, d) for d in guilty)
        if not done:
            return FixOutcome(text, tuple(applied), remaining, tuple(rejected))
        applied += done
        text = new
        remaining = lint(text)
    raise FixFailed(f"the fixes did not come to an end in {MAX_PASSES} passes (last: {applied[-1].code})")


def _one_by_one(
    text: str, fixes: Sequence[Diagnostic], compiles: bool
) -> tuple[str, list[Diagnostic], list[Diagnostic]]:
    """Grow the set of applied fixes by one at a time; returns the text, the applied and the guilty fixes."""
    best = text
    good: list[Diagnostic] = []
    guilty: list[Diagnostic] = []
    for diagnostic in sorted(fixes, key=lambda d: d.sort_key):
        candidate, waiting = apply_fixes(text, [*good, diagnostic])
        if waiting:
            continue
        if apply_fixes(text, [diagnostic])[0] == text or not _parses(candidate, compiles):
            guilty.append(diagnostic)
            continue
        best = candidate
        good.append(diagnostic)
    return best, good, guilty


def _identity(text: str, diagnostic: Diagnostic) -> tuple[str, str, str]:
    """Recognises a finding after other fixes have moved it: its code, its message and its line."""
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
    """Whether the text is sound. A file whose syntax the running Python did not know before has only to parse."""
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
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
