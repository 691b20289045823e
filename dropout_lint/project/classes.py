"""Classes and their bases across files."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.facts import ClassHeader, FileFacts
from dropout_lint.project.names import Names
from dropout_lint.torch_api.signatures import MODULE_BASES, NOT_MODULES_IN_TORCH_NN

_DEPTH = 8
"""Number of bases that are followed, each a base of the one before."""
_NOT_MODULES = frozenset({"object", "?object", "builtins.object", "abc.ABC"})
"""Bases outside of the project that are no nn.Module."""


class Classes:
    """Answers about classes. A class is given by the facts of a file and its resolved name in it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._modules: dict[tuple[str, str], bool | None] = {}

    def is_module(self, facts: FileFacts, name: str) -> bool | None:
        """Whether a class is an nn.Module; None if a base cannot be found."""
        return self._is_module(facts, name, _DEPTH)

    def ancestors(self, facts: FileFacts, name: str) -> Iterator[tuple[FileFacts, ClassHeader] | None]:
        """The bases of a class in the project, nearest first: None for one not found; torch's own are skipped."""
        pending = [(facts, name)]
        seen = set()
        while pending:
            home, current = pending.pop(0)
            bases = self._bases(home, current)
            for base in bases[1] if bases is not None else ():
                found = self._names.find(bases[0], base) if bases is not None else None
                if found is not None and found[1] in found[0].headers:
                    if (found[0].path, found[1]) not in seen:
                        seen.add((found[0].path, found[1]))
                        yield found[0], found[0].headers[found[1]]
                        pending.append((found[0], "." + found[1]))
                elif base not in MODULE_BASES and not base.startswith("torch.") and base not in _NOT_MODULES:
                    yield None

    def _is_module(self, facts: FileFacts, name: str, depth: int) -> bool | None:
        if name in MODULE_BASES or (name.startswith("transformers.") and name.endswith("PreTrainedModel")):
            return True
        if name.startswith("torch.nn."):
            return name not in NOT_MODULES_IN_TORCH_NN and name.rpartition(".")[2][:1].isupper()
        if depth <= 0:
            return None
        key = (facts.path, name)
        if key not in self._modules:
            self._modules[key] = None
            imported = self._through_stars(facts, name[1:]) if name.startswith("?") else None
            self._modules[key] = (
                self._is_module(*imported, depth - 1) if imported is not None else self._by_bases(facts, name, depth)
            )
        return self._modules[key]

    def _through_stars(self, facts: FileFacts, name: str) -> tuple[FileFacts, str] | None:
        """The import in another file that binds a name, if this file star-imports that file."""
        found = (self._names.imported_by(facts, star, name) for star in facts.stars)
        return next((one for one in found if one is not None), None)

    def _by_bases(self, facts: FileFacts, name: str, depth: int) -> bool | None:
        bases = self._bases(facts, name)
        if bases is None:
            return None
        home, names = bases
        verdicts = [self._is_module(home, base, depth - 1) for base in names if base not in _NOT_MODULES]
        if True in verdicts:
            return True
        return None if None in verdicts else False

    def _bases(self, facts: FileFacts, name: str) -> tuple[FileFacts, tuple[str, ...]] | None:
        """The file that defines a class, and the names of its bases there; None if it is not found."""
        found = self._names.find(facts, name)
        if found is None:
            return None
        home, qualname = found
        header = home.headers.get(qualname)
        if header is not None:
            return home, header.bases
        return next(((home, c.bases) for c in home.classes if c.name == qualname), None)
