"""Writes ``docs/frameworks.md`` from the data that the mode rules use; ``--check`` only compares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dropout_lint.mode.libraries.frameworks import FRAMEWORKS, Framework

PAGE = Path(__file__).resolve().parent.parent / "docs" / "frameworks.md"
_HEAD = """\
# Frameworks and train/eval mode

What the rules about mode (DRP2) know about the code around a model. Where a framework sets the mode, its classes are
not judged by what their methods do alone: nobody sees from there in which mode they are called. A model that is handed
to a call that cannot be seen through has an unknown mode from then on, and nothing is reported about it until the code
sets the mode again.

A class with a base that is neither in the project nor `torch.nn.Module` is never run on its own, whether it is in this
table or not. For a base class *inside* your project whose callers set the mode, say so:

```toml
[tool.dropout-lint]
mode-managed-bases = ["mylab.training.BaseTrainer"]
```

This page is written by `python -m tools.frameworks`, from the data that the mode rules use.

| Framework | Who sets the mode | Understood | Silent, and why |
|---|---|---|---|
"""
_HOOKS = """
## Hooks

Methods that the framework calls, by the mode in which it calls them.

| Framework | Bases | Train mode | Eval mode |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [f"| [{f.name}]({f.docs}) | {f.mode} | {f.understood} | {f.silent} |" for f in FRAMEWORKS]
    hooks = [_hooks(f) for f in FRAMEWORKS if f.train_hooks or f.eval_hooks]
    return _HEAD + "\n".join(rows) + "\n" + _HOOKS + "\n".join(hooks) + "\n"


def _hooks(framework: Framework) -> str:
    listed = (framework.bases, framework.train_hooks, framework.eval_hooks)
    cells = (", ".join(f"`{name}`" for name in names) or "-" for names in listed)
    return f"| {framework.name} | {' | '.join(cells)} |"


def main(args: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` exit with 1 when it is out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.frameworks", description="Write docs/frameworks.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when the page is out of date")
    if parser.parse_args(args).check:
        if PAGE.read_text("utf-8") == page():
            return 0
        print("docs/frameworks.md is out of date; run 'python -m tools.frameworks'", file=sys.stderr)
        return 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
