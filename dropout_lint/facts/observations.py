"""What a run of a model showed: one small class for each thing that can be measured.

Every observation has the place in the user's code that it belongs to, and the paths of the modules that it is about.
It states numbers and names, never a rule; the checks that read it are found by its class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import CodePlace
from dropout_lint.facts.bound import contradicts, same_factor
from dropout_lint.facts.sites import DropoutSite


@dataclass(frozen=True, slots=True)
class Remark:
    """A line about a run that is not a finding. ``kind`` is "checked", "not checked", "note" or "noise"."""

    kind: str
    text: str
    module: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """The base of all observations: ``modules`` are paths in the model, "" for the model itself."""

    place: CodePlace
    modules: tuple[str, ...]


# --- what a run proves about a call or a layer in the source


@dataclass(frozen=True, slots=True)
class RunSite(Observation):
    """A call in source, as ``site`` with the values that the run showed filled in.

    ``place.path`` is the file of the site.
    """

    site: DropoutSite


@dataclass(frozen=True, slots=True)
class CallLeftOn(RunSite):
    """A functional dropout, or an attention with a rate, that dropped in eval mode."""


@dataclass(frozen=True, slots=True)
class BuiltLayer(RunSite):
    """A layer of the model whose rate drops everything, or that has nothing to drop."""


# --- random numbers in eval mode


@dataclass(frozen=True, slots=True)
class EvalDraw(Observation):
    """An operator that drew random numbers in an eval forward pass."""

    name: str
    """The function as the user called it, else the operator."""
    origin: Literal["module", "attention", "function", "mask", "choice", "noise"]
    """What drew: a dropout module in train mode, attention with a rate, a dropout function; or what became of the
    numbers: a mask that is multiplied in, a choice of what runs, or neither."""
    class_name: str = ""
    """Of the dropout module."""
    home: Literal["registered", "container", "unregistered", "temporary", ""] = ""
    """Where the dropout module is kept; temporary for one that each forward pass builds anew."""
    mode: str | None = None
    """Source of the mode argument of the dropout function, "" if it is not passed, None if the source hides it."""
    probed_rate: float | None = None
    """The rate that replaced a configured 0 to show this."""


@dataclass(frozen=True, slots=True)
class UnlocatedDraws(Observation):
    """An eval forward pass drew random numbers, but its operators could not be followed."""

    generators: tuple[str, ...]
    error: str
    probed_rate: float | None = None


@dataclass(frozen=True, slots=True)
class PythonDraws(Observation):
    """An eval forward pass drew from generators of Python or NumPy, not of torch."""

    generators: tuple[str, ...]
    changes_answer: bool
    """Another seed gave another answer."""
    probed_rate: float | None = None


@dataclass(frozen=True, slots=True)
class SwitchedOffCall(Observation):
    """A dropout call with a rate that ran in eval mode and drew nothing."""


# --- train and eval mode


@dataclass(frozen=True, slots=True)
class ModeNotSet(Observation):
    """``train()`` or ``eval()`` of the model raised ``error``, or set no mode (``error`` is "")."""

    method: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class LeftInTrainMode(Observation):
    """``eval()`` left a module in train mode that computes differently by mode."""

    owner: str
    """Class of the innermost module around it with a ``train`` or ``eval`` of its own, else of its parent."""
    overridden: bool


@dataclass(frozen=True, slots=True)
class FrozenPartWoken(Observation):
    """``train()`` put a frozen part in train mode that was in eval mode before."""

    while_watched: bool = False
    """Seen during a real run, not in a probe right after construction."""


@dataclass(frozen=True, slots=True)
class ModesMixed(Observation):
    """The model ran with a module in the other mode."""

    class_name: str
    model_trains: bool


@dataclass(frozen=True, slots=True)
class ModesNotRestored(Observation):
    """A block of code left ``modules`` of a model in another mode than before."""

    model_class: str
    trains: bool
    """The mode of the first of them now."""


@dataclass(frozen=True, slots=True)
class EvaluatedInTrainMode(Observation):
    """Several inputs ran through the model in train mode, without gradients and without a step between."""


@dataclass(frozen=True, slots=True)
class TrainedInEvalMode(Observation):
    """The model was trained, put in eval mode, and trained on."""


# --- dropout modules


@dataclass(frozen=True, slots=True)
class ContainedDropout(Observation):
    """A dropout that the forward pass reaches and a plain Python container holds."""

    class_name: str


@dataclass(frozen=True, slots=True)
class RateChanged(Observation):
    """An eval forward pass changed a configured rate for the training after it."""

    attribute: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class UnreachedDropout(Observation):
    """A configured dropout that no forward pass in train mode calls."""

    class_name: str
    rate: float
    drops_paths: bool
    attention_line: int | None = None
    """Line of an attention call with a rate of 0, in the same module."""


@dataclass(frozen=True, slots=True)
class SingleLayerRnn(Observation):
    """A recurrent network of one layer with a rate for dropout between layers."""

    class_name: str
    rate: float


@dataclass(frozen=True, slots=True)
class NormAfterDropout(Observation):
    """A batch norm that a dropout feeds, with nothing between that changes the distribution."""

    class_name: str
    norm_class: str
    norm: str
    """Path of the batch norm."""
    ratio: float | None = None
    """Variance of its input without dropout, relative to that with; None for too few values."""


# --- masks, rates and scales


@dataclass(frozen=True, slots=True)
class MaskReading:
    """A mask, read from the output: dropped and all independent units, and the least and greatest factor of kept ones.

    ``shared`` are the dimensions along which one decision holds, batch first. ``blocks`` means that neighbours drop
    together, so that units are not independent and the rate cannot be tested.
    """

    dropped: int
    units: int
    shared: tuple[int, ...]
    low: float
    high: float
    blocks: bool = False

    @property
    def rate(self) -> float:
        """The observed share of dropped units."""
        return self.dropped / self.units if self.units else float("nan")

    @property
    def constant(self) -> bool:
        """Whether everything kept was scaled by one factor, to the precision of the type."""
        return self.high - self.low <= 1e-4 * max(abs(self.high), 1e-12)

    @property
    def scale(self) -> float:
        """The factor that kept values were scaled by."""
        return (self.low + self.high) / 2

    def contradicts(self, rate: float, alpha: float) -> bool:
        """Whether a dropout with ``rate`` would drop so many with a chance below ``alpha``."""
        return contradicts(self.dropped, self.units, rate, alpha)


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of an output, over independent units."""

    mean: float
    variance: float
    units: int


@dataclass(frozen=True, slots=True)
class ProbedDropout(Observation):
    """A dropout module alone: what it does to ones in train mode, and to normal numbers in eval mode.

    ``modules`` are all modules of the model that are configured alike.
    """

    class_name: str
    attribute: str
    """The attribute that configures the rate."""
    rate: float
    shape: tuple[int, ...]
    """Shape of the probed input."""
    mask: MaskReading | None
    """None if nothing was kept."""
    eval_factor: float | None
    """The one factor that it applies in eval mode: 1 for the identity, None if there is no single one."""
    draws_in_eval: bool
    alpha: float
    """Chance of a false alarm for the test of its rate."""
    drops_paths: bool = False
    """Its name is that of stochastic depth, which drops whole samples."""
    scaling_off: bool = False
    """It is configured not to scale what it keeps."""
    moments: Moments | None = None
    """For an alpha dropout, of its output on standard normal numbers."""
    fresh: bool = False
    """A new module of the class was built with this rate to probe it."""

    @property
    def splits_samples(self) -> bool:
        """Whether a dropout of paths decides within a sample."""
        if self.mask is None or not self.drops_paths or not self.mask.dropped:
            return False
        return any(d not in self.mask.shared for d in range(1, len(self.shape)) if self.shape[d] > 1)

    @property
    def plain_mask(self) -> MaskReading | None:
        """The mask, unless the module draws in eval mode, is an alpha dropout, or splits samples."""
        if self.draws_in_eval or self.moments is not None or self.splits_samples:
            return None
        return self.mask

    @property
    def tested(self) -> MaskReading | None:
        """The mask, if it can be tested against the configured rate."""
        mask = self.plain_mask
        if mask is None or mask.blocks or not 0 < self.rate < 1 or self.multiplies_noise:
            return None
        return mask

    @property
    def multiplies_noise(self) -> bool:
        """Whether it multiplies by noise: it zeroes nothing and scales by many factors."""
        return self.mask is not None and not self.mask.dropped and not self.mask.constant

    @property
    def drops_whole_parts(self) -> bool:
        """Whether it drops paths or tokens, or is configured not to scale, so that an unscaled mask may be meant."""
        shared = self.mask.shared if self.mask is not None else ()
        return self.drops_paths or len(self.shape) - 1 in shared or self.scaling_off

    @property
    def unscaled(self) -> bool:
        """Whether neither mode scales for what is dropped; the original dropout of 2012 scaled in eval mode."""
        mask = self.tested
        if mask is None or not mask.constant or not same_factor(mask.scale, 1):
            return False
        return self.eval_factor is None or not same_factor(self.eval_factor, 1 - self.rate)


@dataclass(frozen=True, slots=True)
class ForeignInput(Observation):
    """A dropout module on inputs of another device and of another type than the CPU's float32."""

    class_name: str
    mask_on_cpu: bool
    """It mixes a mask on the CPU with an input on another device."""
    bfloat16_gives: str = "bfloat16"
    """Type of its output for a bfloat16 input."""


@dataclass(frozen=True, slots=True)
class DropoutRaised(Observation):
    """A dropout raised in a train forward pass, because its mask does not fit the input."""

    class_name: str
    misfit: Literal["shape", "device or type"]
    error: str


@dataclass(frozen=True, slots=True)
class DropoutInModel(Observation):
    """One call of a dropout of torch's in the running model."""

    class_name: str
    rate: float
    dropped: int
    units: int
    shape: tuple[int, ...]
    """Shape of its input."""
    batch: int | None
    """The size of the batch that the model got, where all its inputs agree."""
    never_negative: bool
    """For an alpha dropout: the input has no negative value and many zeros."""
    alpha: float

    @property
    def rate_is_off(self) -> bool:
        """Whether the count contradicts the configured rate."""
        return contradicts(self.dropped, self.units, self.rate, self.alpha)


@dataclass(frozen=True, slots=True)
class AttentionRate(Observation):
    """Fused attention on a device, with values that make its mask visible; ``mask`` is None if it dropped all."""

    device: str
    rate: float
    mask: MaskReading | None
    alpha: float

    @property
    def rate_is_off(self) -> bool:
        """Whether the count contradicts the rate that was passed."""
        return self.mask is None or self.mask.contradicts(self.rate, self.alpha)


@dataclass(frozen=True, slots=True)
class AutocastScale(Observation):
    """The factor of what a dropout keeps under autocast to a type."""

    class_name: str
    dtype: str
    scale: float
    rate: float
