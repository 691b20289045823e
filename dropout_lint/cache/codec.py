"""Frozen dataclasses to JSON and back, for any of them: a dataclass is the list of its fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Decoder = Callable[[Any], Any]

_AS_IT_IS = (str, int, float, bool, NoneType)
_READERS: dict[type, Decoder] = {}
_GETTERS: dict[type, Decoder] = {}


def encode(value: object) -> str:
    """JSON of a dataclass that holds nothing but numbers, texts, tuples, frozensets, dicts and other dataclasses."""
    return _ENCODER.encode(value)


def decode(kind: type[T], text: str | bytes) -> T:
    """A dataclass from its JSON. Raises ValueError for JSON of something else, TypeError for a type without JSON."""
    return rebuild(kind, json.loads(text))


def rebuild(kind: type[T], value: object) -> T:
    """A dataclass from what its JSON says, which is used up. Raises ValueError and TypeError as ``decode``."""
    read: Callable[[Any], T] = _reader(kind)
    try:
        return read(value)
    except (TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from None


def _getter(kind: type) -> Callable[[Any], Any]:
    names = [item.name for item in fields(kind)]
    return attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, name) for name in names]


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    kind = type(value)
    if kind not in _GETTERS:
        _GETTERS[kind] = _getter(kind)
    return _GETTERS[kind](value)


_ENCODER = json.JSONEncoder(default=_plain, check_circular=False, separators=(",", ":"))


def _reader(kind: type) -> Decoder:
    """What makes a dataclass of the list of its fields. Raises TypeError for a field whose type JSON does not tell."""
    if kind in _READERS:
        return _READERS[kind]
    converted: list[tuple[int, Decoder]] = []
    size = len(fields(kind))

    def read(value: Any) -> Any:
        if len(value) != size:
            raise TypeError(f"{kind.__name__} has {size} fields")
        for index, decoder in converted:
            value[index] = decoder(value[index])
        return kind(*value)

    _READERS[kind] = read  # before its fields are looked at: trees hold themselves
    try:
        hints = get_type_hints(kind)
        for index, item in enumerate(fields(kind)):
            decoder = _decoder(hints[item.name])
            if decoder is not None:
                converted.append((index, decoder))
    except BaseException:
        del _READERS[kind]
        raise
    return read


def _decoder(hint: Any) -> Decoder | None:
    """What turns JSON into a value of the annotated type, None if nothing has to be done."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _AS_IT_IS or origin is Literal:
        return None
    if isinstance(hint, type) and origin is None and (is_dataclass(hint) or issubclass(hint, Enum)):
        return _reader(hint) if is_dataclass(hint) else hint
    below = [_decoder(argument) for argument in arguments if argument is not Ellipsis]
    if origin in (Union, UnionType):
        return _optional(hint, below)
    if origin is tuple and arguments[1:] != (Ellipsis,):
        return lambda value: tuple(v if d is None else d(v) for v, d in zip(value, below, strict=True))
    if origin in (tuple, frozenset):
        first = below[0]
        return origin if first is None else lambda value: origin(map(first, value))
    if isinstance(origin, type) and issubclass(origin, Mapping) and arguments[0] is str:
        values = below[1]
        return None if values is None else lambda value: {k: values(v) for k, v in value.items()}
    raise TypeError(f"{hint} cannot be read back from JSON")


def _optional(hint: Any, below: list[Decoder | None]) -> Decoder | None:
    known = [decoder for decoder in below if decoder is not None]
    if not known:
        return None
    if len(below) > 2 or NoneType not in get_args(hint):
        raise TypeError(f"{hint} cannot be read back from JSON: which of them is it?")
    return lambda value: None if value is None else known[0](value)
