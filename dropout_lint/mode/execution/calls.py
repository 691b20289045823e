"""Evaluate call expressions: of a name, of a method, of ``super()``."""

from __future__ import annotations

from dropout_lint.facts import Location, Term
from dropout_lint.mode.execution import library_models
from dropout_lint.mode.execution.arguments import Arguments, arguments_of, with_class
from dropout_lint.mode.execution.construction import alternatives, construct, construct_in_eval_mode
from dropout_lint.mode.execution.freezing import asked, call_of_parameters, set_gradients
from dropout_lint.mode.execution.functions import run_function
from dropout_lint.mode.execution.invocation import invoke
from dropout_lint.mode.execution.lookup import attribute_of
from dropout_lint.mode.execution.methods import call_method
from dropout_lint.mode.execution.mode_calls import mode_asked
from dropout_lint.mode.libraries import frameworks, library
from dropout_lint.mode.program.containers import call_of_group, call_of_table
from dropout_lint.mode.program.contents import choices, either, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import (
    UNKNOWN,
    Class,
    Constant,
    External,
    Frame,
    Function,
    Group,
    Parameters,
    Table,
    Thing,
    Value,
)

_SUPER = Term("name", "super")


def call(machine: Machine, term: Term, frame: Frame) -> Value:
    """The result of a call, for each value that the callee may be."""
    func = term.parts[0]
    place = Location(frame.home.path, term.span)
    if func.kind != "attribute":
        callee = machine.evaluate(func, frame)
        arguments = arguments_of(machine, term, frame)
        called = choices(callee)
        results = [invoke(machine, one, arguments, frame, place) for one in called]
        registry = func.kind == "item" and all(isinstance(one, (Class, External)) for one in called)
        return alternatives(results) if registry else either(results)
    if func.parts[0].kind == "call" and func.parts[0].parts[0] == _SUPER:
        return _super(machine, func.text, arguments_of(machine, term, frame), frame, place)
    base = machine.evaluate(func.parts[0], frame)
    arguments = arguments_of(machine, term, frame)
    if func.text == "add_argument":
        _option(machine, arguments)
    elif func.text == "set_defaults":
        machine.declared.update(arguments.keywords)
    return either([_method(machine, one, func.text, arguments, frame, place) for one in choices(base)])


def _option(machine: Machine, arguments: Arguments) -> None:
    """An option of argparse: https://docs.python.org/3/library/argparse.html#the-add-argument-method."""
    names = [v.value for v in arguments.positional if isinstance(v, Constant) and isinstance(v.value, str)]
    name = next((n for n in names if n.startswith("--")), names[0] if names else "").strip("-").replace("-", "_")
    destination = arguments.keywords.get("dest")
    name = str(destination.value) if isinstance(destination, Constant) else name
    machine.declared.add(name)
    default = arguments.keywords.get("default")
    if "drop" in name and library_models.is_zero(default):
        machine.undropped.add(name)
    elif name and isinstance(default, Constant) and isinstance(default.value, str):
        machine.options[name] = default.value


def _method(machine: Machine, base: Value, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value:
    match base:
        case Thing():
            return call_method(machine, base, name, arguments, frame, place)
        case Group():
            return call_of_group(base, name, arguments.positional)
        case Parameters():
            return call_of_parameters(machine, base, name, arguments, frame, place)
        case Table():
            return call_of_table(base, name, arguments.positional, arguments.keywords)
        case Class():
            return _of_class(machine, base, name, arguments, frame, place)
        case External():
            if name == "step":
                machine.record("step", None, place, frame)
            return invoke(machine, attribute_of(machine, base, name), arguments, frame, place)
    if name == "backward":
        machine.record("backward", None, place, frame)
    elif name == "step":
        machine.record("step", None, place, frame)
    elif name == "requires_grad_":
        set_gradients(machine, base, asked(arguments), frame, place)
    elif name not in library.HARMLESS_METHODS:
        machine.escape(arguments.all(), place, frame)
    return UNKNOWN


def _of_class(machine: Machine, base: Class, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """``Net.load_from_checkpoint(...)``, ``Net.from_pretrained(...)``, or a method of the class itself."""
    if name in frameworks.LOADS and machine.definitions.method(base.home, base.name, name) is None:
        loaded = construct(machine, base, Arguments([], {}, unpacked=True), frame, place)
        machine.record("load", loaded, place, frame)
        return loaded
    if name == "from_pretrained" and machine.definitions.loads_as_transformers(base):
        return construct_in_eval_mode(machine, base, frame, place)
    method = attribute_of(machine, base, name)
    given = with_class(method, base, arguments) if isinstance(method, Function) else arguments
    return invoke(machine, method, given, frame, place)


def _super(machine: Machine, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """``super().method(...)``: the method of the next base class, or that of ``nn.Module``."""
    instance = frame.instance
    if instance is None or instance.home is None or not frame.flow.owner:
        return UNKNOWN
    lineage = machine.definitions.lineage(instance.home, instance.name)
    owners = [known.name for _, known in lineage]
    start = owners.index(frame.flow.owner) + 1 if frame.flow.owner in owners else len(lineage)
    for home, known in lineage[start:]:
        flow = machine.definitions.flow(home, f"{known.name}.{name}") if name in known.methods else None
        if flow is not None:
            return run_function(machine, Function(home, flow, instance), arguments, frame, place)
    if instance.module and name == "__init__":
        instance.children += [t for v in arguments.all() for t in things(v)]
    elif instance.module and name in {"train", "eval"}:
        machine.set_mode(instance, mode_asked(name, arguments), place, frame)
    elif name != "__init__":
        machine.escape(arguments.all(), place, frame)
    return UNKNOWN
