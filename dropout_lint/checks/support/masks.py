"""What the checks of hand-written dropout have in common."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import MaskSite

_DROPOUT = {
    "drop",
    "dropout",
    "dropped",
    "droprate",
    "dropprob",
    "droppath",
    "keep",
    "zoneout",
    "kprob",
    "surviv",
    "survival",
}
# fmt: off
_OTHER_MASKS = {
    "cond", "uncond", "unconditional", "guidance", "cfg", "noise", "noisy", "corrupt", "corruption", "augment",
    "augmentation", "aug", "specaug", "perturb", "mlm", "mae", "epsilon", "eps", "explore", "mixup", "cutmix",
    "sampler", "gibbs", "rbm", "vq", "codebook", "labels", "spike", "spikes", "spiking",
}
# fmt: on


def is_named(site: MaskSite) -> bool:
    """An identifier around the mask, or of its rate, speaks of dropout."""
    return any(word in _DROPOUT or "dropout" in word for word in site.words)


def is_dropout(site: MaskSite) -> bool:
    """The mask is dropout: it is scaled like one, a name says so, or training alone has it; and no name objects."""
    return (site.scale in {"right", "complement"} or is_named(site) or site.guarded) and not site.words & _OTHER_MASKS


def deliberate(site: MaskSite, context: Context) -> bool:
    """The source says that the noise is meant at test time."""
    return bool(site.intent) or context.named_intent(site.scope) or _augments(site, context)


def _augments(site: MaskSite, context: Context) -> bool:
    """Whether this is data augmentation, which runs on training data only and has no mode."""
    folders = Path(context.facts.path).parts[-3:]
    return any("augment" in name.lower() for name in (*folders, site.scope.class_name, site.scope.function))
