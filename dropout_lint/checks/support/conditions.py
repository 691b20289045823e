"""Decides whether two layers of a network, each under tests of its settings, can run in the same pass."""

from __future__ import annotations

from collections.abc import Iterable

from dropout_lint.facts import Condition, LayerNode

_STEP = 1e-3
_OTHER = object()
"""Any value but a number, a text, None or a bool: it is true."""


def conditions(node: LayerNode) -> frozenset[Condition]:
    """What holds where a layer runs; for a dropout with a rate that is not known, also that it drops something."""
    found = set(node.conditions)
    if node.rate.number is None or node.rate.default:
        names = node.rate.names if len(node.rate.names) == 1 else ()
        settings = [f"self.{node.attribute}.p"] if node.attribute else []
        settings += [f"self.{name}" for name in names if "drop" in node.kind.lower()]
        found |= {Condition(setting, ">", 0, holds=True) for setting in settings}
    return frozenset(found)


def exclude(one: Iterable[Condition], other: Iterable[Condition]) -> bool:
    """Whether no value of some setting makes all of its conditions true."""
    by_setting: dict[str, list[Condition]] = {}
    for condition in {*one, *other}:
        if condition.operator != "branch":
            by_setting.setdefault(condition.text, []).append(condition)
    return any(len(found) > 1 and not _possible(found) for found in by_setting.values())


def _possible(found: list[Condition]) -> bool:
    values = {c.value for c in found}
    numbers = {float(v) for v in (*values, 0.0) if isinstance(v, (int, float)) and not isinstance(v, bool)}
    around = {v + step for v in numbers for step in (-_STEP, 0.0, _STEP)}
    samples: list[object] = [None, True, False, "", _OTHER, *around, *(v for v in values if isinstance(v, str))]
    return any(all(_holds(c, sample) for c in found) for sample in samples)


def _holds(condition: Condition, sample: object) -> bool:
    value = condition.value
    if condition.operator == "true":
        truth = bool(sample)
    elif condition.operator == "==":
        truth = sample == value and (sample is None) == (value is None)
    else:
        if not isinstance(sample, (int, float)) or not isinstance(value, (int, float)):
            return False
        truth = sample > value if condition.operator == ">" else sample < value
    return truth == condition.holds
