"""Paths ignored by git: ``.gitignore`` files from the root of a repository down, and ``.git/info/exclude``."""

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
    """The rules in force in one folder. As in git, there are none outside of a repository.

    ``specs`` are pairs of a folder and its rules, outermost first. The innermost match decides.
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
        """The rules for the entries of ``folder``. A nested repository does not inherit any."""
        git = folder / ".git"
        starts = os.path.exists(git)  # noqa: PTH110 - unlike Path.exists, false if the folder cannot be read
        if not starts and not self.in_repository:
            return self
        specs = () if starts else self.specs
        files = (git / "info" / "exclude", folder / ".gitignore") if starts else (folder / ".gitignore",)
        found = ((folder, spec) for spec in map(_read, files) if spec is not None)
        return IgnoreRules((*specs, *found), in_repository=True)

    def ignores(self, path: Path, *, folder: bool = False) -> bool:
        """True if a rule ignores this path itself; folders above it are not considered."""
        for base, spec in reversed(self.specs):
            verdict = spec.check_file(path.relative_to(base).as_posix() + ("/" if folder else "")).include
            if verdict is not None:
                return verdict
        return False

    def ignores_within(self, path: Path, *, folder: bool = False) -> bool:
        """True if git would ignore this path or a folder above it."""
        if not self.specs:
            return False
        root = self.specs[0][0]
        above = [parent for parent in path.parents if parent != root and parent.is_relative_to(root)]
        return self.ignores(path, folder=folder) or any(self.ignores(parent, folder=True) for parent in above)


def forget() -> None:
    """Clear the cache of files; needed in a long-running process."""
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
