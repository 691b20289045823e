"""Cache of the facts of files, by their content. Independent of rules and settings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.cache.folder import CacheFolder
from dropout_lint.disk import Disk, digest_of
from dropout_lint.linting.analysis import AnalysedFile, Task, TaskResult
from dropout_lint.linting.analysis_json import analysis_from_json, analysis_to_json

if TYPE_CHECKING:
    from dropout_lint.facts import FileFacts
    from dropout_lint.source.names.place import ModulePlace

_PARTS = 32
"""Files that the entries are spread over, so that a change of one source file rewrites little."""
_MAX_BYTES = 2_000_000
"""Limit for the unused entries that are kept in one of these files."""
_KEY = slice(2, 34)
_SUM = slice(37, 69)
_REST = slice(71, -1)


class FactsStore:
    """Entries of earlier runs, read on demand, and new ones, written by ``save``.

    An entry is a line of JSON: its key, a digest of the rest, and the rest. An entry with a wrong digest is
    ignored.
    """

    def __init__(self, folder: CacheFolder) -> None:
        self._folder = folder
        self._read: dict[str, dict[bytes, bytes]] = {}
        self._used: dict[str, dict[bytes, bytes]] = {}
        self._changed: set[str] = set()

    def analyses(
        self, tasks: Sequence[Task], disk: Disk, analyse_all: Callable[[Sequence[Task]], Iterable[TaskResult]]
    ) -> Iterator[TaskResult]:
        """The analyses of files, from the store. ``analyse_all`` is called for those that are not there."""
        new: list[Task] = []
        for task in tasks:
            known = self._known(task, disk)
            if known is not None:
                yield TaskResult(task, known)
            else:
                new.append(task)
        for one in analyse_all(new):
            if not one.analysed.failure:
                self._add(one, disk.digest(one.task.path))
            yield one

    def facts(
        self, path: Path, data: bytes, place: ModulePlace, read: Callable[[Path, bytes, ModulePlace], FileFacts]
    ) -> FileFacts:
        """The facts of a file that is only looked up for another one, from the store, else from ``read``."""
        digest = digest_of(data)
        for kind in ("run", "lookup"):
            known = self._entry(path, place, _key(path, digest, place, kind))
            if known is not None and known.facts is not None:
                return known.facts
        facts = read(path, data, place)
        with contextlib.suppress(RecursionError):
            self._put(_key(path, digest, place, "lookup"), analysis_to_json(AnalysedFile(path, facts)))
        return facts

    def save(self) -> None:
        """Write new entries. Those that this run did not use are kept up to a limit, latest first."""
        for part in self._changed:
            used = self._used.get(part, {})
            lines, size = [*used.values()], 0
            for key, line in self._entries(part).items():
                size += len(line)
                if key not in used and size <= _MAX_BYTES:
                    lines.append(line)
            self._folder.write(f"facts-{part}.jsonl", b"".join(line + b"\n" for line in lines))
        self._changed.clear()

    @cached_property
    def _is_empty(self) -> bool:
        """Whether the store has no entries of earlier runs."""
        return not self._folder.names("facts-")

    def _known(self, task: Task, disk: Disk) -> AnalysedFile | None:
        if self._is_empty:
            return None
        try:
            disk.read(task.path)
        except OSError:
            return None
        return self._entry(task.path, task.place, _key_of(task, disk.digest(task.path)))

    def _add(self, one: TaskResult, digest: str) -> None:
        with contextlib.suppress(RecursionError):
            self._put(_key_of(one.task, digest), one.text or analysis_to_json(one.analysed))

    def _entries(self, part: str) -> dict[bytes, bytes]:
        if part not in self._read:
            data = self._folder.read(f"facts-{part}.jsonl") or b""
            self._read[part] = {line[_KEY]: line for line in data.split(b"\n") if line}
        return self._read[part]

    def _entry(self, path: Path, place: ModulePlace, key: str) -> AnalysedFile | None:
        part = _part(key)
        line = self._used.get(part, {}).get(key.encode()) or self._entries(part).get(key.encode())
        if line is None or digest_of(line[_REST]).encode() != line[_SUM]:
            return None
        try:
            found = analysis_from_json(line[_REST].decode(), path, place)
        except (ValueError, TypeError):
            return None
        self._used.setdefault(part, {})[key.encode()] = line
        return found

    def _put(self, key: str, text: str) -> None:
        rest = text.encode()
        line = f'["{key}","{digest_of(rest)}",'.encode() + rest + b"]"
        self._used.setdefault(_part(key), {})[key.encode()] = line
        self._changed.add(_part(key))


def _key_of(task: Task, digest: str) -> str:
    return _key(task.path, digest, task.place, "modes" if task.modes else "run")


def _key(path: Path, digest: str, place: ModulePlace, kind: str) -> str:
    return digest_of(f"{digest}\0{path.suffix}\0{place.module}\0{place.is_package}\0{kind}".encode())


def _part(key: str) -> str:
    return f"{int(key[:2], 16) % _PARTS:02x}"
