"""What ``trace`` and ``validate`` share: find the models, run them, report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.linted import Linted
from dropout_lint.commands.shared.messages import counted, note, show_failures, warn
from dropout_lint.commands.shared.model_options import ModelOptions
from dropout_lint.commands.shared.model_run import (
    EngineRun,
    RunOptions,
    findings_of,
    job_options,
    run_engine,
    selected,
)
from dropout_lint.commands.shared.model_targets import Targets, require_torch, targets_of
from dropout_lint.commands.shared.outputs import planned
from dropout_lint.commands.shared.reporting import reaches_fail_level, report
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.diagnostic import Engine
from dropout_lint.linting.stages import LintResult

_HERE = Path("_")


class ModelCommand:
    """One command line, resolved. Raises click.ClickException and ConfigError where nothing can run."""

    def __init__(self, options: ModelOptions) -> None:
        if options.isolated and options.config:
            raise click.UsageError("--isolated and --config exclude each other.")
        self._started = time.monotonic()
        self._options = options
        self._resolver = SettingsResolver(options.overrides, config=options.config, isolated=options.isolated)
        self._settings = self._resolver(_HERE)
        self._outputs = planned(options.output_format, options.output_file, self._settings.output_format)
        self._targets: Targets = targets_of(options, self._settings, self._resolver)
        self._asked = RunOptions(
            timeout=options.timeout,
            memory=options.memory,
            jobs=options.jobs,
            quiet=options.quiet,
            verbose=options.verbose,
        )
        require_torch()

    @property
    def output_format(self) -> str:
        """The output format on the terminal."""
        return self._outputs[0].format

    def require_one_model(self, option: str) -> None:
        """Raises click.UsageError if several models would write to the file of one option."""
        number = len(self._targets.named) + len(self._targets.found)
        if number != 1:
            raise click.UsageError(f"{option} takes one model, and {number} are to be checked.")

    def run(self, engine: Engine, job: str, options: Mapping[str, Any]) -> EngineRun:
        """Run the models. A model that --discover found may fail: that is printed, and is no failure of the run."""
        named, found = self._targets.named, self._targets.found
        options = {**job_options(self._resolver, (*named, *found)), **options}
        done = run_engine(engine, job, named, options, self._asked)
        if not found:
            return done
        tried = run_engine(engine, job, found, options, self._asked)
        failed = tried.failures
        if not self._options.quiet:
            note(f"Tried {counted(len(found), 'module')} without arguments; {len(failed)} could not be checked.")
        if self._options.verbose:
            for failure in failed:
                note(f"  {failure.path}: {failure.reason}")
        checked = (model for model in tried.models if model.failure is None)
        return replace(done, models=(*done.models, *checked))

    def conclude(self, done: EngineRun) -> ExitCode:
        """Report the findings. Raises CannotWriteError."""
        diagnostics = selected(findings_of([done]), self._resolver)
        result = LintResult(diagnostics, tuple(done.failures), len(done.models))
        for text in self._resolver.warnings if not self._options.quiet else ():
            warn(text)
        hidden = sum(len(model.findings.not_checked) for model in done.models if model.findings is not None)
        report(self._options, self._settings, Linted(result, not_checked=hidden), self._outputs)
        show_failures(result.failures)
        if self._options.verbose:
            note(f"checked {counted(result.checked, 'model')} in {time.monotonic() - self._started:.1f} s")
        if self._options.exit_zero:
            return ExitCode.CLEAN
        if result.failures:
            return ExitCode.FAILED
        return ExitCode.FINDINGS if reaches_fail_level(result, self._resolver) else ExitCode.CLEAN
