"""``check --with-models``: the declared models are traced and run, and their findings join those of the source."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from dropout_lint.commands import trace, validate
from dropout_lint.commands.shared.model_run import RunOptions, findings_of, job_options, run_engine, selected
from dropout_lint.commands.shared.model_targets import declared, require_torch
from dropout_lint.commands.shared.options import CheckOptions
from dropout_lint.config.resolver import Settings, SettingsResolver
from dropout_lint.diagnostic import Failure
from dropout_lint.linting.merging import Findings
from dropout_lint.linting.stages import LintResult


@dataclass(frozen=True, slots=True)
class ModelRuns:
    """What running the declared models found, and the models that could not be checked."""

    findings: Findings
    failures: tuple[Failure, ...]

    def added_to(
        self, result: LintResult, linted: Collection[Path], settings_for: Callable[[Path], Settings]
    ) -> LintResult:
        """A result of linting, which has the findings in the ``linted`` files already, with those in other files."""
        others = selected(self.findings, settings_for, besides=linted)
        diagnostics = tuple(sorted({*result.diagnostics, *others}, key=lambda item: item.sort_key))
        return replace(result, diagnostics=diagnostics, failures=(*result.failures, *self.failures))


def run_declared(options: CheckOptions, resolver: SettingsResolver) -> ModelRuns:
    """Run both engines over the models of the configuration. Raises click.ClickException when there is none."""
    targets = declared(resolver(Path("_")))
    require_torch()
    asked = RunOptions(jobs=options.jobs, quiet=options.quiet, verbose=options.verbose)
    settings = job_options(resolver, targets)
    runs = [
        run_engine("graph", trace.JOB, targets, {**settings, "fake": False}, asked),
        run_engine("runtime", validate.JOB, targets, {**settings, "device": "cpu"}, asked),
    ]
    failures = dict.fromkeys(failure for one in runs for failure in one.failures)
    return ModelRuns(findings_of(runs), tuple(failures))
