"""Searches the bytes of a file for names it may define or import, without a parse.

Of many files, only those are parsed whose bytes say that they may matter.

``imported_words``, ``star_imports``, ``bases`` and ``may_assign`` miss nothing, but also find
some words of strings and functions. ``defines`` leaves out every name that the file may also import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_GAP = rb"(?:[ \t\f]|\\\r?\n)"
_PARENTHESES = rb"\((?:[^()#]++|#[^\n]*+)*+\)?"
_IMPORT = re.compile(
    rb"[ \t\f]*(?:[^\n\"'#]*[;:]%(gap)s*)??"
    rb"(?:from%(gap)s*([\w.]+|\.[\w. ]*)%(gap)s*\bimport\b%(gap)s*(%(names)s|(?:[^\n\\;#]|\\\r?\n)*)"
    rb"|import%(gap)s+((?:[^\n\\#]|\\\r?\n)*))" % {b"gap": _GAP, b"names": _PARENTHESES}
)
_IMPORT_OF_NOTEBOOK = re.compile(rb"(?:\"|\\n)[ \t]*((?:from|import)[ \t]+[^\"\\\n]+)")
_SAYS_IMPORT = re.compile(rb"import\b")
"""A pattern that begins with letters is found far faster than one that begins with a line start."""
_STAR = re.compile(rb"import%s*\*" % _GAP)
_CLASS = re.compile(rb"\bclass[ \t]+[^\s(\[:]+[ \t]*(?:\[[^\]]*\])?[ \t]*\((.{0,9000}?)\)\s*:", re.DOTALL)
_NAME = rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*"
_WORD = re.compile(_NAME)
_WORDS_ALONE = re.sub(rb"[^\w\x80-\xff]", b" ", bytes(range(256)))
"""For ``translate``: a space for each byte that is in no word. With ``split``, far faster than a pattern."""
_BEFORE_BOUND_NAME = re.compile(rb"(?:\b(?:class|def|as|type)%s+|\b(?:case\b|as[ \t]*[(\[])[^\n]*)\Z" % _GAP)
"""Text before a name that is bound, as ``def``."""
_AFTER_BOUND_NAME = re.compile(rb"%s*(?:=(?!=)|:|\bin\b)" % _GAP)
"""Text after a name that is bound, as ``=``."""
_AMONG_TARGETS = re.compile(rb"[\w\x80-\xff \t,*()\[\].]*(?:=(?!=)|\bin\b)")
"""The same, with other targets between the name and the ``=``."""
_IN_CALL = re.compile(rb"(?<!\bfor)(?<!\bin)[\w\])]\([^()\n]*\Z")
_FIRST_OF_LINE = re.compile(rb"(?:\A|[\n,(\[*])[ \t\f]*\Z")
_LAST_OF_LINE = re.compile(rb"[ \t\f]*(?:[,)\]][\w\x80-\xff \t,*()\[\].]*)?(?:\\|#[^\n]*)?\r?(?:\n|\Z)")
"""With ``_FIRST_OF_LINE``: a target of a statement that continues on the next line."""
_NEAR = 200
"""Number of bytes before a name that are searched."""
_DEFINED = re.compile(
    rb"^(?:(?:class|def|async[ \t]+def)[ \t]+(%(name)s)|(%(name)s)[ \t]*(?:=(?!=)|:))" % {b"name": _NAME}, re.MULTILINE
)


class Import(NamedTuple):
    """``from source import names``, or ``import modules``; the parts that it lacks are empty."""

    source: bytes
    names: bytes
    modules: bytes

    @property
    def words(self) -> list[bytes]:
        """All words of the statement except its keywords."""
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


def notebook_imports(data: bytes) -> Iterator[Import]:
    """The import statements of a notebook, each on one line of a cell. Its JSON is not parsed."""
    yield from imports(b"\n".join(_IMPORT_OF_NOTEBOOK.findall(data)))


def imported_words(data: bytes) -> set[bytes]:
    """All words of the import statements."""
    return {word for found in imports(data) for word in found.words}


def star_imports(data: bytes) -> list[str]:
    """The modules of ``from ... import *``; each leading dot is a ``^``."""
    if not _STAR.search(data):
        return []
    sources = (text(found.source).replace(" ", "") for found in imports(data) if found.names.strip() == b"*")
    return ["^" * (len(source) - len(source.lstrip("."))) + source.lstrip(".") for source in sources]


def bases(data: bytes) -> set[str]:
    """The words in the base lists of classes."""
    if b"class" not in data:
        return set()
    return {text(word) for inside in _CLASS.findall(data) for word in _WORD.findall(inside)}


def words(data: bytes) -> frozenset[bytes]:
    """All words of a file, also numbers."""
    return frozenset(data.translate(_WORDS_ALONE).split())


def may_assign(data: bytes, name: bytes) -> bool:
    """Whether a file may bind a name at its top level by a definition or an assignment."""
    at = data.find(name)
    while at >= 0:
        end = at + len(name)
        if not _WORD.match(data[at - 1 : at]) and not _WORD.match(data[end : end + 1]) and _is_bound(data, at, end):
            return True
        at = data.find(name, end)
    return False


def _is_bound(data: bytes, at: int, end: int) -> bool:
    before = data[max(0, at - _NEAR) : at]
    if _AFTER_BOUND_NAME.match(data, end) or _BEFORE_BOUND_NAME.search(before):
        return True
    if _AMONG_TARGETS.match(data, end) and not _IN_CALL.search(before):
        return True
    return _FIRST_OF_LINE.search(before) is not None and _LAST_OF_LINE.match(data, end) is not None


def defines(data: bytes) -> frozenset[bytes]:
    """The names that a file defines at its top level and does not import."""
    return frozenset(name or other for name, other in _DEFINED.findall(data)) - imported_words(data)


def text(name: bytes) -> str:
    """A name as text."""
    return name.decode(errors="replace")


def _start_of_line(data: bytes, at: int) -> int:
    """The start of the line at an offset, or of the first line that a backslash continues into it."""
    start = data.rfind(b"\n", 0, at) + 1
    while start and data[max(0, start - 3) : start].rstrip(b"\r\n").endswith(b"\\"):
        start = data.rfind(b"\n", 0, start - 1) + 1
    return start
