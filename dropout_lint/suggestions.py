"""Suggests the known word nearest to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


def nearest(text: str, known: Mapping[str, str], cutoff: float = 0.6) -> str | None:
    """The value of the key most like ``text``; the first in order among equals, None when nothing is near."""
    scored = [(-difflib.SequenceMatcher(None, text, key).ratio(), key) for key in known]
    score, key = min(scored, default=(0.0, ""))
    return known[key] if -score >= cutoff else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the nearest known word, "" when nothing is near."""
    near = nearest(wrong, {word: word for word in known})
    return f"; did you mean '{near}'?" if near else ""
