"""Find in the bytes of a file what it may define and import, to choose from many files the few that are parsed.

``imported_words``, ``star_imports``, ``bases`` and ``may_assign`` find all there is, and some words of strings and of
functions too. ``defines`` leaves out every name that the file may also import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_GAP = rb"(?:[ \t\f]|\\\r?\n)"
_PARENTHESES = rb"\((?:[^()#]+|#[^\n]*)*\)?"
_IMPORT = re.compile(
    rb"[ \t\f]*(?:[^\n\"'#]*[;:]%(gap)s*)??"
    rb"(?:from%(gap)s*([\w.]+|\.[\w. ]*)%(gap)s*\bimport\b%(gap)s*(%(names)s|(?:[^\n\\;#]|\\\r?\n)*)"
    rb"|import%(gap)s+((?:[^\n\\#]|\\\r?\n)*))" % {b"gap": _GAP, b"names": _PARENTHESES}
)
_SAYS_IMPORT = re.compile(rb"import\b")
"""What begins with letters is found far faster than what begins a line."""
_STAR = re.compile(rb"import%s*\*" % _GAP)
_CLASS = re.compile(rb"\bclass[ \t]+[^\s(\[:]+[ \t]*(?:\[[^\]]*\])?[ \t]*\((.{0,9000}?)\)\s*:", re.DOTALL)
_NAME = rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*"
_WORD = re.compile(_NAME)
_BEFORE_NAME = re.compile(rb"\b(?:class|def|as|case|type)%s+\Z" % _GAP)
_AFTER_NAME = re.compile(rb"(?:\s|\\)*(?:[=:,)\]}#;]|\b(?:in|if)\b)")
_NEAR = 40
"""Bytes before a name in which the word that binds it is looked for."""
_DEFINED = re.compile(
    rb"^(?:(?:class|def|async[ \t]+def)[ \t]+(%(name)s)|(%(name)s)[ \t]*(?:=(?!=)|:))" % {b"name": _NAME}, re.MULTILINE
)


class Import(NamedTuple):
    """``from source import names``, or ``import modules``; what is not there is empty."""

    source: bytes
    names: bytes
    modules: bytes

    @property
    def words(self) -> list[bytes]:
        """All words of the statement beside its keywords."""
        return _WORD.findall(b" ".join(self))


def imports(data: bytes) -> Iterator[Import]:
    """The import statements of a file."""
    end = 0
    for hit in _SAYS_IMPORT.finditer(data):
        if hit.start() < end:
            continue
        match = _IMPORT.match(data, max(end, _start_of_line(data, hit.start())))
        if match is not None:
            end = match.end()
            yield Import(*(group or b"" for group in match.groups()))


def imported_words(data: bytes) -> set[bytes]:
    """All words of the import statements."""
    return {word for found in imports(data) for word in found.words}


def star_imports(data: bytes) -> list[str]:
    """The modules that are imported whole; a ``^`` stands for each leading dot."""
    if not _STAR.search(data):
        return []
    sources = (text(found.source).replace(" ", "") for found in imports(data) if found.names.strip() == b"*")
    return ["^" * (len(source) - len(source.lstrip("."))) + source.lstrip(".") for source in sources]


def bases(data: bytes) -> set[str]:
    """The words in the bases of classes."""
    if b"class" not in data:
        return set()
    return {text(word) for inside in _CLASS.findall(data) for word in _WORD.findall(inside)}


def may_assign(data: bytes, name: bytes) -> bool:
    """Whether a file may bind a name at its top level by a definition or an assignment."""
    at = data.find(name)
    while at >= 0:
        end = at + len(name)
        whole = not _WORD.match(data[at - 1 : at]) and not _WORD.match(data[end : end + 1])
        if whole and (_AFTER_NAME.match(data, end) or _BEFORE_NAME.search(data[max(0, at - _NEAR) : at])):
            return True
        at = data.find(name, end)
    return False


def defines(data: bytes) -> frozenset[bytes]:
    """The names that a file defines at its top level and does not import."""
    return frozenset(name or other for name, other in _DEFINED.findall(data)) - imported_words(data)


def text(name: bytes) -> str:
    """A name as text."""
    return name.decode(errors="replace")


def _start_of_line(data: bytes, at: int) -> int:
    """Where the line around a place begins, with the lines before it that end in a backslash."""
    start = data.rfind(b"\n", 0, at) + 1
    while start and data[max(0, start - 3) : start].rstrip(b"\r\n").endswith(b"\\"):
        start = data.rfind(b"\n", 0, start - 1) + 1
    return start
