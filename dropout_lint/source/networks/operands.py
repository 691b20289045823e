"""What the names of a function stand for while its statements are followed."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.source.networks.layers import Env

Operand = frozenset[int]
"""Nodes that may have made a value; empty for anything that is not a tensor in sight."""
NOTHING: Operand = frozenset()


Value = Operand | tuple[Operand, ...]
"""A tuple holds several values; one with a single member holds an unknown number of them."""


@dataclass(slots=True, eq=False)
class State:
    """Values and layers that the names of a function stand for at one point."""

    values: dict[str, Value]
    layers: Env
    ended: bool = False

    def copy(self) -> State:
        """A state to follow a branch with."""
        return State(dict(self.values), dict(self.layers), self.ended)

    def join(self, *others: State) -> None:
        """Take in what branches may have left."""
        going = [s for s in others if not s.ended]
        self.ended = not going
        for key in {k for s in going for k in s.values}:
            found = [s.values[key] for s in going if key in s.values]
            self.values[key] = either(found)
        for one in going:
            self.layers.update(one.layers)


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
