"""Find the files that import a file, by the words of their import statements.

What is found in a file must not depend on which other files a run was given. So the files that may use it are looked
up in the project around it, and only what those prove counts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from dropout_lint.disk import Disk
from dropout_lint.project.files import Files
from dropout_lint.project.name_search import imports, notebook_imports, text
from dropout_lint.source.module.triage import is_program, speaks_of_mode

MOST_FILES = 5_000
"""Files of one project that are searched, in the order of their names."""
MOST_IMPORTERS = 100
"""Importers of one file that are followed; a large library has thousands."""
MOST_CALLERS = 40
"""Importers of one file in which calls are looked for."""
_MARKERS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "LICENSE", "README.md")
_INSTALLED = {"site-packages", "dist-packages"}
_SKIPPED = _INSTALLED | {"node_modules", "__pycache__", "venv", "env", "build", "dist"}
_CLIMB = 8


class Neighbours:
    """The importers of files, by the import statements of all files of their projects, which are read on demand."""

    def __init__(self, files: Files) -> None:
        self._disk = files.disk
        self._data = files.data
        self._homes: dict[Path, Path] = {}
        self._files: dict[Path, tuple[Path, ...]] = {}
        self._users: dict[Path, dict[str, set[Path]]] = {}
        self._speaking: dict[Path, bool] = {}
        self._drivers: dict[Path, set[Path]] = {}
        self._users_of: dict[tuple[Path, Path], frozenset[Path]] = {}
        self._complete: dict[Path, bool] = {}
        self._importers: dict[Path, frozenset[Path]] = {}
        self._callers: dict[Path, list[Path]] = {}

    def around(self, path: Path) -> tuple[Path, ...]:
        """The files of the project that a file belongs to."""
        return self._below(self.home(path))

    def _below(self, home: Path) -> tuple[Path, ...]:
        if home not in self._files:
            self._files[home] = tuple(islice(self._disk.walk(home, _SKIPPED, notebooks=True), MOST_FILES))
        return self._files[home]

    def outside(self, checked: frozenset[Path], paths: Iterable[Path]) -> set[Path]:
        """Files that are not checked and may import one of some paths."""
        found: set[Path] = set()
        for path in paths:
            home = self.home(path)
            if home not in self._complete:
                self._complete[home] = checked.issuperset(self.around(path))
            if not self._complete[home]:
                found |= self.importers(path) - checked
        return found

    def importers(self, path: Path) -> frozenset[Path]:
        """Files that may import a file, directly or through others, breadth first, at most MOST_IMPORTERS.

        All of them are parsed to check this file alone.
        """
        if path not in self._importers:
            home = self.home(path)
            found: set[Path] = set()
            level, done = {path}, set[Path]()
            while level:
                done |= level
                level = set[Path]().union(*(self._direct(file, home) for file in level)) - done
                if len(found) + len(level) > MOST_IMPORTERS:
                    break
                found |= level
            self._importers[path] = frozenset(found)
        return self._importers[path]

    def callers(self, path: Path) -> list[Path]:
        """The importers in which the calls of a function in a file are looked for."""
        if path not in self._callers:
            self._callers[path] = sorted(self.importers(path))[:MOST_CALLERS]
        return self._callers[path]

    def drivers(self, paths: Iterable[Path]) -> set[Path]:
        """Programs that may import one of some paths and have no word about modes themselves, as a ``main.py``."""
        found: set[Path] = set()
        for path in paths:
            home = self.home(path)
            self._index(home)
            if self._drivers[home]:
                found |= self._drivers[home] & self.importers(path)
        return found

    def speak_of_mode(self, path: Path) -> bool:
        """Whether a file around this one has a word about modes."""
        home = self.home(path)
        if home not in self._speaking:
            self._speaking[home] = any(speaks_of_mode(self._data(file)) for file in self.around(path))
        return self._speaking[home]

    def is_library(self, path: Path) -> bool:
        """Whether a file belongs to a package."""
        return self._disk.is_file(path.parent / "__init__.py")

    def is_installed(self, path: Path) -> bool:
        """Whether a file is a package of its own beside others that are installed."""
        return self.home(path).name in _INSTALLED

    def sees(self, user: Path, path: Path) -> bool:
        """Whether running one file may lead into another."""
        return user == path or user in self.importers(path)

    def _direct(self, path: Path, home: Path) -> frozenset[Path]:
        """The files of a project that may import a file directly."""
        if (path, home) not in self._users_of:
            self._users_of[path, home] = frozenset(_users(path, self._index(home)))
        return self._users_of[path, home]

    def home(self, path: Path) -> Path:
        """The folder of the project that a file belongs to."""
        if path.parent not in self._homes:
            self._homes[path.parent] = project_folder(path.parent, self._disk)
        return self._homes[path.parent]

    def _index(self, home: Path) -> dict[str, set[Path]]:
        if home not in self._users:
            users: dict[str, set[Path]] = {}
            drivers: set[Path] = set()
            for file in self._below(home):
                data = self._data(file)
                for word in _imported(file, data):
                    users.setdefault(word, set()).add(file)
                if is_program(file, data, library=self.is_library(file)) and not speaks_of_mode(data):
                    drivers.add(file)
            self._users[home], self._drivers[home] = users, drivers
        return self._users[home]


def _users(path: Path, users: Mapping[str, set[Path]]) -> Iterator[Path]:
    """Files that import a file: by its name and that of its folder, or from below its folder by its name alone."""
    folder, name = (path.parent.parent, path.parent.name) if path.name == "__init__.py" else (path.parent, path.stem)
    named, inside = users.get(name, set()), f"{folder}{os.sep}"
    yield from named & users.get(folder.name, set())
    yield from (user for user in named if str(user).startswith(inside))


def _imported(path: Path, data: bytes) -> set[str]:
    """The words of the import statements of a file."""
    words: set[str] = set()
    for found in (notebook_imports if path.suffix == ".ipynb" else imports)(data):
        words.update(map(text, found.words))
        if found.source and not found.source.strip(b". "):
            above = path.parents
            words.add(above[min(found.source.count(b"."), len(above)) - 1].name)
    return words


def project_folder(start: Path, disk: Disk) -> Path:
    """The folder of the project around a folder: the one with a marker such as ``.git``, else by its Python files."""
    top = start
    while disk.is_file(top / "__init__.py") and top.parent != top:
        top = top.parent
    package = start if top == start else _below(start, top)
    outside = {Path.home(), Path(tempfile.gettempdir()).resolve(), Path(start.anchor)}
    best, current = package, package
    for _ in range(_CLIMB):
        if current in outside or current.name in _SKIPPED:
            break
        if any(disk.kind(str(current), marker) for marker in _MARKERS):
            return current
        if current != package and not disk.python_files(current):
            break
        best, current = current, current.parent
    return best


def _below(start: Path, top: Path) -> Path:
    """The outermost package around a folder, directly below ``top``."""
    return top / start.relative_to(top).parts[0]
