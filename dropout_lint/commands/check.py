"""``check``: discovers files, lints them, fixes or suppresses if asked to, reports, and returns an exit code."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.commands.combinations import refuse_contradictions
from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.linted import Linted, show_patches
from dropout_lint.commands.shared.messages import counted, note, show_failures, warn, write_report
from dropout_lint.commands.shared.options import CheckOptions
from dropout_lint.commands.shared.outputs import planned
from dropout_lint.commands.shared.progress import ProgressBar
from dropout_lint.commands.shared.reporting import reaches_fail_level, report
from dropout_lint.commands.show_settings import show_settings
from dropout_lint.commands.stdin import check_stdin
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.discovery.discovery import Discovery, discover
from dropout_lint.fixing.files import fix_files, without_unfixable

if TYPE_CHECKING:
    from dropout_lint.cache.folder import CacheFolder
    from dropout_lint.commands.with_models import ModelRuns
    from dropout_lint.linting.linter import Linter
    from dropout_lint.linting.stages import LintResult

_HERE = Path("_")


def run_check(options: CheckOptions) -> ExitCode:
    """Run ``check``. Raises click.UsageError, ConfigError and CannotWriteError."""
    if options.watch:
        from dropout_lint.commands.watch import watch

        return watch(options, run_check)
    started = time.monotonic()
    refuse_contradictions(options)
    resolver = SettingsResolver(options.overrides, config=options.config, isolated=options.isolated)
    settings = resolver(_HERE)
    outputs = planned(options.output_format, options.output_file, settings.output_format)
    if options.show_settings:
        first = next(iter(options.paths), Path())
        show_settings(resolver(first / _HERE if first.is_dir() else first))
        return ExitCode.CLEAN
    if options.reads_stdin:
        linted = check_stdin(options, resolver)
    else:
        paths = options.paths or (Path(),)
        found = discover(paths, resolver, force_exclude=options.force_exclude)
        if not found.files and not found.failures:
            warn(f"no Python files found under {', '.join(map(str, paths))}")
        if options.show_files:
            write_report("".join(f"{file}\n" for file in found.files), options.output_file, color=False)
            show_failures(found.failures)
            return ExitCode.FAILED if found.failures and not options.exit_zero else ExitCode.CLEAN
        linted = _check_files(options, resolver, found)
    if not options.quiet:
        for text in resolver.warnings:
            warn(text)
    if not options.diff and not options.add_noqa:
        linted = _new_only(options, resolver, linted)
        report(options, settings, linted, outputs)
    show_failures(linted.result.failures)
    if options.verbose:
        note(f"configuration: {', '.join(map(str, resolver.sources)) or 'no file, defaults hold'}")
        if unsure := len(linted.result.unsure):
            note(f"not reported: {counted(unsure, 'finding')} of lower confidence; see --confidence")
        note(f"checked {counted(linted.result.checked, 'file')} in {time.monotonic() - started:.2f} s")
    return ExitCode.CLEAN if options.exit_zero else _exit_code(options, resolver, linted)


def _run(linter: Linter, found: Discovery) -> LintResult:
    """Lint with the garbage collector off. It would spend seconds on the facts, during the run and at exit."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return linter.run(found.files)
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def _check_files(options: CheckOptions, resolver: SettingsResolver, found: Discovery) -> Linted:
    from dropout_lint.linting.linter import Linter

    runs = _model_runs(options, resolver) if options.with_models else None
    with ProgressBar(quiet=options.quiet) as progress:
        linter = Linter(
            resolver, options.jobs, progress, runs=runs.findings if runs else None, cache=_cache(options, resolver)
        )
        result = _run(linter, found)
    if runs is not None:
        result = runs.added_to(result, found.files, resolver)
    result = replace(
        result,
        diagnostics=tuple(without_unfixable(result.diagnostics, resolver)),
        failures=(*found.failures, *result.failures),
    )
    if options.add_noqa:
        from dropout_lint.commands.add_noqa import add_noqa

        return Linted(add_noqa(result, linter, options.add_noqa))
    if not options.fix and not options.diff:
        return Linted(result, files=found.files)
    run = fix_files(result, linter, resolver, write=not options.diff)
    if options.diff:
        show_patches(options, resolver, result, run)
    for item in run.rejected:
        warn(f"{item.path}:{item.span.line}: the fix of {item.code} would have broken the file and was left out")
    left = replace(run.result, diagnostics=tuple(without_unfixable(run.result.diagnostics, resolver)))
    return Linted(left, fixed=run.fixed, changed=bool(run.patches), files=found.files)


def _model_runs(options: CheckOptions, resolver: SettingsResolver) -> ModelRuns:
    from dropout_lint.commands.with_models import run_declared

    return run_declared(options, resolver)


def _new_only(options: CheckOptions, resolver: SettingsResolver, linted: Linted) -> Linted:
    """Remove findings that are in a baseline or on unchanged lines."""
    from dropout_lint.commands.baseline import without_known, write_baselines

    if options.write_baseline:
        return write_baselines(options, resolver, linted)
    linted = without_known(options, resolver, linted)
    if options.diff_base is None:
        return linted
    from dropout_lint.commands.diff_base import only_changed

    return only_changed(options.diff_base, linted)


def _cache(options: CheckOptions, resolver: SettingsResolver) -> CacheFolder | None:
    if options.no_cache:
        return None
    from dropout_lint.cache.folder import CacheFolder

    settings = resolver(_HERE)
    return CacheFolder(options.cache_dir or settings.root / settings.cache_dir)


def _exit_code(options: CheckOptions, resolver: SettingsResolver, linted: Linted) -> ExitCode:
    if linted.result.failures:
        return ExitCode.FAILED
    if options.add_noqa:
        return ExitCode.CLEAN
    if options.diff:
        return ExitCode.FINDINGS if linted.changed else ExitCode.CLEAN
    if options.exit_non_zero_on_fix and linted.fixed:
        return ExitCode.FINDINGS
    return ExitCode.FINDINGS if reaches_fail_level(linted.result, resolver) else ExitCode.CLEAN
