"""``completion``: prints the script by which a shell completes commands, options and paths."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dropout_lint.commands.shared.exit_codes import ExitCode

PROGRAM = "dropout-lint"
VARIABLE = "_DROPOUT_LINT_COMPLETE"


def show_completion(shell: str, command: click.Command) -> ExitCode:
    """Print the completion script of ``shell``."""
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"No completion is known for '{shell}'.")
    click.echo(completion(command, {}, PROGRAM, VARIABLE).source())
    return ExitCode.CLEAN
