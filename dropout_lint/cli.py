"""The command line. Only this module exits; the imports of a command happen when it runs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import click

from dropout_lint import __version__
from dropout_lint.commands.completion import PROGRAM, VARIABLE, show_completion
from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import CannotWriteError, error, note
from dropout_lint.commands.shared.model_options import ModelOptions, model_options
from dropout_lint.commands.shared.options import (
    SUPPRESSION_STYLES,
    CheckOptions,
    check_options,
    color_option,
    type_of_path,
)
from dropout_lint.config.tables import ConfigError
from dropout_lint.suggestions import nearest

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_OTHER_TOOLS_SAY = {
    "explain": "rule",
    "fix": "check --fix",
    "format": "check --fix",
    "help": "--help",
    "lint": "check",
    "list": "rules",
    "version": "--version",
}
_OWN_OPTIONS = frozenset({"-h", "--help", "-V", "--version"})


class CommandLine(click.Group):
    """A group with the default command ``check``. Converts results and exceptions to exit codes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert ``check`` if the arguments begin with a path or an option."""
        if args and args[0] not in self.commands and args[0] not in _OWN_OPTIONS:
            meant = self._command_like(args[0])
            if meant:
                raise click.UsageError(f"No such file or directory: '{args[0]}'. Did you mean {meant}?", ctx)
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a command and exit with its code."""
        given = list(sys.argv[1:] if args is None else args)
        extra = {"complete_var": VARIABLE, **extra, "standalone_mode": False}
        try:
            code = int(super().main(given, prog_name or PROGRAM, **extra) or 0)
            sys.stdout.flush()
        except click.ClickException as problem:
            error(problem.format_message())
            context = getattr(problem, "ctx", None)
            if context is not None:
                note(f"Try '{context.command_path} --help' for help.")
            code = ExitCode.FAILED
        except (ConfigError, CannotWriteError) as problem:
            error(str(problem))
            code = ExitCode.FAILED
        except (click.Abort, KeyboardInterrupt):
            code = ExitCode.INTERRUPTED
        except BrokenPipeError:
            # The reader of our output is gone; the interpreter must not complain when it flushes at exit.
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
            code = ExitCode.CLEAN
        except Exception as problem:
            if _wants_traceback(given):
                import traceback

                traceback.print_exc()
            text = " ".join(f"{type(problem).__name__}: {problem}".split())
            error(f"{text} (this is a bug in dropout-lint; --verbose shows where)")
            code = ExitCode.FAILED
        sys.exit(int(code))

    def _command_like(self, word: str) -> str | None:
        if word.startswith("-") or "/" in word or "." in word or Path(word).exists():
            return None
        if word.lower() in _OTHER_TOOLS_SAY:
            return f"'{PROGRAM} {_OTHER_TOOLS_SAY[word.lower()]}'"
        if re.fullmatch(r"DRP\d{3}", word.upper()):
            return f"'{PROGRAM} rule {word.upper()}'"
        command = nearest(word.lower(), {name: name for name in self.commands}, cutoff=0.7)
        return f"the command '{command}'" if command else None


class CheckCommand(click.Command):
    """``check``: accepts ``--add-noqa`` without a value, and options before the word ``check``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give ``--add-noqa`` its default value if a path follows it."""
        spelt = []
        for at, arg in enumerate(args):
            following = args[at + 1] if at + 1 < len(args) else None
            bare = arg == "--add-noqa" and following not in SUPPRESSION_STYLES
            spelt.append(f"--add-noqa={SUPPRESSION_STYLES[0]}" if bare else arg)
        return super().parse_args(ctx, spelt)


@click.group(
    "dropout-lint", cls=CommandLine, context_settings=_CONTEXT, no_args_is_help=False, invoke_without_command=True
)
@click.version_option(__version__, "-V", "--version", prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Find PyTorch code in which dropout or train/eval mode does not do what its author meant.

    'dropout-lint PATH...' checks files and folders; all options of 'check' can be given without the word 'check'
    (see 'dropout-lint check --help').

    \b
    Examples:
      dropout-lint src/                       report what is wrong
      dropout-lint --fix src/                 and mend what is safe to mend
      dropout-lint --diff --unsafe-fixes .    show all fixes, change nothing
      dropout-lint rule DRP101                explain a rule

    Exit codes: 0 nothing found, 1 findings, 2 something could not be checked.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command(cls=CheckCommand)
@check_options
def check(paths: tuple[Path, ...], **options: Any) -> ExitCode:
    """Check files and folders (default: this folder); '-' reads standard input."""
    from dropout_lint.commands.check import run_check

    return run_check(CheckOptions(paths=_without_command(paths), **options))


@cli.command()
@model_options
@click.option("--fake", is_flag=True, help="Build without values for weights: for models larger than the memory.")
@click.option("--show", is_flag=True, help="Print the layers as a tree, with the flagged ones marked.")
@click.option("--svg", type=type_of_path, metavar="FILE", help="Draw the layers into this file.")
def trace(fake: bool, show: bool, svg: Path | None, **options: Any) -> ExitCode:
    """Build models and check where dropout stands in them; this runs their code.

    TARGET is 'package.module:attribute' or 'file.py:attribute': a class, a function that returns a model, or a model.
    Without one, the models that pyproject.toml declares are checked.
    """
    from dropout_lint.commands.trace import run_trace

    return run_trace(ModelOptions(**options), fake=fake, show=show, svg=svg)


@cli.command()
@model_options
@click.option("--device", default="cpu", metavar="DEVICE", help="Where to run: cpu (the default), cuda, cuda:1, mps.")
@click.option("--allow", multiple=True, metavar="MODULE", help="Noise of modules like this is meant, as 'flow.*'.")
@click.option("--seed", type=int, default=0, metavar="N", help="Seed of all draws; the default is 0.")
@click.option("--compile", "compiled", is_flag=True, help="Check the compiled model too.")
@click.option("--html", type=type_of_path, metavar="FILE", help="Write the measurements into this page.")
def validate(
    device: str, allow: tuple[str, ...], seed: int, compiled: bool, html: Path | None, **options: Any
) -> ExitCode:
    """Run models on a device and measure what their dropout does; this runs their code.

    TARGET is 'package.module:attribute' or 'file.py:attribute': a class, a function that returns a model, or a model.
    Without one, the models that pyproject.toml declares are checked.
    """
    from dropout_lint.commands.validate import run_validate

    return run_validate(ModelOptions(**options), device=device, allow=allow, seed=seed, compiled=compiled, html=html)


@cli.command("rule")
@click.argument("rule", metavar="CODE|NAME")
@click.option("--output-format", type=click.Choice(["full", "json"]), default="full", help="How to print the page.")
@color_option()
def rule_command(rule: str, output_format: str, color: str) -> ExitCode:
    """Explain a rule: why it matters, examples, and whether its fix is safe."""
    from dropout_lint.commands.rule import show_rule

    return show_rule(rule, output_format, color)


@cli.command("rules")
@click.option("--output-format", type=click.Choice(["full", "json"]), default="full", help="How to print the list.")
@color_option()
def rules_command(output_format: str, color: str) -> ExitCode:
    """List all rules."""
    from dropout_lint.commands.rule import list_rules

    return list_rules(output_format, color)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only facts of this kind, as 'DropoutSite'.")
@click.option("--stdin-filename", type=type_of_path, metavar="FILE", help="The name of the text on standard input.")
def facts(files: tuple[Path, ...], kinds: tuple[str, ...], stdin_filename: Path | None) -> ExitCode:
    """Print what the checks read about files ('-': standard input) as JSON, for those who write a rule.

    Fields with their default are left out, and a span is 'line:column-line:column', with its end left out.
    """
    from dropout_lint.commands.facts import show_facts

    return show_facts(files, kinds, stdin_filename)


@cli.command()
@click.option(
    "--stdio", is_flag=True, expose_value=False, help="Talk over standard input and output, as it always does."
)
def server() -> ExitCode:
    """Run the language server, for editors: diagnostics while typing, fixes as code actions, rules on hover."""
    from dropout_lint.commands.server import run_server

    return run_server()


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def clean(paths: tuple[Path, ...]) -> ExitCode:
    """Remove the caches at and below folders (default: this folder)."""
    from dropout_lint.commands.clean import remove_caches

    return remove_caches(paths or (Path(),))


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> ExitCode:
    """Print the completion script of a shell.

    \b
    bash: eval "$(dropout-lint completion bash)"      in ~/.bashrc
    zsh:  eval "$(dropout-lint completion zsh)"       in ~/.zshrc
    fish: dropout-lint completion fish | source       in ~/.config/fish/config.fish
    """
    return show_completion(shell, cli)


def main() -> NoReturn:
    """Entry point of the ``dropout-lint`` program."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as by ">&-"
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Source text may contain characters that the encoding of the terminal lacks.
            stream.reconfigure(errors="backslashreplace")
    cli.main()


def _without_command(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Remove the word ``check`` after options. Raises click.UsageError for any other command there."""
    if not paths or str(paths[0]) not in cli.commands or paths[0].exists():
        return paths
    if str(paths[0]) == "check":
        return paths[1:]
    raise click.UsageError(f"Write the command first: '{PROGRAM} {paths[0]} [OPTIONS]'.")


def _wants_traceback(args: Sequence[str]) -> bool:
    return "--verbose" in args or any(arg.startswith("-") and not arg.startswith("--") and "v" in arg for arg in args)
