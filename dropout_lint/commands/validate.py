"""``validate``: runs models on a device and measures what their dropout does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.model_command import ModelCommand
from dropout_lint.commands.shared.model_options import ModelOptions

JOB = "dropout_lint.runtime.job:validate"
_DEVICE = re.compile(r"[a-z]+(:\d+)?")


def run_validate(
    options: ModelOptions, *, device: str, allow: tuple[str, ...], seed: int, compiled: bool, html: Path | None
) -> ExitCode:
    """Run ``validate``. Raises click.ClickException, for example if there is no such device."""
    if not _DEVICE.fullmatch(device):
        raise click.UsageError(f"'{device}' is not a device such as 'cpu', 'cuda' or 'cuda:1'.")
    command = ModelCommand(options)
    arguments: dict[str, Any] = {"device": device, "allow": allow, "seed": seed, "compile": compiled}
    if html is not None:
        command.require_one_model("--html")
        arguments["html"] = str(html.absolute())
    if device != "cpu":
        _require_device(device)
    return command.conclude(command.run("runtime", JOB, arguments))


def _require_device(device: str) -> None:
    """Raises click.ClickException if PyTorch, in a process of its own, cannot use the device."""
    from dropout_lint.models.isolation import run
    from dropout_lint.targets.target import ModelTarget

    for outcome in run([ModelTarget("torch.nn:Identity")], "dropout_lint.models.device:use", {"device": device}):
        if outcome.failure is not None:
            raise click.ClickException(f"--device {device}: {outcome.failure.reason}.")
