"""Files whose syntax is newer than the running interpreter.

libcst parses Python up to 3.14 on any interpreter. If ``ast`` refuses a file that libcst accepts, the newer constructs
are overwritten in place, so that the rest can be analysed at the same positions.
"""

from __future__ import annotations

import re

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

_BREAK = re.compile(rb"\r\n|\r|\n")
_TEMPLATE = re.compile(r"\b(r?)t(r?)(?=[\"'])", re.IGNORECASE)
_LEADING_FORM_FEEDS = re.compile(rb"(?:(?<=[\r\n])|\A)\x0c+")


class _Newer(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ByteSpanPositionProvider,)

    def __init__(self) -> None:
        self.parameters: list[tuple[int, int]] = []
        self.strings: list[tuple[int, int]] = []
        self.tuples: list[tuple[int, int]] = []
        self.statements: list[tuple[int, int]] = []

    def _range(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self.get_metadata(ByteSpanPositionProvider, node)
        return span.start, span.start + span.length

    def visit_TypeParameters(self, node: cst.TypeParameters) -> bool:  # noqa: N802 - libcst's name
        self.parameters.append(self._range(node))
        return False

    def visit_TypeAlias(self, node: cst.TypeAlias) -> bool:  # noqa: N802 - libcst's name
        self.statements.append(self._range(node))
        return False

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:  # noqa: N802 - libcst's name
        self.strings.append(self._range(node))
        return False

    def visit_TemplatedString(self, node: cst.CSTNode) -> bool:  # noqa: N802 - libcst's name
        self.strings.append(self._range(node))
        return False

    def visit_ExceptHandler(self, node: cst.ExceptHandler) -> None:  # noqa: N802 - libcst's name
        self._handler(node)

    def visit_ExceptStarHandler(self, node: cst.ExceptStarHandler) -> None:  # noqa: N802 - libcst's name
        self._handler(node)

    def _handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> None:
        if isinstance(node.type, cst.Tuple) and not node.type.lpar and node.name is None:
            self.tuples.append(self._range(node.type))


def without_newer_syntax(text: str) -> str | None:
    """Overwrite newer constructs by older ones of the same length; None if libcst cannot parse the text either."""
    # libcst drops form feeds at the start of a line, which would shift positions.
    given = text.encode()
    feeds = [i for m in _LEADING_FORM_FEEDS.finditer(given) for i in range(m.start(), m.end())]
    data = bytearray(_LEADING_FORM_FEEDS.sub(b"", given))
    # Templates have the grammar of f-strings, and libcst does not know all their forms.
    visitor = _visited(data.decode()) or _visited(_TEMPLATE.sub(r"\1f\2", data.decode()))
    if visitor is None:
        return None
    for start, end in visitor.parameters:
        _overwrite_parameters(data, start, end)
    for start, end in visitor.statements:
        # The span of a statement holds its semicolon, too.
        end = start + len(bytes(data[start:end]).rstrip().removesuffix(b";"))
        data[start:end] = b"..." + _keep_lines(bytes(data[start + 3 : end]), b" ")
    for start, end in visitor.strings:
        data[start:end] = _string(bytes(data[start:end]))
    for start, end in visitor.tuples:
        data[start:end] = _first_of(bytes(data[start:end]))
    for offset in feeds:
        data.insert(offset, 0x0C)
    return data.decode()


def _visited(text: str) -> _Newer | None:
    visitor = _Newer()
    try:
        module = cst.parse_module(text)
        if not text.startswith(module.code.rstrip()):
            return None  # positions would differ from those in the text
        MetadataWrapper(module, unsafe_skip_copy=True).visit(visitor)
    except Exception:
        # ParserSyntaxError, UnicodeDecodeError and RecursionError all mean "not parsed".
        return None
    return visitor


def _keep_lines(data: bytes, fill: bytes) -> bytes:
    return re.sub(rb"[^\r\n]", fill, data)


def _overwrite_parameters(data: bytearray, start: int, end: int) -> None:
    """Blanks in place of ``[T]``; over several lines, in the parentheses of the bases or the arguments."""
    several = _BREAK.search(data, start, end) is not None
    following = re.compile(rb"[ \t\f]*\(").match(data, end)
    data[start:end] = _keep_lines(bytes(data[start:end]), b" ")
    if several:
        data[start] = ord("(")
        if following is None:
            data[end - 1] = ord(")")
        else:
            data[following.end() - 1] = ord(" ")


def _string(source: bytes) -> bytes:
    """A plain string of the same length and lines."""
    breaks = list(_BREAK.finditer(source))
    if not breaks:
        return b'"' + b"_" * (len(source) - 2) + b'"'
    filled = _keep_lines(source, b"_")
    if breaks[0].start() >= 3 and breaks[-1].end() <= len(source) - 3:
        return b'"""' + filled[3:-3] + b'"""'
    text = bytearray(filled)
    for found in breaks:
        if text[found.start() - 1] not in b"\r\n":
            text[found.start() - 1] = ord("\\")
    text[0] = text[-1] = ord('"')
    return bytes(text)


def _first_of(source: bytes) -> bytes:
    """The first of several exceptions, followed by blanks; over several lines, by a call."""
    found = re.match(rb"[\w.]+", source)
    kept = found.group() if found else b"_"
    rest = _keep_lines(source[len(kept) :], b" ")
    return kept + (b"(" + rest[1:-1] + b")" if _BREAK.search(rest) else rest)
