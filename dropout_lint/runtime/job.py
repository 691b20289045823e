"""The job of the command ``validate``, run by ``models/worker.py``: measure one model, and check the observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dropout_lint.cache.codec import encode
from dropout_lint.model_linting.model_findings import ModelFindings

if TYPE_CHECKING:
    from dropout_lint.models.load import LoadedModel
    from dropout_lint.runtime.report import Report


def validate(loaded: LoadedModel, options: Mapping[str, Any]) -> str:
    """Measure a model, and return its ModelFindings as JSON.

    ``options``: "device" ("cpu" unless given), "seed", "allow" (globs of modules that may be random), "units",
    "compile" and "html" (a file). Without inputs only the structure of the model is checked, and a remark says why.
    """
    report = _report(loaded, options)
    return encode(ModelFindings(tuple(report.diagnostics), tuple(report.refuted), tuple(report.observations)))


def _report(loaded: LoadedModel, options: Mapping[str, Any]) -> Report:
    from dropout_lint.runtime.checker import check, check_structure

    if not loaded.inputs_from:
        report = check_structure(loaded.model)
        why = loaded.no_inputs or "there are no inputs"
        report.remark("not checked", f"everything that needs a forward pass: {why}")
        return report
    return check(
        loaded.model,
        *loaded.args,
        device=options.get("device") or "cpu",
        seed=int(options.get("seed", 0)),
        allow=tuple(options.get("allow", ())),
        units=int(options.get("units", 4096)),
        compiled=bool(options.get("compile")),
        html=options.get("html"),
        **loaded.kwargs,
    )
