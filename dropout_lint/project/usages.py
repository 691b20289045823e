"""Who reads or sets an attribute: subclasses, other files below the roots, configuration classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from dropout_lint.facts import ClassHeader, FileFacts
from dropout_lint.project import name_search
from dropout_lint.project.classes import Classes
from dropout_lint.project.files import Files
from dropout_lint.project.names import Names
from dropout_lint.source.sites.passed_flags import calls_class, passes_flag

_CLASS_NAME = re.compile(rb"(?<!\w)[A-Z]\w*")
T = TypeVar("T", float, str)


class Usages:
    """Answers about attributes. The packages around the ``named`` files bound the search for users and subclasses."""

    def __init__(self, files: Files, names: Names, classes: Classes, named: Sequence[Path]) -> None:
        self._files = files
        self._names = names
        self._classes = classes
        self._named = named

    def reads_attribute(self, facts: FileFacts, class_name: str, attribute: str) -> bool:
        """Whether a base, a subclass or a user of a class may read an attribute; true where that is out of sight."""
        for above in self._classes.ancestors(facts, "." + class_name):
            if above is None or attribute in above[1].attributes or above[1].opaque:
                return True
        pending, seen = [class_name.rpartition(".")[2]], set()
        while pending:
            current = pending.pop()
            if current in seen:
                continue
            seen.add(current)
            for path in sorted(self._derived.get(current, ())):
                home = self._files.facts(path)
                for header in home.headers.values() if home is not None else ():
                    if any(base.rpartition(".")[2] == current for base in header.bases):
                        if attribute in header.attributes or header.opaque:
                            return True
                        pending.append(header.name)
        return False

    def assigns_elsewhere(self, facts: FileFacts, attribute: str) -> bool:
        """Whether another line of the project assigns an attribute of this name."""
        pattern = re.compile(rb"\.%s\s*(?::[^=\n]+)?=[^=]|[\"']%s[\"']" % ((attribute.encode(),) * 2))
        read = self._files.data
        here = len(pattern.findall(read(Path(facts.path))))
        return here > 1 or any(
            pattern.search(read(path)) for path in self.python_files() if str(path) != str(Path(facts.path).resolve())
        )

    def touches(self, facts: FileFacts, attribute: str, class_name: str) -> bool:
        """Whether another file may use an attribute of the instances of a class.

        That is one that calls, indexes or walks over an attribute of this name of something else than ``self``, or asks
        it for something, or that derives a class from this one and names the attribute.
        """
        here, last, name = Path(facts.path).resolve(), class_name.rpartition(".")[2], re.escape(attribute.encode())
        other = rb"(?<!\bself)(?<!\bcls)(?<!\bF)(?<!\bfunctional)(?<!\bnn)(?<!\btorch)(?<=[\w)\]])\.%s\s*[\[(.]"
        walked = rb"(?:\bin\s+|\b(?:list|tuple|enumerate|iter|len|zip)\(|\*)(?!self\.\w+\b)(?:\w+\.)+%s\b"
        foreign = re.compile(rb"|".join((other, walked)) % (name, name))
        own = re.compile(rb"\bself\.%s\b" % name)
        derived = self._derived.get(last, ())
        for path in self.python_files():
            if path.resolve() == here:
                continue
            data = self._files.data(path)
            if foreign.search(data) or (path in derived and own.search(data)):
                return True
        return False

    def sets_flag(self, class_name: str) -> bool:
        """Whether code of the project may make ``train`` an attribute of the instances of a class, or of a subclass."""
        outside = re.compile(rb"(?<!\bself)\.train[ \t]*(?::[^=\n]+)?=(?!=)")
        inside = re.compile(rb"\bself\.train[ \t]*=(?!=)|^[ \t]+train[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
        derived = self._derived.get(class_name.rpartition(".")[2], ())
        return any(
            outside.search(self._files.data(path)) or (path in derived and inside.search(self._files.data(path)))
            for path in self.python_files()
        )

    def reads_setting(self, facts: FileFacts, setting: str) -> bool:
        """Whether another file reads a setting of a layer, as ``rnn.dropout``."""
        pattern = re.compile(rb"\.%s\b" % re.escape(setting.encode()))
        here = Path(facts.path).resolve()
        return any(pattern.search(self._files.data(path)) for path in self.python_files() if path.resolve() != here)

    def may_pass(self, flag: str) -> bool:
        """Whether a call in the project may pass a mode flag to a model."""
        return any(passes_flag(self._files.data(path), flag) for path in self.python_files())

    def constructs(self, class_name: str) -> bool:
        """Whether the project calls a class of this name."""
        name = class_name.rpartition(".")[2]
        return any(calls_class(self._files.data(path), name) for path in self.python_files())

    def are_gated(self, facts: FileFacts, class_name: str) -> bool:
        """Whether the project calls instances of a class, and each known call stands under a test of the mode."""
        here, last = Path(facts.path).resolve(), class_name.rpartition(".")[2]
        homes = [facts]
        for path in self._naming.get(last.encode(), ()):
            home = self._files.facts(path) if path != here else None
            homes += [home] if home is not None else []
        named = [(home, name) for home in homes for name in home.gated if name.rpartition(".")[2] == last]
        found = [(home.gated[name], self._names.find(home, name)) for home, name in named]
        seen = [
            gated for gated, at in found if at is not None and (Path(at[0].path).resolve(), at[1]) == (here, class_name)
        ]
        return bool(seen) and all(seen)

    def set_once(self, attribute: str) -> bool:
        """Whether one place of the project alone gives a value to a name or keyword, and no text names it.

        Places that pass it on under the same name do not count.
        """
        name = attribute.encode()
        given = rb"\b%s\b[ ]*(?::[^=\n]+)?=(?!=)(?![ ]*(?:\w+\.)*%s\b)" % (name, name)
        pattern = re.compile(rb"%s|%s[\"']" % (given, name))
        return sum(len(pattern.findall(self._files.data(path))) for path in self.python_files()) == 1

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
            found = self._names.find(facts, target)
            if found is not None and found[0] is not facts:
                imported |= of(found[0])
        if imported:
            return imported
        nearby: set[T] = set()
        for path in self._files.disk.python_files(Path(facts.path).parent):
            if attribute.encode() in self._files.data(path):
                home = self._files.facts(path)
                nearby |= of(home) if home is not None else set()
        return nearby

    @cached_property
    def _naming(self) -> dict[bytes, list[Path]]:
        """For each name that begins like a class, the files that contain it."""
        index: dict[bytes, list[Path]] = {}
        for path in self.python_files():
            for name in set(_CLASS_NAME.findall(self._files.data(path))):
                index.setdefault(name, []).append(path)
        return index

    @cached_property
    def _derived(self) -> dict[str, set[Path]]:
        """For each class name, the files that may derive a class from it."""
        index: dict[str, set[Path]] = {}
        for path in self.python_files():
            for base in name_search.bases(self._files.data(path)):
                index.setdefault(base, set()).add(path)
        return index

    def python_files(self) -> Iterator[Path]:
        """Every Python file below the roots, and the named ones that are not on disk yet."""
        yield from (path for path in self._named if not self._files.disk.is_file(path))
        for root in self._roots:
            yield from self._files.disk.walk(root)

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        """The outermost package folder, or else the folder, of each named file; none inside another."""
        tops = set()
        for folder in {path.resolve().parent for path in self._named}:
            top = folder
            while self._files.disk.is_file(top.parent / "__init__.py"):
                top = top.parent
            tops.add(top)
        return tuple(sorted(top for top in tops if tops.isdisjoint(top.parents)))
