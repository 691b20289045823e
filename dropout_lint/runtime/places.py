"""Where in the user's code something happens: from a live stack, from a traceback, from a class."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import linecache
import os
import sys
import sysconfig
import textwrap
from dataclasses import dataclass
from types import FrameType, TracebackType

import torch
from torch import nn

import dropout_lint
from dropout_lint.diagnostic import Span

_NOT_USER = tuple(os.path.realpath(folder) + os.sep for folder in (*torch.__path__, *dropout_lint.__path__))
_STDLIB = os.path.realpath(sysconfig.get_path("stdlib")) + os.sep


@dataclass(frozen=True, slots=True)
class Place:
    """A range in a source file; ``path`` is "" where there is no file, as in an interactive session."""

    path: str
    span: Span

    @property
    def text(self) -> str:
        """The source text of the range, or "" where the file is gone."""
        lines = [linecache.getline(self.path, n) for n in range(self.span.line, self.span.end_line + 1)]
        if not all(lines):
            return ""
        lines[-1] = lines[-1][: self.span.end_column - 1]
        lines[0] = lines[0][self.span.column - 1 :]
        return "".join(lines)


NOWHERE = Place("", Span(1, 1, 1, 1))


def caller() -> Place:
    """The innermost call on this thread's stack that is the user's: not torch, not this package, not Python's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    return NOWHERE if frame is None else _of_instruction(frame, frame.f_lasti)


def of_error(error: BaseException) -> Place:
    """The innermost call of the user's in a traceback."""
    found = NOWHERE
    step: TracebackType | None = error.__traceback__
    while step is not None:
        if is_user_file(step.tb_frame.f_code.co_filename):
            found = _of_instruction(step.tb_frame, step.tb_lasti)
        step = step.tb_next
    return found


@functools.cache
def is_user_file(filename: str) -> bool:
    """Whether a code object's file is the user's, or a library's other than torch."""
    if filename.startswith("<"):
        return False
    path = os.path.realpath(filename)
    if path.startswith(_STDLIB):
        return "site-packages" in path and not path.startswith(_NOT_USER)
    return not path.startswith(_NOT_USER)


def _of_instruction(frame: FrameType, at: int) -> Place:
    path = frame.f_code.co_filename
    position = next(itertools.islice(frame.f_code.co_positions(), at // 2, None), (None,) * 4)
    line, end_line, column, end_column = position
    if line is None or end_line is None or column is None or end_column is None:
        return Place(path, Span(frame.f_lineno, 1, frame.f_lineno, 1))
    return Place(path, Span(line, _characters(path, line, column), end_line, _characters(path, end_line, end_column)))


def _characters(path: str, line: int, byte: int) -> int:
    return len(linecache.getline(path, line).encode()[:byte].decode("utf-8", "replace")) + 1


def of_method(cls: type, name: str = "forward") -> Place:
    """The ``def`` line of a method, or NOWHERE for one without Python source."""
    function = inspect.unwrap(getattr(cls, name, None) or (lambda: None))
    code = getattr(function, "__code__", None)
    if code is None or not is_user_file(code.co_filename):
        return NOWHERE
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith("@"):
        line += 1
    text = linecache.getline(code.co_filename, line)
    start = len(text) - len(text.lstrip()) + 1
    return Place(code.co_filename, Span(line, start, line, max(start, len(text.rstrip()) + 1)))


def of_assignment(cls: type, attribute: str, method: str = "") -> Place:
    """Where a class, or a base of it, assigns ``self.<attribute>`` (in ``method`` only, if given); else NOWHERE."""
    for base in cls.__mro__:
        try:
            source, first = inspect.getsourcelines(base)
            path = inspect.getsourcefile(base)
            tree = ast.parse(textwrap.dedent("".join(source)))
        except (OSError, TypeError, SyntaxError):
            continue
        if path is None or not is_user_file(path):
            continue
        shift = len(source[0]) - len(source[0].lstrip())
        for node in _assignments(tree, method):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(
                isinstance(t, ast.Attribute) and t.attr == attribute for target in targets for t in ast.walk(target)
            ):
                line, end = first + node.lineno - 1, first + (node.end_lineno or node.lineno) - 1
                start = _characters(path, line, node.col_offset + shift)
                return Place(path, Span(line, start, end, _characters(path, end, (node.end_col_offset or 0) + shift)))
    return NOWHERE


def _assignments(tree: ast.AST, method: str) -> list[ast.Assign | ast.AnnAssign | ast.AugAssign]:
    roots = [
        node for node in ast.walk(tree) if not method or (isinstance(node, ast.FunctionDef) and node.name == method)
    ]
    kinds = (ast.Assign, ast.AnnAssign, ast.AugAssign)
    walked = itertools.chain.from_iterable(map(ast.walk, roots)) if method else iter(roots)
    return [node for node in walked if isinstance(node, kinds)]


def of_module(model: nn.Module, path: str) -> Place:
    """Where the owner of a module assigns it, or an owner of that one; else the forward of the model."""
    parts = path.split(".") if path else []
    for depth in range(len(parts), 0, -1):
        place = of_assignment(type(model.get_submodule(".".join(parts[: depth - 1]))), parts[depth - 1])
        if place is not NOWHERE:
            return place
    return of_method(type(model))
