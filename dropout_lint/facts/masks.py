"""Hand-written dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import Scope


@dataclass(frozen=True, slots=True)
class MaskSite:
    """One hand-written random mask that is applied to a tensor, or that mixes two states (zoneout)."""

    kind: Literal["product", "index", "zoneout", "mask"]
    """A mask alone has a scale of its own and is applied somewhere else."""
    span: Span
    """The call that draws."""
    use: Span
    """Where the mask meets the tensor."""
    sampler: Literal["uniform", "normal", "bernoulli"]
    kept: str
    """The probability to keep a value, as it would be written; "" where it is not known."""
    scale: Literal["right", "none", "complement", "unknown"]
    """How the result is scaled: by one over the probability to keep, not at all, by the probability to drop."""
    compensated: bool
    """The class or function scales by the same probability somewhere else."""
    guarded: bool
    """A test of the train/eval mode decides about the draw, the use or the rate."""
    reached: bool
    """``forward`` of the class gets here, and no caller on the way asks for the mode."""
    calls: tuple[Span, ...]
    """For a helper outside of classes, calls by a ``forward`` of this file that do not ask for the mode."""
    callers: tuple[str, ...]
    """The classes of those calls."""
    words: frozenset[str]
    """Words of the identifiers of the rate, the function and the class."""
    shape: Literal["same", "vector", "other"]
    """The mask has the shape of the tensor; a vector where sizes were taken for values; anything else."""
    intent: str
    scope: Scope
    exchanged: bool = False
    """A zoneout that keeps the new state with the probability meant for the old one."""
    data: str = ""
    """The tensor that the mask is applied to, if it has a name."""
    scaled: Span | None = None
    """In the branch of evaluation, a tensor times the probability to keep."""
    scaled_data: Span | None = None
    """The tensor in it."""
    division: Span | None = None
    """The division by one minus the rate, in a function that admits a rate of 1."""
    creation: Span | None = None
    """Where the draw stays on the default device, the call that makes it."""
    device_of: str = ""
    """The tensor whose shape that call takes."""
    cast: Span | None = None
    """The mask's conversion to float32 by ``float()``, or the conversion of another form."""
    rate: Span | None = None
    """The probability in the sampler."""
    complement: str = ""
    """One minus it, as it would be written."""
    scalable: bool = False
    """The use is a product, which can be divided by the probability to keep."""
    uniform: str = ""
    """The name of the uniform draw that a normal one has a counterpart in."""
    sizes: Span | None = None
    """The shape of the mask, which is that of the tensor."""
    lines: Span | None = None
    """Whole statements from the draw to the use that an ``if`` on the mode can hold, as eval then changes nothing."""
    entry: Span | None = None
    """The statement before which the function can return, where it returns the masked tensor and nothing else."""
    rate_parameter: str = ""
    """The parameter that is the rate."""
    torch: str = ""
    """How the file names torch."""
