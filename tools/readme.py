"""Keeps the generated parts of README.md: ``python -m tools.readme`` writes them, ``--check`` only compares.

Generated are the table of rules, and the output under every ``$ dropout-lint`` line of a ``console`` block.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from click.testing import CliRunner

from dropout_lint.cli import cli
from dropout_lint.rulebook import rules

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"

_CONSOLE = re.compile(r"(?<=^```console\n)\$ dropout-lint (?P<args>[^\n]*)\n.*?(?=^```$)", re.MULTILINE | re.DOTALL)
_SHOWN_SETS = {"default": "on", "preview": "preview", "opinion": "off"}


def rule_table() -> str:
    """One row for each page of the rulebook."""
    rows = ["| Code | Name | Finds | Severity | Fix | Default |", "|---|---|---|---|---|---|"]
    rows += [
        f"| [{rule.code}](rules/{rule.page}) | `{rule.name}` | {rule.summary} "
        f"| {rule.severity} | {rule.fix} | {_SHOWN_SETS[rule.set]} |"
        for rule in rules().values()
    ]
    return "\n".join(rows)


def between(text: str, name: str) -> str:
    """What stands between ``<!-- name:begin -->`` and ``<!-- name:end -->``, without a code fence around it."""
    inside = text.split(f"<!-- {name}:begin -->\n")[1].split(f"<!-- {name}:end -->")[0].strip()
    return re.sub(r"^```\w*\n|\n```$", "", inside)


def generated(text: str) -> str:
    """The README with its generated parts as they should be."""
    begin, end = "<!-- rules:begin -->\n", "<!-- rules:end -->"
    before, rest = text.split(begin)
    text = f"{before}{begin}\n{rule_table()}\n\n{end}{rest.split(end)[1]}"
    return _CONSOLE.sub(_with_output, text)


def _with_output(block: re.Match[str]) -> str:
    here = Path.cwd()
    os.chdir(ROOT)
    try:
        result = CliRunner(env={"FORCE_COLOR": None, "NO_COLOR": "1"}).invoke(cli, shlex.split(block["args"]))
    finally:
        os.chdir(here)
    return f"$ dropout-lint {block['args']}\n{result.output.rstrip()}\n"


def main(args: Sequence[str] | None = None) -> int:
    """Write the README, or with ``--check`` exit with 1 when it is out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.readme", description="Write the generated parts of README.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when README is out of date")
    check = parser.parse_args(args).check
    text = README.read_text("utf-8")
    wanted = generated(text)
    if text == wanted:
        return 0
    if check:
        print("README.md is out of date; run 'python -m tools.readme'", file=sys.stderr)
        return 1
    README.write_text(wanted, "utf-8")
    print("wrote README.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
