"""Path patterns as ruff reads them: ``*`` and ``?`` cross ``/``, ``**/`` is any number of folders, ``{a,b}`` is either.

A pattern without ``/`` matches the last part of a path. Any other one is made absolute first (``anchor``), and matches
the whole path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

_SPECIAL = frozenset("*?[{")


def anchor(pattern: str, base: Path) -> str:
    """Make a pattern absolute, below ``base``."""
    if Path(pattern).is_absolute():
        return pattern
    folder = "".join(f"[{char}]" if char in _SPECIAL else char for char in base.as_posix().rstrip("/"))
    return f"{folder}/{pattern}"


def normalise(pattern: str) -> str:
    """Remove a leading ``./`` and a trailing ``/``, and turn backslashes into slashes."""
    return pattern.replace("\\", "/").removeprefix("./").rstrip("/")


def translate(pattern: str) -> str:
    """The regular expression of a pattern, for ``fullmatch``."""
    parts: list[str] = []
    depth = at = 0  # open braces; index in the pattern
    while at < len(pattern):
        rest = pattern[at:]
        char = pattern[at]
        width = 1
        if rest.startswith("**/") and (at == 0 or pattern[at - 1] == "/"):
            width, part = 3, "(?:.*/)?"
        elif char == "*":
            width, part = len(rest) - len(rest.lstrip("*")), ".*"
        elif char == "?":
            part = "."
        elif char == "[" and (closing := rest.find("]", 2)) > 0:
            inner = rest[1:closing].replace("\\", "\\\\").replace("[", "\\[")
            width, part = closing + 1, f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
        elif char == "{" and "}" in rest:
            depth, part = depth + 1, "(?:"
        elif char == "}" and depth:
            depth, part = depth - 1, ")"
        elif char == "," and depth:
            part = "|"
        else:
            part = re.escape(char)
        parts.append(part)
        at += width
    return "".join(parts) + ")" * depth


class PathMatcher:
    """Matches paths against patterns: names or absolute paths."""

    def __init__(self, patterns: Collection[str]) -> None:
        names = [pattern for pattern in patterns if "/" not in pattern]
        self._literal = frozenset(name for name in names if not _SPECIAL.intersection(name))
        self._names = _alternatives(name for name in names if _SPECIAL.intersection(name))
        self._paths = _alternatives(pattern for pattern in patterns if "/" in pattern)

    def matches(self, path: Path) -> bool:
        """True when the last part or the whole of this absolute path matches a pattern."""
        name = path.name
        if name in self._literal or (self._names and self._names.fullmatch(name)):
            return True
        return bool(self._paths and self._paths.fullmatch(path.as_posix()))


@cache
def matcher(patterns: tuple[str, ...]) -> PathMatcher:
    """Compile patterns, once for each tuple of them."""
    return PathMatcher(patterns)


def _alternatives(patterns: Iterable[str]) -> re.Pattern[str] | None:
    sources = [translate(pattern) for pattern in patterns]
    return re.compile("|".join(f"(?:{source})" for source in sources), re.DOTALL) if sources else None
