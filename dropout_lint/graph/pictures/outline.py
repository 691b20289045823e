"""Shorten a traced graph for the pictures: show repeated blocks once, leave out views and unknown operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

_LEFT_OUT = VIEWS | {"unknown", "scale"}
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """A node of the traced graph before it is shortened, with the codes of the rules that reported it."""

    kind: str
    inputs: tuple[int, ...]
    module: str
    rate: float | None
    shape: tuple[int, ...] | None
    line: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """The input of a picture: a traced model as plain data, without torch.

    ``classes`` has the class name of each module by path, ``how`` names the tracer.
    """

    nodes: tuple[DrawnNode, ...]
    classes: dict[str, str]
    how: str


@dataclass(frozen=True, slots=True)
class ShownLayer:
    """A node of the picture; ``inputs`` are the nearest shown layers before it."""

    index: int
    label: str
    module: str
    rate: float | None
    shape: tuple[int, ...] | None
    line: str
    codes: tuple[str, ...]
    drops: bool
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RepeatedBlocks:
    """A run of equal blocks, of which only the first is shown."""

    first: str
    last: str
    count: int
    class_name: str

    @property
    def title(self) -> str:
        """The caption, such as "blocks.0 to blocks.11: 12 times Block"."""
        return f"{self.first} to {self.last}: {self.count} times {self.class_name}"


@dataclass(frozen=True, slots=True)
class Outline:
    """The shortened graph: its layers in order, and the repeated blocks by the path of the first of them."""

    layers: tuple[ShownLayer, ...]
    repeated: Mapping[str, RepeatedBlocks]
    classes: Mapping[str, str] = field(default_factory=dict)


def outline(drawing: Drawing) -> Outline:
    """Shorten a traced model."""
    nodes, classes = drawing.nodes, drawing.classes
    shown = [i for i, node in enumerate(nodes) if _is_shown(node)]
    stands_for = {i: i for i in shown}
    repeated: dict[str, RepeatedBlocks] = {}
    for parent in sorted({p for i in shown for p in _parents(nodes[i].module)}, key=lambda p: (p.count("."), p)):
        kept = [i for i in shown if stands_for[i] == i]
        for blocks, pairs in _alike(parent, kept, nodes, classes):
            repeated[blocks.first] = blocks
            stands_for |= pairs
    sources = _through(nodes, {i: _final(stands_for, i) for i in shown})
    layers = (_layer(i, nodes[i], classes, sources[i]) for i in shown if stands_for[i] == i)
    return Outline(tuple(layers), repeated, classes)


def _is_shown(node: DrawnNode) -> bool:
    return bool(node.codes) or node.kind not in _LEFT_OUT


def _parents(path: str) -> Iterable[str]:
    """The containers of numbered children in a path: "a" and "a.0.b" for "a.0.b.1.c"."""
    parts = path.split(".")
    return (".".join(parts[:n]) for n, part in enumerate(parts) if _NUMBER.fullmatch(part))


def _alike(
    parent: str, kept: list[int], nodes: Sequence[DrawnNode], classes: Mapping[str, str]
) -> Iterable[tuple[RepeatedBlocks, dict[int, int]]]:
    """Find runs of numbered children with equal layers; for each run also map its hidden nodes to the shown ones."""
    prefix = f"{parent}." if parent else ""
    children: dict[int, list[int]] = {}
    for i in kept:
        module = nodes[i].module
        child = module[len(prefix) :].partition(".")[0] if module.startswith(prefix) else ""
        if _NUMBER.fullmatch(child):
            children.setdefault(int(child), []).append(i)
    start: int | None = None
    last = 0
    for number in [*sorted(children), None]:
        if start is not None and number == last + 1:
            here, there = children[start], children[number]
            if _signature(here, nodes, f"{prefix}{start}") == _signature(there, nodes, f"{prefix}{number}"):
                last = number
                continue
        if start is not None and last > start and len(children[start]) > 1:
            pairs = {
                other: first
                for block in range(start + 1, last + 1)
                for first, other in zip(children[start], children[block], strict=True)
            }
            name = classes.get(f"{prefix}{start}", "")
            yield RepeatedBlocks(f"{prefix}{start}", f"{prefix}{last}", last - start + 1, name), pairs
        if number is not None:
            start, last = number, number


def _signature(indices: list[int], nodes: Sequence[DrawnNode], path: str) -> list[tuple[str, ...]]:
    return [(nodes[i].module[len(path) :], nodes[i].kind, *nodes[i].codes) for i in indices]


def _final(stands_for: Mapping[int, int], index: int) -> int:
    while stands_for[index] != index:
        index = stands_for[index]
    return index


def _through(nodes: Sequence[DrawnNode], shown: Mapping[int, int]) -> dict[int, tuple[int, ...]]:
    """For each shown node, the nearest shown nodes before it; hidden nodes are skipped."""
    reached: dict[int, set[int]] = {}
    found: dict[int, set[int]] = {}
    for i, node in enumerate(nodes):
        before = {s for source in node.inputs for s in reached.get(source, set())}
        if i in shown:
            layer = shown[i]
            found.setdefault(layer, set()).update(s for s in before if s < layer)
            reached[i] = {layer}
        else:
            reached[i] = before
    return {layer: tuple(sorted(inputs)) for layer, inputs in found.items()}


def _layer(index: int, node: DrawnNode, classes: Mapping[str, str], inputs: tuple[int, ...]) -> ShownLayer:
    codes = tuple(dict.fromkeys(node.codes))
    drops = node.kind in DROPOUT_MODULES or node.kind in FUNCTIONALS or bool(node.rate)
    label = _label(node.kind, classes.get(node.module, ""))
    return ShownLayer(index, label, node.module, node.rate, node.shape, node.line, codes, drops, inputs)


def _label(kind: str, class_name: str) -> str:
    if kind == "unknown":
        return class_name or kind
    if kind.startswith("torch.nn.functional."):
        return f"F.{kind.rpartition('.')[2]}"
    return kind.removeprefix("torch.nn.").removeprefix("timm.layers.")
