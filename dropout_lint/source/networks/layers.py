"""What constructors build, as abstract values: layers, sequences of layers, choices between them, and repetitions."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from dropout_lint.facts import Condition, Given
from dropout_lint.source.names.scopes import Block

CONFIGURED = "configured-activation"


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One constructed layer; ``kind`` is "" where its class is unknown.

    Where it is in a container, ``written`` is its expression there, ``whole`` the same with its name (``("drop",
    nn.Dropout())``) or its statement (``layers.append(...)``), and ``form`` how it got there.
    """

    kind: str
    call: ast.Call | None
    block: Block | None
    form: Literal["positional", "named", "list", "append", ""] = ""
    whole: ast.AST | None = None
    container: ast.AST | None = None
    written: ast.AST | None = None
    known: Env = field(default_factory=dict)
    """Values of names where the constructor is called."""
    assumed: tuple[Condition, ...] = ()
    """What the tests around the constructor say."""
    chosen_by: str = ""
    """The parameter of the constructor whose value is the class or function; ``kind`` is then that of its default."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A value that is no layer: a constant, a class, a function."""

    given: Given


@dataclass(frozen=True, slots=True, eq=False)
class LayerSequence:
    """Layers in order: a list, or an nn.Sequential. ``chained`` if it can be called, as nn.Sequential can."""

    items: tuple[Item, ...]
    chained: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """Alternatives that a test decides between; each is layers in order."""

    arms: tuple[tuple[Item, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Layers added in a loop, so any number of times."""

    items: tuple[Item, ...]


Item = Layer | LayerSequence | Either | Repeated | Known
UNKNOWN = Layer("", None, None)
Env = dict[str, Item]


@dataclass(slots=True, eq=False)
class Locals:
    """Values of the names of a function at one point; attributes of its instance have the key ``self.x``."""

    block: Block
    items: Env
    depth: int
    """The number of nested helper calls that may still be followed."""
    assumed: tuple[Condition, ...] = ()
    """What the tests say that lead here."""


class Followed(NamedTuple):
    """The result of running the body of a function."""

    end: Locals | None
    """The values at its end; None if it never returns."""
    returned: Item | None


def unrolled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The members of a list of layers; those of loops and choices are taken as if each was there once."""
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
    """The value of ``layers[i]`` with an unknown index: one of the members; unknown if their kinds differ.

    With different kinds, the graph would show an order that depends on the index.
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
    """``item`` without its position in a container."""
    if isinstance(item, Layer) and item.form:
        return replace(item, form="", whole=None, container=None, written=None)
    return item


def parts(item: Item, number: int) -> list[Item] | None:
    """The members of a sequence of exactly ``number`` items, for unpacking; None if the number is not certain."""
    if not isinstance(item, LayerSequence) or len(item.items) != number:
        return None
    return None if any(isinstance(i, (Either, Repeated)) for i in item.items) else [bare(i) for i in item.items]


def either(items: list[Item]) -> Item:
    """The join of the values of a name after several branches; lists keep their common prefix."""
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
    """The join of two lists: their common prefix, and a choice between the rests."""
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] is other[shared]:
        shared += 1
    arms = (one[shared:], other[shared:])
    return (*one[:shared], Either(arms)) if any(arms) else one


def sliced(item: Item, part: ast.Slice) -> Item:
    """The value of ``layers[a:b]``; unknown if the bounds are not literal or the members not certain."""
    if not isinstance(item, LayerSequence) or any(isinstance(i, (Either, Repeated)) for i in item.items):
        return UNKNOWN
    try:
        bounds = [ast.literal_eval(b) if b is not None else None for b in (part.lower, part.upper, part.step)]
        return LayerSequence(item.items[slice(*bounds)], item.chained)
    except (ValueError, TypeError):
        return UNKNOWN
