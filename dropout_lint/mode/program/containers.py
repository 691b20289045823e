"""Containers: their elements, their methods, and the functions that iterate over them."""

from __future__ import annotations

from dropout_lint.mode.program.contents import either, things
from dropout_lint.mode.program.values import UNKNOWN, Constant, Group, Parameters, Table, Thing, Value

_OF_MODULES = {"ModuleList", "ModuleDict", "Sequential"}


def members(thing: Thing) -> list[Thing]:
    """The modules in a container of modules."""
    return thing.children[:16] if thing.name.rpartition(".")[2] in _OF_MODULES else []


def element(source: Value) -> Value:
    """What iterating over a value gives."""
    if isinstance(source, Group):
        return either(source.items)
    if isinstance(source, Parameters):
        return Group([UNKNOWN, Parameters(source.models, source.branches)]) if source.named else source
    if isinstance(source, Table):
        return UNKNOWN
    modules: list[Value] = [child for thing in things(source) for child in members(thing)]
    return either(modules)


def iterated(function: str, given: list[Value]) -> Value:
    """What ``enumerate``, ``zip`` and functions that only change the order make of their arguments."""
    if function == "enumerate" and given:
        if isinstance(given[0], Group):
            return Group([Group([UNKNOWN, v]) for v in given[0].items], given[0].exact)
        return Group([Group([UNKNOWN, element(given[0])])], exact=False)
    if function == "zip":
        groups = [v for v in given if isinstance(v, Group) and v.exact]
        if groups and len(groups) == len(given):
            return Group([Group(list(row)) for row in zip(*(g.items for g in groups), strict=False)])
        return Group([Group([element(v) for v in given])], exact=False)
    return given[0] if given else Group([])


def call_of_group(base: Group, name: str, given: list[Value]) -> Value:
    """A method of a list, tuple or set."""
    if name in {"append", "add", "insert"} and given:
        base.items.append(given[-1])
    elif name == "extend" and given:
        more = given[0]
        base.items += more.items if isinstance(more, Group) else []
        base.exact = base.exact and isinstance(more, Group) and more.exact
    elif name == "pop":
        return either(base.items)
    return UNKNOWN


def call_of_table(base: Table, name: str, given: list[Value], keywords: dict[str, Value]) -> Value:
    """A method of a dictionary."""
    key = given[0] if given else None
    if name in {"get", "pop"} and isinstance(key, Constant):
        return base.items.get(str(key.value), UNKNOWN)
    if name == "items":
        return Group([Group([Constant(k), v]) for k, v in base.items.items()])
    if name == "values":
        return Group(list(base.items.values()))
    if name == "update":
        base.items.update(keywords)
    return UNKNOWN
