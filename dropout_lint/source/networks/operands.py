"""Abstract values of local variables while the forward pass of a network is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dropout_lint.facts import Condition
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.layers import Env, Item
from dropout_lint.source.networks.layers import either as either_layer

Operand = frozenset[int]
"""Indices of the nodes that may have produced a tensor; empty for a value that is not a known tensor."""
NOTHING: Operand = frozenset()

Value = Operand | tuple[Operand, ...]
"""A tensor, or a tuple of them. A tuple with one member represents any number of such tensors."""


class Meaning(NamedTuple):
    """The abstract value of an expression: tensors, or layers that may be called."""

    value: Value
    layers: Item | None = None


@dataclass(slots=True, eq=False)
class State:
    """Values and layers of the names of a function at one point."""

    block: Block
    values: dict[str, Value]
    layers: Env
    assumed: tuple[Condition, ...] = ()
    """What the tests say that lead here."""

    def copy(self) -> State:
        """A state for one branch."""
        return State(self.block, dict(self.values), dict(self.layers), self.assumed)

    def join(self, others: list[State]) -> State:
        """Merge the states of other branches into this one; a name that only some of them bind keeps its value."""
        for other in others:
            for key, value in other.values.items():
                known = self.values.get(key, value)
                self.values[key] = value if known is value else either([known, value])
            for key, item in other.layers.items():
                known_item = self.layers.get(key, item)
                self.layers[key] = item if known_item is item else either_layer([known_item, item])
            self.assumed = tuple(c for c in self.assumed if c in other.assumed)
        return self


def flat(value: Value) -> Operand:
    """All nodes of a value, including those of a tuple's members."""
    return value if isinstance(value, frozenset) else frozenset(i for v in value for i in v)


def either(values: list[Value]) -> Value:
    """The join of values of several branches."""
    if all(v == values[0] for v in values):
        return values[0]
    if not any(isinstance(v, tuple) for v in values):
        return frozenset(i for v in values for i in flat(v))
    if len({len(v) if isinstance(v, tuple) else -1 for v in values}) > 1:
        return several(*values)
    return tuple(frozenset().union(*members) for members in zip(*values, strict=True))


def several(*values: Value) -> tuple[Operand]:
    """A list or mapping of any number of these values."""
    return (frozenset(i for v in values for i in flat(v)),)
