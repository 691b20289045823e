"""Runs models with an engine and collects its findings, for ``trace``, ``validate`` and ``check``."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dropout_lint.commands.shared.messages import note, warn
from dropout_lint.commands.shared.progress import ProgressBar
from dropout_lint.config.resolver import Settings
from dropout_lint.diagnostic import Diagnostic, Engine, Failure, Span
from dropout_lint.discovery.discovery import displayed
from dropout_lint.linting.merging import Findings, Refutation, of_one_model
from dropout_lint.models.codec import decode
from dropout_lint.models.isolation import Outcome, run
from dropout_lint.suppressions.matching import apply_suppressions, parse_suppressions
from dropout_lint.targets.target import ModelTarget

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Limits for each model, and what to print meanwhile."""

    timeout: float | None = None
    memory: int | None = None
    jobs: int = 1
    quiet: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class EngineRun:
    """The outcomes of one engine for some models."""

    engine: Engine
    outcomes: tuple[Outcome, ...]

    @property
    def failures(self) -> list[Failure]:
        """The models that could not be checked."""
        return [outcome.failure for outcome in self.outcomes if outcome.failure is not None]


def run_engine(
    engine: Engine, job: str, targets: Sequence[ModelTarget], options: Mapping[str, Any], asked: RunOptions
) -> EngineRun:
    """Run a job on each model; print on stderr how each was traced, and what was not checked."""
    outcomes = []
    with ProgressBar(quiet=asked.quiet) as progress:
        children = run(targets, job, options, timeout=asked.timeout, memory=asked.memory, jobs=asked.jobs or _jobs())
        for outcome in children:
            outcomes.append(_well_formed(outcome))
            progress(len(outcomes), len(targets))
    for outcome in outcomes:
        _describe(outcome, asked)
    return EngineRun(engine, tuple(outcomes))


def findings_of(runs: Sequence[EngineRun]) -> Findings:
    """Merge the findings of several engines for the same models."""
    by_model: dict[int, list[Diagnostic]] = {}
    refutations: list[Refutation] = []
    for one in runs:
        for number, outcome in enumerate(one.outcomes):
            found, result = by_model.setdefault(number, []), outcome.result or {}
            found += [_placed(fields, one.engine, outcome.target) for fields in result.get("diagnostics", ())]
            refutations += [_refutation(fields) for fields in result.get("refuted", ())]
    diagnostics = [item for found in by_model.values() for item in of_one_model(found)]
    return Findings(diagnostics, refutations, complete=not any(one.failures for one in runs))


def selected(
    findings: Findings, settings_for: Callable[[Path], Settings], *, besides: Collection[Path] = ()
) -> tuple[Diagnostic, ...]:
    """The findings that are enabled and not suppressed in their files, without ``besides``."""
    kept: list[Diagnostic] = []
    left_out = {os.path.realpath(path) for path in besides}
    for name in findings.paths:
        path = Path(name)
        if os.path.realpath(path) in left_out:
            continue
        enabled = settings_for(path).enabled_for(path)
        found = [item for item in findings.joined(name, ()) if item.code in enabled]
        kept += _unsuppressed(path, found)
    return tuple(sorted(kept, key=lambda item: item.sort_key))


def job_options(settings_for: Callable[[Path], Settings], targets: Sequence[ModelTarget]) -> dict[str, Any]:
    """The settings that an engine gets: all enabled rules, and the names of deliberate dropout."""
    of_roots = [settings_for(Path(root) / "_") for root in {"", *(target.root for target in targets)}]
    return {
        "codes": sorted(frozenset[str]().union(*(settings.enabled for settings in of_roots))),
        "mc_dropout_names": list(settings_for(Path("_")).mc_dropout_names),
    }


def _jobs() -> int:
    """Half as many models at a time as processors, because torch uses several threads."""
    return max(1, (os.cpu_count() or 1) // 2)


def _well_formed(outcome: Outcome) -> Outcome:
    """The outcome; a failure if the engine's answer does not parse."""
    try:
        for fields in (outcome.result or {}).get("diagnostics", ()):
            decode(fields, "graph")
        for fields in (outcome.result or {}).get("refuted", ()):
            _refutation(fields)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        reason = f"the answer cannot be read: {type(problem).__name__}: {problem}; this is a bug in dropout-lint"
        return replace(outcome, result=None, failure=Failure(outcome.target.label, reason, kind="model"))
    return outcome


def _refutation(fields: Mapping[str, Any]) -> Refutation:
    return Refutation(tuple(fields["codes"]), fields["path"], int(fields["line"]), fields["reason"])


def _placed(fields: Mapping[str, Any], engine: Engine, target: ModelTarget) -> Diagnostic:
    """A finding with its path as reports show it. Without a file, it gets the file of the model."""
    item = decode(fields, engine)
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


def not_checked(outcome: Outcome) -> list[str]:
    """The parts of a model that an engine could not check, with reasons."""
    result = outcome.result or {}
    observed = (one["text"] for one in result.get("observations", ()) if one["kind"] == "not checked")
    return [*result.get("not_seen", ()), *observed]


def _describe(outcome: Outcome, asked: RunOptions) -> None:
    label, result = outcome.target.label, outcome.result
    if result is not None and not asked.quiet:
        inputs = f"inputs {outcome.inputs_from}" if outcome.inputs_from else f"no inputs: {outcome.no_inputs}"
        how = f"seen by {result['how']}, " if result.get("how") else ""
        note(f"{label}: {how}{inputs}")
        observed, hidden = list(result.get("observations", ())), not_checked(outcome)
        if hidden:
            more = f"; and {len(hidden) - _SHOWN} more" if len(hidden) > _SHOWN and not asked.verbose else ""
            warn(f"{label}: not checked: {'; '.join(hidden if asked.verbose else hidden[:_SHOWN])}{more}")
        for one in observed if asked.verbose else ():
            if one["kind"] != "not checked":
                note(f"{label}: {one['kind']}: {one['text']}" + (f" (`{one['module']}`)" if one["module"] else ""))
    if asked.verbose and outcome.output.strip():
        note(f"{label} printed at its end:\n" + "".join(f"  {line}\n" for line in outcome.output.splitlines()[-20:]))
