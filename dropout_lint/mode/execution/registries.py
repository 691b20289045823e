"""Look up what a file assigns at its top level, and what chooses a class at run time."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.facts import FileFacts
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import Constant, External, Frame, Thing, Value


def assigned(machine: Machine, home: FileFacts, name: str) -> Value | None:
    """The dictionary or number that a file assigns to a name once, at its top level; None for anything else."""
    key = (home.path, name)
    if key not in machine.assigned:
        machine.assigned[key] = None  # a dictionary may mention itself
        found = machine.definitions.assigned(home, name)
        if found is not None:
            machine.assigned[key] = machine.evaluate(found[1], Frame(home, found[0]))
    return machine.assigned[key]


def assigned_in(machine: Machine, base: External, name: str) -> Value | None:
    """The same for ``base.name``, where ``base`` is a module of the project."""
    home = file_of(machine, base)
    return assigned(machine, home, name) if home is not None else None


def file_of(machine: Machine, module: External) -> FileFacts | None:
    """The file of a module of the project."""
    key = (module.home.path, module.name)
    if key not in machine.modules:
        located = None
        if not module.name.startswith(("torch.", "builtins.")):
            located = machine.project.modules.locate(Path(module.home.path), module.name)
        whole = located is not None and not located[1]
        machine.modules[key] = machine.project.files.facts(located[0]) if located is not None and whole else None
    return machine.modules[key]


def default_of(machine: Machine, key: Value) -> Value:
    """The string that an option of the command line has by default, for ``args.name``; else the value itself."""
    if isinstance(key, Thing) and key.opaque and key.label in machine.options:
        return Constant(machine.options[key.label])
    return key


def names_of(machine: Machine, base: External) -> FileFacts | None:
    """The file whose names a dictionary has: ``globals()``, ``vars(models)`` or ``models.__dict__``."""
    if base.name == "globals()":
        return base.home
    return file_of(machine, External(base.name.removesuffix(".__dict__"), base.home)) if _is_dict(base) else None


def _is_dict(base: External) -> bool:
    return base.name.endswith(".__dict__")
