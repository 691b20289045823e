"""Abstract values of local variables while the forward pass of a network is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.layers import Env, Item
from dropout_lint.source.networks.layers import either as either_layer

Operand = frozenset[int]
"""Nodes that may have made a value; empty for anything that is not a tensor in sight."""
NOTHING: Operand = frozenset()


Value = Operand | tuple[Operand, ...]
"""A tuple holds several values; one with a single member holds an unknown number of them."""


class Meaning(NamedTuple):
    """What an expression stands for: a value, or layers that may be called."""

    value: Value
    layers: Item | None = None


@dataclass(slots=True, eq=False)
class State:
    """Values and layers that the names of a function stand for at one point."""

    block: Block
    values: dict[str, Value]
    layers: Env

    def copy(self) -> State:
        """A state to follow a branch with."""
        return State(self.block, dict(self.values), dict(self.layers))

    def join(self, others: list[State]) -> State:
        """Take in what other paths have left; a name that only some of them bind keeps its value."""
        for other in others:
            for key, value in other.values.items():
                known = self.values.get(key, value)
                self.values[key] = value if known is value else either([known, value])
            for key, item in other.layers.items():
                held = self.layers.get(key, item)
                self.layers[key] = item if held is item else either_layer([held, item])
        return self


def flat(value: Value) -> Operand:
    """All nodes of a value, also of a tuple's members."""
    return value if isinstance(value, frozenset) else frozenset(i for v in value for i in v)


def either(values: list[Value]) -> Value:
    """One of several values, by a test."""
    if all(v == values[0] for v in values):
        return values[0]
    if not any(isinstance(v, tuple) for v in values):
        return frozenset(i for v in values for i in flat(v))
    if len({len(v) if isinstance(v, tuple) else -1 for v in values}) > 1:
        return several(*values)
    return tuple(frozenset().union(*members) for members in zip(*values, strict=True))


def several(*values: Value) -> tuple[Operand]:
    """A list or mapping that holds the values."""
    return (frozenset(i for v in values for i in flat(v)),)
