"""The options of ``check``: their spelling, and what they override in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from pathlib import Path
from typing import Any

import click

from dropout_lint.commands.shared.outputs import Output, OutputType, without_file
from dropout_lint.config.output_formats import FORMATS
from dropout_lint.config.schema import Options
from dropout_lint.diagnostic import Confidence, Severity

SUPPRESSION_STYLES = ("native", "noqa")

type_of_path = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOptions:
    """The options of every command that reports findings; None if the configuration decides."""

    select: tuple[str, ...] | None
    ignore: tuple[str, ...] | None
    extend_select: tuple[str, ...] | None
    preview: bool | None
    confidence: str | None
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None
    output_format: tuple[Output, ...]
    output_file: Path | None
    statistics: bool
    exit_zero: bool
    fail_level: str | None
    isolated: bool
    config: Path | None
    jobs: int
    quiet: bool
    verbose: bool
    color: str

    @property
    def overrides(self) -> Options:
        """The options that override a configuration key of the same name."""
        given: dict[str, Any] = {item.name: getattr(self, item.name, None) for item in fields(Options)}
        given["confidence"] = Confidence(self.confidence) if self.confidence else None
        given["fail_level"] = Severity(self.fail_level) if self.fail_level else None
        given["output_format"] = None if self.output_file else without_file(self.output_format)
        given["baseline"] = str(given["baseline"]) if given["baseline"] else None
        return Options(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions(SharedOptions):
    """The options of ``check``."""

    paths: tuple[Path, ...]
    fix: bool
    unsafe_fixes: bool | None
    diff: bool
    add_noqa: str | None
    with_models: bool
    fixable: tuple[str, ...] | None
    unfixable: tuple[str, ...] | None
    exclude: tuple[str, ...] | None
    extend_exclude: tuple[str, ...] | None
    force_exclude: bool
    respect_gitignore: bool | None
    baseline: Path | None
    write_baseline: bool
    diff_base: str | None
    exit_non_zero_on_fix: bool
    stdin_filename: Path | None
    no_cache: bool
    cache_dir: Path | None
    show_files: bool
    show_settings: bool
    watch: bool

    @property
    def reads_stdin(self) -> bool:
        """True for ``-``, and for ``--stdin-filename`` without paths. Raises click.UsageError if there are others."""
        dash = Path("-") in self.paths
        if dash and len(self.paths) > 1:
            raise click.UsageError("'-' (standard input) cannot be combined with other paths.")
        if self.stdin_filename and self.paths and not dash:
            raise click.UsageError("--stdin-filename goes with '-' (standard input), not with other paths.")
        return dash or self.stdin_filename is not None


def _listed(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Split at commas and join repetitions of an option; None if it was not given."""
    if not values:
        return None
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _ignores_by_pattern(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    pairs = _listed(context, parameter, values)
    if pairs is None:
        return None
    ignores = []
    for pair in pairs:
        pattern, _, rule = pair.rpartition(":")
        if not pattern or not rule:
            raise click.BadParameter(f"'{pair}' is not of the form PATTERN:RULE, such as 'tests/*:DRP101'.")
        ignores.append((pattern, (rule,)))
    return tuple(ignores)


def _list(name: str, metavar: str, text: str) -> Callable[[Any], Any]:
    return click.option(name, multiple=True, metavar=metavar, callback=_listed, help=text)


def color_option() -> Callable[[Any], Any]:
    """The option ``--color``."""
    choice = click.Choice(["auto", "always", "never"])
    return click.option("--color", type=choice, default="auto", help="When to use colours (auto obeys NO_COLOR).")


_FIRST = (
    click.argument("paths", nargs=-1, type=type_of_path),
    click.option("--fix/--no-fix", default=False, help="Apply safe fixes."),
    click.option(
        "--unsafe-fixes/--no-unsafe-fixes", default=None, help="With --fix: apply fixes that change training."
    ),
    click.option("--diff", is_flag=True, help="Print what --fix would change, and write nothing."),
    click.option(
        "--add-noqa",
        type=click.Choice(SUPPRESSION_STYLES),
        metavar="[=native|noqa]",
        help="Add a comment that suppresses every finding: '# dropout-lint: ignore[...]' or '# noqa: ...'.",
    ),
    _list("--fixable", "RULES", "Fix these rules only."),
    _list("--unfixable", "RULES", "Never fix these rules."),
    click.option("--with-models", is_flag=True, help="Run the models that the configuration declares as well."),
)
_RULES = (
    _list("--select", "RULES", "Check these rules only: codes, prefixes, names or ALL, separated by commas."),
    _list("--ignore", "RULES", "Leave these rules out."),
    _list("--extend-select", "RULES", "Check these rules as well."),
    click.option("--preview/--no-preview", default=None, help="Check rules that are still on trial."),
    click.option(
        "--per-file-ignores",
        multiple=True,
        metavar="PATTERN:RULE",
        callback=_ignores_by_pattern,
        help="Leave a rule out in some files, such as 'tests/*:DRP101'.",
    ),
    click.option(
        "--confidence",
        type=click.Choice([str(confidence) for confidence in Confidence]),
        help="How sure a finding must be at least to be reported; the default is likely.",
    ),
)
_FILES = (
    _list("--exclude", "PATTERNS", "Skip these files and folders, instead of those skipped by default."),
    _list("--extend-exclude", "PATTERNS", "Skip these files and folders as well."),
    click.option("--force-exclude", is_flag=True, help="Skip excluded files even when they are named."),
    click.option(
        "--respect-gitignore/--no-respect-gitignore", default=None, help="Skip what git ignores (the default)."
    ),
    click.option("--stdin-filename", type=type_of_path, help="The name of the text that '-' reads."),
)
_REPORT = (
    click.option(
        "--output-format",
        type=OutputType(),
        multiple=True,
        metavar="FORMAT[=FILE]",
        help=f"How to report: {', '.join(FORMATS)}. With a file, beside what the terminal shows; can be repeated.",
    ),
    click.option(
        "-o",
        "--output-file",
        type=type_of_path,
        metavar="FILE",
        help="Write the report to this file; the terminal shows the default format.",
    ),
    click.option("--statistics", is_flag=True, help="Count the findings of each rule."),
    click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 whatever is found or fails."),
    click.option(
        "--fail-level",
        type=click.Choice([str(severity) for severity in Severity]),
        help="The lowest severity that makes the exit code 1; the default is warning.",
    ),
    click.option("--isolated", is_flag=True, help="Ignore all configuration files."),
    click.option(
        "--config", type=type_of_path, metavar="FILE", help="Use this file's [tool.dropout-lint] for all files."
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=0),
        metavar="N",
        default=0,
        help="Processes to use; 0 decides by itself.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print nothing but findings and failures."),
    click.option("-v", "--verbose", is_flag=True, help="Say which configuration holds, how many files, and how long."),
    color_option(),
)
_LAST = (
    click.option("--baseline", type=type_of_path, metavar="FILE", help="Leave out the findings that this file knows."),
    click.option("--write-baseline", is_flag=True, help="Write the findings of today into the baseline."),
    click.option("--diff-base", metavar="REV", help="Report only what stands on lines changed since this revision."),
    click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 when something was fixed."),
    click.option(
        "-n", "--no-cache", is_flag=True, envvar="DROPOUT_LINT_NO_CACHE", help="Neither read nor write the cache."
    ),
    click.option(
        "--cache-dir",
        type=type_of_path,
        envvar="DROPOUT_LINT_CACHE_DIR",
        help="Where the cache is; the default is .dropout_lint_cache beside the configuration.",
    ),
    click.option("--show-files", is_flag=True, help="List the files that would be checked."),
    click.option("-w", "--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl-C."),
    click.option("--show-settings", is_flag=True, help="Show the settings of the first path."),
)


def check_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function with the arguments and options of ``check``."""
    return with_options(_FIRST, _RULES, _FILES, _REPORT, _LAST)(command)


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function with the options of SharedOptions."""
    return with_options(_RULES, _REPORT)(command)


def with_options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds options, in the order of the help."""
    options = [option for group in groups for option in group]
    return lambda command: reduce(lambda decorated, option: option(decorated), reversed(options), command)
