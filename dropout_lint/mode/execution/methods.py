"""Call methods of modules, of what may be one, and of objects that hold one."""

from __future__ import annotations

from dropout_lint.facts import Location
from dropout_lint.mode.execution.adapters import add_by_method
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.checkpointing import is_checkpoint
from dropout_lint.mode.execution.freezing import asked, parameters_of, set_gradients
from dropout_lint.mode.execution.functions import run_callbacks, run_function
from dropout_lint.mode.execution.invocation import forward, invoke
from dropout_lint.mode.execution.library_models import differs_in_most_parts
from dropout_lint.mode.execution.lookup import attribute_of
from dropout_lint.mode.execution.mode_calls import call_mode
from dropout_lint.mode.libraries import frameworks, library
from dropout_lint.mode.program.contents import things
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import (
    UNKNOWN,
    Class,
    External,
    Frame,
    Function,
    Group,
    Lambda,
    Partial,
    Thing,
    Value,
)


def call_method(machine: Machine, base: Thing, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """``base.name(...)``."""
    if name == "backward":
        machine.record("backward", None, place, frame)
        return UNKNOWN
    if name in library.PARSES and base.name == library.PARSER:
        return _namespace(machine, name)
    if name == "step" and base.module is None:
        run_callbacks(machine, arguments.all(), frame, place)
        if base.name != library.INPUT_OPTIMIZER:
            machine.record("step", None, place, frame)
        return UNKNOWN
    if base.module is not False:
        done = _of_module(machine, base, name, arguments, frame, place)
        if done is not None:
            return done
    if base.random:
        return base
    target = attribute_of(machine, base, name)
    if isinstance(target, Function) and base.module and target.instance is base:
        return _own_method(machine, base, target, arguments, frame, place)
    if isinstance(target, Thing) and target.opaque and not arguments.all() and (base.opaque or base.module is None):
        return target if name not in library.HARMLESS_METHODS else UNKNOWN
    if isinstance(target, Thing) and (target.module or target.number in machine.causes):
        return forward(machine, target, arguments, frame, place)
    bound = isinstance(target, External) and is_checkpoint(target.name)
    if bound or isinstance(target, (Function, Class, Lambda, Partial)):
        return invoke(machine, target, arguments, frame, place)
    return _unseen(machine, base, name, arguments, frame, place)


def _namespace(machine: Machine, method: str) -> Value:
    """The options that ``parse_args()`` of argparse returns; ``parse_known_args()`` returns a pair."""
    options = machine.make_unknown()
    options.name = library.NAMESPACE
    return options if method == "parse_args" else Group([options, UNKNOWN])


def _of_module(
    machine: Machine, base: Thing, name: str, arguments: Arguments, frame: Frame, place: Location
) -> Value | None:
    """Call a method that modules inherit; None for other methods."""
    if name in {"train", "eval"} and call_mode(machine, base, name, arguments, frame, place):
        return base
    if name in {"forward", "__call__"} and (base.module or base.opaque):
        return forward(machine, base, arguments, frame, place)
    if name in library.SAME and not base.random:
        if name == "requires_grad_":
            set_gradients(machine, base, asked(arguments), frame, place)
        return base
    if add_by_method(machine, base, name, arguments, frame, place):
        return UNKNOWN
    if name in library.INNER:
        return _submodules(machine, base, name)
    if name == "apply":
        if not all(isinstance(v, Function) and not v.flow.relevant for v in arguments.all()):
            machine.unsettle(base)
        return base
    if name in {"append", "add_module", "extend", "register_module"}:
        base.children += [t for v in arguments.all() for t in things(v)]
        return UNKNOWN
    if name in library.NEUTRAL:
        if name == "load_state_dict":
            machine.record("load", base, place, frame)
        return parameters_of(machine, base, name) or UNKNOWN
    return None


def _submodules(machine: Machine, base: Thing, name: str) -> Value:
    """The result of ``modules()`` and similar methods: one unknown part represents them all."""
    part = machine.make_part(base, name)
    if name in {"named_modules", "named_children", "items"}:
        return Group([Group([UNKNOWN, part])], exact=False)
    if name == "get_submodule":
        return part
    of_library = base.home is None and base.name and not base.name.startswith("torch.nn.")
    holds = name == "children" and (not of_library or differs_in_most_parts(base.name))
    part.children = [base] if holds else []
    return Group([part], exact=False)


def _own_method(
    machine: Machine, base: Thing, target: Function, arguments: Arguments, frame: Frame, place: Location
) -> Value:
    """Call a method of a module's own class.

    It is executed if it sets modes, trains or builds layers; else it is a forward if it computes.
    """
    flow, home = target.flow, base.home
    building = any(f.instance is base and f.flow.name.endswith("__init__") for f in frame.chain())
    acts = building or flow.relevant or machine.definitions.freezes(target.home, flow)
    if acts or (home is not None and machine.definitions.leads_on(home, base.name, flow)):
        return run_function(machine, target, arguments, frame, place)
    if home is not None and machine.definitions.computes(home, base.name, flow):
        forward(machine, base, arguments, frame, place, label=flow.name.rpartition(".")[2])
    return UNKNOWN


def _unseen(machine: Machine, base: Thing, name: str, arguments: Arguments, frame: Frame, place: Location) -> Value:
    """Call a method that no known class defines."""
    positional = arguments.positional
    if name in frameworks.PREPARES and positional:
        return positional[0] if len(positional) == 1 else Group(list(positional))
    if base.module and base.home is None:
        return forward(machine, base, arguments, frame, place) if name in library.COMPUTING else machine.make_unknown()
    if base.home is not None and machine.definitions.inherits_unseen(base.home, base.name):
        machine.escape([base, *base.attributes.values()], place, frame)
    if name not in library.HARMLESS_METHODS:
        machine.escape(arguments.all(), place, frame)
    return machine.make_unknown()
