"""What the checks of hand-written dropout have in common."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import MaskSite
from dropout_lint.vocabulary import DROPOUT_MASK_WORDS, OTHER_MASK_WORDS


def is_named(site: MaskSite) -> bool:
    """An identifier around the mask, or of its rate, speaks of dropout."""
    return any(word in DROPOUT_MASK_WORDS or "dropout" in word for word in site.words)


def is_dropout(site: MaskSite) -> bool:
    """The mask is dropout: it is scaled like one, a name says so, or training alone has it; and no name objects."""
    return (
        site.scale in {"right", "complement"} or is_named(site) or site.guarded
    ) and not site.words & OTHER_MASK_WORDS


def deliberate(site: MaskSite, context: Context) -> bool:
    """The source says that the noise is meant at test time."""
    return bool(site.intent) or context.named_intent(site.scope) or _augments(site, context)


def _augments(site: MaskSite, context: Context) -> bool:
    """Whether this is data augmentation, which runs on training data only and has no mode."""
    folders = Path(context.facts.path).parts[-3:]
    return any("augment" in name.lower() for name in (*folders, site.scope.class_name, site.scope.function))
