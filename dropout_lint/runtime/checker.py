"""``check(model, *inputs)``: every measurement in this process, on one device, with the model left as it was."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dropout_lint.runtime import devices
from dropout_lint.runtime.eval_checks import check_eval
from dropout_lint.runtime.mode_checks import check_frozen_parts, check_rates_return, check_unregistered, set_mode
from dropout_lint.runtime.modules import configured_rates
from dropout_lint.runtime.probe import UNITS
from dropout_lint.runtime.report import Report
from dropout_lint.runtime.shift import check_shift
from dropout_lint.runtime.subject import Subject, untouched
from dropout_lint.runtime.train_checks import check_train
from dropout_lint.runtime.unused import check_single_layer


def check(
    model: nn.Module,
    *inputs: Any,
    device: str | torch.device | None = None,
    seed: int = 0,
    allow: Collection[str] = (),
    units: int = UNITS,
    compiled: bool = False,
    html: str | Path | None = None,
    **kwargs: Any,
) -> Report:
    """Measure whether dropout and the two modes of ``model`` do what they should; the report is true if they do.

    ``inputs`` and other keywords are passed to the model. ``device`` moves model and inputs, and back; without it the
    model stays where it is. ``allow`` names modules or classes, as globs, whose noise in eval mode is meant. ``units``
    is the least number of independent drops per rate. ``compiled`` adds ``torch.compile``. ``html`` writes a page.

    Raises ``devices.NoDeviceError`` for a device that is not there. An error of the model's own becomes an observation
    "not checked". Parameters are never changed; modes, buffers and random states are restored.
    """
    where = devices.resolve(device) if device is not None else devices.of_model(model)
    report = Report()
    with devices.moved(model, where), untouched(model):
        args, named = devices.to_device((inputs, kwargs), where)
        subject = Subject(model, args, named, where, report, seed, allow)
        _check(subject, units)
        devices.check_device(subject, compiled)
    if html is not None:
        from dropout_lint.runtime.page import write

        write(report, Path(html), type(model).__name__)
    return report


def check_structure(model: nn.Module) -> Report:
    """What can be said without a forward pass: whether the modes reach every module, and rates without effect."""
    report = Report()
    with untouched(model):
        subject = Subject(model, (), {}, devices.of_model(model), report)
        set_mode(subject, training=True)
        check_single_layer(subject)
        set_mode(subject, training=False)
    return report


def _check(subject: Subject, units: int) -> None:
    model = subject.model
    modes = [(module, module.training) for module in model.modules()]
    check_frozen_parts(subject)
    for module, mode in modes:
        module.training = mode
    set_mode(subject, training=True)
    before = configured_rates(model)
    called = check_train(subject, units)
    scheduled = configured_rates(model) != before
    if subject.trains:
        subject.attempt("shift of variances", lambda: check_shift(subject))
    set_mode(subject, training=False)
    check_unregistered(subject, called)
    check_eval(subject)
    set_mode(subject, training=True)
    if subject.trains and not scheduled:
        if configured_rates(model) != before:
            subject.forward()
        check_rates_return(subject, before)
