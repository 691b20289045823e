"""The site's page about the command line, from the same words as ``--help``."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterator

import click

from dropout_lint.cli import cli
from dropout_lint.commands.completion import PROGRAM


def command_line_page() -> str:
    """Markdown: each command with its help and a table of its options."""
    return "\n\n".join(
        ["# Command line", *_command(cli, click.Context(cli, info_name=PROGRAM, **cli.context_settings))]
    )


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = [piece.strip() for piece in command.collect_usage_pieces(context)]
    yield f"## `{context.command_path}`"
    yield f"```\n{' '.join([context.command_path, *pieces])}\n```"
    yield from _help(command.help or "")
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    records = filter(None, (option.get_help_record(context) for option in options))
    rows = [f"| <code>{_cell(names)}</code> | {_cell(text)} |" for names, text in records]
    yield "\n".join(["| Option | Meaning |", "|---|---|", *rows])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.commands[name]
            yield from _command(below, click.Context(below, info_name=name, parent=context))


def _help(text: str) -> Iterator[str]:
    """The paragraphs of a help text; those that click is told to leave as they are become code."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            title, _, code = paragraph.removeprefix("\b\n").partition("\n")
            yield (
                f"{title}\n\n```sh\n{inspect.cleandoc(code)}\n```"
                if code.startswith(" ")
                else f"```sh\n{title}\n{code}\n```"
            )
        else:
            yield " ".join(paragraph.split())


def _cell(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "&#124;")
