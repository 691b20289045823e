"""``server``: the language server on standard input and output."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import redirect_stdout
from typing import BinaryIO, cast

import click

from dropout_lint.commands.shared.exit_codes import ExitCode


def run_server() -> ExitCode:
    """Serve one client until it disconnects. Raises click.ClickException if pygls is not installed."""
    if importlib.util.find_spec("pygls") is None:
        raise click.ClickException("The language server needs pygls: pip install 'dropout-lint[lsp]'.")
    from dropout_lint.server.bounded_input import BoundedInput
    from dropout_lint.server.language_server import create_server

    # Copies, because pygls closes the streams at the end, and nothing else may write between its messages.
    with os.fdopen(os.dup(0), "rb") as stdin, os.fdopen(os.dup(1), "wb") as stdout, redirect_stdout(sys.stderr):
        create_server().start_io(cast("BinaryIO", BoundedInput(stdin, stdout)), stdout)
    return ExitCode.CLEAN
