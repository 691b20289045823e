"""Run models with an engine and merge what it found, for ``trace``, ``validate`` and ``check``."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dropout_lint.cache.codec import decode
from dropout_lint.commands.shared.messages import note, warn
from dropout_lint.commands.shared.progress import ProgressBar
from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Diagnostic, Engine, Failure, Span
from dropout_lint.discovery.discovery import displayed
from dropout_lint.linting.merging import Findings, Refutation, of_one_model
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.models.isolation import Outcome, run
from dropout_lint.suppressions.matching import apply_suppressions, parse_suppressions
from dropout_lint.targets.target import ModelTarget

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The limits of each model, and how much to print."""

    timeout: float | None = None
    memory: int | None = None
    jobs: int = 1
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """The findings of the engine for one model, or a failure."""

    outcome: Outcome
    findings: ModelFindings | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class EngineRun:
    """The outcomes of one engine for some models."""

    engine: Engine
    models: tuple[CheckedModel, ...]

    @property
    def failures(self) -> list[Failure]:
        """The models that could not be checked."""
        return [model.failure for model in self.models if model.failure is not None]


def run_engine(
    engine: Engine, job: str, targets: Sequence[ModelTarget], options: Mapping[str, Any], run_options: RunOptions
) -> EngineRun:
    """Run a job on each model. Prints on stderr how each was run, and what was not checked."""
    models = []
    with ProgressBar(quiet=run_options.quiet) as progress:
        children = run(
            targets,
            job,
            options,
            timeout=run_options.timeout,
            memory=run_options.memory,
            jobs=run_options.jobs or _jobs(),
        )
        for outcome in children:
            models.append(_checked(outcome))
            progress(len(models), len(targets))
    for model in models:
        _describe(model, run_options)
    return EngineRun(engine, tuple(models))


def _checked(outcome: Outcome) -> CheckedModel:
    """Decode the findings of an outcome; a failure if they cannot be decoded."""
    if outcome.failure is not None:
        return CheckedModel(outcome, None, outcome.failure)
    try:
        return CheckedModel(outcome, decode(ModelFindings, outcome.result), None)
    except (TypeError, ValueError) as problem:
        reason = f"the answer cannot be read: {problem}; this is a bug in dropout-lint"
        return CheckedModel(outcome, None, Failure(outcome.target.label, reason, kind="model"))


def findings_of(runs: Sequence[EngineRun]) -> Findings:
    """Merge the findings of several engines for the same models."""
    by_model: dict[int, list[Diagnostic]] = {}
    refutations: list[Refutation] = []
    for one in runs:
        for number, model in enumerate(one.models):
            found = by_model.setdefault(number, [])
            if model.findings is not None:
                found += [_placed(item, one.engine, model.outcome.target) for item in model.findings.diagnostics]
                refutations += model.findings.refuted
    diagnostics = [item for found in by_model.values() for item in of_one_model(found)]
    return Findings(diagnostics, refutations, complete=not any(one.failures for one in runs))


def selected(
    findings: Findings, settings_for: Callable[[Path], Settings], *, besides: Collection[Path] = ()
) -> tuple[Diagnostic, ...]:
    """The findings of enabled rules that are sure enough and not suppressed, without those in the files ``besides``."""
    kept: list[Diagnostic] = []
    left_out = {os.path.realpath(path) for path in besides}
    for name in findings.paths:
        path = Path(name)
        if os.path.realpath(path) in left_out:
            continue
        settings = settings_for(path)
        enabled = settings.enabled_for(path)
        found = [item for item in findings.merged_with(name, ()) if item.code in enabled]
        kept += filter(settings.is_sure_enough, _unsuppressed(path, found))
    return tuple(sorted(kept, key=lambda item: item.sort_key))


def job_options(settings_for: Callable[[Path], Settings], targets: Sequence[ModelTarget]) -> dict[str, Any]:
    """The settings that an engine needs: the rules that are on anywhere, and the names of intended dropout."""
    of_roots = [settings_for(Path(root) / "_") for root in {"", *(target.root for target in targets)}]
    return {
        "codes": sorted(frozenset[str]().union(*(settings.enabled for settings in of_roots))),
        "mc_dropout_names": list(settings_for(Path("_")).mc_dropout_names),
    }


def _jobs() -> int:
    """Half as many models at a time as processors, because torch uses several threads."""
    return max(1, (os.cpu_count() or 1) // 2)


def _placed(item: Diagnostic, engine: Engine, target: ModelTarget) -> Diagnostic:
    """A finding with its path as reports show it; one without a file gets the label of the model.

    The model itself, whose path is "", is not listed among its modules.
    """
    item = replace(item, engines=(engine,), modules=tuple(filter(None, item.modules)))
    if not item.path or not Path(item.path).is_file():
        return replace(item, path=target.label, span=Span(1, 1, 1, 1))
    related = tuple(replace(other, path=str(displayed(Path(other.path)))) for other in item.related)
    return replace(item, path=str(displayed(Path(item.path))), related=related)


def _unsuppressed(path: Path, found: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    from dropout_lint.source.module.pragmas import pragma_ranges
    from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
    from dropout_lint.syntax.reading import read_source
    from dropout_lint.syntax.text import UnreadableSource

    try:
        text = read_source(path).text
        suppressions = parse_suppressions(text)
        ranges = pragma_ranges(text, parse(text)) if suppressions.mc_lines else ()
    except (UnreadableSource, NotParsed, SourceSyntaxError):
        return found
    return apply_suppressions(suppressions, found, str(path), frozenset(), ranges)


def _describe(model: CheckedModel, run_options: RunOptions) -> None:
    outcome, found = model.outcome, model.findings
    label = outcome.target.label
    if found is not None and not run_options.quiet:
        inputs = f"inputs {outcome.inputs_from}" if outcome.inputs_from else f"no inputs: {outcome.no_inputs}"
        how = f"seen by {found.how}, " if found.how else ""
        note(f"{label}: {how}{inputs}")
        hidden = found.not_checked
        if hidden:
            more = f"; and {len(hidden) - _SHOWN} more" if len(hidden) > _SHOWN and not run_options.verbose else ""
            warn(f"{label}: not checked: {'; '.join(hidden if run_options.verbose else hidden[:_SHOWN])}{more}")
        for one in found.remarks if run_options.verbose else ():
            if one.kind != "not checked":
                note(f"{label}: {one.kind}: {one.text}" + (f" (`{one.module}`)" if one.module else ""))
    if run_options.verbose and outcome.output.strip():
        note(f"{label} printed at its end:\n" + "".join(f"  {line}\n" for line in outcome.output.splitlines()[-20:]))
