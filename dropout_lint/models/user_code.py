"""Find places in the user's code: of a frame, an exception or a definition.

User code is every Python file except those of PyTorch, einops, this package and the standard library. What runs in
these is attributed to the line of user code that called them. Columns come from ``co_positions`` (Python 3.11).
"""

from __future__ import annotations

import itertools
import linecache
import os
import re
import sysconfig
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType

from dropout_lint.diagnostic import NO_PLACE, CodePlace, Span
from dropout_lint.syntax.positions import column_of_byte

_LIBRARIES = ("torch", "functorch", "einops")
"""Installed packages that are not user code."""
_PACKAGE = os.path.realpath(Path(__file__).parent.parent) + os.sep
_STANDARD = os.path.realpath(sysconfig.get_path("stdlib")) + os.sep


@cache
def _libraries() -> tuple[str, ...]:
    """The folders of the libraries, found without importing them."""
    found: list[str] = []
    for name in _LIBRARIES:
        spec = find_spec(name)
        found += [] if spec is None else list(spec.submodule_search_locations or ())
    return tuple(os.path.realpath(folder) + os.sep for folder in found)


@lru_cache(maxsize=4096)
def is_user_file(filename: str) -> bool:
    """Whether a file is user code; generated code, such as ``<string>``, is not."""
    return is_foreign_file(filename) and not os.path.realpath(filename).startswith(_libraries())


@lru_cache(maxsize=4096)
def is_foreign_file(filename: str) -> bool:
    """Whether a file is user code or one of ``_LIBRARIES``, and not of this package or of Python itself."""
    if filename.startswith("<"):
        return False
    path = os.path.realpath(filename)
    standard = path.startswith(_STANDARD) and "site-packages" not in path
    return not path.startswith(_PACKAGE) and not standard


def user_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of user code, from ``frame`` to its callers."""
    while frame is not None:
        if is_user_file(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def calling_place(frame: FrameType | None) -> CodePlace:
    """The call in the innermost frame of user code, from ``frame`` to its callers; NO_PLACE without any."""
    found = next(user_frames(frame), None)
    return NO_PLACE if found is None else frame_place(found)


def raising_place(error: BaseException) -> CodePlace:
    """The call in the innermost frame of user code in a traceback; NO_PLACE without any."""
    found, step = NO_PLACE, error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if is_user_file(code.co_filename):
            found = _instruction(code.co_filename, code, step.tb_lasti)
        step = step.tb_next
    return found


def frame_place(frame: FrameType) -> CodePlace:
    """The span of the call that a frame executes now, with its arguments."""
    return _instruction(frame.f_code.co_filename, frame.f_code, frame.f_lasti)


@lru_cache(maxsize=65536)
def _instruction(path: str, code: CodeType, offset: int) -> CodePlace:
    # Equal code objects may come from two files, so the path is a part of the cache key.
    line, end_line, start, end = next(itertools.islice(code.co_positions(), offset // 2, None), (None,) * 4)
    if line is None or end_line is None or start is None or end is None:
        return whole_line(path, line or code.co_firstlineno)
    return CodePlace(path, Span(line, column(path, line, start), end_line, column(path, end_line, end)))


def definition_place(code: CodeType) -> CodePlace:
    """The ``def`` line of a function, without its decorators."""
    path, first = code.co_filename, code.co_firstlineno
    head = re.compile(rf"\s*(async\s+)?def\s+{re.escape(code.co_name)}\b")
    body = max((line for _, _, line in code.co_lines() if line), default=first)
    return whole_line(path, next((n for n in range(first, body + 1) if head.match(line_text(path, n))), first))


def whole_line(path: str, number: int) -> CodePlace:
    """A line without its indentation."""
    text = line_text(path, number)
    start = len(text) - len(text.lstrip()) + 1
    return CodePlace(path, Span(number, start, number, max(start, len(text.rstrip()) + 1)))


def column(path: str, line: int, offset: int) -> int:
    """The column, counted in characters, of an offset in bytes of UTF-8."""
    return column_of_byte(line_text(path, line), offset)


def line_text(path: str, number: int) -> str:
    """A line of a file without its newline, "" if it does not exist."""
    return linecache.getline(path, number).rstrip("\r\n")


def source_text(place: CodePlace) -> str:
    """The source text at a place, "" if the file is gone."""
    span = place.span
    lines = [linecache.getline(place.path, number) for number in range(span.line, span.end_line + 1)]
    if not all(lines):
        return ""
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "".join(lines)
