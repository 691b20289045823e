"""Finds the source of each cell in the JSON of a notebook, and rewrites its lines in place."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = re.compile(r"[ \t\n\r]*")
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_CHARACTER = re.compile(_PAIR + r"|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)
_ESCAPED = re.compile(r"\\u(?!00[01])[0-9a-fA-F]{4}")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class CellSource:
    """The source of a cell, and the offsets of its JSON value."""

    text: str
    start: int
    end: int
    listed: bool
    """The value is a list of lines, not one string."""

    def rewritten(self, raw: str, new: str) -> str:
        """The JSON value of a changed text; unchanged characters keep their escapes."""
        value = raw[self.start : self.end]
        strings = list(_strings(value)) if self.listed else [(0, len(value))]
        old = [character for start, end in strings for character in _CHARACTER.findall(value, start + 1, end - 1)]
        lines = _lines(_respelt(old, self.text, new, _style(raw)))
        if not self.listed:
            return f'"{"".join(lines)}"'
        if not lines:
            return "[]"
        opening, closing, separator = _layout(value, strings)
        return opening + separator.join(f'"{line}"' for line in lines) + closing


def code_sources(raw: str) -> Iterator[CellSource | None]:
    """The source of each cell of a notebook, None for a cell without one. The JSON must be valid."""
    for key, at in _members(raw, _SPACE.match(raw).end()):  # type: ignore[union-attr]
        if key == "cells":
            for cell in _elements(raw, at):
                yield next((_source(raw, start) for name, start in _members(raw, cell) if name == "source"), None)
            return


def _source(raw: str, start: int) -> CellSource | None:
    value, end = _DECODER.raw_decode(raw, start)
    if isinstance(value, str):
        return CellSource(value, start, end, listed=False)
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return CellSource("".join(value), start, end, listed=True)
    return None


def _members(raw: str, at: int) -> Iterator[tuple[str, int]]:
    """Keys of the object at ``at``, with the offsets of their values; none if it is no object."""
    if raw[at] != "{":
        return
    at = _skip(raw, at + 1)
    while raw[at] != "}":
        key, at = _DECODER.raw_decode(raw, at)
        at = _skip(raw, _skip(raw, at) + 1)
        yield key, at
        at = _skip(raw, _DECODER.raw_decode(raw, at)[1])
        at = _skip(raw, at + 1) if raw[at] == "," else at


def _elements(raw: str, at: int) -> Iterator[int]:
    """Offsets of the elements of the list at ``at``."""
    at = _skip(raw, at + 1)
    while raw[at] != "]":
        yield at
        at = _skip(raw, _DECODER.raw_decode(raw, at)[1])
        at = _skip(raw, at + 1) if raw[at] == "," else at


def _skip(raw: str, at: int) -> int:
    found = _SPACE.match(raw, at)
    return found.end() if found else at


def _strings(value: str) -> Iterator[tuple[int, int]]:
    for start in _elements(value, 0):
        yield start, _DECODER.raw_decode(value, start)[1]


def _layout(value: str, strings: list[tuple[int, int]]) -> tuple[str, str, str]:
    """The JSON before, between and after the strings of a list."""
    if not strings:
        return "[", "]", ", "
    opening, closing = value[: strings[0][0]], value[strings[-1][1] :]
    between = value[strings[0][1] : strings[1][0]] if len(strings) > 1 else "," + (opening[1:] or " ")
    return opening, closing, between


def _respelt(spelt: list[str], old: str, new: str, ascii_only: bool) -> list[str]:
    """The JSON of each character of the new text, with the old escapes where the text is unchanged."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    result: list[str] = []
    at = 0
    for kind, start, end, first, last in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone = spelt[at : at + sum(map(len, before[start:end]))]
        at += len(gone)
        if kind == "equal":
            result += gone
            continue
        was, come = "".join(before[start:end]), "".join(after[first:last])
        head = _common(was, come)
        tail = _common(was[head:][::-1], come[head:][::-1])
        middle = come[head : len(come) - tail]
        result += gone[:head]
        result += [json.dumps(character, ensure_ascii=ascii_only)[1:-1] for character in middle]
        result += gone[len(gone) - tail :] if tail else []
    return result


def _common(one: str, other: str) -> int:
    """Length of the common start of two texts."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _lines(characters: list[str]) -> list[str]:
    lines = [""]
    for character in characters:
        lines[-1] += character
        if character in (r"\n", r"\u000a", r"\u000A"):
            lines.append("")
    return lines if lines[-1] else lines[:-1]


def _style(raw: str) -> bool:
    """True if characters outside of ASCII are escaped."""
    return raw.isascii() and _ESCAPED.search(raw) is not None
