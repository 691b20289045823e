"""Convert frozen dataclasses to JSON and back. A dataclass becomes the list of its fields: ``Span(1, 2, 1, 5)`` is
``[1,2,1,5]``.

Every value comes back equal, which rules out msgspec: it writes infinity as null, refuses strings with lone
surrogates (both occur in Python source), and writes the names of all fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Decoder = Callable[[Any], Any]

_AS_IT_IS = (str, int, float, bool, NoneType)
_READERS: dict[type, Decoder] = {}
_GETTERS: dict[type, Decoder] = {}


def encode(value: object) -> str:
    """JSON of a value made of dataclasses, numbers, strings, tuples, frozensets, enums and dicts by string."""
    return _ENCODER.encode(value)


def decode(kind: type[T], text: str | bytes) -> T:
    """Build a ``kind`` from its JSON: a dataclass, or a type such as ``tuple[Span, ...]``.

    Raises ValueError if the JSON does not fit, TypeError for a type that JSON cannot represent.
    """
    return rebuild(kind, json.loads(text))


def rebuild(kind: type[T], value: object) -> T:
    """Build a ``kind`` from parsed JSON, whose lists are modified. Raises ValueError and TypeError as ``decode``."""
    read: Callable[[Any], T] | None = _decoder(kind)
    try:
        return cast("T", value) if read is None else read(value)
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
    """A function from the list of its fields to a dataclass."""
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

    _READERS[kind] = read  # before the fields, because a type may contain itself
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
    """A function from parsed JSON to a value of type ``hint``; None if both are the same."""
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
