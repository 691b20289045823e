"""The files around a run: text, facts, outlines and flows of each, read on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dropout_lint.disk import Disk, FileChangedError
from dropout_lint.facts import FileFacts, ModeOutline
from dropout_lint.source.engine import collect, read_flows, read_outlines
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.import_table import ImportTable
from dropout_lint.source.names.place import ModulePlace, place_of
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.positions import Lines
from dropout_lint.syntax.reading import decode_source
from dropout_lint.syntax.text import UnreadableSource

if TYPE_CHECKING:
    from dropout_lint.source.modes.flow import FlowReader

ReadFacts = Callable[[Path, bytes, ModulePlace], FileFacts]
"""Collects the facts of a file with this content and module place. Raises as ``collect`` and ``decode_source`` do."""
R = TypeVar("R")


def read_facts(path: Path, data: bytes, place: ModulePlace) -> FileFacts:
    """The facts of a file, without its mode outlines."""
    return collect(path, decode_source(data, path).text, place)


class Files:
    """Texts and facts by path. ``read`` collects the facts of a file; ``texts`` replace the content of some files.

    ``known`` are facts that were collected before. With a ``base``, all other files are read through the base, so
    several views share them.
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
        self._flows: dict[str, FlowReader | None] = {}
        self._modules: dict[Path, SourceModule | None] = {}
        self._lines: dict[Path, Lines] = {}
        self._outlines: dict[str, tuple[ModeOutline, ...]] = {}
        self._of_texts: dict[tuple[Path, str], FileFacts] = base._of_texts if base is not None else {}
        self._whole: dict[Path, Path] = base._whole if base is not None else {}
        self._texts = {self._resolved(path): text for path, text in (texts or {}).items()}
        for one in known:
            path = Path(one.path)
            self._facts[path] = self._facts[self._resolved(path)] = one

    def view(self, texts: Mapping[Path, str], known: Iterable[FileFacts]) -> Files:
        """The same files, some with other texts or with facts that were collected before."""
        return Files(self.disk, self._read, texts=texts, known=known, base=self)

    def facts(self, path: Path) -> FileFacts | None:
        """The facts of a file; None if it cannot be read or parsed."""
        if path not in self._facts:
            whole = self._resolved(path)
            if whole not in self._facts:
                base = self._base_of(path)
                self._facts[whole] = base.facts(whole) if base is not None else _or_none(lambda: self._collected(whole))
            self._facts[path] = self._facts[whole]
        return self._facts[path]

    def in_folder_of(self, facts: FileFacts, word: str) -> Iterator[FileFacts]:
        """The facts of a file, and of those in its folder that contain a word."""
        yield facts
        for path in self.disk.python_files(Path(facts.path).parent):
            found = self.facts(path) if word.encode() in self.data(path) else None
            if found is not None and found.path != facts.path:
                yield found

    def flows(self, facts: FileFacts) -> FlowReader | None:
        """The reader of the mode flows and classes of a file, for linking; None if it cannot be read."""
        if facts.path not in self._flows:
            path = Path(facts.path)
            base = self._base_of(path)
            self._flows[facts.path] = base.flows(facts) if base is not None else self._read_flows(path)
        return self._flows[facts.path]

    def _read_flows(self, path: Path) -> FlowReader | None:
        module = self._shallow(path)
        return _or_none(lambda: read_flows(module)) if module is not None else None

    def outlines(self, facts: FileFacts) -> tuple[ModeOutline, ...]:
        """The mode outlines of a file: for each definition, its words about modes."""
        if facts.outlines is not None:
            return facts.outlines
        if facts.path not in self._outlines:
            path = Path(facts.path)
            base = self._base_of(path)
            self._outlines[facts.path] = base.outlines(facts) if base is not None else self._read_outlines(path)
        return self._outlines[facts.path]

    def _read_outlines(self, path: Path) -> tuple[ModeOutline, ...]:
        module = self._shallow(path)
        return (_or_none(lambda: read_outlines(module)) or ()) if module is not None else ()

    def _shallow(self, path: Path) -> SourceModule | None:
        """The source of a file, parsed once for its outlines and its flows."""
        if path not in self._modules:
            self._modules[path] = self.parsed(path)
        return self._modules[path]

    def parsed(self, path: Path) -> SourceModule | None:
        """The source of a file, shallow: no definition is visited yet. None if it cannot be read or parsed."""

        def read() -> SourceModule:
            text, place = self._source(path)
            return SourceModule(text, parse(text), place, shallow=True)

        return _or_none(read)

    def imports(self, facts: FileFacts) -> ImportTable:
        """The names that the imports of a file bind."""
        table = ImportTable(place_of(Path(facts.path), self.disk).package)
        table.names, table.stars = dict(facts.imports), list(facts.stars)
        return table

    def source(self, path: Path) -> str:
        """The text of a file. Raises OSError and UnreadableSource."""
        base = self._base_of(path)
        if base is not None:
            return base.source(path)
        text = self._texts.get(self._resolved(path)) if self._texts else None
        return text if text is not None else decode_source(self.disk.read(path), path).text

    def lines(self, path: Path) -> Lines:
        """The lines of a file with known facts, read once. Raises FileChangedError if it can no longer be read."""
        if path not in self._lines:
            try:
                self._lines[path] = Lines(self.source(path))
            except (OSError, UnreadableSource):
                raise FileChangedError from None
        return self._lines[path]

    def text(self, path: Path) -> str | None:
        """The text of a file, None if it cannot be read."""
        return _or_none(lambda: self.source(path))

    def data(self, path: Path) -> bytes:
        """The bytes of a file, to search for words; empty if it cannot be read."""
        base = self._base_of(path)
        if base is not None:
            return base.data(path)
        text = self._texts.get(self._resolved(path)) if self._texts else None
        return text.encode(errors="replace") if text is not None else self.disk.read_or_empty(path)

    def _collected(self, path: Path) -> FileFacts:
        if path in self._texts:
            key = (path, self._texts[path])
            if key not in self._of_texts:
                self._of_texts[key] = collect(path, *self._source(path))
            return self._of_texts[key]
        data = self.disk.read(path)
        return self._read(path, data, place_of(path, self.disk))

    def _source(self, path: Path) -> tuple[str, ModulePlace]:
        return self.source(path), place_of(path, self.disk)

    def _base_of(self, path: Path) -> Files | None:
        """The view to read a file from; None if this one replaces its text, or has no base."""
        return None if self._texts and self._resolved(path) in self._texts else self._base

    def _resolved(self, path: Path) -> Path:
        if path not in self._whole:
            self._whole[path] = path.resolve()
        return self._whole[path]


def _or_none(read: Callable[[], R]) -> R | None:
    """The result of ``read``; None if the file cannot be read or parsed."""
    try:
        return read()
    except (OSError, UnreadableSource, SourceSyntaxError, NotParsed, RecursionError):
        return None
