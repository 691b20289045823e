"""Hand-written dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import Scope


@dataclass(frozen=True, slots=True)
class Change:
    """A span of the source and what could stand there instead."""

    span: Span
    text: str


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
    evaluation: Change | None = None
    """A tensor scaled by the probability to keep in the branch of evaluation, and the tensor alone."""
    division: Span | None = None
    """The division by one minus the rate, in a function that admits a rate of 1."""
    device: Change | None = None
    """Where the draw stays on the default device, the argument that takes it to the tensor's."""
    cast: Span | None = None
    """The mask's conversion to float32."""
    dtype: Change | None = None
    """Its last part, and one that converts to the tensor's type."""
    resampled: Change | None = None
    """The probability in the sampler, and one minus it."""
    rescaled: Change | None = None
    """Behind the product, the division by the probability to keep."""
    uniform: Change | None = None
    """The name of a normal draw, and that of the uniform one."""
    per_sample: Change | None = None
    """The shape of the mask, and one with a single entry for each sample."""
    wrap: Span | None = None
    """Whole lines from the draw to the use that an ``if`` on the mode can hold, as eval then changes nothing."""
    early: Change | None = None
    """The return of the tensor in eval, before the draw."""
    zero: Change | None = None
    """The return of zeros for a rate of 1, before the draw."""
