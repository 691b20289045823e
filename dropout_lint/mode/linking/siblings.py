"""Find the models of an object whose mode one of its other methods may have set before."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.facts import ModeFlow
from dropout_lint.mode.program.contents import below, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import attribute_called, is_mode_call, terms
from dropout_lint.mode.program.values import UNKNOWN, Thing


def switched_elsewhere(machine: Machine, instance: Thing, flow: ModeFlow) -> Iterator[Thing]:
    """The models of an object whose mode another method sets: that method may have been called before."""
    if instance.home is None:
        return
    for home, known in machine.definitions.lineage(instance.home, instance.name):
        for name in known.methods - {"__init__", flow.name.rpartition(".")[2]}:
            other = machine.definitions.flow(home, f"{known.name}.{name}")
            if other is None or not other.relevant or not other.parameters:
                continue
            called = {attribute_called(t, other.parameters[0]) for t in terms(other.steps) if is_mode_call(t)}
            for attribute in called:
                for thing in things(instance.attributes.get(attribute, UNKNOWN)):
                    yield from below(thing)
