"""Questions about a hand-written mask: whether it is dropout, and whether it is intended at test time."""

from __future__ import annotations

from pathlib import Path

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import MaskSite
from dropout_lint.vocabulary import CONDITION_WORDS, DROPOUT_MASK_WORDS, OTHER_MASK_WORDS, STOCHASTIC_DEPTH_WORDS, words


def is_named(site: MaskSite) -> bool:
    """Whether a name of the rate, the function or the class mentions dropout."""
    if site.words >= STOCHASTIC_DEPTH_WORDS:
        return True
    return any(word in DROPOUT_MASK_WORDS or "dropout" in word for word in site.words)


def is_dropout(site: MaskSite) -> bool:
    """Whether the mask is dropout: by its scale, by a name, or since a test of the mode guards it.

    A name of another kind of mask, such as ``noise`` or ``guidance``, rules that out.
    """
    if site.kind == "skip" and words(site.kept) & CONDITION_WORDS:
        return False
    return (
        site.scale in {"right", "complement"} or is_named(site) or site.guarded
    ) and not site.words & OTHER_MASK_WORDS


def is_intended(site: MaskSite, context: Context) -> bool:
    """Whether words or a name say that the noise is intended at test time, or it is data augmentation."""
    return bool(site.intent) or context.named_intent(site.scope) or _augments(site, context)


def _augments(site: MaskSite, context: Context) -> bool:
    """Whether a folder, class or function is named for data augmentation, which runs on training data only."""
    folders = Path(context.facts.path).parts[-3:]
    return any("augment" in name.lower() for name in (*folders, site.scope.class_name, site.scope.function))
