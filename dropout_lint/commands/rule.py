"""``rule`` and ``rules``: show the rule pages in the terminal, as plain text or as JSON."""

from __future__ import annotations

import json
from typing import Any

import click

from dropout_lint import rulebook
from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import use_color
from dropout_lint.config.selection import UnknownRuleError, parse_selector
from dropout_lint.rulebook import Rule

_WIDE = 120
"""Terminals of this width or more show summaries beside the names."""


def show_rule(wanted: str, output_format: str, color: str) -> ExitCode:
    """Print the page of one rule. Raises click.UsageError that suggests the nearest rule."""
    book = rulebook.rules()
    try:
        codes = sorted(parse_selector(wanted, book).codes)
    except UnknownRuleError as error:
        raise click.UsageError(str(error)) from None
    if len(codes) > 1:
        raise click.UsageError(f"'{wanted}' stands for {len(codes)} rules: {', '.join(codes)}. Name one.")
    rule = book[codes[0]]
    if output_format == "json":
        click.echo(json.dumps(_as_json(rule, with_text=True), indent=2))
    elif use_color(color):
        _render(rule)
    else:
        click.echo(rule.text, nl=not rule.text.endswith("\n"))
    return ExitCode.CLEAN


def list_rules(output_format: str, color: str) -> ExitCode:
    """Print all rules."""
    found = list(rulebook.rules().values())
    if output_format == "json":
        click.echo(json.dumps([_as_json(rule, with_text=False) for rule in found], indent=2))
    elif use_color(color):
        _render_table(found)
    elif found:
        rows = [(rule.code, rule.name, rule.severity.value, f"fix: {rule.fix}", rule.set) for rule in found]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return ExitCode.CLEAN


def _as_json(rule: Rule, *, with_text: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "severity": rule.severity.value,
        "fix": rule.fix,
        "set": rule.set,
        "since": rule.since,
        "url": rule.url,
    }
    return shown | ({"explanation": rule.text} if with_text else {})


def _render(rule: Rule) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console(force_terminal=True).print(Markdown(rule.text))


def _render_table(found: list[Rule]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(force_terminal=True)
    table = Table(box=None, header_style="bold")
    for heading in ("Code", "Name", "Severity", "Fix", "Set"):
        table.add_column(heading, no_wrap=True)
    wide = console.width >= _WIDE
    if wide:
        table.add_column("What it finds")
    for rule in found:
        cells = (rule.code, rule.name, rule.severity.value, rule.fix, rule.set)
        table.add_row(*cells, *([rule.summary] if wide else []))
    console.print(table)
