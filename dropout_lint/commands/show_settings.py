"""``check --show-settings``: the settings of one path, merged from the file and the command line."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import click

from dropout_lint.config.resolver import Settings

_UNSET = {"source": "(no configuration file)", "baseline": "(none)"}


def show_settings(settings: Settings) -> None:
    """Print resolved settings, one ``key = value`` a line."""
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.name == "per_file_ignores":
            value = {pattern: sorted(codes) for pattern, codes in value}
        elif item.name == "models":
            value = [target.label for target in settings.models]
        elif isinstance(value, frozenset):
            value = sorted(value)
        elif isinstance(value, Path):
            value = str(value)
        shown = _UNSET[item.name] if value is None else json.dumps(value)
        click.echo(f"{item.name.replace('_', '-')} = {shown}")
