"""The layers of a traced model as a tree for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from dropout_lint.graph.outline import Outline, Step, outline


def tree(name: str, graph: Mapping[str, Any]) -> Tree:
    """The modules of a model with their layers in the order in which they run; flagged dropouts are marked."""
    shown = outline(graph)
    root = Tree(Text.assemble((name, "bold"), f"  {shown.classes.get('', '')}", (f"  seen by {graph['how']}", "dim")))
    branches: list[tuple[str, Tree]] = [("", root)]
    for step in shown.steps:
        owner = step.module if shown.classes.get(step.module, "") != step.label else step.module.rpartition(".")[0]
        while branches[-1][0] and not f"{owner}.".startswith(f"{branches[-1][0]}."):
            branches.pop()
        _open(branches, owner, shown)
        branches[-1][1].add(_layer(step, branches[-1][0]))
    return root


def _open(branches: list[tuple[str, Tree]], owner: str, shown: Outline) -> None:
    """Add branches for the modules from the innermost open one down to ``owner``."""
    while branches[-1][0] != owner:
        path = branches[-1][0]
        rest = owner[len(path) + 1 :] if path else owner
        child = f"{path}.{rest.partition('.')[0]}" if path else rest.partition(".")[0]
        run = shown.runs.get(child)
        label = Text.assemble((child.rpartition(".")[2], "bold"), f"  {shown.classes.get(child, '')}")
        if run is not None:
            label.append(f"  and the same up to {run.last.rpartition('.')[2]}, {run.count} in all", "cyan")
        branches.append((child, branches[-1][1].add(label)))


def _layer(step: Step, owner: str) -> Text:
    name = step.module[len(owner) :].lstrip(".")
    text = Text(f"{name}: {step.label}" if name else step.label)
    if step.drops:
        text.stylize("yellow")
        text.append(f" p={step.rate:g}" if step.rate is not None else " p=?", "yellow")
    if step.shape is not None:
        text.append(f"  {'x'.join(map(str, step.shape)) or 'scalar'}", "dim")
    if step.codes:
        text.append(f"  ◀ {', '.join(step.codes)}", "bold red")
        text.append(f"  {step.line}", "dim")
    return text
