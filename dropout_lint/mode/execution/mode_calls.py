"""Call ``train`` and ``eval``: decide whether they are those of ``nn.Module``, and which mode they set."""

from __future__ import annotations

from dropout_lint.facts import EVAL, OPEN, TRAIN, Location, ModeFlow, Modes
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.program.contents import below, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import Constant, Frame, Thing
from dropout_lint.vocabulary import MODE_VARIABLES


def call_mode(machine: Machine, base: Thing, name: str, arguments: Arguments, frame: Frame, place: Location) -> bool:
    """Set the mode; False for an unrelated method of that name."""
    found = machine.definitions.method(base.home, base.name, name) if base.home is not None else None
    if found is not None:
        if base.module is not True or not _is_override(found[1], name):
            return False
    elif base.name.startswith(("torch.optim", "builtins")) or (base.opaque and _trains_by_itself(name, arguments)):
        return False
    machine.set_mode(base, mode_asked(name, arguments), place, frame)
    machine.forget(one for part in below(base) if "train" in part.attributes for one in below(part))
    if found is not None:
        machine.forget(part for part in below(base) if part is not base)
    return True


def mode_asked(name: str, arguments: Arguments) -> Modes:
    """The mode that Module's method of this name sets."""
    given = arguments.first("mode")
    if name == "eval":
        return EVAL
    if given is None and not arguments.unpacked:
        return TRAIN
    if isinstance(given, Constant) and given.value in {True, False}:
        return TRAIN if given.value else EVAL
    return OPEN


def _is_override(flow: ModeFlow, name: str) -> bool:
    """Whether a class overrides Module's method, by its parameters."""
    required = set(flow.parameters[1:]) - {parameter for parameter, _ in flow.defaults}
    return len(required) <= (1 if name == "train" else 0) and flow.parameters[1:2] in {(), ("mode",), ("training",)}


def _trains_by_itself(name: str, arguments: Arguments) -> bool:
    """Whether the arguments are those of a trainer, such as its data, not those of ``nn.Module``."""
    if arguments.unpacked or len(arguments.all()) > 1:
        return True
    given = arguments.first("mode")
    if given is None or isinstance(given, Constant):
        return False
    objects = list(things(given))
    return name == "eval" or (bool(objects) and not any(t.label in MODE_VARIABLES for t in objects))
