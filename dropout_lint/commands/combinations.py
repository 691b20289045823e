"""Refuses options of ``check`` that contradict each other."""

from __future__ import annotations

import click

from dropout_lint.commands.shared.options import CheckOptions


def refuse_contradictions(options: CheckOptions) -> None:
    """Raises click.UsageError that names the options."""
    by_lines = options.diff_base is not None
    if options.isolated and options.config:
        raise click.UsageError("--isolated and --config exclude each other.")
    if options.add_noqa and (options.fix or options.diff or options.reads_stdin):
        raise click.UsageError("--add-noqa cannot be combined with --fix, --diff or '-'.")
    if options.with_models and (options.fix or options.diff or options.reads_stdin):
        raise click.UsageError("--with-models cannot be combined with --fix, --diff or '-'.")
    if options.write_baseline and (options.add_noqa or options.diff or by_lines or options.reads_stdin):
        raise click.UsageError("--write-baseline cannot be combined with --add-noqa, --diff, --diff-base or '-'.")
    # A fix moves lines, which are compared with the revision afterwards.
    if by_lines and (options.fix or options.add_noqa or options.diff or options.reads_stdin):
        raise click.UsageError("--diff-base cannot be combined with --fix, --diff, --add-noqa or '-'.")
    if (options.diff or options.add_noqa) and any(output.file for output in options.output_format):
        raise click.UsageError("--diff and --add-noqa write no report, so --output-format can have no file.")
