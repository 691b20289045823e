"""Finds the files to check: named files, and files below named folders that are neither excluded nor git-ignored.

As in ruff and git, links to folders are not followed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dropout_lint.config import globs
from dropout_lint.config.resolver import Settings
from dropout_lint.config.tables import ConfigError
from dropout_lint.diagnostic import Failure
from dropout_lint.discovery.gitignore import IgnoreRules
from dropout_lint.suggestions import nearest

SUFFIXES = (".py", ".ipynb")
_PREVIEW_SUFFIX = ".md"
"""Found with ``--preview`` only."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files to check, sorted and without duplicates, and the paths that cannot be checked."""

    files: tuple[Path, ...]
    failures: tuple[Failure, ...]


def discover(
    paths: Sequence[Path], settings_for: Callable[[Path], Settings], *, force_exclude: bool = False
) -> Discovery:
    """Find the Python files and notebooks among ``paths`` and below them; with ``preview``, Markdown files too.

    A named file is always included, unless ``force_exclude`` is set and it is excluded. Never raises: an unreadable
    path and an invalid configuration become a Failure.
    """
    search = _Search(settings_for)
    for path in paths:
        absolute = Path(os.path.abspath(path))
        try:
            if force_exclude and search.excluded_with_parents(absolute):
                continue
            search.add_argument(path, absolute)
        except OSError as error:
            search.fail(path, _reason(error))
    return Discovery(tuple(sorted(search.files.values())), tuple(search.failures.values()))


def is_excluded(path: Path, settings_for: Callable[[Path], Settings]) -> bool:
    """True if a file or a folder above it is excluded or ignored by git. The file need not exist."""
    return _Search(settings_for).excluded_with_parents(Path(os.path.abspath(path)))


def displayed(path: Path) -> Path:
    """The path as shown in reports: relative if it is below the working directory, else absolute."""
    absolute = Path(os.path.abspath(path))
    try:
        return absolute.relative_to(Path.cwd())
    except ValueError:
        return absolute


@dataclass(slots=True)
class _Search:
    settings_for: Callable[[Path], Settings]
    files: dict[str, Path] = field(default_factory=dict)
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)
    _real_folders: dict[str, str] = field(default_factory=dict)

    def add_argument(self, path: Path, absolute: Path) -> None:
        if absolute.is_dir():
            self._walk(absolute)
        elif absolute.is_file():
            settings = self._settings(absolute)
            if settings and absolute.suffix == _PREVIEW_SUFFIX and not settings.preview:
                self.fail(path, "Markdown is checked with --preview only")
            elif settings:
                self._add_file(absolute, link=absolute.is_symlink())
        else:
            self._fail_unusable(absolute)

    def excluded_with_parents(self, absolute: Path) -> bool:
        settings = self._settings(absolute)
        if settings is None:
            return False
        inside = [path for path in (absolute, *absolute.parents) if path.is_relative_to(settings.root)]
        if any(globs.matcher(settings.exclude).matches(path) for path in inside if path != settings.root):
            return True
        return settings.respect_gitignore and IgnoreRules.above(absolute).ignores_within(absolute)

    def fail(self, path: Path, reason: str) -> None:
        self.failures.setdefault((str(path), reason), Failure(str(path), reason))

    def _walk(self, start: Path) -> None:
        above = IgnoreRules.above(start)
        # A named folder is checked even if git ignores it.
        pending = [(start, IgnoreRules() if above.ignores_within(start, folder=True) else above)]
        while pending:
            folder, ignored = pending.pop()
            settings = self._settings(folder / "_")  # settings are looked up by file; all files of a folder share them
            if settings is None:
                continue
            rules = ignored.inside(folder) if settings.respect_gitignore else IgnoreRules()
            excluded = globs.matcher(settings.exclude)
            try:
                with os.scandir(folder) as listing:
                    entries = list(listing)
            except OSError as error:
                self.fail(displayed(folder), _reason(error))
                continue
            for entry in entries:
                path = folder / entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                in_preview = settings.preview and entry.name.endswith(_PREVIEW_SUFFIX)
                if not is_folder and not in_preview and not _is_python(entry.name):
                    continue
                if excluded.matches(path) or rules.ignores(path, folder=is_folder):
                    continue
                if is_folder:
                    pending.append((path, rules))
                else:
                    self._add_entry(entry, path)

    def _add_entry(self, entry: os.DirEntry[str], path: Path) -> None:
        try:
            if entry.is_file():
                self._add_file(path, link=entry.is_symlink())
            elif not entry.is_dir():
                self._fail_unusable(path)
        except OSError as error:
            self.fail(displayed(path), _reason(error))

    def _add_file(self, path: Path, *, link: bool) -> None:
        """Add a file once, under its own path rather than that of a link to it."""
        parent = str(path.parent)
        if parent not in self._real_folders:
            self._real_folders[parent] = os.path.realpath(parent)
        # As text: this runs once for each file.
        real = os.path.realpath(path) if link else os.path.join(self._real_folders[parent], path.name)  # noqa: PTH118
        if not link or real not in self.files:
            self.files[real] = displayed(path)

    def _fail_unusable(self, path: Path) -> None:
        try:
            path.stat()
        except FileNotFoundError:
            if path.is_symlink():
                target = os.readlink(path)  # noqa: PTH115 - as it was written, such as "./net.py"
                self.fail(displayed(path), f"broken symbolic link to {target}")
            else:
                self.fail(displayed(path), f"no such file or directory{_did_you_mean(path)}")
        except OSError as error:
            self.fail(displayed(path), _reason(error))
        else:
            self.fail(displayed(path), "not a regular file")

    def _settings(self, path: Path) -> Settings | None:
        try:
            return self.settings_for(path)
        except ConfigError as error:
            file, _, reason = str(error).partition(": ")
            self.fail(displayed(Path(file)), reason)
            return None


def _did_you_mean(path: Path) -> str:
    try:
        found = (entry.name for entry in path.parent.iterdir())
        names = sorted(name for name in found if name.endswith(SUFFIXES) or "." not in name)
    except OSError:
        return ""
    near = nearest(path.name, {name: name for name in names}, cutoff=0.75)
    return f"; did you mean '{displayed(path.with_name(near))}'?" if near else ""


def _is_python(name: str) -> bool:
    # ".#name" is a broken link by which Emacs locks a file.
    return name.endswith(SUFFIXES) and not name.startswith(".#")


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "the symbolic links lead in a circle"
    return (error.strerror or str(error)).lower()
