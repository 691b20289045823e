"""The names that imports bind in a file."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from dropout_lint.torch_api.signatures import LOOKALIKE_ROOTS


class ImportTable:
    """Names bound by imports, with their dotted names.

    A name that is bound both to torch and to a framework with the same layer names is unknown ("?").
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.names: dict[str, str] = {}
        self.stars: list[str] = []

    def add(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Add the names of an import statement."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                top = alias.name.partition(".")[0]
                self._bind(alias.asname or top, alias.name if alias.asname else top)
            return
        source = self._absolute(statement.module or "", statement.level)
        for alias in statement.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                self._bind(alias.asname or alias.name, f"{source}.{alias.name}")

    def _absolute(self, module: str, level: int) -> str:
        if not level:
            return module
        parts = self.package.split(".") if self.package else []
        # Outside of packages, "^" is the folder of the file, "^^" the one above, and so on.
        base = ".".join(parts[: len(parts) - level + 1]) if level <= len(parts) else "^" * level
        return f"{base}.{module}" if module else base

    def _bind(self, name: str, target: str) -> None:
        known = self.names.setdefault(name, target)
        roots = {known.partition(".")[0], target.partition(".")[0]}
        if known == target:
            return
        if roots & LOOKALIKE_ROOTS:
            self.names[name] = "?"
        elif target.partition(".")[0] == "torch":
            self.names[name] = target


def import_statements(body: Iterable[ast.stmt]) -> Iterable[ast.Import | ast.ImportFrom]:
    """Imports at the top level of a module, including those inside ``if``, ``try`` and ``with``."""
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            yield from import_statements(statement.body)
            yield from import_statements(getattr(statement, "orelse", []))
            yield from import_statements(getattr(statement, "finalbody", []))
            for handler in getattr(statement, "handlers", []):
                yield from import_statements(handler.body)
