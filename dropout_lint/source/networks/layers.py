"""What constructors build: layers, sequences of layers, and choices between them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from dropout_lint.facts import Given
from dropout_lint.source.names.scopes import Block

CONFIGURED = "configured-activation"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One constructed layer; ``kind`` is "" where its class is unknown.

    ``written`` is the expression that puts it into a container, ``whole`` that with its name or its statement.
    """

    kind: str
    call: ast.Call | None
    block: Block | None
    form: Literal["positional", "named", "list", "append", ""] = ""
    whole: ast.AST | None = None
    container: ast.AST | None = None
    written: ast.AST | None = None
    known: Env = field(default_factory=dict)
    """What was proven about the names around the constructor."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Something else than a layer: a constant, a class, a function."""

    given: Given


@dataclass(frozen=True, slots=True, eq=False)
class LayerSequence:
    """Layers in order; ``chained`` if they are applied one after the other, as nn.Sequential does."""

    items: tuple[Item, ...]
    chained: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of several sequences, by a test."""

    arms: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Layers added in a loop."""

    items: tuple[Item, ...]


Item = Layer | LayerSequence | Either | Repeated | Known
UNKNOWN = Layer("", None, None)
Env = dict[str, Item]


@dataclass(slots=True, eq=False)
class Locals:
    """What the names of a function stand for at one point, and attributes of its instance as ``self.x``."""

    block: Block
    items: Env
    depth: int
    """How many calls of helpers are still followed from here."""


class Followed(NamedTuple):
    """What running the body of a function gives."""

    end: Locals | None
    """None if it never returns."""
    returned: Item | None


def unrolled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The members of a list of layers, without regard to loops and choices."""
    found: list[Item] = []
    for item in items:
        if isinstance(item, Repeated):
            found += unrolled(item.items)
        elif isinstance(item, Either):
            found += [i for arm in item.arms for i in unrolled(arm)]
        else:
            found.append(item)
    return tuple(found)


def member(item: Item) -> Item:
    """What an index into a list of layers may give; unknown where its members are of several kinds.

    Which of them comes first is then for the index to say, and any order among them would be made up.
    """
    lists = [item] if isinstance(item, LayerSequence) else []
    if isinstance(item, Either):
        lists = [i for arm in item.arms for i in arm if isinstance(i, LayerSequence)]
    found = tuple((i,) for one in lists for i in unrolled(one.items))
    if len({i.kind if isinstance(i, Layer) else "" for (i,) in found}) > 1:
        return UNKNOWN
    return Either(found) if len(found) > 1 else found[0][0] if found else UNKNOWN


def placed(item: Item, form: str, whole: ast.AST, container: ast.AST, written: ast.AST) -> Item:
    """``item`` with its position in a container, for fixes."""
    if isinstance(item, Layer):
        return replace(item, form=form, whole=whole, container=container, written=written)  # type: ignore[arg-type]
    return item


def bare(item: Item) -> Item:
    """An item without its place in a container."""
    if isinstance(item, Layer) and item.form:
        return replace(item, form="", whole=None, container=None, written=None)
    return item


def parts(item: Item, number: int) -> list[Item] | None:
    """The members of a list or tuple with so many of them; None where that is not certain."""
    if not isinstance(item, LayerSequence) or len(item.items) != number:
        return None
    return None if any(isinstance(i, (Either, Repeated)) for i in item.items) else [bare(i) for i in item.items]


def either(items: list[Item]) -> Item:
    """One of several items, by a test; lists keep their common beginning."""
    first, *others = dict.fromkeys(items)
    if not others:
        return first
    if isinstance(first, LayerSequence) and all(
        isinstance(o, LayerSequence) and o.chained == first.chained for o in others
    ):
        merged = first.items
        for other in others:
            assert isinstance(other, LayerSequence)
            merged = merge(merged, other.items)
        return LayerSequence(merged, first.chained)
    return Either(tuple((item,) for item in (first, *others)))


def merge(one: tuple[Item, ...], other: tuple[Item, ...]) -> tuple[Item, ...]:
    """What two branches leave of a list: its common beginning, and a choice."""
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] is other[shared]:
        shared += 1
    arms = (one[shared:], other[shared:])
    return (*one[:shared], Either(arms)) if any(arms) else one


def sliced(item: Item, part: ast.Slice) -> Item:
    """Some layers of a sequence, where it is certain which."""
    if not isinstance(item, LayerSequence) or any(isinstance(i, (Either, Repeated)) for i in item.items):
        return UNKNOWN
    try:
        bounds = [ast.literal_eval(b) if b is not None else None for b in (part.lower, part.upper, part.step)]
        return LayerSequence(item.items[slice(*bounds)], item.chained)
    except (ValueError, TypeError):
        return UNKNOWN
