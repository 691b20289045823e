"""``check(model, *inputs)``: measure a model, and report what the rules find in the measurements."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dropout_lint.model_linting.run_findings import check_observations, refutations
from dropout_lint.observing.measurements import Measurements
from dropout_lint.observing.measuring import measure, measure_structure
from dropout_lint.observing.probing.probe import UNITS
from dropout_lint.runtime.report import Report


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

    Raises NoDeviceError for a device that does not exist. An exception in the model becomes a remark "not
    checked". Parameters are never changed; modes, buffers and random states are restored.
    """
    measured = measure(model, inputs, kwargs, device=device, seed=seed, allow=allow, units=units, compiled=compiled)
    report = _report(measured)
    if html is not None:
        from dropout_lint.runtime.page import write

        write(report, Path(html), type(model).__name__)
    return report


def check_structure(model: nn.Module) -> Report:
    """Check what needs no forward pass: whether the modes reach every module, and rates without effect."""
    return _report(measure_structure(model))


def _report(measured: Measurements) -> Report:
    observed = measured.observations
    return Report(check_observations(observed), measured.remarks, measured.tables, refutations(observed))
