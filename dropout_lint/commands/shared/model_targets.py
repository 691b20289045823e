"""Chooses the models of a command: those named on the command line, else the declared ones, and discovered ones."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from dropout_lint.commands.shared.model_options import ModelOptions
from dropout_lint.config.resolver import Settings
from dropout_lint.targets.errors import TargetError
from dropout_lint.targets.inputs import parse_all
from dropout_lint.targets.target import ModelTarget, parse_kwargs


@dataclass(frozen=True, slots=True)
class Targets:
    """``named`` models must be checked. Discovered (``found``) ones may fail."""

    named: tuple[ModelTarget, ...]
    found: tuple[ModelTarget, ...] = ()


def targets_of(options: ModelOptions, settings: Settings, settings_for: Callable[[Path], Settings]) -> Targets:
    """The models of a command line. Raises click.ClickException if there is none or one is misspelt."""
    try:
        named = tuple(_named(text, options, settings.models) for text in options.targets)
    except TargetError as problem:
        raise click.UsageError(f"{_sentence(problem)}.") from None
    found: tuple[ModelTarget, ...] = ()
    if options.discover:
        from dropout_lint.models.discover import modules_without_arguments

        found = modules_without_arguments(Path(), settings_for)
    if not named and (options.kwargs or options.inputs):
        raise click.UsageError("--kwargs and --input go with a TARGET.")
    if not named and not options.discover:
        named = declared(settings)
    return Targets(named, found)


def declared(settings: Settings) -> tuple[ModelTarget, ...]:
    """The models of the configuration. Raises click.UsageError if it has none."""
    if not settings.models:
        place = settings.source or "pyproject.toml"
        raise click.UsageError(
            f"No model is named, and {place} declares none: write 'package.module:Model' or 'file.py:Model', "
            "or add [[tool.dropout-lint.models]]."
        )
    return settings.models


def require_torch() -> None:
    """Raises click.ClickException if PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise click.ClickException(
            f"Running a model needs PyTorch, which is not installed for {sys.executable}: "
            "pip install 'dropout-lint[torch]'."
        )


def _named(text: str, options: ModelOptions, known: Sequence[ModelTarget]) -> ModelTarget:
    """A target from the command line: a declared one, by its name or path, or a new one. Raises TargetError."""
    for target in known:
        if text in (target.name, target.spec):
            break
    else:
        target = ModelTarget(text, root=str(Path.cwd()))
    if options.kwargs is not None:
        target = replace(target, kwargs=parse_kwargs(options.kwargs))
    if options.inputs:
        target = replace(target, inputs=parse_all(options.inputs))
    return target


def _sentence(problem: TargetError) -> str:
    text = str(problem)
    return text[0].upper() + text[1:]
