"""The files around a run: their texts, and what each says by itself, read when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dropout_lint.disk import Disk
from dropout_lint.facts import FileFacts, ModeOutline
from dropout_lint.source.engine import collect, read_flows, read_outlines
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.import_table import ImportTable
from dropout_lint.source.names.place import Place, place_of
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.reading import decode_source
from dropout_lint.syntax.text import UnreadableSource

if TYPE_CHECKING:
    from dropout_lint.source.modes.flow import FlowReader

ReadFacts = Callable[[Path, bytes, Place], FileFacts]
"""Gives the facts of a file with this content at this place. Raises what ``collect`` and ``decode_source`` raise."""
R = TypeVar("R")


def read_facts(path: Path, data: bytes, place: Place) -> FileFacts:
    """The facts of a file, without what it does with modes."""
    return collect(path, decode_source(data, path).text, place)


class Files:
    """Texts and facts by path. ``read`` collects the facts of a file; ``texts`` replace the content of some files.

    ``known`` are facts that were collected before. With a ``base``, all other files are those of the base, so that
    several views share what was read.
    """

    def __init__(
        self,
        disk: Disk,
        read: ReadFacts = read_facts,
        *,
        texts: Mapping[Path, str] | None = None,
        known: Iterable[FileFacts] = (),
        base: Files | None = None,
    ) -> None:
        self.disk = disk
        self._read = read
        self._base = base
        self._facts: dict[Path, FileFacts | None] = {}
        self._flows: dict[Path, FlowReader | None] = {}
        self._outlines: dict[Path, tuple[ModeOutline, ...]] = {}
        self._whole: dict[Path, Path] = base._whole if base is not None else {}
        self._texts = {self._resolved(path): text for path, text in (texts or {}).items()}
        for one in known:
            path = Path(one.path)
            self._facts[path] = self._facts[self._resolved(path)] = one

    def view(self, texts: Mapping[Path, str], known: Iterable[FileFacts]) -> Files:
        """These files, some of them with another text or with facts that are known already."""
        return Files(self.disk, self._read, texts=texts, known=known, base=self)

    def facts(self, path: Path) -> FileFacts | None:
        """The facts of a file, None if it cannot be read or parsed."""
        if path not in self._facts:
            whole = self._resolved(path)
            if whole not in self._facts:
                base = self._base_of(whole)
                self._facts[whole] = base.facts(whole) if base is not None else _or_none(self._collected, whole)
            self._facts[path] = self._facts[whole]
        return self._facts[path]

    def parsed(self, path: Path) -> SourceModule | None:
        """A file with its definitions still closed, None if it cannot be read or parsed."""

        def read(path: Path) -> SourceModule:
            text, place = self._source(path)
            return SourceModule(text, parse(text), place, shallow=True)

        return _or_none(read, path)

    def flows(self, facts: FileFacts) -> FlowReader | None:
        """The functions and classes of a file as linking needs them, None if it is gone."""
        path = Path(facts.path)
        if path not in self._flows:
            base = self._base_of(self._resolved(path))
            read = _or_none(lambda path: read_flows(*self._source(path)), path) if base is None else base.flows(facts)
            self._flows[path] = read
        return self._flows[path]

    def outlines(self, facts: FileFacts) -> tuple[ModeOutline, ...]:
        """What the definitions of a file say about modes in words."""
        if facts.outlines is not None:
            return facts.outlines
        path = Path(facts.path)
        if path not in self._outlines:
            base = self._base_of(self._resolved(path))
            if base is not None:
                self._outlines[path] = base.outlines(facts)
            else:
                self._outlines[path] = _or_none(lambda path: read_outlines(*self._source(path)), path) or ()
        return self._outlines[path]

    def source(self, path: Path) -> str:
        """The text of a file. Raises OSError and UnreadableSource."""
        return self._source(path)[0]

    def text(self, path: Path) -> str | None:
        """The text of a file, None if it cannot be read."""
        return _or_none(self.source, path)

    def data(self, path: Path) -> bytes:
        """The bytes of a file for a search of words, nothing where it cannot be read."""
        whole = self._resolved(path)
        if whole in self._texts:
            return self._texts[whole].encode(errors="replace")
        return self._base.data(path) if self._base is not None else self.disk.read_or_empty(path)

    def imports(self, facts: FileFacts) -> ImportTable:
        """The names that the imports of a file bind."""
        table = ImportTable(place_of(Path(facts.path), self.disk).package)
        table.names, table.stars = dict(facts.imports), list(facts.stars)
        return table

    def _base_of(self, whole: Path) -> Files | None:
        return None if whole in self._texts else self._base

    def _collected(self, path: Path) -> FileFacts:
        if path in self._texts:
            return collect(path, *self._source(path))
        data = self.disk.read(path)
        return self._read(path, data, place_of(path, self.disk))

    def _source(self, path: Path) -> tuple[str, Place]:
        whole = self._resolved(path)
        if whole in self._texts:
            return self._texts[whole], place_of(path, self.disk)
        base = self._base_of(whole)
        if base is not None:
            return base._source(path)
        return decode_source(self.disk.read(path), path).text, place_of(path, self.disk)

    def _resolved(self, path: Path) -> Path:
        if path not in self._whole:
            self._whole[path] = path.resolve()
        return self._whole[path]


def _or_none(read: Callable[[Path], R], path: Path) -> R | None:
    """What reading a file gives, None if it cannot be read or parsed."""
    try:
        return read(path)
    except (OSError, UnreadableSource, SourceSyntaxError, NotParsed, RecursionError):
        return None
