"""Call functions and classes outside of the project: of Python, torch, frameworks and model libraries."""

from __future__ import annotations

from dropout_lint.facts import EVAL, Location
from dropout_lint.mode.execution import checkpointing, library_models
from dropout_lint.mode.execution.adapters import add_by_function
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.assignments import set_attribute
from dropout_lint.mode.execution.copies import copied, graph, is_trace, scripted, traced
from dropout_lint.mode.execution.freezing import blend, chained
from dropout_lint.mode.execution.functions import run_callbacks
from dropout_lint.mode.execution.lookup import ZOO, attribute, of_zoo
from dropout_lint.mode.execution.registries import default_of, file_of
from dropout_lint.mode.libraries import frameworks, library
from dropout_lint.mode.program.containers import iterated
from dropout_lint.mode.program.contents import choices, either, things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import (
    UNKNOWN,
    AnyOf,
    Constant,
    External,
    Frame,
    Group,
    Partial,
    Thing,
    Unknown,
    Value,
)

_ITERATE = {f"builtins.{name}" for name in ("enumerate", "zip", "list", "tuple", "reversed")} | {"tqdm.tqdm"}


def call_external(machine: Machine, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """Call a function or class by its full name; an unknown one may do anything to the models passed to it."""
    value = _builtin(machine, name, arguments, frame, place)
    if value is None:
        value = _of_model(machine, name, arguments, frame, place)
    if value is None:
        value = _new(machine, name, arguments, frame, place)
    if value is not None:
        return value
    if not _is_harmless(name):
        for one in arguments.all():
            machine.escape([one], place, frame)
            run_callbacks(machine, [one], frame, place)
    return machine.make_unknown()


def _is_harmless(name: str) -> bool:
    last = name.rpartition(".")[2]
    return (
        (name.startswith("builtins.") and last in library.HARMLESS)
        or last in library.HARMLESS_METHODS
        or name.startswith(library.HARMLESS_PREFIXES)
    )


def _builtin(machine: Machine, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value | None:
    """Call functions of Python and copies; None for others."""
    given = arguments.positional
    if name == "builtins.getattr" and given:
        return _getattr(machine, given)
    if name == "builtins.setattr" and len(given) == 3:
        owner, key, value = given
        if isinstance(owner, Thing) and isinstance(key, Constant):
            set_attribute(machine, owner, str(key.value), value)
        return UNKNOWN
    if name == "builtins.globals":
        return External("globals()", frame.home)
    if name == "builtins.vars" and given and isinstance(given[0], External):
        return External(f"{given[0].name}.__dict__", given[0].home)
    if name == "itertools.chain":
        return chained(machine, given)
    if name in _ITERATE:
        blend(machine, given, frame, place)
        return iterated(name.rpartition(".")[2], given)
    if name.startswith("builtins.") and name.rpartition(".")[2] in library.PLAIN:
        return UNKNOWN
    if (
        name == "functools.partial"
        and given
        and isinstance(given[0], External)
        and checkpointing.is_checkpoint(given[0].name)
    ):
        return Partial(given[0], given[1:], arguments.keywords, place)
    if name == "collections.OrderedDict":
        return given[0] if given else Group([], exact=False)
    values = arguments.all()
    if name in library.COPIES and values:
        deep = name == "copy.deepcopy"
        return either([copied(machine, v, place, deep=deep) if isinstance(v, Thing) else v for v in choices(values[0])])
    return None


def _getattr(machine: Machine, given: list[Value]) -> Value:
    base, key = given[0], default_of(machine, given[1]) if len(given) > 1 else UNKNOWN
    if isinstance(key, Constant):
        return attribute(machine, base, str(key.value))
    if isinstance(base, External) and base.name == ZOO:
        return of_zoo(machine, key, base.home)
    if isinstance(base, External):
        found = file_of(machine, base)
        if found is not None:
            return AnyOf(found)
    return machine.make_unknown()


def _of_model(machine: Machine, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value | None:
    """Call functions that return the model passed to them, or a graph of it."""
    if name.rpartition(".")[2] in library.WRAPPERS and arguments.positional:
        first = arguments.positional[0]
        add_by_function(machine, name, arguments, frame, place)
        return scripted(machine, first, frame, place) if name == "torch.jit.script" else first
    if name == "torch.export.load":
        return graph(machine, name)
    if is_trace(name, arguments.keywords):
        return traced(machine, arguments.first("model") or UNKNOWN, name, frame, place)
    return None


def _new(machine: Machine, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value | None:
    """Call functions and classes that return a model, a layer, an input or an optimizer."""
    last, positional = name.rpartition(".")[2], arguments.positional
    if name in library.RANDOM:
        drawn = machine.make_unknown()
        drawn.random = True
        return drawn
    if name == f"{ZOO}.get_model":
        name, positional = of_zoo(machine, arguments.first("name") or UNKNOWN, frame.home).name, positional[1:]
    made = library_models.model_made_by(name, positional, arguments.keywords)
    if made is not None:
        model = machine.make_object(name, made.live, place, made.modes, module=made.module)
        if made.loaded:
            machine.record("load", model, place, frame)
        elif made.modes == EVAL:
            machine.record("build", model, place, frame)
        return model
    if checkpointing.is_checkpoint(name):
        checkpointing.checkpoint(machine, arguments, frame, place)
        return UNKNOWN
    if name.startswith("torch.autograd.Variable"):
        return positional[0] if positional else UNKNOWN
    live = library_models.liveness(name, positional, arguments.keywords)
    if (name.startswith("torch.nn.") and last[:1].isupper()) or live is not None:
        return _layer(machine, name, live, arguments, place)
    if name == library.PARSER:
        parser = machine.make_unknown()
        parser.name = name
        return parser
    if "optim" in name:
        optimizer = machine.make_unknown()
        optimizer.name = library.INPUT_OPTIMIZER if _updates_inputs(arguments) else library.OPTIMIZER
        return optimizer
    if last in frameworks.PREPARES and name.startswith(("accelerate", "apex", "deepspeed", "lightning")):
        return Group(list(positional)) if len(positional) > 1 else machine.make_unknown()
    return None


def _layer(machine: Machine, name: str, live: bool | None, arguments: Arguments, place: Location) -> Thing:
    layer = machine.make_object(name, live, place, module=True)
    layer.children = [t for v in arguments.all() for t in things(v)]
    if name.rpartition(".")[2] == "Sequential" and len(layer.children) == 1 and layer.children[0].label == "children":
        layer.children = layer.children[0].children
    return layer


def _updates_inputs(arguments: Arguments) -> bool:
    """Whether an optimizer gets a list of tensors that come from no model, as an attack on inputs does."""
    given = arguments.first("params")
    if not isinstance(given, Group) or not given.exact or not given.items:
        return False
    return all(isinstance(one, Unknown) or (isinstance(one, Thing) and one.opaque) for one in given.items)
