"""The file system as one run reads it, with a record of every read.

A run whose reads give the same answers has the same findings, so its results can be cached. A file that changes during
a run raises FileChangedError.
"""

from __future__ import annotations

import os
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

Signature = tuple[int, int, int, int]
_CODE = (".py", ".ipynb")
_SETTLED = 2_000_000_000
"""Nanoseconds after which another change of a file alters its times, on every file system."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Digest of the content of a file. As long as ``signature`` is the same, the file need not be read again.

    ``signature`` is None for a file written so recently that another change might not alter its times.
    """

    digest: str
    signature: Signature | None


UNREADABLE = Seen("", None)
CHANGED = Seen("changed", None)


@dataclass(frozen=True, slots=True)
class Looks:
    """What a run read from the file system: digests of files, kinds of entries, and listings of folders."""

    files: dict[str, Seen] = field(default_factory=dict)
    entries: dict[str, dict[str, str]] = field(default_factory=dict)
    listings: dict[str, str] = field(default_factory=dict)


class FileChangedError(OSError):
    """A file has another content than when this run first read it."""

    def __init__(self) -> None:
        super().__init__("the file changed during the run")


class Disk:
    """Reads folders once and records every read. Paths are absolute or relative to the working directory."""

    def __init__(self) -> None:
        self.looks = Looks()
        self._contents: dict[str, Seen] = {}
        self._folders: dict[str, dict[str, os.DirEntry[str]] | None] = {}

    def read(self, path: Path) -> bytes:
        """The content of a file. Raises OSError, which is FileChangedError if it is not the content read before."""
        name = str(path)
        self.looks.files.setdefault(name, UNREADABLE)
        signature = signature_of(name)
        data = path.read_bytes()
        known = self._contents.get(name, UNREADABLE)
        same = signature is not None and signature == known.signature
        self.note(path, known if same else Seen(digest_of(data), signature))
        if self.looks.files[name] == CHANGED:
            raise FileChangedError
        return data

    def forget(self, path: Path) -> None:
        """Forget the content of a file, which this process has written."""
        for name in {str(path), os.path.realpath(path)}:
            self._contents.pop(name, None)

    def read_or_empty(self, path: Path) -> bytes:
        """The content of a file; empty if it cannot be read."""
        try:
            return self.read(path)
        except OSError:
            return b""

    def digest(self, path: Path) -> str:
        """The digest of a file that was read; "" if it could not be."""
        return self.looks.files[str(path)].digest

    def note(self, path: Path, seen: Seen) -> None:
        """Record a read, of this process or another. If two reads differ, record CHANGED, which matches nothing."""
        changed = self._contents.get(str(path), seen).digest not in ("", seen.digest)
        self._contents[str(path)] = self.looks.files[str(path)] = CHANGED if changed else seen

    def hand_over(self) -> Looks:
        """The reads since the last call, for the disk of another process."""
        looks, self.looks = self.looks, Looks()
        return looks

    def take_in(self, looks: Looks) -> None:
        """Add the reads of the disk of another process."""
        for name, seen in looks.files.items():
            self.note(Path(name), seen)
        for folder, entries in looks.entries.items():
            self.looks.entries.setdefault(folder, {}).update(entries)
        self.looks.listings.update(looks.listings)

    def is_file(self, path: Path) -> bool:
        """Whether this is a file, or a link to one."""
        return self.kind(str(path.parent), path.name) == "f"

    def kind(self, folder: str, name: str) -> str:
        """``f`` for a file, ``d`` for a folder, also behind links, "" for nothing."""
        return self._kind(folder, name)[:1]

    def has(self, folder: str, name: str) -> bool:
        """Whether a folder has a module or a package of this name."""
        return bool(self._kind(folder, name) or self._kind(folder, f"{name}.py"))

    def python_files(self, folder: Path) -> list[Path]:
        """The Python files of a folder, sorted."""
        return self._files_ending(folder, ".py")

    def folders(self, folder: Path) -> list[Path]:
        """The folders in a folder, sorted, without links, hidden ones and caches."""
        return [folder / name for name, kind in self._listed(str(folder)) if kind == "d"]

    def walk(self, root: Path, skipped: Container[str] = (), *, notebooks: bool = False) -> Iterator[Path]:
        """The Python files below a folder, without hidden folders, virtual environments and folders of some names.

        With ``notebooks``, those of a folder follow its Python files.
        """
        if self._kind(str(root), "pyvenv.cfg"):
            return
        yield from self.python_files(root)
        if notebooks:
            yield from self._files_ending(root, ".ipynb")
        for folder in self.folders(root):
            if folder.name not in skipped:
                yield from self.walk(folder, skipped, notebooks=notebooks)

    def _files_ending(self, folder: Path, suffix: str) -> list[Path]:
        return [folder / name for name, kind in self._listed(str(folder)) if name.endswith(suffix) and kind[:1] == "f"]

    def _listed(self, folder: str) -> list[tuple[str, str]]:
        """Python files, notebooks and folders with their kinds, sorted."""
        names = sorted(name for name in self._scanned(folder) or () if _matters(name))
        found = [(name, self._kind_of(folder, name)) for name in names]
        found = [(name, kind) for name, kind in found if name.endswith(_CODE) or kind == "d"]
        self.looks.listings[folder] = digest_of(
            "\0".join(f"{name}/{kind}" for name, kind in found).encode(errors="surrogateescape")
        )
        return found

    def _kind(self, folder: str, name: str) -> str:
        """Like ``kind``; for a link, with its target: ``f@target``."""
        known = self.looks.entries.setdefault(folder, {})
        if name not in known:
            known[name] = self._kind_of(folder, name)
        return known[name]

    def _kind_of(self, folder: str, name: str) -> str:
        entries = self._scanned(folder)
        if entries is None:
            # There may be a right to look an entry up but none to list them.
            path = os.path.join(folder, name)
            return "f" if os.path.isfile(path) else "d" if os.path.isdir(path) else ""
        entry = entries.get(name)
        if entry is None:
            return ""
        try:
            kind = "f" if entry.is_file() else "d" if entry.is_dir() else "?"
            return f"{kind}@{os.readlink(entry.path)}" if entry.is_symlink() else kind
        except OSError:
            return "?"

    def _scanned(self, folder: str) -> dict[str, os.DirEntry[str]] | None:
        if folder not in self._folders:
            try:
                with os.scandir(folder) as found:
                    self._folders[folder] = {entry.name: entry for entry in found}
            except OSError:
                self._folders[folder] = None
        return self._folders[folder]

    def agrees(self, looks: Looks) -> bool:
        """Whether the reads of another run give the same answers now; they are recorded here too.

        The content of a file is compared only where its signature differs.
        """
        for name, seen in looks.files.items():
            if not self._unchanged(name, seen):
                return False
        for folder, entries in looks.entries.items():
            if any(self._kind(folder, name) != kind for name, kind in entries.items()):
                return False
        for folder, digest in looks.listings.items():
            self._listed(folder)
            if self.looks.listings[folder] != digest:
                return False
        return True

    def _unchanged(self, name: str, seen: Seen) -> bool:
        if seen.signature is not None and signature_of(name) == seen.signature:
            self.note(Path(name), seen)
            return True
        self.read_or_empty(Path(name))
        return self.looks.files[name].digest == seen.digest


def digest_of(data: bytes) -> str:
    """A hash of a content."""
    return blake2b(data, digest_size=16).hexdigest()


def signature_of(name: str) -> Signature | None:
    """Times, size and inode of a file; None if it was written too recently (``_SETTLED``) or does not exist."""
    try:
        status = os.stat(name)
    except (OSError, ValueError):
        return None
    if max(status.st_mtime_ns, status.st_ctime_ns) > time.time_ns() - _SETTLED:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _matters(name: str) -> bool:
    return not name.startswith(".") and name != "__pycache__"
