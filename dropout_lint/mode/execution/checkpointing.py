"""Record activation checkpointing that draws other dropout masks in the backward pass."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.facts import OPEN, Location, Term
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.program.contents import below, choices, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import terms, within
from dropout_lint.mode.program.values import Constant, Frame, Function, Lambda, Thing, Value
from dropout_lint.torch_api.names import canonical


def is_checkpoint(name: str) -> bool:
    """Whether this is the name of a function that checkpoints activations."""
    full = canonical(name)
    return full.startswith("torch.utils.checkpoint") and full.endswith((".checkpoint", ".checkpoint_sequential"))


def checkpoint(machine: Machine, arguments: Arguments, frame: Frame, place: Location) -> None:
    """Record a call that does not keep the state of the random generator."""
    if arguments.keywords.get("preserve_rng_state") == Constant(False) and arguments.positional:
        for one in choices(arguments.positional[0]):
            for thing in _computing(machine, one):
                live = tuple((t, OPEN) for t in below(thing) if t.live)
                machine.record("checkpoint", thing, place, frame, live=live)


def _computing(machine: Machine, function: Value) -> Iterator[Thing]:
    """The models that a function computes with: itself, its instance, or those that a closure calls."""
    if isinstance(function, Thing):
        yield function
    elif isinstance(function, Function) and function.instance is not None:
        yield function.instance
    elif isinstance(function, (Function, Lambda)) and function.frame is not None:
        outer = function.frame
        inner = Frame(outer.home, outer.flow, outer.instance, outer=outer)
        for callee in _callees(function):
            yield from (t for t in things(machine.evaluate(callee, inner)) if t.module)


def _callees(function: Function | Lambda) -> Iterator[Term]:
    """What a closure calls: names, and attributes and items of names."""
    found = terms(function.flow.steps) if isinstance(function, Function) else within(function.term)
    for term in found:
        if term.kind == "call" and all(
            t.kind in {"name", "attribute", "item", "constant"} for t in within(term.parts[0])
        ):
            yield term.parts[0]
