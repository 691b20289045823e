"""What the behaviour of a dropout on its own says about it; exact where there is an exact test."""

from __future__ import annotations

import math

import torch

from dropout_lint.runtime import bound
from dropout_lint.runtime.masks import Mask
from dropout_lint.runtime.probe import Probed, accepts, place_of
from dropout_lint.runtime.report import Report

_CLOSE = 2e-4
_CHANNELS = {"Dropout1d", "Dropout2d", "Dropout3d"}


def judge(probed: Probed, report: Report, modules: tuple[str, ...], alpha: float) -> None:
    """Report what a probe proves: ``alpha`` is the chance of a false alarm for its one test of a rate."""
    leaf, mask = probed.leaf, probed.mask
    place, p = place_of(leaf), leaf.rate
    how = f" (in a {leaf.kind} built with {leaf.attribute}={p:g} to probe)" if probed.fresh else ""
    if probed.draws_in_eval:
        report.find("DRP501", place, f"{leaf.kind} is random in eval mode too: nothing asks for the mode{how}", modules)
        return
    if probed.moments is not None:
        _alpha_dropout(probed, report, modules)
        return
    if mask is None:
        if 0 < p < 1:
            report.say(
                "not checked", f"{leaf.kind}: nothing was kept, so neither rate nor scale can be read", modules[0]
            )
        return
    if leaf.drops_paths and _varies_inside(probed, mask):
        report.find(
            "DRP508",
            place,
            f"{leaf.kind} drops single values or features, not whole samples of the batch{how}",
            modules,
        )
        return
    if (
        leaf.kind in _CHANNELS
        and len(probed.shape) > 2
        and any(d not in mask.shared for d in range(2, len(probed.shape)))
    ):
        report.find("DRP308", place, f"{leaf.kind} does not drop whole channels{how}", modules)
    if mask.blocks:
        text = f"{leaf.kind} drops neighbours together: its rate was not tested, its scale is the block's"
        report.say("not checked", text, modules[0])
        return
    if not 0 < p < 1:
        return
    if mask.dropped == 0 and not mask.constant:
        report.say("not checked", f"{leaf.kind} multiplies noise in, and has no mask to test", modules[0])
        return
    rate_is_off = bound.contradicts(mask.dropped, mask.units, p, alpha)
    _rate_and_scale(probed, mask, rate_is_off, report, modules, alpha, how)


def _varies_inside(probed: Probed, mask: Mask) -> bool:
    inside = (dim for dim in range(1, len(probed.shape)) if probed.shape[dim] > 1)
    return mask.dropped > 0 and any(dim not in mask.shared for dim in inside)


def _rate_and_scale(
    probed: Probed, mask: Mask, rate_is_off: bool, report: Report, modules: tuple[str, ...], alpha: float, how: str
) -> None:
    leaf, p, scale = probed.leaf, probed.leaf.rate, mask.scale
    place = place_of(leaf)
    seen = f"drops {mask.rate:.4f} of {mask.units} units, {leaf.attribute} is {p:g}"
    right = mask.constant and _is(scale, 1 / (1 - p))
    swapped = rate_is_off and not bound.contradicts(mask.dropped, mask.units, 1 - p, alpha)
    if not mask.constant:
        report.say("not checked", f"{leaf.kind}: what is kept is not scaled by one number", modules[0])
    elif swapped and right:
        report.find(
            "DRP503", place, f"{leaf.kind} keeps where it should drop: it {seen}, and divides by 1 - p{how}", modules
        )
        return
    elif swapped and _is(scale, 1 / p):
        report.find("DRP401", place, f"{leaf.kind} takes its rate as the share to keep: it {seen}{how}", modules)
        return
    elif probed.factor is not None and _is(probed.factor, 1 - p) and right:
        report.find(
            "DRP504", place, f"{leaf.kind} scales by 1 / (1 - p) in training and by 1 - p in eval mode{how}", modules
        )
    elif _is(scale, 1):
        _unscaled(probed, mask, report, modules, how)
    elif rate_is_off and right:
        report.find("DRP503", place, f"{leaf.kind} {seen}, but what it keeps is divided by 1 - {p:g}{how}", modules)
        return
    elif not right and not bound.contradicts(mask.dropped, mask.units, 1 - 1 / scale, alpha):
        text = (
            f"{leaf.kind} drops at a rate of {1 - 1 / scale:.4f} and scales for it, but {leaf.attribute} is {p:g}{how}"
        )
        report.find("DRP590", place, text, modules)
        return
    elif not right and not rate_is_off:
        text = f"{leaf.kind} scales what it keeps by {scale:.4f}, which is {1 / (1 - p):.4f} at a rate of {p:g}{how}"
        report.find("DRP503", place, text, modules)
    if rate_is_off:
        report.find("DRP590", place, f"{leaf.kind} {seen}{how}", modules)


def _unscaled(probed: Probed, mask: Mask, report: Report, modules: tuple[str, ...], how: str) -> None:
    leaf = probed.leaf
    if probed.factor is not None and _is(probed.factor, 1 - leaf.rate):
        return  # the form of 2012: scaled in eval mode instead
    last = len(probed.shape) - 1
    if leaf.drops_paths or last in mask.shared or getattr(leaf.module, "scale_by_keep", None) is False:
        report.say("note", f"{leaf.kind} drops whole paths or tokens and does not scale the rest", modules[0])
        return
    text = (
        f"{leaf.kind} does not scale what it keeps, in training or in eval mode, so the mean changes by {leaf.rate:g}"
    )
    report.find("DRP502", place_of(leaf), text + how, modules)


def _alpha_dropout(probed: Probed, report: Report, modules: tuple[str, ...]) -> None:
    assert probed.moments is not None
    mean, variance, units = probed.moments
    if max(abs(mean), abs(variance - 1) / 3) > 7 / math.sqrt(units):
        text = f"{probed.leaf.kind} turns mean 0 and variance 1 into {mean:.3f} and {variance:.3f}"
        report.find("DRP503", place_of(probed.leaf), text, modules)


def _is(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=_CLOSE)


def judge_types(probed: Probed, report: Report, modules: tuple[str, ...]) -> None:
    """Report a leaf whose mask is made on the CPU whatever the input's device, or whose output type differs.

    The "meta" device stands for any other device: mixing it with a real tensor raises as two real devices do.
    """
    leaf, place = probed.leaf, place_of(probed.leaf)
    on_meta = accepts(leaf, torch.float32, torch.device("meta"), probed.shape)
    if isinstance(on_meta, str) and _mixes_devices(on_meta):
        report.find("DRP506", place, f"{leaf.kind} makes its mask on the CPU whatever the device of its input", modules)
    got = accepts(leaf, torch.bfloat16, torch.device("cpu"), probed.shape)
    if isinstance(got, torch.dtype) and got is not torch.bfloat16:
        name = str(got).removeprefix("torch.")
        report.find(
            "DRP506", place, f"{leaf.kind} turns bfloat16 into {name}, since its mask has another type", modules
        )


def _mixes_devices(error: str) -> bool:
    text = error.lower()
    return "same device" in text or "expected device" in text or ("meta" in text and "cpu" in text and "device" in text)
