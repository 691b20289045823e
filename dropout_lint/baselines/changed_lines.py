"""The lines that a branch changed, from ``git diff`` against its merge base with another revision."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dropout_lint.diagnostic import Span, relative_posix

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")

LineRange = tuple[int, int]
"""First and last changed line. Where lines were only removed, ``first`` is the line below and ``last`` that above."""


class GitError(Exception):
    """Git cannot compute the changes. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Changed lines by path below ``top``, the root of the working tree. In an untracked file, all lines are new."""

    top: Path
    changed: Mapping[str, tuple[LineRange, ...]] = field(default_factory=dict)
    tracked: frozenset[str] = frozenset()

    def touch(self, path: str, span: Span) -> bool:
        """True if a line of the span was changed, or a line between two of its lines was removed."""
        name = relative_posix(os.path.realpath(path), self.top)
        if name not in self.tracked:
            return True
        if name.endswith(".ipynb"):  # git compares lines of JSON, not of cells
            return name in self.changed
        last_line = span.end_line - (span.end_column == 1 and span.end_line > span.line)
        return any(span.line <= last and first <= last_line for first, last in self.changed.get(name, ()))


def changed_since(revision: str, folder: Path) -> ChangedLines:
    """The changes since the merge base of ``revision`` and HEAD, uncommitted ones included.

    Raises GitError outside of a repository, and for a revision that is unknown or shares no history.
    """
    top = Path(os.path.realpath(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n")))
    commit = f"{revision}^{{commit}}"
    try:
        wanted = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", commit).strip()
    except GitError:
        raise GitError(f"unknown revision '{revision}' (in a shallow clone, fetch it first)") from None
    try:
        base = _git(top, "merge-base", wanted, "HEAD").strip()
    except GitError:
        raise GitError(f"'{revision}' and HEAD have no commit in common (in a shallow clone, fetch more)") from None
    # With quoted paths the output is ASCII but for the code, whose encoding does not matter here.
    patch = _git(
        top,
        *("-c", "core.quotePath=true", "diff", "--unified=0", "--find-renames", "--no-color", "--no-ext-diff"),
        *("--no-textconv", "--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/", base, "--"),
    )
    tracked = _git(top, "ls-files", "-z").split("\0")
    changed: dict[str, list[LineRange]] = {}
    for name, lines in _hunks(patch):
        changed.setdefault(name, []).append(lines)
    return ChangedLines(top, {name: tuple(lines) for name, lines in changed.items()}, frozenset(tracked))


def _hunks(patch: str) -> Iterator[tuple[str, LineRange]]:
    """Path and changed lines of each hunk of a patch without context."""
    name, in_header = "", False
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            name, in_header = "", True
        elif in_header and line.startswith("+++ "):
            name = _unquoted(line.removeprefix("+++ ").rstrip("\t")).removeprefix("b/")
        elif name and (hunk := _HUNK.match(line)):
            in_header = False
            start, count = int(hunk[1]), int(hunk[2] or 1)
            yield name, (start, start + count - 1) if count else (start + 1, start)


def _unquoted(name: str) -> str:
    """Undo git's quoting of a path. It uses the escapes of C, which Python reads too."""
    if not name.startswith('"'):
        return name
    return os.fsdecode(ast.literal_eval(f"b{name}"))


def _git(folder: Path, *args: str) -> str:
    try:
        done = subprocess.run(["git", *args], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines() or ["failed"]
        raise GitError(errors[0].removeprefix("fatal: "))
    return os.fsdecode(done.stdout)
