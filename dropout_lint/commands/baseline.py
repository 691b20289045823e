"""``check --baseline`` and ``--write-baseline``: leaves out known findings, and lists those that are gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropout_lint.commands.shared.linted import Linted
from dropout_lint.commands.shared.messages import counted, note, write_report
from dropout_lint.commands.shared.options import CheckOptions
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.diagnostic import Diagnostic

if TYPE_CHECKING:
    from dropout_lint.baselines.fingerprints import Fingerprint

_LISTED = 10


def without_known(options: CheckOptions, resolver: SettingsResolver, linted: Linted) -> Linted:
    """Remove known findings, and list on stderr those that are gone. Raises BaselineError."""
    by_baseline = _by_baseline(options, resolver, linted, linted.result.diagnostics)
    if not by_baseline:
        return linted
    unsure = _by_baseline(options, resolver, linted, linted.result.unsure)
    from dropout_lint.baselines.baseline import read_baseline
    from dropout_lint.baselines.fingerprints import number

    known: set[Diagnostic] = set()
    gone: list[str] = []
    for file, found in by_baseline.items():
        baseline = read_baseline(file)
        numbered = list(number(found, linted.sources()))
        known |= {item.diagnostic for item in numbered if baseline.knows(item)}
        checked = _checked_by_run(file.parent, options, resolver, linted)
        there = baseline.counts([*numbered, *number(unsure.get(file, ()), linted.sources())])
        gone += [_described(*entry) for entry in baseline.gone(there, checked)]
    if gone and not options.quiet:
        note("Known problems that are gone (--write-baseline takes them out of the baseline):")
        for line in gone[:_LISTED]:
            note(f"  {line}")
        if len(gone) > _LISTED:
            note(f"  and {len(gone) - _LISTED} more")
    if not known:
        return linted
    left = tuple(item for item in linted.result.diagnostics if item not in known)
    left_out = (*linted.left_out, counted(len(known), "known problem"))
    return replace(linted, result=replace(linted.result, diagnostics=left), left_out=left_out)


def write_baselines(options: CheckOptions, resolver: SettingsResolver, linted: Linted) -> Linted:
    """Write the findings into the baselines of their files. Returns the findings left, which no baseline may contain.

    Entries for files and rules that were not checked, or for findings that are not sure enough, are kept. Raises
    BaselineError and CannotWriteError.
    """
    from dropout_lint.baselines.baseline import NEVER_KNOWN, Baseline, read_baseline
    from dropout_lint.baselines.fingerprints import number

    by_baseline = _by_baseline(options, resolver, linted, linted.result.diagnostics)
    unsure = _by_baseline(options, resolver, linted, linted.result.unsure)
    if not by_baseline:
        raise click.UsageError("--write-baseline needs a file: --baseline FILE, or the key 'baseline'.")
    written = 0
    for file, found in by_baseline.items():
        before = read_baseline(file) if os.path.lexists(file) else Baseline(file)
        numbered = list(number(found, linted.sources()))
        counts = before.counts(numbered)
        there = before.counts([*numbered, *number(unsure.get(file, ()), linted.sources())])
        after = before.updated(counts, there, _checked_by_run(file.parent, options, resolver, linted))
        write_report(after.dumps(), file, color=False)
        written += sum(new.total() for new in counts.values())
        if not options.quiet:
            total = sum(count.total() for count in after.known.values())
            note(f"Wrote {counted(total, 'known problem')} to {_relative(file)}.")
    left = tuple(item for item in linted.result.diagnostics if item.code in NEVER_KNOWN)
    left_out = (*linted.left_out, counted(written, "known problem")) if written else linted.left_out
    return replace(linted, result=replace(linted.result, diagnostics=left), left_out=left_out)


def _by_baseline(
    options: CheckOptions, resolver: SettingsResolver, linted: Linted, findings: Iterable[Diagnostic]
) -> dict[Path, list[Diagnostic]]:
    """Some findings of the run for each baseline that is configured for one of its files."""
    by_baseline: dict[Path, list[Diagnostic]] = {}
    if options.baseline:
        by_baseline[Path.cwd() / options.baseline] = []
    for path in linted.files:
        if baseline := resolver(path).baseline:
            by_baseline.setdefault(baseline, [])
    for item in findings:
        if baseline := resolver(Path(item.path)).baseline:
            by_baseline.setdefault(baseline, []).append(item)
    return by_baseline


def _checked_by_run(
    folder: Path, options: CheckOptions, resolver: SettingsResolver, linted: Linted
) -> Callable[[str, str], bool]:
    """Make a function (key, code): did the run check this rule in the file that a baseline in ``folder`` calls ``key``?

    A deleted file counts as checked if it was below a path of the run.
    """
    files = {os.path.abspath(path) for path in linted.files}
    failed = {(os.path.abspath(failure.path), failure.code) for failure in linted.result.failures}
    roots = [Path(os.path.abspath(path)) for path in (options.paths or (Path(),))]

    def checked(key: str, code: str) -> bool:
        path = Path(os.path.abspath(folder / key))
        if not path.exists():
            return any(path.is_relative_to(root) for root in roots) and not options.reads_stdin
        if str(path) not in files or (str(path), "") in failed or (str(path), code) in failed:
            return False
        return code in resolver(path).enabled_for(path)

    return checked


def _described(path: str, fingerprint: Fingerprint, missing: int) -> str:
    scope = f" in {fingerprint.scope}" if fingerprint.scope else ""
    return f"{path}: {fingerprint.code}{scope}" + (f" ({missing} times)" if missing > 1 else "")


def _relative(file: Path) -> Path:
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file
