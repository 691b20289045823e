"""Run all passes and probes on a model, in this process and on one device, and restore the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import nn

from dropout_lint.observing import devices
from dropout_lint.observing.measurements import Measurements
from dropout_lint.observing.passes.eval_pass import observe_eval
from dropout_lint.observing.passes.modes import (
    observe_changed_rates,
    observe_contained,
    observe_frozen_parts,
    set_mode,
)
from dropout_lint.observing.passes.train_pass import observe_train
from dropout_lint.observing.passes.unused import observe_single_layers
from dropout_lint.observing.passes.variances import observe_variances
from dropout_lint.observing.recording.modules import configured_rates
from dropout_lint.observing.subject import Subject, restored


def measure(
    model: nn.Module,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    device: str | torch.device | None,
    seed: int,
    allow: Collection[str],
    units: int,
    compiled: bool,
) -> Measurements:
    """Measure dropout and the two modes of a model on the given inputs; the options are those of ``runtime.check``.

    Raises ``devices.NoDeviceError`` for a device that does not exist. An exception in the model becomes a remark "not
    checked". Parameters are never changed; modes, buffers and random states are restored.
    """
    where = devices.resolve(device) if device is not None else devices.of_model(model)
    log = Measurements()
    with devices.moved(model, where), restored(model):
        args, kwargs = devices.to_device((args, dict(kwargs)), where)
        subject = Subject(model, args, kwargs, where, log, seed, allow)
        _measure(subject, units)
        devices.observe_device(subject, compiled)
    return log


def measure_structure(model: nn.Module) -> Measurements:
    """Measure what needs no forward pass: whether the modes reach every module, and rates without effect."""
    log = Measurements()
    with restored(model):
        subject = Subject(model, (), {}, devices.of_model(model), log)
        set_mode(subject, training=True)
        observe_single_layers(subject)
        set_mode(subject, training=False)
    return log


def _measure(subject: Subject, units: int) -> None:
    model = subject.model
    modes = [(module, module.training) for module in model.modules()]
    observe_frozen_parts(subject)
    for module, mode in modes:
        module.training = mode
    set_mode(subject, training=True)
    before = configured_rates(model)
    called = observe_train(subject, units)
    scheduled = configured_rates(model) != before
    if subject.trains:
        subject.attempt("shift of variances", lambda: observe_variances(subject))
    set_mode(subject, training=False)
    observe_contained(subject, called)
    observe_eval(subject)
    set_mode(subject, training=True)
    if subject.trains and not scheduled:
        if configured_rates(model) != before:
            subject.forward()
        observe_changed_rates(subject, before)
