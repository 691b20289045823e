"""Finds the file of an imported Python module, on disk, near the file that imports it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from dropout_lint.disk import Disk

_DEPTH = 8
"""Number of folders above a file that are searched for the packages it imports."""


class Modules:
    """Locates Python modules by dotted name. Each dot of a relative import is a leading ``^``: ``^^layers.Block``."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._above: dict[Path, list[str]] = {}
        self._renamed: dict[Path, tuple[tuple[str, str], ...]] = {}

    def locate(self, origin: Path, name: str) -> tuple[Path, str] | None:
        """The file of the longest prefix of a dotted name, and the rest of the name; None if there is none."""
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
            if self._disk.has(base, parts[0]):
                found = self._inside(base, parts)
                if found is not None:
                    return found
        renamed = self._renamed_above(folder, above) if not ups and len(parts) > 1 else ()
        return next(
            (found for name, base in renamed if name == parts[0] and (found := self._inside(base, parts[1:]))), None
        )

    def _inside(self, base: str, parts: Sequence[str]) -> tuple[Path, str] | None:
        """The module in a folder with the longest prefix of ``parts``, and the rest of ``parts``."""
        for cut in range(len(parts), 0, -1):
            place, last = os.sep.join((base, *parts[: cut - 1])), parts[cut - 1]
            if self._disk.kind(place, f"{last}.py") == "f":
                return Path(place, f"{last}.py"), ".".join(parts[cut:])
            if self._disk.kind(place, last) == "d" and self._disk.kind(f"{place}{os.sep}{last}", "__init__.py") == "f":
                return Path(place, last, "__init__.py"), ".".join(parts[cut:])
        return None

    def _renamed_above(self, folder: Path, above: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Packages above a file in renamed folders: each word of ``net-master``, with the path of that folder."""
        if folder not in self._renamed:
            packages = [base for base in above[:_DEPTH] if self._disk.kind(base, "__init__.py") == "f"]
            words = [(word, base) for base in packages for word in re.split(r"\W+", os.path.basename(base))]
            self._renamed[folder] = tuple((word, base) for word, base in words if word != os.path.basename(base))
        return self._renamed[folder]
