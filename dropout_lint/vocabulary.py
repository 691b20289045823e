"""What the words of an identifier say."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def words(identifier: str) -> set[str]:
    """Lower-case words of an identifier in snake or camel case."""
    return {word.lower() for word in _WORD.findall(identifier)}
