"""``trace``: builds models, records their layers, and runs the placement checks on them."""

from __future__ import annotations

import importlib.util
import pkgutil
from pathlib import Path

import click

from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import note, use_color, write_report
from dropout_lint.commands.shared.model_command import ModelCommand
from dropout_lint.commands.shared.model_options import ModelOptions
from dropout_lint.commands.shared.model_run import EngineRun

JOB = "dropout_lint.graph.job:trace"
TREE = "dropout_lint.graph.show:tree"
PICTURE = "dropout_lint.graph.svg:svg"


def run_trace(options: ModelOptions, *, fake: bool, show: bool, svg: Path | None) -> ExitCode:
    """Run ``trace``. ``fake`` builds models without memory for their weights; ``show`` and ``svg`` draw them.

    Raises click.ClickException and CannotWriteError.
    """
    command = ModelCommand(options)
    if svg is not None:
        command.require_one_model("--svg")
        if importlib.util.find_spec("igraph") is None:
            raise click.ClickException("--svg needs igraph, which is not installed: pip install 'dropout-lint[svg]'.")
    done = command.run("graph", JOB, {"fake": fake, "graph": show or svg is not None})
    if show:
        # A report for a program must not contain anything else.
        _show(done, options, apart=command.output_format not in ("full", "concise"))
    if svg is not None:
        _draw(done, svg)
    return command.conclude(done)


def _show(done: EngineRun, options: ModelOptions, *, apart: bool) -> None:
    from rich.console import Console

    tree = pkgutil.resolve_name(TREE)
    color = use_color(options.color)
    console = Console(stderr=apart, highlight=False, no_color=not color, force_terminal=color or None)
    for outcome in done.outcomes:
        if outcome.result is not None:
            console.print(tree(outcome.target.label, outcome.result["graph"]))


def _draw(done: EngineRun, file: Path) -> None:
    picture = pkgutil.resolve_name(PICTURE)
    for outcome in done.outcomes:
        if outcome.result is not None:
            write_report(picture(outcome.target.label, outcome.result["graph"]), file, color=False)
            note(f"Wrote {file}.")
