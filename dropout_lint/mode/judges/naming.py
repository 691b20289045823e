"""What the source calls the things of a run."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.diagnostic import Related
from dropout_lint.mode.libraries.frameworks import LOADS
from dropout_lint.mode.program.contents import choices
from dropout_lint.mode.program.terms import loop_variables
from dropout_lint.mode.program.values import Frame, Thing

_MAKERS = LOADS | {"from_pretrained", "from_config"}
"""Methods of a class that give an instance of it."""


def names(frame: Frame) -> frozenset[str]:
    """Functions and classes on the path to a frame."""
    found: set[str] = set()
    for one in frame.chain():
        found |= set(one.flow.name.split("."))
    return frozenset(found - {""})


def layer(thing: Thing) -> str:
    """The class of a layer."""
    owner, _, last = thing.name.rpartition(".")
    return owner.rpartition(".")[2] if last in _MAKERS and owner else last or thing.label


def spelt(frame: Frame, thing: Thing) -> str:
    """How a function may name an object: a variable, but none of a loop, or an attribute of its instance."""
    current: Frame | None = frame
    while current is not None:
        passing = set(loop_variables(current.flow.steps))
        for name, value in current.names.items():
            if name not in passing and any(one is thing for one in choices(value)):
                return name
        current = current.outer
    instance = frame.instance
    if instance is not None and frame.flow.parameters:
        if instance is thing:
            return frame.flow.parameters[0]
        for name, value in instance.attributes.items():
            if any(one is thing for one in choices(value)):
                return f"{frame.flow.parameters[0]}.{name}"
    return ""


def built(thing: Thing, live: Thing | None) -> Iterator[Related]:
    """Where a model was made, and the layer in it that computes differently by mode."""
    if thing.place is not None:
        yield Related(thing.place.path, thing.place.span, "constructed here, in train mode")
    if live is not None and live is not thing and live.place is not None:
        yield Related(live.place.path, live.place.span, "computes differently by mode")
