"""Path patterns as ruff reads them: ``*`` and ``?`` cross ``/``, ``**/`` is any number of folders, ``{a,b}`` is either.

A pattern without ``/`` matches the last part of a path. Any other one is made absolute first (``anchor``), and matches
the whole path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from dropout_lint.config.tables import ConfigError

_SPECIAL = frozenset("*?[{")
_STAR, _FOLDERS, _OPEN, _OR, _CLOSE = "*", "**/", "{", ",", "}"
_AFTER_SLASH = "(?<![^/])"
_MOST_ALTERNATIVES = 256


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
    """The regular expression of a pattern, for ``fullmatch``. It takes linear time for each ``*``.

    Raises ConfigError for a pattern with too many alternatives.
    """
    return "|".join(map(_regex, _expanded(pattern)))


def _parts(pattern: str) -> Iterator[str]:
    """The regular expressions of single characters, and ``_STAR``, ``_FOLDERS``, ``_OPEN``, ``_OR`` and ``_CLOSE``."""
    depth = at = 0  # open braces; index in the pattern
    while at < len(pattern):
        char = pattern[at]
        width = 1
        if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
            width, part = 3, _FOLDERS
        elif char == "*":
            part = _STAR
        elif char == "?":
            part = "."
        elif char == "[" and (closing := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : closing].replace("\\", "\\\\").replace("[", "\\[")
            width, part = closing + 1 - at, f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]"
        elif char == "{" and pattern.find("}", at) > 0:
            depth, part = depth + 1, _OPEN
        elif char == "}" and depth:
            depth, part = depth - 1, _CLOSE
        elif char == "," and depth:
            part = _OR
        else:
            part = re.escape(char)
        yield part
        at += width
    yield from [_CLOSE] * depth


def _expanded(pattern: str) -> list[list[str]]:
    """Expand the braces: the parts of each pattern."""
    blocks: list[tuple[list[list[str]], list[list[str]]]] = [([[]], [])]  # the alternative at hand, those before it
    for part in _parts(pattern):
        now, before = blocks[-1]
        if part == _OPEN:
            blocks.append(([[]], []))
        elif part == _OR:
            blocks[-1] = ([[]], before + now)
        elif part == _CLOSE:
            blocks.pop()
            outer, others = blocks[-1]
            if len(outer) * len(before + now) > _MOST_ALTERNATIVES:
                raise ConfigError(f"the pattern '{pattern[:40]}' has more than {_MOST_ALTERNATIVES} alternatives")
            blocks[-1] = ([one + other for one in outer for other in before + now], others)
        else:
            for one in now:
                one.append(part)
    return blocks[0][0]


def _regex(parts: list[str]) -> str:
    """One regular expression. The text between two stars matches at its first place, and is never tried again."""
    pieces = [""]
    for part in parts:
        if part in (_STAR, _FOLDERS):
            pieces.append("" if part == _STAR else _AFTER_SLASH)
        else:
            pieces[-1] += part
    head, *others = pieces
    inner = "".join(f"(?>.*?{piece})" for piece in others[:-1])
    return head + inner + "".join(f".*{piece}" for piece in others[-1:])


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
