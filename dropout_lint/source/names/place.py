"""The dotted module name of a file, and whether it is a test.

The facts of a file depend only on these and its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dropout_lint.disk import Disk

_TEST_FOLDERS = {"test", "tests", "testing"}
_OF_TESTS = (b"pytest", b"unittest", b"torch.testing", b"TestCase", b"nose")
"""A file ``test_net.py`` without any of these is a script that tests a network."""


@dataclass(frozen=True, slots=True)
class ModulePlace:
    """``module`` is the dotted name of a file, from the packages around it."""

    module: str
    is_package: bool
    """The file is an ``__init__.py``."""
    is_test: bool

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.module if self.is_package else self.module.rpartition(".")[0]


def place_of(path: Path, disk: Disk) -> ModulePlace:
    """Find the packages around a file."""
    is_package = path.name == "__init__.py"
    parts = [] if is_package else [path.stem]
    folder = path.parent
    while folder.name and disk.is_file(folder / "__init__.py"):
        parts.append(folder.name)
        folder = folder.parent
    return ModulePlace(".".join(reversed(parts)), is_package, _is_test(path, disk))


def _is_test(path: Path, disk: Disk) -> bool:
    if path.name.startswith("test_") or path.stem.endswith("_test"):
        data = disk.read_or_empty(path)
        if not data or any(word in data for word in _OF_TESTS) or (b"assert" in data and b"def test_" in data):
            return True
    return any(f.name.lower() in _TEST_FOLDERS and _holds_tests(f, disk) for f in list(path.parents)[:3])


def _holds_tests(folder: Path, disk: Disk) -> bool:
    """True if the folder contains tests. A folder called ``test`` may also contain a whole project."""
    inside = (folder, *disk.folders(folder))
    return disk.is_file(folder / "conftest.py") or any(
        file.name.startswith("test_") for each in inside for file in disk.python_files(each)
    )
