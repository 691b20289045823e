"""What ``dropout-lint validate`` runs in the child process, on one loaded model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropout_lint.models.load import LoadedModel


def validate(loaded: LoadedModel, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check a model; the result has the keys "diagnostics", "observations", "tables" and "refuted", all plain values.

    ``options``: "device" ("cpu" unless given), "seed", "allow" (globs of modules whose noise is meant), "units",
    "compile" and "html" (a file). Without inputs only the structure of the model is looked at, and that is said.
    """
    from dropout_lint.runtime.checker import check, check_structure

    if not loaded.inputs_from:
        report = check_structure(loaded.model)
        report.say("not checked", f"everything that needs a forward pass: {loaded.no_inputs or 'there are no inputs'}")
        return report.as_dict()
    report = check(
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
    return report.as_dict()
