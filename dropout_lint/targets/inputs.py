"""Example inputs of a model as text: ``2,3,224,224``, ``i64:2,16<1000``, ``mask=bool:2,16``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dropout_lint.suggestions import nearest
from dropout_lint.targets.errors import TargetError

DTYPES = {
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "f64": "float64",
    "i64": "int64",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "u8": "uint8",
    "bool": "bool",
    "c64": "complex64",
    "c128": "complex128",
}
"""Short names of types, and torch's names; inputs may use both."""
INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8"})
DEFAULT_HIGH = 2
"""Bound of integers without one: they are usually indices, and 0 and 1 are valid in every useful table."""
_FORM = re.compile(
    r"(?:(?P<keyword>[^\W\d]\w*)\s*=\s*)?(?:(?P<dtype>\w+)\s*:)?\s*(?P<shape>[\d,\sx]*?)\s*(?:<\s*(?P<high>\d+))?"
)
_EXAMPLE = "write it as '2,3,224,224', 'i64:2,16<1000' or 'mask=bool:2,16'"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One tensor that ``forward`` takes. ``dtype`` is torch's name; integers are drawn from ``range(high)``."""

    dtype: str
    shape: tuple[int, ...]
    high: int | None = None
    keyword: str = ""
    """The parameter, if it is passed by keyword; "" if by position."""

    def __str__(self) -> str:
        short = next(text for text, name in DTYPES.items() if name == self.dtype)
        keyword = f"{self.keyword}=" if self.keyword else ""
        dtype = "" if short == "f32" and self.shape else f"{short}:"
        return f"{keyword}{dtype}{','.join(map(str, self.shape))}{'' if self.high is None else f'<{self.high}'}"


def parse(text: str) -> InputSpec:
    """Read ``[keyword=][dtype:]sizes[<high]``; without sizes it is a scalar. Raises TargetError."""
    match = _FORM.fullmatch(text.strip())
    if match is None or not (match["dtype"] or match["shape"]):
        raise TargetError(f"'{text}' is not an input: {_EXAMPLE}")
    dtype = DTYPES.get(match["dtype"] or "f32", match["dtype"])
    if dtype not in DTYPES.values():
        near = nearest(dtype.lower(), {name: name for pair in DTYPES.items() for name in pair})
        hint = f"did you mean '{near}'?" if near else f"types are {', '.join(DTYPES)}"
        raise TargetError(f"unknown type '{dtype}' in input '{text}'; {hint}")
    sizes = [size.strip() for size in re.split("[,x]", match["shape"])] if match["shape"] else []
    if not all(size.isdigit() for size in sizes):
        raise TargetError(f"'{text}' is not an input: {_EXAMPLE}")
    high = None if match["high"] is None else int(match["high"])
    if high is not None and (dtype not in INTEGERS or not high):
        raise TargetError(f"'<{high}' in input '{text}' is a bound for integers, and must be 1 or more")
    return InputSpec(dtype, tuple(map(int, sizes)), high, match["keyword"] or "")


def parse_all(texts: Sequence[str]) -> tuple[InputSpec, ...]:
    """Read several specifications. Raises TargetError for an invalid one, and for two with one keyword."""
    specs = tuple(map(parse, texts))
    keywords = [spec.keyword for spec in specs if spec.keyword]
    for keyword in keywords:
        if keywords.count(keyword) > 1:
            raise TargetError(f"two inputs are given for '{keyword}'")
    return specs
