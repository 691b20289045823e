"""What the names of a function stand for while its statements are followed."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.source.layers import Env

Operand = frozenset[int]
"""Nodes that may have made a value; empty for anything that is not a tensor in sight."""
NOTHING: Operand = frozenset()


@dataclass(slots=True, eq=False)
class State:
    """Values and layers that the names of a function stand for at one point."""

    values: dict[str, Operand | tuple[Operand, ...]]
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
            self.values[key] = (
                frozenset(i for v in found for i in flat(v)) if len(set(map(str, found))) > 1 else found[0]
            )
        for one in going:
            self.layers.update(one.layers)


def flat(value: Operand | tuple[Operand, ...]) -> Operand:
    """All nodes of a value, also of a tuple's members."""
    return value if isinstance(value, frozenset) else frozenset(i for v in value for i in v)
