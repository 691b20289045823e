"""``trace``: build models, see their layers, and check where dropout stands in them."""

from __future__ import annotations

from dropout_lint.commands.exit_codes import ExitCode
from dropout_lint.commands.model_command import ModelCommand
from dropout_lint.commands.model_options import ModelOptions

JOB = "dropout_lint.graph.job:trace"


def run_trace(options: ModelOptions, *, fake: bool) -> ExitCode:
    """Run ``trace``; ``fake`` builds models without values for their weights. Raises click.ClickException."""
    command = ModelCommand(options)
    return command.conclude(command.run("graph", JOB, {"fake": fake}))
