"""Says whether a program behaves otherwise after its safe fixes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch

from tools.validate_fixes.running import Outcome

FIRST_TIME_IN_EVAL = {"DRP107"}
"""Rules whose fix runs code in eval mode for the first time: the answer is another, and must be deterministic."""


def difference(before: Outcome, after: Outcome, applied: Collection[str]) -> str:
    """What differs, "" for nothing. What raised before may do anything."""
    if before.error:
        return ""
    if after.error:
        return f"not built: {after.error}"
    if not same(list(before.state), list(after.state)):
        return f"keys: {sorted(set(before.state) ^ set(after.state))}"
    if not same(list(before.state.values()), list(after.state.values())):
        return "values of parameters"
    if not isinstance(before.train, str) and not same(before.train, after.train):
        return f"train: {_shown(before.train)} -> {_shown(after.train)}"
    if not isinstance(before.eval, str) and not _settles(before, after, applied):
        return f"eval: {_shown(before.eval)} -> {_shown(after.eval)} (plain {_shown(before.plain)})"
    return ""


def _settles(before: Outcome, after: Outcome, applied: Collection[str]) -> bool:
    """Whether the answer in eval mode is the same, or has become the one without dropout."""
    if same(before.eval, after.eval):
        return True
    if isinstance(after.eval, str):
        return False
    if same(before.eval[0], after.eval[0]) and same(before.plain, after.plain):
        return True  # a rate of 1 hides that one of two dropouts is off now
    if _is_settled(after.eval):
        plain = isinstance(before.plain, str) or same(before.plain[0], after.eval[0])
        return plain or not FIRST_TIME_IN_EVAL.isdisjoint(applied)
    # Another dropout is left on: without all of them, both are the same.
    return same(before.plain, after.plain) or not FIRST_TIME_IN_EVAL.isdisjoint(applied)


def _is_settled(found: list[Any]) -> bool:
    half = len(found) // 2
    return same(found[0], found[half]) and same(found[1], found[half + 1])


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal bit for bit. A backward pass that raised before may give any gradient now."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and torch.equal(*map(_bits, (one, other)))
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(a is None or same(a, b) for a, b in pairs)
    return type(one) is type(other) and bool(one == other)


def _bits(x: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num(x, 7.25) if x.is_floating_point() else x


def _shown(found: list[Any] | str) -> str:
    if isinstance(found, str):
        return found
    first = found[0]
    settled = "settled" if _is_settled(found) else "random"
    return f"{settled} {[round(v, 3) for v in first.flatten().tolist()[:3]] if torch.is_tensor(first) else first}"
