"""Look up names, attributes and items."""

from __future__ import annotations

from dropout_lint.facts import FileFacts, Location, ModeFlow, Term
from dropout_lint.mode.execution.registries import assigned, assigned_in, default_of, names_of
from dropout_lint.mode.libraries import library
from dropout_lint.mode.program.containers import members
from dropout_lint.mode.program.contents import choices, either
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.terms import targets
from dropout_lint.mode.program.values import (
    UNKNOWN,
    AnyOf,
    Class,
    Constant,
    External,
    Frame,
    Function,
    Group,
    Table,
    Thing,
    Value,
)

_PLAIN_ATTRIBUTES = {"training", "device", "shape", "data", "grad", "__class__", "config", "dtype"}
ZOO = "torchvision.models"
PROPERTIES = {"property", "cached_property"}


def named(machine: Machine, name: str, frame: Frame) -> Value:
    """The value of a name in a function."""
    current: Frame | None = frame
    while current is not None:
        if name in current.names and not (current is frame and name in frame.foreign):
            return current.names[name]
        current = current.outer
    if name == "__name__":
        return Constant("__main__") if frame.home is machine.root else UNKNOWN
    return _at_top_level(machine, name, frame.home)


def _at_top_level(machine: Machine, name: str, home: FileFacts) -> Value:
    if home is machine.root and name in machine.top.names:
        return machine.top.names[name]
    if name in home.headers:
        return Class(home, name)
    if name in home.defined:
        flow = machine.definitions.flow(home, name)
        return Function(home, flow) if flow is not None else UNKNOWN
    if name in home.imports:
        return _imported(machine, home.imports[name], home)
    for star in home.stars:
        found = machine.project.names.find(home, f"{star}.{name}")
        if found is not None and found[1] == name:
            return _at_top_level(machine, name, found[0]) if found[0] is not home else UNKNOWN
        imported = machine.project.names.imported_by(home, star, name) if found is None else None
        if imported is not None:
            return External(imported[1], imported[0])
        if star.startswith("torch"):
            return External(f"{star}.{name}", home)
    known = assigned(machine, home, name) if home is not machine.root else None
    return known if known is not None else External(f"builtins.{name}", home)


def _imported(machine: Machine, name: str, home: FileFacts) -> Value:
    module, _, last = name.rpartition(".")
    known = assigned_in(machine, External(module, home), last) if module and not name.startswith("torch") else None
    return known if known is not None else External(name, home)


def attribute(machine: Machine, base: Value, name: str) -> Value:
    """An attribute of a value; of each alternative, if there are several."""
    return either([attribute_of(machine, one, name) for one in choices(base)])


def attribute_of(machine: Machine, base: Value, name: str) -> Value:
    """An attribute of one object."""
    if isinstance(base, External):
        known = assigned_in(machine, base, name)
        return known if known is not None else External(f"{base.name}.{name}", base.home)
    if isinstance(base, Class):
        found = machine.definitions.method(base.home, base.name, name)
        return Function(*found) if found is not None else UNKNOWN
    if name in machine.undropped and not (isinstance(base, Thing) and (base.home is not None or base.module)):
        return Constant(0)
    if not isinstance(base, Thing):
        return UNKNOWN
    if name in base.attributes:
        return base.attributes[name]
    if base.home is not None:
        found = machine.definitions.method(base.home, base.name, name)
        if found is not None:
            decorators = {d.text for d in found[1].decorators}
            if decorators & PROPERTIES:
                return _of_property(machine, base, *found)
            return Function(*found, None if "staticmethod" in decorators else base)
    if name in {"module", "_orig_mod"} and base.module is not False:
        return base
    if name in _PLAIN_ATTRIBUTES:
        return UNKNOWN
    hidden = base.module or base.part_of is not None or (base.home is not None and _gives_anything(machine, base, name))
    part = machine.make_part(base, name) if hidden else machine.make_unknown(name)
    part.unset = base.name == library.NAMESPACE and name not in machine.declared
    base.attributes[name] = part
    return part


def _of_property(machine: Machine, base: Thing, home: FileFacts, flow: ModeFlow) -> Value:
    """The value of a property: of the expression, if it only returns one, or of what it builds on first use.

    Of other properties it is an unknown part of the object.
    """
    machine.count_step()
    if len(flow.steps) == 1 and flow.steps[0].kind == "return" and flow.steps[0].value is not None and flow.parameters:
        inner = Frame(home, flow, base, {flow.parameters[0]: base})
        return machine.evaluate(flow.steps[0].value, inner)
    name = flow.name.rpartition(".")[2]
    cached = any(d.text == "cached_property" for d in flow.decorators)
    if not cached and not _sets_attribute(flow):
        return machine.make_part(base, name)
    value = machine.call_property(Function(home, flow, base), Location(home.path, flow.span))
    if cached:
        base.attributes[name] = value
    return value


def _sets_attribute(flow: ModeFlow) -> bool:
    """Whether a getter keeps what it has built, as in ``self._model = Net()``."""
    receiver = Term("name", flow.parameters[0]) if flow.parameters else None
    return any(t.kind == "attribute" and t.parts[0] == receiver for t in targets(flow.steps))


def _gives_anything(machine: Machine, base: Thing, name: str) -> bool:
    """Whether an attribute that nothing assigns may give any part: ``__dict__``, or by ``__getattr__``."""
    hands_out = base.home is not None and machine.definitions.method(base.home, base.name, "__getattr__") is not None
    return name == "__dict__" or hands_out


def of_zoo(machine: Machine, key: Value, home: FileFacts) -> External:
    """A model of torchvision by its name, which may be the default of an option."""
    if isinstance(key, Constant):
        return External(f"{ZOO}.{key.value}", home)
    label = key.label if isinstance(key, Thing) else ""
    return External(f"{ZOO}.{machine.options.get(label, 'get_model')}", home)


def item(machine: Machine, base: Value, key: Value) -> Value:
    """``base[key]``."""
    key = default_of(machine, key)
    found: list[Value] = []
    for one in choices(base):
        named_file = names_of(machine, one) if isinstance(one, External) else None
        if named_file is not None:
            text = key.value if isinstance(key, Constant) else None
            found.append(_at_top_level(machine, text, named_file) if isinstance(text, str) else AnyOf(named_file))
        elif isinstance(one, Table) and isinstance(key, Constant):
            found.append(one.items.get(str(key.value), UNKNOWN))
        elif isinstance(one, Table):
            found += one.items.values()
        elif isinstance(one, Group):
            index = key.value if isinstance(key, Constant) else None
            if one.exact and isinstance(index, int) and -len(one.items) <= index < len(one.items):
                found.append(one.items[index])
            else:
                found += one.items
        elif isinstance(one, External) and one.name == f"{ZOO}.__dict__":
            found.append(of_zoo(machine, key, one.home))
        elif isinstance(one, Thing):
            name = f"[{key.value}]" if isinstance(key, Constant) else "[]"
            found += members(one) or [attribute_of(machine, one, name)]
    return either(found)
