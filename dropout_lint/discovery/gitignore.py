"""What git ignores: the ``.gitignore`` files from the root of a repository down, and ``.git/info/exclude``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that hold in one folder; outside a repository there are none, as with git.

    ``specs`` holds pairs of a folder and its rules, outermost first: the innermost one that says anything decides.
    """

    specs: tuple[tuple[Path, GitIgnoreSpec], ...] = ()
    in_repository: bool = False

    @staticmethod
    def above(path: Path) -> IgnoreRules:
        """The rules of all folders above ``path``, from the root of its repository down."""
        rules = IgnoreRules()
        for folder in reversed(path.parents):
            rules = rules.inside(folder)
        return rules

    def inside(self, folder: Path) -> IgnoreRules:
        """The rules that hold for the entries of ``folder``; a repository inside another starts afresh."""
        git = folder / ".git"
        starts = os.path.exists(git)  # unlike Path.exists, says no where the folder cannot be read
        if not starts and not self.in_repository:
            return self
        specs = () if starts else self.specs
        files = (git / "info" / "exclude", folder / ".gitignore") if starts else (folder / ".gitignore",)
        found = ((folder, spec) for spec in map(_read, files) if spec is not None)
        return IgnoreRules((*specs, *found), True)

    def ignores(self, path: Path, *, folder: bool = False) -> bool:
        """True when git would ignore this path, leaving aside that a folder above it may be ignored."""
        for base, spec in reversed(self.specs):
            verdict = spec.check_file(path.relative_to(base).as_posix() + ("/" if folder else "")).include
            if verdict is not None:
                return verdict
        return False

    def ignores_within(self, path: Path, *, folder: bool = False) -> bool:
        """True when git would ignore this path or a folder above it."""
        if not self.specs:
            return False
        root = self.specs[0][0]
        above = [parent for parent in path.parents if parent != root and parent.is_relative_to(root)]
        return self.ignores(path, folder=folder) or any(self.ignores(parent, folder=True) for parent in above)


def forget() -> None:
    """Read the files anew from here on; for a process that sees them change."""
    _read.cache_clear()


@cache
def _read(file: Path) -> GitIgnoreSpec | None:
    try:
        lines = file.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(line for line in lines if _is_valid(line))


def _is_valid(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
