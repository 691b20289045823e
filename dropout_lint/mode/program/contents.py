"""What a value holds: its alternatives, the objects in it, and the parts of a module."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from dropout_lint.mode.program.values import UNKNOWN, Group, Several, Table, Thing, Unknown, Value

_MOST_CHOICES = 8


def things(value: Value, depth: int = 4) -> Iterator[Thing]:
    """The objects that a value may be, or holds in lists and dictionaries."""
    if isinstance(value, Thing):
        yield value
    elif depth > 0:
        inner: list[Value] = []
        if isinstance(value, (Group, Table)):
            inner = list(value.items if isinstance(value, Group) else value.items.values())
        elif isinstance(value, Several):
            inner = list(value.values)
        for one in inner[:64]:
            yield from things(one, depth - 1)


def choices(value: Value) -> tuple[Value, ...]:
    """The alternatives of a value."""
    return value.values if isinstance(value, Several) else (value,)


def either(values: list[Value]) -> Value:
    """The value that is one of several; only the first few are kept."""
    if len(values) == 1:
        return values[0]
    flat: list[Value] = []
    for one in chain.from_iterable(map(choices, values)):
        if not isinstance(one, Unknown) and one not in flat:
            flat.append(one)
            if len(flat) == _MOST_CHOICES:
                break
    if not flat:
        return UNKNOWN
    return flat[0] if len(flat) == 1 else Several(tuple(flat))


def parts(thing: Thing) -> list[Thing]:
    """The objects that a module holds directly."""
    found = list(thing.children)
    if thing.module or thing.opaque:
        for value in thing.attributes.values():
            found += [t for t in things(value) if t.module is not False or thing.opaque]
    return found


def below(thing: Thing, limit: int = 400) -> list[Thing]:
    """A module and all modules that it holds."""
    found: list[Thing] = []
    pending, seen = [thing], set()
    while pending and len(found) < limit:
        current = pending.pop()
        if current.number not in seen:
            seen.add(current.number)
            found.append(current)
            pending += parts(current)
    return found
