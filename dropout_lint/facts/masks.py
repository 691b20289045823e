"""Facts about hand-written dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import Polarity, Scope


@dataclass(frozen=True, slots=True)
class MaskSite:
    """One hand-written random mask: it is applied to a tensor, mixes two states (zoneout) or decides a branch."""

    kind: Literal["product", "index", "zoneout", "mask", "skip", "mix"]
    """How it is applied.

    A "mix" takes each value from one of two tensors, as ``where(mask, f(x), x)``. A "mask" alone is scaled where it is
    made, and applied somewhere else. A "skip" is one random number, which decides a branch.
    """
    span: Span
    """The call that draws."""
    use: Span
    """Where the mask meets the tensor."""
    sampler: Literal["uniform", "normal", "bernoulli"]
    kept: str
    """The probability to keep a value, as source: ``1 - p``; "" if unknown."""
    scale: Literal["right", "none", "complement", "unknown"]
    """How the result is scaled: by 1 / keep ("right"), not at all, or by 1 / drop ("complement")."""
    compensated: bool
    """The class or function scales by the same probability at another place."""
    guarded: bool
    """A test of the train/eval mode decides about the draw, the use or the rate."""
    reached: bool
    """``forward`` of the class gets here, and no caller on the way asks for the mode."""
    calls: tuple[Span, ...]
    """For a helper outside of classes, or an autograd function, calls by a ``forward`` of this file that do not ask for
    the mode."""
    callers: tuple[str, ...]
    """The classes of those calls; for a helper that is guarded, of all its calls in this file."""
    words: frozenset[str]
    """Words of the identifiers of the rate, the function and the class."""
    shape: Literal["same", "vector", "sample", "other"]
    """The mask has the shape of the tensor; a vector where sizes were taken for values; one value for each sample;
    anything else."""
    intent: str
    """Words that declare dropout at test time, "" if none."""
    scope: Scope
    unreached: bool = False
    """The function scales in eval mode instead, and is called in train mode only."""
    exchanged: bool = False
    """A zoneout that keeps the new state with the probability meant for the old one; a layer that is skipped with the
    probability to keep it."""
    rate_polarity: Polarity = ""
    """For a layer that is skipped: what its rate is the probability of."""
    data: str = ""
    """The tensor that the mask is applied to, if it has a name."""
    scaled: Span | None = None
    """For evaluation: a tensor that is scaled by the probability to keep."""
    scaled_data: Span | None = None
    """The tensor in ``scaled``."""
    division: Span | None = None
    """The division by one minus the rate, in a function that admits a rate of 1."""
    creation: Span | None = None
    """The call that creates the draw, if it stays on the default device."""
    device_of: str = ""
    """The tensor whose shape ``creation`` takes."""
    cast: Span | None = None
    """The conversion of the mask that changes its type, such as ``.float()``."""
    rate: Span | None = None
    """The probability in the sampler."""
    complement: str = ""
    """One minus ``rate``, as source."""
    scalable: bool = False
    """The use is a product, which can be divided by the probability to keep."""
    uniform: str = ""
    """For a normal draw: the name of the uniform draw to use instead."""
    sizes: Span | None = None
    """The argument that gives the mask the shape of the tensor."""
    lines: Span | None = None
    """The statements from the draw to the use, if they can move under ``if self.training`` without harm."""
    entry: Span | None = None
    """The statement before which the function can return its input, if it returns nothing but the masked tensor."""
    rate_parameter: str = ""
    """The parameter that is the rate."""
    torch: str = ""
    """The name of torch in the file."""
