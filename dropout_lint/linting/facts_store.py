"""What files say by themselves, kept by their content; knows nothing about rules."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.cache.codec import encode, rebuild
from dropout_lint.cache.folder import CacheFolder
from dropout_lint.disk import digest_of
from dropout_lint.linting.analysis import Analysed
from dropout_lint.suppressions.matching import Suppressions

if TYPE_CHECKING:
    from dropout_lint.facts import FileFacts
    from dropout_lint.source.names.place import Place

_PARTS = 32
"""Files that the entries are spread over, so that a change of one source file rewrites little."""
_MAX_BYTES = 2_000_000
"""Of entries in one of them that this run had no use for."""
_KEY = slice(2, 34)
_SUM = slice(37, 69)
_REST = slice(71, -1)


class FactsStore:
    """Entries of earlier runs, read when they are asked for, and new ones, written by ``save``.

    An entry is a line of JSON with its key and a digest of what follows. Without agreement it is none.
    """

    def __init__(self, folder: CacheFolder) -> None:
        self._folder = folder
        self._read: dict[str, dict[bytes, bytes]] = {}
        self._used: dict[str, dict[bytes, bytes]] = {}
        self._changed: set[str] = set()

    @cached_property
    def is_empty(self) -> bool:
        """Whether no earlier run has left anything."""
        return not self._folder.names("facts-")

    def analysed(self, path: Path, digest: str, place: Place, modes: bool) -> Analysed | None:
        """What analysing a file of this content at this place gave before."""
        return self._entry(path, place, _key(path, digest, place, "modes" if modes else "run"))

    def add(self, one: Analysed, digest: str, place: Place, modes: bool) -> None:
        """Keep an analysis."""
        with contextlib.suppress(RecursionError):
            self.add_text(one.path, digest, place, modes, entry_text(one))

    def add_text(self, path: Path, digest: str, place: Place, modes: bool, text: str) -> None:
        """Keep an analysis by its ``entry_text``."""
        self._put(_key(path, digest, place, "modes" if modes else "run"), text)

    def facts(self, path: Path, digest: str, place: Place) -> FileFacts | None:
        """The facts of a file that another one asks for, without what it does with modes."""
        for kind in ("run", "lookup"):
            known = self._entry(path, place, _key(path, digest, place, kind))
            if known is not None and known.facts is not None:
                return known.facts
        return None

    def add_facts(self, facts: FileFacts, digest: str, place: Place) -> None:
        """Keep the facts of a file that another one asked for."""
        path = Path(facts.path)
        with contextlib.suppress(RecursionError):
            self._put(_key(path, digest, place, "lookup"), entry_text(Analysed(path, facts)))

    def save(self) -> None:
        """Write what is new. Entries that this run had no use for are kept up to a limit, latest first."""
        for part in self._changed:
            used = self._used.get(part, {})
            lines, size = [*used.values()], 0
            for key, line in self._entries(part).items():
                size += len(line)
                if key not in used and size <= _MAX_BYTES:
                    lines.append(line)
            self._folder.write(f"facts-{part}.jsonl", b"".join(line + b"\n" for line in lines))
        self._changed.clear()

    def _entries(self, part: str) -> dict[bytes, bytes]:
        if part not in self._read:
            data = self._folder.read(f"facts-{part}.jsonl") or b""
            self._read[part] = {line[_KEY]: line for line in data.split(b"\n") if line}
        return self._read[part]

    def _entry(self, path: Path, place: Place, key: str) -> Analysed | None:
        part = _part(key)
        line = self._used.get(part, {}).get(key.encode()) or self._entries(part).get(key.encode())
        if line is None or digest_of(line[_REST]).encode() != line[_SUM]:
            return None
        try:
            found = analysed_from(line[_REST].decode(), path, place)
        except (ValueError, TypeError):
            return None
        self._used.setdefault(part, {})[key.encode()] = line
        return found

    def _put(self, key: str, text: str) -> None:
        rest = text.encode()
        line = f'["{key}","{digest_of(rest)}",'.encode() + rest + b"]"
        self._used.setdefault(_part(key), {})[key.encode()] = line
        self._changed.add(_part(key))


def entry_text(one: Analysed) -> str:
    """What is kept of an analysis, without its path. Raises RecursionError for what is nested too deeply."""
    return f"{encode(one.suppressions)},{json.dumps(one.syntax_error)},{encode(one.facts)}"


def analysed_from(text: str, path: Path, place: Place) -> Analysed:
    """The analysis again. Raises ValueError for a text that is none."""
    suppressions, syntax_error, facts = json.loads(f"[{text}]")
    return Analysed(
        path,
        _placed(facts, path, place) if facts is not None else None,
        rebuild(Suppressions, suppressions),
        tuple(syntax_error) if syntax_error is not None else None,
    )


def _placed(facts: object, path: Path, place: Place) -> FileFacts:
    from dropout_lint.facts import FileFacts

    return replace(rebuild(FileFacts, facts), path=str(path), is_test=place.is_test)


def _key(path: Path, digest: str, place: Place, kind: str) -> str:
    return digest_of(f"{digest}\0{path.suffix}\0{place.module}\0{place.is_package}\0{kind}".encode())


def _part(key: str) -> str:
    return f"{int(key[:2], 16) % _PARTS:02x}"
