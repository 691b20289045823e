"""The layers of a traced model as a tree for the terminal."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from dropout_lint.graph.pictures.outline import Drawing, Outline, ShownLayer, outline


def tree(name: str, drawing: Drawing) -> Tree:
    """Draw the modules of a model with their layers in the order of their calls; reported layers are marked."""
    shown = outline(drawing)
    root = Tree(Text.assemble((name, "bold"), f"  {shown.classes.get('', '')}", (f"  seen by {drawing.how}", "dim")))
    branches: list[tuple[str, Tree]] = [("", root)]
    for layer in shown.layers:
        owner = layer.module if shown.classes.get(layer.module, "") != layer.label else layer.module.rpartition(".")[0]
        while branches[-1][0] and not f"{owner}.".startswith(f"{branches[-1][0]}."):
            branches.pop()
        _open(branches, owner, shown)
        branches[-1][1].add(_layer(layer, branches[-1][0]))
    return root


def _open(branches: list[tuple[str, Tree]], owner: str, shown: Outline) -> None:
    """Add branches for the modules on the way from the innermost open branch to ``owner``."""
    while branches[-1][0] != owner:
        path = branches[-1][0]
        rest = owner[len(path) + 1 :] if path else owner
        child = f"{path}.{rest.partition('.')[0]}" if path else rest.partition(".")[0]
        repeated = shown.repeated.get(child)
        label = Text.assemble((child.rpartition(".")[2], "bold"), f"  {shown.classes.get(child, '')}")
        if repeated is not None:
            label.append(f"  and the same up to {repeated.last.rpartition('.')[2]}, {repeated.count} in all", "cyan")
        branches.append((child, branches[-1][1].add(label)))


def _layer(layer: ShownLayer, owner: str) -> Text:
    name = layer.module[len(owner) :].lstrip(".")
    text = Text(f"{name}: {layer.label}" if name else layer.label)
    if layer.drops:
        text.stylize("yellow")
        text.append(f" p={layer.rate:g}" if layer.rate is not None else " p=?", "yellow")
    if layer.shape is not None:
        text.append(f"  {'x'.join(map(str, layer.shape)) or 'scalar'}", "dim")
    if layer.codes:
        text.append(f"  ◀ {', '.join(layer.codes)}", "bold red")
        text.append(f"  {layer.line}", "dim")
    return text
