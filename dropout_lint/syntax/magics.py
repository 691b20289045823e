"""Lines of a notebook cell that are IPython's and not Python's, and stand-ins for them that Python can parse."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_PYTHON_CELLS = frozenset({"capture", "debug", "ipytest", "prun", "time", "timeit"})
"""Cell magics below which Python stands that runs with the rest of the notebook."""
_STATEMENT = re.compile(r"(?P<indent>[ \t]*)(?:[%!?]|[\w.%*]+\?\??[ \t]*(?:#.*)?$)")
_ASSIGNMENT = re.compile(r"(?P<indent>[ \t]*[\w.,\[\]'\" \t]+=[ \t]*)[%!](?!=)")
_AUTOMAGIC = re.compile(
    r"(?P<indent>)(?:cd|ls|ll|cat|cp|mv|rm|mkdir|rmdir|man|more|less|pip|conda|time|timeit|run|env|load_ext|matplotlib)"
    r"[ \t]+[^=(\s]"
)
"""Magics that IPython runs without ``%`` too: https://ipython.readthedocs.io/en/stable/interactive/magics.html#magic-automagic"""
_STAND_IN = re.compile(r"# __ipython_(\d+)__$|__ipython_(\d+)__\(\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Masked:
    """A cell as Python, and what its stand-ins stand for, in order."""

    text: str
    lines: tuple[str, ...]


def is_skipped(cell: str) -> bool:
    """Whether a cell holds another language, or Python that runs somewhere else."""
    magic = _CELL_MAGIC.match(cell)
    return magic is not None and magic[1] not in _PYTHON_CELLS


def mask(cell: str, is_reserved: Callable[[str], bool]) -> Masked:
    """Put stand-ins where IPython's lines are: those at which Python's parser stops, so never inside of a string.

    Comments that are ``is_reserved``, or look like stand-ins, get one too.
    """
    lines = cell.split("\n")
    kept: dict[int, str | None] = {}
    for at, line in enumerate(lines):
        if is_reserved(line) or _STAND_IN.search(line):
            kept[at] = None
    candidates = {at: found.group("indent") for at, line in enumerate(lines) if (found := _ipython(line))}
    if _CELL_MAGIC.match(cell):
        kept[next(at for at, line in enumerate(lines) if line.strip())] = None
    while (stopped := _stops_at(_with(lines, kept))) is not None:
        if stopped in candidates and stopped not in kept:
            _hold(lines, kept, stopped, candidates[stopped])
            continue
        if kept.get(stopped) is not None:  # indented where Python takes no indentation
            kept[stopped] = None
            continue
        for at, indent in candidates.items():
            if at not in kept:
                _hold(lines, kept, at, indent)
        break
    return Masked(_with(lines, kept), tuple(_held(lines, kept)))


def unmask(text: str, masked: Masked) -> str:
    """IPython's lines back in place. Raises ValueError if one is gone, or a cell magic is no longer the first line."""
    found = [int(match[1] or match[2]) for match in _STAND_IN.finditer(text)]
    if found != list(range(len(masked.lines))):
        raise ValueError("the fixes would change lines of IPython")
    restored = _STAND_IN.sub(lambda match: masked.lines[int(match[1] or match[2])], text)
    opens = masked.text.lstrip().startswith("# __ipython_0__\n") and _CELL_MAGIC.match(masked.lines[0])
    if opens and not restored.lstrip().startswith(masked.lines[0].lstrip()):
        raise ValueError("the fixes would put a line above a cell magic")
    return restored


def _ipython(line: str) -> re.Match[str] | None:
    return _STATEMENT.match(line) or _ASSIGNMENT.match(line) or _AUTOMAGIC.match(line)


def _hold(lines: list[str], kept: dict[int, str | None], at: int, prefix: str) -> None:
    """Put a stand-in at a line, behind a prefix that is Python, and comments at the lines that continue it."""
    kept[at] = prefix
    while lines[at].endswith("\\") and at + 1 < len(lines):
        at += 1
        kept[at] = None


def _with(lines: list[str], kept: dict[int, str | None]) -> str:
    """The lines with stand-ins: a comment, or a call that may do anything behind a prefix."""
    shown = list(lines)
    for number, at in enumerate(sorted(kept)):
        prefix = kept[at]
        shown[at] = f"# __ipython_{number}__" if prefix is None else f"{prefix}__ipython_{number}__()"
    return "\n".join(shown)


def _held(lines: list[str], kept: dict[int, str | None]) -> list[str]:
    return [lines[at].removeprefix(kept[at] or "") for at in sorted(kept)]


def _stops_at(text: str) -> int | None:
    """The index of the line at which the parser stops, None if it gets through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as error:
            return (error.lineno or 1) - 1
        except (ValueError, RecursionError, MemoryError):
            return None
    return None
