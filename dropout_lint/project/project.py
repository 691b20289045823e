"""Answers that need other files: bases of classes, functions behind imports, constants of configuration classes.

Files are found on disk beside the file that asks, so an answer does not depend on which files were passed to a run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from dropout_lint.disk import Disk
from dropout_lint.facts import ClassHeader, FileFacts, FunctionSummary, ModeOutline
from dropout_lint.source.engine import collect, read_flows, read_outlines
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.import_table import ImportTable
from dropout_lint.source.names.place import Place, place_of
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.reading import decode_source
from dropout_lint.syntax.text import UnreadableSource
from dropout_lint.torch_api.signatures import MODULE_BASES, NOT_MODULES_IN_TORCH_NN

if TYPE_CHECKING:
    from dropout_lint.source.modes.flow import FlowReader

_CLASS = re.compile(rb"^class[ \t]+(\w+)[ \t]*\(([^)]*)\)", re.MULTILINE)
_BOUND = re.compile(
    rb"^[ \t]*(?:(?:class|def|async[ \t]+def)[ \t]+(\w+)|(\w+)[ \t]*[:=,]|(?:from|import)\b([^(\n]*(?:\([^)]*\))?))",
    re.MULTILINE,
)
"""What a line may bind at the top level of a file, and much else."""
_WORD = re.compile(rb"\w+")
_STAR = re.compile(rb"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+\*", re.MULTILINE)
_DEPTH = 8
T = TypeVar("T", float, str)
R = TypeVar("R")


class KnownFacts(Protocol):
    """Facts that earlier runs collected, by the content and the place of a file."""

    def facts(self, path: Path, digest: str, place: Place) -> FileFacts | None:
        """The facts of a file of this content, None if they are not known."""

    def add_facts(self, facts: FileFacts, digest: str, place: Place) -> None:
        """Keep the facts of a file."""


class Project:
    """Facts of all files around a run, collected when asked for.

    ``roots`` bound the search for users and subclasses; ``store`` has facts of earlier runs; ``texts`` holds what
    stands for the content of some files; ``jobs`` are the processes that a long answer may take.
    """

    def __init__(
        self,
        roots: tuple[Path, ...],
        disk: Disk,
        store: KnownFacts | None = None,
        texts: Mapping[Path, str] | None = None,
        jobs: int = 1,
    ) -> None:
        self.roots = roots
        self.disk = disk
        self.jobs = jobs
        self._store = store
        self._texts = texts if texts is not None else {}
        self._facts: dict[Path, FileFacts | None] = {}
        self._resolved: dict[tuple[str, str], tuple[FileFacts, str] | None] = {}
        self._starred: dict[Path, bytes] = {}
        self._bound: dict[Path, frozenset[bytes]] = {}
        self._wholes: dict[tuple[Path, str], tuple[Path, ...]] = {}
        self._above: dict[Path, list[str]] = {}
        self._renamed: dict[Path, tuple[tuple[str, str], ...]] = {}
        self._modules: dict[tuple[str, str], bool | None] = {}
        self._flows: dict[str, FlowReader | None] = {}
        self._outlines: dict[str, tuple[ModeOutline, ...]] = {}
        self.given: tuple[FileFacts, ...] = ()
        """Of the files that are checked now, not of those that are only looked up."""
        self.checked: frozenset[Path] = frozenset()
        self.linked: object | None = None
        """What linking the modes of the given files found, once that was asked."""

    def add(self, facts: FileFacts) -> None:
        """Take in the facts of a file that was just analysed, which alone is checked now."""
        self.add_all([facts], [Path(facts.path)])
        self._flows.pop(facts.path, None)
        self._outlines.pop(facts.path, None)
        self._resolved.clear()
        self._modules.clear()

    def add_all(self, facts: Sequence[FileFacts], checked: Iterable[Path]) -> None:
        """Take in the facts of the files that are checked now; not every one of these has any."""
        self.checked = frozenset(path.resolve() for path in checked)
        for one in facts:
            self._facts[Path(one.path)] = self._facts[Path(one.path).resolve()] = one
        self.given = tuple(facts)
        self.linked = None

    def facts(self, path: Path) -> FileFacts | None:
        """The facts of a file, None if it cannot be read or parsed."""
        if path not in self._facts:
            whole = path.resolve()
            if whole not in self._facts:
                self._facts[whole] = _or_none(self._collected, whole)
            self._facts[path] = self._facts[whole]
        return self._facts[path]

    def _collected(self, path: Path) -> FileFacts:
        if path in self._texts:
            return collect(path, *self._source(path))
        data, place = self.disk.read(path), place_of(path, self.disk)
        known = self._store.facts(path, self.disk.digest(path), place) if self._store is not None else None
        if known is not None:
            return known
        facts = collect(path, decode_source(data, path).text, place)
        if self._store is not None:
            self._store.add_facts(facts, self.disk.digest(path), place)
        return facts

    def parsed(self, path: Path) -> SourceModule | None:
        """A file with its definitions still closed, None if it cannot be read or parsed."""

        def read(path: Path) -> SourceModule:
            text, place = self._source(path)
            return SourceModule(text, parse(text), place, shallow=True)

        return _or_none(read, path)

    def flows(self, facts: FileFacts) -> FlowReader | None:
        """The functions and classes of a file as linking needs them, None if it is gone."""
        if facts.path not in self._flows:
            self._flows[facts.path] = _or_none(lambda path: read_flows(*self._source(path)), Path(facts.path))
        return self._flows[facts.path]

    def outlines(self, facts: FileFacts) -> tuple[ModeOutline, ...]:
        """What the definitions of a file say about modes in words."""
        if facts.outlines is not None:
            return facts.outlines
        if facts.path not in self._outlines:
            read = _or_none(lambda path: read_outlines(*self._source(path)), Path(facts.path))
            self._outlines[facts.path] = read or ()
        return self._outlines[facts.path]

    def text(self, path: Path) -> str | None:
        """The source of a file, None if it cannot be read."""
        return _or_none(lambda path: self._source(path)[0], path)

    def imports(self, facts: FileFacts) -> ImportTable:
        """The names that the imports of a file bind."""
        table = ImportTable(place_of(Path(facts.path), self.disk).package)
        table.names, table.stars = dict(facts.imports), list(facts.stars)
        return table

    def _source(self, path: Path) -> tuple[str, Place]:
        text = self._texts.get(path)
        if text is None:
            text = decode_source(self.disk.read(path), path).text
        return text, place_of(path, self.disk)

    def find(self, facts: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """The file and the qualified name that a resolved name stands for, None outside of the files on disk."""
        return self._find(facts, name, _DEPTH)

    def _find(self, facts: FileFacts, name: str, depth: int) -> tuple[FileFacts, str] | None:
        if name.startswith("."):
            return facts, name[1:]
        if depth <= 0 or name.startswith(("torch.", "?")):
            return None
        key = (facts.path, name)
        if key not in self._resolved:
            self._resolved[key] = None
            located = self._locate(Path(facts.path), name)
            home = self.facts(located[0]) if located is not None else None
            if located is not None and home is not None:
                self._resolved[key] = self._inside(home, located[1], depth)
        return self._resolved[key]

    def _inside(self, home: FileFacts, name: str, depth: int) -> tuple[FileFacts, str] | None:
        """A name as seen from inside a file: its own definition, or what it re-exports."""
        first, _, rest = name.partition(".")
        bare = first.removesuffix("()")
        if not first or first in home.headers or bare in home.functions or bare in home.defined:
            return home, name
        if first in home.imports:
            return self._find(home, home.imports[first] + (f".{rest}" if rest else ""), depth - 1)
        for star in home.stars:
            if not self._may_bind(Path(home.path), star, first):
                continue
            found = self._find(home, f"{star}.{name}", depth - 1)
            if found is None:
                continue
            if any(first in names for names in (found[0].headers, found[0].functions, found[0].defined)):
                return found
        return None

    def _may_bind(self, origin: Path, star: str, name: str) -> bool:
        """Whether the words of a file that is imported whole leave it possible that it binds a name."""
        wanted, underscored = name.encode(), name.startswith("_")
        for path in self._imported_whole(origin, star):
            data = self._starred[path]
            if wanted not in data or (underscored and b"__all__" not in data):
                continue  # https://docs.python.org/3/reference/simple_stmts.html#the-import-statement
            if path not in self._bound:
                self._bound[path] = frozenset(w for one in _BOUND.findall(data) for w in _WORD.findall(b" ".join(one)))
            if wanted in self._bound[path]:
                return True
        return False

    def _imported_whole(self, origin: Path, star: str) -> tuple[Path, ...]:
        """The files whose names ``from star import *`` may bring."""
        key = (origin.parent, star)
        if key not in self._wholes:
            found: dict[Path, None] = {}
            pending = [(origin, star)]
            while pending:
                home, name = pending.pop()
                located = None if name.startswith("torch") else self._locate(home, name)
                if located is None or located[1] or located[0] in found:
                    continue
                path = located[0]
                found[path] = None
                if path not in self._starred:
                    self._starred[path] = self.disk.read_or_empty(path)
                if b"import *" in self._starred[path]:
                    inner = (m.decode() for m in _STAR.findall(self._starred[path]))
                    pending += [(path, "^" * (len(m) - len(m.lstrip("."))) + m.lstrip(".")) for m in inner]
            self._wholes[key] = tuple(found)
        return self._wholes[key]

    def locate(self, facts: FileFacts, name: str) -> tuple[Path, str] | None:
        """The file that a dotted name leads to first, and what is left of the name; None outside of the disk."""
        return self._locate(Path(facts.path), name)

    def _locate(self, origin: Path, name: str) -> tuple[Path, str] | None:
        """The file of the longest prefix of a dotted name, and the rest of the name."""
        bare = name.lstrip("^")
        ups = len(name) - len(bare)
        parts = [p for p in bare.split(".") if p]
        if not parts:
            return None
        folder = origin.parent
        above = self._above.get(folder)
        if above is None:
            above = self._above[folder] = [str(p) for p in origin.resolve().parents]
        for base in above[ups - 1 : ups] if ups else above[:_DEPTH]:
            if self.disk.has(base, parts[0]):
                found = self._inside_of(base, parts)
                if found is not None:
                    return found
        renamed = self._renamed_above(folder, above) if not ups and len(parts) > 1 else ()
        return next(
            (found for name, base in renamed if name == parts[0] and (found := self._inside_of(base, parts[1:]))), None
        )

    def _inside_of(self, base: str, parts: Sequence[str]) -> tuple[Path, str] | None:
        """The module in a folder that the longest prefix of some parts leads to, and the rest of them."""
        for cut in range(len(parts), 0, -1):
            place, last = os.sep.join((base, *parts[: cut - 1])), parts[cut - 1]
            if self.disk.kind(place, f"{last}.py") == "f":
                return Path(place, f"{last}.py"), ".".join(parts[cut:])
            if self.disk.kind(place, last) == "d" and self.disk.kind(f"{place}{os.sep}{last}", "__init__.py") == "f":
                return Path(place, last, "__init__.py"), ".".join(parts[cut:])
        return None

    def _renamed_above(self, folder: Path, above: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Packages around a file in folders of longer names, such as ``net-master``, with the words of those."""
        if folder not in self._renamed:
            packages = [base for base in above[:_DEPTH] if self.disk.kind(base, "__init__.py") == "f"]
            words = [(word, base) for base in packages for word in re.split(r"\W+", os.path.basename(base))]
            self._renamed[folder] = tuple((word, base) for word, base in words if word != os.path.basename(base))
        return self._renamed[folder]

    def is_module(self, facts: FileFacts, name: str) -> bool | None:
        """Whether a class is an nn.Module: proven, refuted, or None where a base is out of sight."""
        return self._is_module(facts, name, _DEPTH)

    def _is_module(self, facts: FileFacts, name: str, depth: int) -> bool | None:
        if name in MODULE_BASES:
            return True
        if name.startswith("torch.nn."):
            return name not in NOT_MODULES_IN_TORCH_NN and name.rpartition(".")[2][:1].isupper()
        if depth <= 0:
            return None
        key = (facts.path, name)
        if key not in self._modules:
            self._modules[key] = None
            behind = self._through_stars(facts, name[1:]) if name.startswith("?") else None
            self._modules[key] = (
                self._is_module(*behind, depth - 1) if behind is not None else self._by_bases(facts, name, depth)
            )
        return self._modules[key]

    def _through_stars(self, facts: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """What a name stands for that a file imports with all others of a second one, which imports it by name."""
        return next((found for star in facts.stars if (found := self.imported_by(facts, star, name)) is not None), None)

    def imported_by(self, facts: FileFacts, star: str, name: str) -> tuple[FileFacts, str] | None:
        """What the file of ``from star import *`` imports by a name, with that file; None if it does not."""
        first, dot, rest = name.partition(".")
        whole = self.find(facts, star)
        if whole is None or whole[1] or first not in whole[0].imports:
            return None
        return whole[0], f"{whole[0].imports[first]}{dot}{rest}"

    def _by_bases(self, facts: FileFacts, name: str, depth: int) -> bool | None:
        bases = self.bases(facts, name)
        if bases is None:
            return None
        home, names = bases
        verdicts = [self._is_module(home, base, depth - 1) for base in names if base not in {"object", "abc.ABC"}]
        if True in verdicts:
            return True
        return None if None in verdicts else False

    def bases(self, facts: FileFacts, name: str) -> tuple[FileFacts, tuple[str, ...]] | None:
        """The bases of a class with the file that names them, None if the class is out of sight."""
        found = self.find(facts, name)
        if found is None:
            return None
        home, qualname = found
        header = home.headers.get(qualname)
        if header is not None:
            return home, header.bases
        return next(((home, c.bases) for c in home.classes if c.name == qualname), None)

    def ancestors(self, facts: FileFacts, name: str) -> Iterator[tuple[FileFacts, ClassHeader] | None]:
        """Project classes above a class, nearest first; None stands for one out of sight (torch's own are skipped)."""
        pending = [(facts, name)]
        seen = set()
        while pending:
            home, current = pending.pop(0)
            bases = self.bases(home, current)
            for base in bases[1] if bases is not None else ():
                found = self.find(bases[0], base) if bases is not None else None
                if found is not None and found[1] in found[0].headers:
                    if (found[0].path, found[1]) not in seen:
                        seen.add((found[0].path, found[1]))
                        yield found[0], found[0].headers[found[1]]
                        pending.append((found[0], "." + found[1]))
                elif base not in MODULE_BASES and not base.startswith("torch.") and base not in {"object", "abc.ABC"}:
                    yield None

    def function(self, facts: FileFacts, name: str) -> tuple[FileFacts, FunctionSummary] | None:
        """The summary of a project function; of what it returns, for the name of a call (``...()``)."""
        found = self.find(facts, name.removesuffix("()"))
        summary = found[0].functions.get(found[1]) if found is not None else None
        if found is None or summary is None:
            return None
        if not name.endswith("()"):
            return found[0], summary
        inner = [found[0].functions[r] for r in summary.returns]
        sinks = frozenset(s for f in inner for s in f.sinks)
        shown = next((f for f in inner if f.sinks), None)
        return (found[0], FunctionSummary(shown.name, shown.parameters, sinks)) if shown is not None else None

    def sinks(self, home: FileFacts, summary: FunctionSummary, depth: int = 3) -> frozenset[str]:
        """Parameters of a function that reach a dropout which ignores the mode, also through what it calls."""
        found = set(summary.sinks)
        for site in home.sites:
            if site.form != "forwarded" or site.scope.function != summary.name or site.guarded or depth <= 0:
                continue
            called = self.function(home, site.api)
            if called is None:
                continue
            inner = self.sinks(called[0], called[1], depth - 1)
            for index, argument in enumerate(site.arguments):
                names = called[1].parameters
                name = argument.name or (names[index] if index < len(names) else "")
                if name in inner and argument.value.parameter and not argument.value.gated:
                    found.add(argument.value.parameter)
        return frozenset(found)

    def reads_attribute(self, facts: FileFacts, class_name: str, attribute: str) -> bool:
        """Whether a base, a subclass or a user of a class may read an attribute; true where that is out of sight."""
        for above in self.ancestors(facts, "." + class_name):
            if above is None or attribute in above[1].attributes or above[1].opaque:
                return True
        pending, seen = [class_name.rpartition(".")[2]], set()
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            for path in self.derived_files(current):
                home = self.facts(path)
                for header in home.headers.values() if home is not None else ():
                    if any(base.rpartition(".")[2] == current for base in header.bases):
                        if attribute in header.attributes or header.opaque:
                            return True
                        pending.append(header.name)
        return False

    def assigns_elsewhere(self, facts: FileFacts, attribute: str) -> bool:
        """Whether another line of the project assigns an attribute of this name."""
        pattern = re.compile(rb"\.%s\s*(?::[^=\n]+)?=[^=]|[\"']%s[\"']" % ((attribute.encode(),) * 2))
        read = self.disk.read_or_empty
        here = len(pattern.findall(read(Path(facts.path))))
        return here > 1 or any(
            pattern.search(read(path)) for path in self.python_files() if str(path) != str(Path(facts.path).resolve())
        )

    @cached_property
    def _class_index(self) -> dict[str, list[Path]]:
        """For each class name, the files that derive a class from it."""
        index: dict[str, list[Path]] = {}
        for path in self.python_files():
            for found in _CLASS.finditer(self.disk.read_or_empty(path)):
                for base in re.findall(rb"\w+", found.group(2)):
                    index.setdefault(base.decode(), []).append(path)
        return index

    def python_files(self) -> Iterator[Path]:
        """Every Python file below the roots."""
        for root in self.roots:
            yield from self.disk.walk(root)

    def derived_files(self, class_name: str) -> list[Path]:
        """Files that may derive from a class of this name."""
        return sorted(set(self._class_index.get(class_name, [])))

    def constants(self, facts: FileFacts, attribute: str) -> set[float]:
        """Numbers that configuration classes near a file give to an attribute of this name."""
        return self._configured(facts, attribute, lambda header: header.constants.get(attribute))

    def texts(self, facts: FileFacts, attribute: str) -> set[str]:
        """Strings that configuration classes near a file give to an attribute of this name."""
        return self._configured(facts, attribute, lambda header: header.texts.get(attribute))

    def _configured(self, facts: FileFacts, attribute: str, read: Callable[[ClassHeader], T | None]) -> set[T]:
        """Looked up in the file's own classes, in the files of those it imports, and in its folder, nearest first."""

        def of(home: FileFacts) -> set[T]:
            values = (read(header) for header in home.headers.values())
            return {value for value in values if value is not None}

        own = of(facts)
        if own:
            return own
        imported: set[T] = set()
        for target in facts.imports.values():
            found = self.find(facts, target)
            if found is not None and found[0] is not facts:
                imported |= of(found[0])
        if imported:
            return imported
        nearby: set[T] = set()
        for path in self.disk.python_files(Path(facts.path).parent):
            if attribute.encode() in self.disk.read_or_empty(path):
                home = self.facts(path)
                nearby |= of(home) if home is not None else set()
        return nearby


def _or_none(read: Callable[[Path], R], path: Path) -> R | None:
    """What reading a file gives, None if it cannot be read or parsed."""
    try:
        return read(path)
    except (OSError, UnreadableSource, SourceSyntaxError, NotParsed, RecursionError):
        return None
