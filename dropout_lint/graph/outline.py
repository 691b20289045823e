"""A traced graph cut down to what a person can take in: repeated blocks once, moves of elements left out.

Works on the plain data that a job returns, without torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dropout_lint.torch_api.layer_groups import VIEWS
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

_LEFT_OUT = VIEWS | {"unknown", "scale"}
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Step:
    """A node to show; ``inputs`` are the steps whose value it takes, directly or through what is left out."""

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
class Run:
    """Blocks in a row that are alike, of which the first is shown."""

    first: str
    last: str
    count: int
    class_name: str

    @property
    def title(self) -> str:
        """How a reader is told."""
        return f"{self.first} to {self.last}: {self.count} times {self.class_name}"


@dataclass(frozen=True, slots=True)
class Outline:
    """The steps in order, and the runs by the path of their first block."""

    steps: tuple[Step, ...]
    runs: Mapping[str, Run]
    classes: Mapping[str, str] = field(default_factory=dict)


def outline(graph: Mapping[str, Any]) -> Outline:
    """What to show of the graph of a job."""
    nodes: Sequence[Mapping[str, Any]] = graph["nodes"]
    classes: Mapping[str, str] = graph["classes"]
    shown = [i for i, node in enumerate(nodes) if _is_shown(node)]
    stands_for = {i: i for i in shown}
    runs: dict[str, Run] = {}
    for parent in sorted({p for i in shown for p in _parents(nodes[i]["module"])}, key=lambda p: (p.count("."), p)):
        kept = [i for i in shown if stands_for[i] == i]
        for run, pairs in _alike(parent, kept, nodes, classes):
            runs[run.first] = run
            stands_for |= pairs
    sources = _through(nodes, {i: _final(stands_for, i) for i in shown})
    steps = []
    for i in shown:
        if stands_for[i] == i:
            steps.append(_step(i, nodes[i], classes, sources[i]))
    return Outline(tuple(steps), runs, classes)


def _is_shown(node: Mapping[str, Any]) -> bool:
    return bool(node["codes"]) or node["kind"] not in _LEFT_OUT


def _parents(path: str) -> Iterable[str]:
    """The prefixes of a path that a number follows."""
    parts = path.split(".")
    return (".".join(parts[:n]) for n, part in enumerate(parts) if _NUMBER.fullmatch(part))


def _alike(
    parent: str, kept: list[int], nodes: Sequence[Mapping[str, Any]], classes: Mapping[str, str]
) -> Iterable[tuple[Run, dict[int, int]]]:
    """Runs of two or more numbered children that consist of the same steps, and which step stands for which."""
    prefix = f"{parent}." if parent else ""
    children: dict[int, list[int]] = {}
    for i in kept:
        module = nodes[i]["module"]
        number = module[len(prefix) :].partition(".")[0] if module.startswith(prefix) else ""
        if _NUMBER.fullmatch(number):
            children.setdefault(int(number), []).append(i)
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
            yield Run(f"{prefix}{start}", f"{prefix}{last}", last - start + 1, name), pairs
        if number is not None:
            start, last = number, number


def _signature(indices: list[int], nodes: Sequence[Mapping[str, Any]], path: str) -> list[tuple[str, str, list[str]]]:
    return [(nodes[i]["module"][len(path) :], nodes[i]["kind"], nodes[i]["codes"]) for i in indices]


def _final(stands_for: Mapping[int, int], index: int) -> int:
    while stands_for[index] != index:
        index = stands_for[index]
    return index


def _through(nodes: Sequence[Mapping[str, Any]], shown: Mapping[int, int]) -> dict[int, tuple[int, ...]]:
    """For each step, those that its inputs lead back to; a block that repeats hands on to what follows the last."""
    reached: dict[int, set[int]] = {}
    found: dict[int, set[int]] = {}
    for i, node in enumerate(nodes):
        before = {s for source in node["inputs"] for s in reached.get(source, set())}
        if i in shown:
            step = shown[i]
            found.setdefault(step, set()).update(s for s in before if s < step)
            reached[i] = {step}
        else:
            reached[i] = before
    return {step: tuple(sorted(inputs)) for step, inputs in found.items()}


def _step(index: int, node: Mapping[str, Any], classes: Mapping[str, str], inputs: tuple[int, ...]) -> Step:
    kind = str(node["kind"])
    codes = tuple(dict.fromkeys(node["codes"]))
    drops = kind in DROPOUT_MODULES or kind in FUNCTIONALS or bool(node["rate"])
    shape = tuple(node["shape"]) if node["shape"] is not None else None
    label = _label(kind, classes.get(node["module"], ""))
    return Step(index, label, node["module"], node["rate"], shape, node["line"], codes, drops, inputs)


def _label(kind: str, class_name: str) -> str:
    if kind == "unknown":
        return class_name or kind
    if kind.startswith("torch.nn.functional."):
        return f"F.{kind.rpartition('.')[2]}"
    return kind.removeprefix("torch.nn.").removeprefix("timm.layers.")
