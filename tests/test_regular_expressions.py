"""Every regular expression of the package ends soon on texts made to slow it down."""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]

import pytest

import dropout_lint
from dropout_lint.config.globs import translate

_TIMES = 1_000
_SECONDS = 0.4
_NEEDS_MORE = ("graph", "observing", "models", "runtime", "server", "flake8_plugin", "__main__")
"""Parts that import torch or other packages, and see no source text."""


_MATCHED_ONLY = {"project.name_search._IMPORT"}
"""Patterns that are tried at the start of a line, and never searched for."""


def _patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    seen: set[object] = set()
    root = Path(dropout_lint.__file__).parent
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] in _NEEDS_MORE or parts[-1] == "__init__" or "re.compile" not in path.read_text("utf-8"):
            continue
        module = ".".join(parts)
        for name, value in vars(importlib.import_module(f"dropout_lint.{module}")).items():
            for one in value.values() if isinstance(value, dict) else [value]:
                if isinstance(one, re.Pattern) and one not in seen:
                    seen.add(one)
                    yield f"{module}.{name}", one


def _pumped(pattern: str) -> set[str]:
    """Short texts that a part of the pattern may match again and again: its characters, and its literal runs."""
    found = {" ", "a", "0", "_", "\\", "(", "\n", "a.", ", ", "a b", "\\a"}
    found.update(re.findall(r"[A-Za-z_]{2,}", pattern)[:6])
    found.update(c for c in pattern if not c.isalnum())
    return found


def _slowest(pattern: re.Pattern[str] | re.Pattern[bytes], find: Callable[..., object]) -> float:
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    slowest = 0.0
    for pump in _pumped(source):
        for end in ("", "!"):
            text = pump * (_TIMES // len(pump)) + end
            began = time.process_time()
            find(text if isinstance(pattern.pattern, str) else text.encode("latin-1"))
            slowest = max(slowest, time.process_time() - began)
            if slowest > _SECONDS:
                return slowest
    return slowest


def _repeats_repeats(parsed: object, inside: bool) -> bool:
    """Whether an endless repeat has nothing but an endless repeat as its body, as ``(a*)*``: exponential."""
    for op, argument in parsed:  # type: ignore[attr-defined]
        if op in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            _, most, body = argument
            endless = most == _constants.MAXREPEAT
            if endless and inside and len(parsed) == 1:  # type: ignore[arg-type]
                return True
            if _repeats_repeats(body, endless):
                return True
        elif op is _constants.SUBPATTERN:
            if _repeats_repeats(argument[-1], inside):
                return True
        elif op is _constants.BRANCH and any(_repeats_repeats(one, inside) for one in argument[1]):
            return True
    return False


PATTERNS = dict(_patterns())


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_explodes(name: str) -> None:
    pattern = PATTERNS[name]
    assert not _repeats_repeats(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE), inside=False)
    assert _slowest(pattern, pattern.match if name in _MATCHED_ONLY else pattern.search) < _SECONDS


def test_a_pattern_that_explodes_is_seen() -> None:
    assert _repeats_repeats(_parser.parse(r"(?:(?:\w+)*)x"), inside=False)


def test_a_glob_with_many_stars_is_linear() -> None:
    began = time.process_time()
    assert not re.fullmatch(translate("*a" * 30 + "b"), "a" * 4000)
    assert re.fullmatch(translate("*a" * 30 + "b"), "a" * 4000 + "b")
    assert not re.fullmatch(translate("/x/**/a" * 9 + "/c"), "/x/a" * 999, re.DOTALL)
    assert time.process_time() - began < _SECONDS
