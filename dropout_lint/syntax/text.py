"""Decodes source files as Python does, and encodes changed texts so that unchanged bytes stay."""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

_BOM = b"\xef\xbb\xbf"
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
_NOT_ASCII = re.compile(rb"[^\x00-\x7f]")
_FIRST_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?")


class UnreadableSource(Exception):  # noqa: N818 - it names the state of the file, as Failure does
    """A file that is not Python source text. The message is a one-line reason."""


class NotANotebook(UnreadableSource):
    """A notebook without cells to read. ``line`` and ``column`` are 1-based."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"not a notebook: {reason}")
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class SourceText:
    """A decoded file. ``text`` has no byte order mark, and the newlines of ``data``."""

    path: Path
    text: str
    encoding: str
    bom: bool
    data: bytes

    @property
    def code(self) -> bytes:
        """The bytes of the Python code."""
        return self.data

    def shown(self, cell: int | None) -> str:
        """The text of the file, or of a cell of it, as a reader sees it."""
        return self.text

    def patch_texts(self, text: str) -> tuple[str, str]:
        """The old and the new text of the file for a patch, if the code becomes ``text``."""
        return self.text, text

    def encode(self, text: str) -> bytes:
        """Bytes of a changed text in this file's encoding and with its byte order mark.

        Raises ValueError if the encoding has no bytes for a character, or if it would also change text that the
        caller left alone (encodings with shift states have several spellings).
        """
        if self._encode(self.text) != self.data:
            raise ValueError(f"text in encoding {self.encoding} cannot be written back unchanged")
        return self._encode(text)

    def _encode(self, text: str) -> bytes:
        return (_BOM if self.bom else b"") + text.encode(self.encoding)


def decode_python(data: bytes, path: Path) -> SourceText:
    """Decode a Python file by its byte order mark or coding cookie, else as UTF-8. Raises UnreadableSource."""
    null = data.find(b"\0")
    if null >= 0:
        raise UnreadableSource(f"contains null bytes (first at byte {null}): not Python source text")
    encoding = _encoding(data)
    bom = data.startswith(_BOM)
    body = data[len(_BOM) :] if bom else data
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        offset = error.start + (len(_BOM) if bom else 0)
        raise UnreadableSource(_undecodable(encoding, offset)) from None
    except (LookupError, ValueError):
        raise UnreadableSource(f"unknown encoding in the coding cookie: {encoding}") from None
    return SourceText(path, text, encoding, bom, data)


def _encoding(data: bytes) -> str:
    # tokenize ends lines at \n only: with \r newlines, it would take the whole file for the line of the cookie.
    first = _FIRST_LINE.match(data)
    assert first is not None
    second = _FIRST_LINE.match(data, first.end())
    assert second is not None
    # The line of the cookie may contain any bytes, as for Python's own reader.
    both = (first.group(), second.group())
    lines = iter([_NOT_ASCII.sub(b"?", line) if _COOKIE.match(line) else line for line in both])
    try:
        found, _ = tokenize.detect_encoding(lambda: next(lines))
    except SyntaxError as error:
        reason = str(error)
        if "unknown encoding" in reason:
            name = reason.rpartition("unknown encoding")[2].lstrip(" :") or "unreadable"
            raise UnreadableSource(f"unknown encoding in the coding cookie: {name}") from None
        try:
            data[: second.end()].decode("utf-8")
        except UnicodeDecodeError as undecodable:
            raise UnreadableSource(_undecodable("utf-8", undecodable.start)) from None
        raise UnreadableSource("the coding cookie contradicts the UTF-8 byte order mark") from None
    return "utf-8" if found == "utf-8-sig" else found


def _undecodable(encoding: str, offset: int) -> str:
    if encoding == "utf-8":
        return f"not UTF-8 text (byte {offset}), and no coding cookie says otherwise"
    return f"not text in encoding {encoding}, which its coding cookie declares (byte {offset})"
