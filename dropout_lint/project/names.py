"""Finds the definition of a name through imports, re-exports and star imports."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.facts import FileFacts
from dropout_lint.project import name_search
from dropout_lint.project.files import Files
from dropout_lint.project.modules import Modules

_DEPTH = 8
"""Number of imports that are followed from file to file."""


class Names:
    """Finds definitions. The answers do not depend on which files were passed to a run."""

    def __init__(self, files: Files, modules: Modules) -> None:
        self._files = files
        self._modules = modules
        self._resolved: dict[tuple[str, str], tuple[FileFacts, str] | None] = {}
        self._starred: dict[Path, bytes] = {}
        self._imported: dict[Path, set[bytes]] = {}
        self._words: dict[Path, frozenset[bytes]] = {}
        self._bound: dict[tuple[Path, bytes], bool] = {}
        self._star_files: dict[tuple[Path, str], tuple[Path, ...]] = {}

    def find(self, facts: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """The file that defines a resolved name, and its qualified name there; None if no file on disk does."""
        return self._find(facts, name, _DEPTH)

    def imported_by(self, facts: FileFacts, star: str, name: str) -> tuple[FileFacts, str] | None:
        """For ``from star import *``: that file and what it imports as ``name``; None if it does not."""
        first, dot, rest = name.partition(".")
        imported = self.find(facts, star)
        if imported is None or imported[1] or first not in imported[0].imports:
            return None
        return imported[0], f"{imported[0].imports[first]}{dot}{rest}"

    def _find(self, facts: FileFacts, name: str, depth: int) -> tuple[FileFacts, str] | None:
        if name.startswith("."):
            return facts, name[1:]
        if depth <= 0 or name.startswith(("torch.", "?")):
            return None
        key = (facts.path, name)
        if key not in self._resolved:
            self._resolved[key] = None
            located = self._modules.locate(Path(facts.path), name)
            home = self._files.facts(located[0]) if located is not None else None
            if located is not None and home is not None:
                self._resolved[key] = self._inside(home, located[1], depth)
        return self._resolved[key]

    def _inside(self, home: FileFacts, name: str, depth: int) -> tuple[FileFacts, str] | None:
        """Find a name from inside a file: its own definition, or one that it re-exports."""
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
        """Whether the file of ``from star import *``, or one that it star-imports, may bind a name."""
        wanted, underscored = name.encode(), name.startswith("_")
        for path in self._star_imported(origin, star):
            words = self._words.get(path)
            if words is None:
                words = self._words[path] = name_search.words(self._starred[path])
            if wanted not in words or (underscored and b"__all__" not in words):
                continue  # https://docs.python.org/3/reference/simple_stmts.html#the-import-statement
            if (path, wanted) not in self._bound:
                self._bound[path, wanted] = self._binds(path, wanted)
            if self._bound[path, wanted]:
                return True
        return False

    def _binds(self, path: Path, name: bytes) -> bool:
        """Whether a file may import or assign a name."""
        data = self._starred[path]
        if path not in self._imported:
            self._imported[path] = name_search.imported_words(data)
        return name in self._imported[path] or name_search.may_assign(data, name)

    def _star_imported(self, origin: Path, star: str) -> tuple[Path, ...]:
        """The file of ``from star import *``, and those that it star-imports."""
        key = (origin.parent, star)
        if key not in self._star_files:
            found: dict[Path, None] = {}
            pending = [(origin, star)]
            while pending:
                home, name = pending.pop()
                located = None if name.startswith("torch") else self._modules.locate(home, name)
                if located is None or located[1] or located[0] in found:
                    continue
                path = located[0]
                found[path] = None
                if path not in self._starred:
                    self._starred[path] = self._files.data(path)
                pending += [(path, inner) for inner in name_search.star_imports(self._starred[path])]
            self._star_files[key] = tuple(found)
        return self._star_files[key]
