"""Fingerprints: recognise a finding after the code around it has moved. For baselines and CI services."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dropout_lint.diagnostic import Diagnostic, place
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.positions import Lines

_DIGITS = 16
_TRAILING_COMMA = re.compile(r",(?=[)\]}])")


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """A rule, the class and function around the finding, and a hash of the code that it underlines.

    Lines, columns, the work of a formatter and the wording of the message do not change it.
    """

    code: str
    scope: str
    text: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A finding with its fingerprint. ``occurrence`` numbers equal fingerprints of a file from 1."""

    diagnostic: Diagnostic
    fingerprint: Fingerprint
    occurrence: int

    def digest(self, path: str) -> str:
        """A hash that is unique in the run; ``path`` is the name of the file in the report."""
        parts = (path, self.fingerprint.code, self.fingerprint.scope, self.fingerprint.text, str(self.occurrence))
        return _hash("\0".join(parts))


def number(diagnostics: Sequence[Diagnostic], sources: Callable[[str], str | None]) -> Iterator[Numbered]:
    """Add fingerprints to findings, which are sorted by file."""
    seen: Counter[tuple[str, Fingerprint]] = Counter()
    path, reader = "", _Reader("")
    for diagnostic in diagnostics:
        if place(diagnostic) != path:
            path = place(diagnostic)
            reader = _Reader(sources(path) or "")
        fingerprint = reader.fingerprint(diagnostic)
        seen[path, fingerprint] += 1
        yield Numbered(diagnostic, fingerprint, seen[path, fingerprint])


class _Reader:
    """Makes the fingerprints of one text."""

    def __init__(self, text: str) -> None:
        self._lines = Lines(text)
        try:
            self._tree: ast.Module | None = parse(text)
        except (NotParsed, SourceSyntaxError):
            self._tree = None

    def fingerprint(self, diagnostic: Diagnostic) -> Fingerprint:
        try:
            text = self._lines.slice(diagnostic.span)
        except ValueError:  # the file has changed since
            text = ""
        scope = ".".join(_scope(self._tree, diagnostic.span.line)) if self._tree else ""
        return Fingerprint(diagnostic.code, scope, _hash(_TRAILING_COMMA.sub("", "".join(text.split()))))


def _scope(tree: ast.Module, line: int) -> Iterator[str]:
    """The names of the classes and functions around a line, outermost first."""
    inside: list[ast.AST] = [tree]
    while inside:
        node = inside.pop()
        for child in ast.iter_child_nodes(node):
            first, last = getattr(child, "lineno", None), getattr(child, "end_lineno", None)
            if first is None or last is None:
                inside.append(child)
                continue
            first = min([first, *(decorator.lineno for decorator in getattr(child, "decorator_list", []))])
            if first <= line <= last:
                if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    yield child.name
                    inside = [child]
                    break
                inside.append(child)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
