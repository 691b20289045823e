"""Files whose syntax is newer than the running interpreter.

libcst knows Python's grammar up to 3.14 whatever the interpreter is. Where ``ast`` refuses a file that libcst accepts,
the newer constructs are overwritten in place, keeping every position, so that the rest can be analysed.
"""

from __future__ import annotations

import re

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper


class _Newer(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ByteSpanPositionProvider,)

    def __init__(self) -> None:
        self.blanks: list[tuple[int, int]] = []
        self.strings: list[tuple[int, int]] = []
        self.tuples: list[tuple[int, int]] = []
        self.statements: list[tuple[int, int]] = []

    def _range(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self.get_metadata(ByteSpanPositionProvider, node)
        return span.start, span.start + span.length

    def visit_TypeParameters(self, node: cst.TypeParameters) -> bool:
        self.blanks.append(self._range(node))
        return False

    def visit_TypeAlias(self, node: cst.TypeAlias) -> bool:
        self.statements.append(self._range(node))
        return False

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        self.strings.append(self._range(node))
        return False

    def visit_TemplatedString(self, node: cst.CSTNode) -> bool:
        self.strings.append(self._range(node))
        return False

    def visit_ExceptHandler(self, node: cst.ExceptHandler) -> None:
        if isinstance(node.type, cst.Tuple) and not node.type.lpar and node.name is None:
            self.tuples.append(self._range(node.type))


def _keep_lines(data: bytes, fill: bytes) -> bytes:
    return re.sub(rb"[^\r\n]", fill, data)


def without_newer_syntax(text: str) -> str | None:
    """The text with newer constructs overwritten by older ones of the same length, None if libcst refuses it too."""
    try:
        visitor = _Newer()
        MetadataWrapper(cst.parse_module(text.encode()), unsafe_skip_copy=True).visit(visitor)
    except Exception:
        # libcst raises ParserSyntaxError, but also UnicodeDecodeError and RecursionError: all mean "not parsed".
        return None
    data = bytearray(text.encode())
    for start, end in visitor.blanks:
        data[start:end] = _keep_lines(bytes(data[start:end]), b" ")
    for start, end in visitor.statements:
        data[start:end] = _statement(bytes(data[start:end]))
    for start, end in visitor.strings:
        data[start:end] = _string(bytes(data[start:end]))
    for start, end in visitor.tuples:
        first = re.match(rb"[\w.]+", data[start:end])
        keep = first.end() if first else 0
        data[start + keep : end] = _keep_lines(bytes(data[start + keep : end]), b" ")
    return data.decode()


def _statement(source: bytes) -> bytes:
    return b"..." + _keep_lines(source[3:], b" ")


def _string(source: bytes) -> bytes:
    quote = b'"""' if b"\n" in source or b"\r" in source else b'"'
    return quote + _keep_lines(source[len(quote) : -len(quote)], b"_") + quote
