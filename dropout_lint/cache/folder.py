"""The folder of the cache. It is tagged for backup programs and git, written atomically, and never required."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

from dropout_lint import __version__

NAME = ".dropout_lint_cache"
TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This directory was made by dropout-lint and can be deleted at any time.\n"
    "# For what this file is about, see https://bford.info/cachedir/\n"
)
_FORMAT = 1
_BUILDS = 3
"""How many parts are kept, each of one version of the tool and of Python."""


class CacheFolder:
    """The part of a cache for this version of the tool and of Python. No method raises OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own = root / build()

    def read(self, name: str) -> bytes | None:
        """Read a file of the cache; None if there is none."""
        try:
            return (self._own / name).read_bytes()
        except OSError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Replace a file of the cache atomically. Does nothing if that fails."""
        from dropout_lint.atomic_write import write_atomically

        with contextlib.suppress(OSError):
            if not self._own.is_dir():
                self._make()
            write_atomically(self._own / name, data)

    def names(self, prefix: str) -> list[str]:
        """Names of files in the cache that begin with ``prefix``."""
        with contextlib.suppress(OSError):
            # Not iterdir(): it makes a path for each of thousands of names.
            return [name for name in os.listdir(self._own) if name.startswith(prefix)]  # noqa: PTH208
        return []

    def keep_newest(self, prefix: str, number: int) -> None:
        """Delete the oldest files that begin with ``prefix``, and keep ``number`` of them."""
        names = self.names(prefix)
        if len(names) > number:
            for path in _by_age(self._own / name for name in names)[number:]:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _make(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        if not any(self._root.iterdir()):
            (self._root / TAG).write_text(_TAG_TEXT, "utf-8")
            (self._root / ".gitignore").write_text("# Made by dropout-lint.\n*\n", "utf-8")
        self._own.mkdir(exist_ok=True)
        if is_ours(self._root):
            for old in _by_age(path for path in self._root.iterdir() if path.is_dir())[_BUILDS:]:
                shutil.rmtree(old, ignore_errors=True)


def is_ours(folder: Path) -> bool:
    """True if a folder has our tag file, so that it can be deleted."""
    try:
        return (folder / TAG).read_text("utf-8") == _TAG_TEXT
    except (OSError, UnicodeDecodeError):
        return False


@cache
def build() -> str:
    """A hash of the versions of the tool and of Python, and of the sizes and times of the tool's files.

    An edited installation is another build.
    """
    from dropout_lint.rulebook import pages_folder

    found = [
        __version__,
        str(_FORMAT),
        sys.version,
        *_file_states(Path(__file__).parent.parent),
        *_file_states(pages_folder()),
    ]
    libcst = find_spec("libcst")  # which newer syntax can be read depends on its version
    if libcst is not None and libcst.origin is not None:
        found.append(f"{libcst.origin} {Path(libcst.origin).stat().st_mtime_ns}")
    return blake2b("\n".join(found).encode(), digest_size=8).hexdigest()


def _file_states(folder: Path) -> Iterator[str]:
    """The path, time and size of each Python file and rule page at and below a folder."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _file_states(Path(entry.path))
        elif entry.name.endswith((".py", ".md")):
            status = entry.stat()
            yield f"{entry.path} {status.st_mtime_ns} {status.st_size}"


def _by_age(paths: Iterator[Path]) -> list[Path]:
    """The paths, newest first, and deleted ones last."""

    def age(path: Path) -> float:
        try:
            return -path.stat().st_mtime
        except OSError:
            return 0.0

    return sorted(paths, key=age)
