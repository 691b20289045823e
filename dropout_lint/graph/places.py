"""Where in user code something runs: exact spans, which Python keeps for every instruction since 3.11."""

from __future__ import annotations

import itertools
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType

from dropout_lint.diagnostic import Span

_LIBRARIES = ("torch", "einops", "functorch")
"""Packages whose frames are no user code: what they do is done for the line that called them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a file."""

    path: str
    span: Span


@lru_cache(maxsize=1)
def _foreign() -> tuple[str, ...]:
    """Folders of PyTorch, of this package and of the standard library, without its site-packages."""
    found = [str(Path(__file__).resolve().parent.parent)]
    for name in _LIBRARIES:
        spec = find_spec(name)
        found += [] if spec is None else list(spec.submodule_search_locations or ())
    return tuple(f"{folder.rstrip('/')}/" for folder in found)


@lru_cache(maxsize=4096)
def _is_user_file(filename: str) -> bool:
    if filename.startswith((*_foreign(), "<frozen")):
        return False
    library = sysconfig.get_paths()["stdlib"]
    return not filename.startswith(f"{library}/") or "site-packages" in filename


def of_user(code: CodeType) -> bool:
    """Whether a function is user code."""
    return _is_user_file(code.co_filename)


def user_frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of user code from ``frame`` outwards."""
    while frame is not None:
        if _is_user_file(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def place(frame: FrameType) -> Place:
    """What a frame is executing now: a call, with its arguments."""
    return _place(frame.f_code.co_filename, frame.f_code, frame.f_lasti)


@lru_cache(maxsize=65536)
def _place(path: str, code: CodeType, instruction: int) -> Place:
    # The path is an argument because two codes that differ in nothing else are equal.
    line, end_line, column, end_column = next(itertools.islice(code.co_positions(), instruction // 2, None))
    if line is None or end_line is None or column is None or end_column is None:
        line = line or code.co_firstlineno
        text = line_text(path, line)
        return Place(path, Span(line, len(text) - len(text.lstrip()) + 1, line, len(text.rstrip()) + 1))
    return Place(path, Span(line, _characters(path, line, column), end_line, _characters(path, end_line, end_column)))


def _characters(path: str, line: int, offset: int) -> int:
    """The column, counted in characters, of an offset in bytes of UTF-8."""
    text = line_text(path, line)
    if text.isascii():
        return offset + 1
    return len(text.encode()[:offset].decode(errors="replace")) + 1


def definition(code: CodeType) -> Place:
    """The ``def`` line of a function, or the first of its decorators."""
    text = line_text(code.co_filename, code.co_firstlineno)
    indent = len(text) - len(text.lstrip())
    return Place(code.co_filename, Span(code.co_firstlineno, indent + 1, code.co_firstlineno, len(text.rstrip()) + 1))


def line_text(path: str, number: int) -> str:
    """A line of a file without its end, "" where there is none."""
    found = lines(path)
    return found[number - 1].rstrip("\r\n") if 0 < number <= len(found) else ""


@lru_cache(maxsize=256)
def lines(path: str) -> tuple[str, ...]:
    """The lines of a file with their ends; none for code that has no file."""
    try:
        return tuple(Path(path).read_text("utf-8", errors="replace").splitlines(keepends=True))
    except OSError:
        return ()
