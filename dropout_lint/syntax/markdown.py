"""Reads the Python blocks of a Markdown file as one program, on their own lines.

Blocks share one scope, as in a tutorial. A block that does not parse is left out, and so is one that defines a class or
function of an earlier block again. Fences are those of CommonMark that are not indented
(https://spec.commonmark.org/0.31.2/#fenced-code-blocks).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.positions import LINE_BREAK, split_lines
from dropout_lint.syntax.text import SourceText, UnreadableSource

_BOM = b"\xef\xbb\xbf"
_OPENING = re.compile(r"(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<language>[\w+-]*)")
_PYTHON = {"py", "python", "python3"}
_MARK = "# %%[block {number}]%%"
_MARKS = re.compile(r"^# %%\[block (\d+)\]%%(?:\r\n|\r|\n)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Block:
    """Offsets of the code in the file."""

    start: int
    end: int
    opening: int
    """Offset of the line of the opening fence."""


@dataclass(frozen=True, slots=True)
class Markdown(SourceText):
    """The Python of a Markdown file. In ``text``, prose and other blocks are empty lines."""

    raw: str
    blocks: tuple[_Block, ...]

    @property
    def code(self) -> bytes:
        """The bytes of the blocks, without prose, which may mention dropout."""
        return self.text.encode(errors="replace")

    def shown(self, cell: int | None) -> str:
        """The whole file; its lines are those of the program."""
        return self.raw

    def patch_texts(self, text: str) -> tuple[str, str]:
        """The file before and after."""
        return self.raw, self._whole(text)

    def encode(self, text: str) -> bytes:
        """The file with the changed blocks of ``text``. Raises ValueError for a change outside of them."""
        return (_BOM if self.bom else b"") + self._whole(text).encode()

    def _whole(self, text: str) -> str:
        before, *rest = _MARKS.split(text)
        numbers, bodies = rest[::2], rest[1::2]
        if before.strip() or numbers != [str(number) for number in range(1, len(self.blocks) + 1)]:
            raise ValueError("the fixes would write outside of the code blocks")
        pieces: list[str] = []
        done = 0
        for body, old, block in zip(bodies, _MARKS.split(self.text)[2::2], self.blocks, strict=True):
            prose = old[block.end - block.start :]
            if not body.endswith(prose):
                raise ValueError("the fixes would write outside of the code blocks")
            pieces += [self.raw[done : block.start], body[: len(body) - len(prose)]]
            done = block.end
        return "".join([*pieces, self.raw[done:]])


def decode_markdown(data: bytes, path: Path) -> Markdown:
    """Decode a Markdown file in UTF-8. Raises UnreadableSource."""
    bom = data.startswith(_BOM)
    try:
        raw = data[len(_BOM) if bom else 0 :].decode()
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"not UTF-8 text (byte {error.start})") from None
    blocks = tuple(_sound(raw, _python_blocks(raw)))
    pieces: list[str] = []
    done = 0
    for number, block in enumerate(blocks, 1):
        opening = raw[block.opening : block.start]
        mark = _MARK.format(number=number) + opening[len(opening.rstrip("\r\n")) :]
        pieces += [_emptied(raw[done : block.opening]), mark, raw[block.start : block.end]]
        done = block.end
    text = "".join([*pieces, _emptied(raw[done:])])
    return Markdown(path, text, "utf-8", bom, data, raw, blocks)


def _python_blocks(raw: str) -> Iterator[_Block]:
    fence, python, opening, start, at = "", False, 0, 0, 0
    for line in split_lines(raw):
        if not fence:
            found = _OPENING.match(line)
            if found and not (found["fence"][0] == "`" and "`" in line[found.end("fence") :]):
                fence, python = found["fence"], found["language"].lower() in _PYTHON
                opening, start = at, at + len(line)
        elif _closes(line, fence):
            if python:
                yield _Block(start, at, opening)
            fence = ""
        at += len(line)


def _closes(line: str, fence: str) -> bool:
    text = line.strip()
    return len(text) >= len(fence) and set(text) == {fence[0]} and len(line) - len(line.lstrip(" ")) < 4


def _sound(raw: str, blocks: Iterator[_Block]) -> Iterator[_Block]:
    """The blocks that parse, and define no class or function again."""
    defined: set[str] = set()
    for block in blocks:
        try:
            tree = parse(raw[block.start : block.end], older=False)
        except (SourceSyntaxError, NotParsed, RecursionError):
            continue
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        names = {statement.name for statement in tree.body if isinstance(statement, kinds)}
        if _MARKS.search(raw, block.start, block.end) is None and not names & defined:
            defined |= names
            yield block


def _emptied(text: str) -> str:
    return "".join(found.group() for found in LINE_BREAK.finditer(text))
