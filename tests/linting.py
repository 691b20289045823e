"""Lint, fix and run from a test. Needs nothing but the package.

``lint_text`` and ``lint_files`` give diagnostics; ``codes`` and ``places`` say briefly what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from click.testing import CliRunner, Result

from dropout_lint.cli import cli
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.fixing.fixer import FixOutcome, fix_text
from dropout_lint.linting.linter import Linter
from dropout_lint.rulebook import rules

NOT_OPINION = frozenset(code for code, rule in rules().items() if rule.set != "opinion")
"""The rules that hold whoever reads the code."""
MARK = re.compile(r"  # (DRP\d{3}(?: DRP\d{3})*)$", re.MULTILINE)
"""What ends a line on which these rules report."""


def group(*prefixes: str) -> frozenset[str]:
    """The codes of all rules that begin with one of the prefixes."""
    return frozenset(code for code in rules() if code.startswith(prefixes))


def settings(root: Path, on: Collection[str] = NOT_OPINION, managed: Sequence[str] = ()) -> Settings:
    """Settings with these rules on. ``managed`` are base classes whose framework sets the mode."""
    enabled = frozenset(on)
    return Settings(root, enabled=enabled, fixable=enabled, unsafe_fixes=True, mode_managed_bases=tuple(managed))


def lint_text(
    text: str, on: Collection[str] = NOT_OPINION, path: Path = Path("example.py"), managed: Sequence[str] = ()
) -> tuple[Diagnostic, ...]:
    """What these rules find in a text, as if it were the content of ``path``."""
    chosen = settings(path.parent, on, managed)
    result = Linter(lambda _: chosen, jobs=1).run_text(path, text)
    assert not result.failures
    return result.diagnostics


def lint_files(
    paths: Sequence[Path],
    on: Collection[str] = NOT_OPINION,
    managed: Sequence[str] = (),
) -> tuple[Diagnostic, ...]:
    """What these rules find in files that are linted together."""
    chosen = settings(paths[0].parent, on, managed)
    result = Linter(lambda _: chosen, jobs=1).run(paths)
    assert not result.failures
    return result.diagnostics


def codes(found: Iterable[Diagnostic]) -> list[str]:
    """The rules that report, in the order of their findings."""
    return [diagnostic.code for diagnostic in found]


def places(found: Iterable[Diagnostic]) -> list[tuple[int, str]]:
    """Line and code of each finding."""
    return [(diagnostic.span.line, diagnostic.code) for diagnostic in found]


def marks(text: str) -> list[tuple[int, str]]:
    """Line and code of each finding that the marks in a text announce."""
    lines = enumerate(text.splitlines(), 1)
    return sorted((n, code) for n, line in lines for mark in MARK.finditer(line) for code in mark.group(1).split())


def without_marks(text: str) -> str:
    """A text as it is linted."""
    return MARK.sub("", text)


def fix(
    text: str,
    lint: Callable[[str], tuple[Diagnostic, ...]],
    *levels: Applicability,
) -> FixOutcome:
    """Apply the fixes of these levels, safe and unsafe ones without any, until nothing changes."""
    allowed = levels or (Applicability.SAFE, Applicability.UNSAFE)
    return fix_text(text, lint, lambda d: d.fix is not None and d.fix.applicability in allowed)


def write(name: str | Path, text: str) -> Path:
    """Write a file, and make its folder."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files by their paths in a folder."""
    return [write(folder / name, text) for name, text in files.items()]


def run(*args: object, stdin: str | bytes | None = None) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, [str(arg) for arg in args], input=stdin)


def check(*args: object, stdin: str | bytes | None = None) -> Result:
    """Run ``check`` without any configuration, one line a finding."""
    return run("check", "--isolated", "--output-format", "concise", *args, stdin=stdin)


def reported(result: Result) -> list[str]:
    """The places in a report with one line a finding."""
    return [line.split(": ")[0] for line in result.stdout.splitlines() if ": DRP" in line]
