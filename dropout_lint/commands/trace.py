"""``trace``: build models, draw their layers, and check where they apply dropout."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import note, use_color, write_report
from dropout_lint.commands.shared.model_command import ModelCommand
from dropout_lint.commands.shared.model_options import ModelOptions
from dropout_lint.commands.shared.model_run import EngineRun

if TYPE_CHECKING:
    from dropout_lint.graph.pictures.outline import Drawing

JOB = "dropout_lint.model_linting.tracing:trace"


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
        # A program that reads the report must find nothing else in it.
        _show(done, options, apart=command.output_format not in ("full", "concise"))
    if svg is not None:
        _draw(done, svg)
    return command.conclude(done)


def _show(done: EngineRun, options: ModelOptions, *, apart: bool) -> None:
    from rich.console import Console

    from dropout_lint.graph.pictures.tree import tree

    color = use_color(options.color)
    console = Console(stderr=apart, highlight=False, no_color=not color, force_terminal=color or None)
    for label, drawing in _drawings(done):
        console.print(tree(label, drawing))


def _draw(done: EngineRun, file: Path) -> None:
    from dropout_lint.graph.pictures.svg import svg

    for label, drawing in _drawings(done):
        write_report(svg(label, drawing), file, color=False)
        note(f"Wrote {file}.")


def _drawings(done: EngineRun) -> Iterator[tuple[str, Drawing]]:
    for model in done.models:
        if model.findings is not None and model.findings.drawing is not None:
            yield model.outcome.target.label, model.findings.drawing
