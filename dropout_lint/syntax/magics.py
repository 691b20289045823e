"""Replaces the IPython lines of a cell (``%magic``, ``!command``, ``x?``) by stand-ins that Python can parse."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

_CELL_MAGIC = re.compile(r"\s*%%(\w+)")
_PYTHON_CELLS = frozenset({"capture", "debug", "ipytest", "prun", "time", "timeit"})
"""Cell magics whose body is Python that runs with the rest of the notebook."""
_STATEMENT = re.compile(r"(?P<indent>[ \t]*)(?:[%!?]|[\w.%*]+\?\??[ \t]*(?:#.*)?$)")
_ASSIGNMENT = re.compile(r"(?P<indent>[\w.,\[\]'\" \t]+=[ \t]*)[%!](?!=)")
_AUTOMAGIC = re.compile(
    r"(?P<indent>)(?:cd|ls|ll|cat|cp|mv|rm|mkdir|rmdir|man|more|less|pip|conda|time|timeit|run|env|load_ext|matplotlib)"
    r"[ \t]+[^=(\s]"
)
"""Magics that IPython runs without ``%`` too: https://ipython.readthedocs.io/en/stable/interactive/magics.html#magic-automagic"""
_STAND_IN = re.compile(r"# __ipython_(\d+)__$|__ipython_(\d+)__\(\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Masked:
    """A cell as Python, and the lines that its stand-ins replace, in order."""

    text: str
    lines: tuple[str, ...]


def is_skipped(cell: str) -> bool:
    """True if a cell is in another language, or its Python runs elsewhere."""
    magic = _CELL_MAGIC.match(cell)
    return magic is not None and magic[1] not in _PYTHON_CELLS


def mask(cell: str, is_reserved: Callable[[str], bool]) -> Masked:
    """Replace IPython lines by stand-ins. They are the lines at which the parser stops, so never inside of a string.

    Comments that are ``is_reserved`` or look like a stand-in are replaced too.
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
    return Masked(_with(lines, kept), tuple(_replaced_lines(lines, kept)))


def unmask(text: str, masked: Masked) -> str:
    """Put the IPython lines back. Raises ValueError if one is missing, or a cell magic is no longer the first line."""
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
    """Replace a line by a stand-in after ``prefix``, which is Python, and its continuation lines by comments."""
    kept[at] = prefix
    while lines[at].endswith("\\") and at + 1 < len(lines):
        at += 1
        kept[at] = None


def _with(lines: list[str], kept: dict[int, str | None]) -> str:
    """The text with stand-ins: a comment, or after a prefix a call of an unknown function."""
    shown = list(lines)
    for number, at in enumerate(sorted(kept)):
        prefix = kept[at]
        shown[at] = f"# __ipython_{number}__" if prefix is None else f"{prefix}__ipython_{number}__()"
    return "\n".join(shown)


def _replaced_lines(lines: list[str], kept: dict[int, str | None]) -> list[str]:
    return [lines[at].removeprefix(kept[at] or "") for at in sorted(kept)]


def _stops_at(text: str) -> int | None:
    """The index of the line with the first syntax error, None if there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as error:
            return (error.lineno or 1) - 1
        except (ValueError, RecursionError, MemoryError):
            return None
    return None
