"""Add adapters to models: ``get_peft_model``, and the methods that models of Transformers and PEFT have for it."""

from __future__ import annotations

from dropout_lint.facts import TRAIN, Location
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.program.contents import things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import Frame, Thing

_ADDS = "add_adapter"
_LOADS = "load_adapter"


def add_by_function(machine: Machine, name: str, arguments: Arguments, frame: Frame, place: Location) -> None:
    """``get_peft_model(model, config)``. The adapters are in train mode: https://github.com/huggingface/peft/issues/3753."""
    if name.rpartition(".")[2] == "get_peft_model":
        for model in things(arguments.positional[0], 1):
            _add(machine, model, frame, place, "get_peft_model", live=_drops(arguments))


def add_by_method(
    machine: Machine, model: Thing, name: str, arguments: Arguments, frame: Frame, place: Location
) -> bool:
    """``model.add_adapter(config)`` and ``model.load_adapter(path)``; False for other methods.

    The second leaves the adapters in train mode before https://github.com/huggingface/transformers/pull/34509, unless
    the model is that of PEFT.
    """
    if name not in {_ADDS, _LOADS} or not model.name.startswith(("transformers.", "peft.")):
        return False
    loads = name == _LOADS
    if not loads:
        _add(machine, model, frame, place, name, live=_drops(arguments))
    elif model.name.startswith("transformers.") and "is_trainable" not in arguments.keywords:
        _add(machine, model, frame, place, name, live=True)
    return True


def _drops(arguments: Arguments) -> bool | None:
    """Whether the configuration among the arguments has a dropout; None if unknown."""
    found = [t for v in arguments.all() for t in things(v, 1) if t.name.startswith("peft.") and t.module is False]
    return found[0].live if found else None


def _add(machine: Machine, model: Thing, frame: Frame, place: Location, label: str, *, live: bool | None) -> None:
    machine.record("adapt", model, place, frame, label=label)
    adapter = machine.make_object("peft.adapter", live, place, TRAIN, module=True)
    adapter.label = "adapter"
    model.children.append(adapter)
