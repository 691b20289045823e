"""Fixes a program in memory, and runs it before and after."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.fixing.fixer import FixFailed, FixOutcome, fix_text
from dropout_lint.linting.linter import Linter
from tools.validate_fixes.grammar import CODES, program
from tools.validate_fixes.programs import Program
from tools.validate_fixes.running import outcome
from tools.validate_fixes.verdicts import difference


@dataclass(frozen=True)
class Result:
    """What became of one program. ``wrong`` says what differs, "" for nothing."""

    number: int
    label: str
    offered: tuple[str, ...] = ()
    """The rules that report, whatever their fix is."""
    applied: tuple[str, ...] = ()
    wrong: str = ""
    ran: bool = True
    """The program could be built before."""


def fixed(one: Program, folder: Path) -> tuple[FixOutcome, tuple[str, ...]]:
    """A program after its safe fixes, and the rules that report in it."""
    path = folder / "net.py"
    path.write_text(one.text, newline="")
    other = folder / "user.py"
    other.write_text(one.user) if one.user else other.unlink(missing_ok=True)
    settings = Settings(folder, enabled=CODES, fixable=CODES)
    linter = Linter(lambda _: settings, jobs=1)
    first: list[Diagnostic] = []

    def lint(text: str) -> tuple[Diagnostic, ...]:
        path.write_text(text, newline="")
        found = linter.run_text(path, text)
        assert not found.failures, found.failures
        if not first:
            first.extend(found.diagnostics)
        return found.diagnostics

    done = fix_text(one.text, lint, lambda d: d.fix is not None and d.fix.applicability is Applicability.SAFE)
    return done, tuple(d.code for d in first)


def validated(number: int, seed: int, codes: frozenset[str], folder: Path) -> Result:
    """Make, fix and run one program."""
    one = program(number, seed, codes)
    try:
        compile(one.text, "net.py", "exec", dont_inherit=True)
    except SyntaxError:
        return Result(number, one.label, ran=False)
    try:
        done, offered = fixed(one, folder)
    except (AssertionError, FixFailed) as problem:
        return Result(number, one.label, wrong=f"not fixed: {problem}")
    applied = tuple(d.code for d in done.applied)
    if done.text == one.text:
        return Result(number, one.label, offered, applied)
    before, after = outcome(one.text, one.user), outcome(done.text, one.user)
    wrong = difference(before, after, applied)
    return Result(number, one.label, offered, applied, wrong, ran=not before.error)


def validated_chunk(numbers: Iterable[int], seed: int, codes: frozenset[str]) -> list[Result]:
    """The results of some programs, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        return [validated(number, seed, codes, Path(folder)) for number in numbers]
