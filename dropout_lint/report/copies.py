"""Merges findings in copies of a class: code that was copied from file to file has one mistake, not many."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from dropout_lint.diagnostic import Diagnostic, Related, place
from dropout_lint.report.view import Sources

_CLASS = re.compile(r"\s*class\s+\w")
_DIGITS = re.compile(r"\d+")
_SHORTEST = 5
"""Lines that a class has at least, so that it is no copy by chance."""


def merged(diagnostics: Iterable[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings without those in copies of a class, which become related places of the first by file and line."""
    lines_of = lru_cache(maxsize=None)(lambda where: (sources(where) or "").splitlines())
    found: dict[object, Diagnostic] = {}
    for diagnostic in diagnostics:
        around = _class_around(lines_of(place(diagnostic)), diagnostic.span.line)
        key: object = diagnostic.sort_key
        if around is not None:
            start, text = around
            message = _DIGITS.sub("", diagnostic.message)  # it may name lines
            key = (text, diagnostic.span.line - start, diagnostic.span.column, diagnostic.code, message)
        first = found.get(key)
        if first is None:
            found[key] = diagnostic
            continue
        copy = Related(diagnostic.path, diagnostic.span, "the same in a copy of this class", diagnostic.cell)
        found[key] = replace(first, related=(*first.related, copy))
    return list(found.values())


def _class_around(lines: list[str], line: int) -> tuple[int, str] | None:
    """The first line of the class around a line, and the text of the class without its indentation."""
    if not 0 < line <= len(lines):
        return None
    depth = _depth(lines[line - 1])
    for start in range(line - 1, 0, -1):
        text = lines[start - 1]
        if not text.strip() or _depth(text) >= depth:
            continue
        depth = _depth(text)
        if _CLASS.match(text):
            end = next(
                (i for i in range(start, len(lines)) if lines[i].strip() and _depth(lines[i]) <= depth), len(lines)
            )
            body = [one[depth:].rstrip() for one in lines[start - 1 : end] if one.strip()]
            return (start, "\n".join(body)) if len(body) >= _SHORTEST else None
    return None


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())
