"""A traced model as a tree and as a picture: repeated blocks once, findings marked, nothing lost on the way."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from dropout_lint.cache.codec import decode, encode
from dropout_lint.graph.pictures.outline import Drawing, outline
from dropout_lint.graph.pictures.svg import svg
from dropout_lint.graph.pictures.tree import tree
from tests.graph_helpers import built, traced

TRANSFORMER = """\
class Attention(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.qkv = nn.Linear(d, 3 * d)
        self.proj = nn.Linear(d, d)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        return self.proj(F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0))


class Block(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.norm1 = nn.LayerNorm(d)
        self.attn = Attention(d)
        self.mlp = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, d), nn.Dropout(0.1), nn.GELU(), nn.Linear(d, d))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 16)
        self.blocks = nn.ModuleList([Block() for _ in range(12)])
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)
"""


@pytest.fixture
def graph(tmp_path: Path) -> Drawing:
    result = traced(built(tmp_path, TRANSFORMER), torch.randn(2, 5, 8), graph=True)
    assert result.drawing is not None
    return decode(Drawing, encode(result.drawing))


def text(graph: Drawing) -> str:
    console = Console(width=200, file=io.StringIO())
    with console.capture() as capture:
        console.print(tree("net.py:Net", graph))
    return capture.get()


def test_twelve_blocks_are_shown_once(graph: Drawing) -> None:
    shown = outline(graph)
    (run,) = shown.repeated.values()
    assert (run.first, run.last, run.count, run.class_name) == ("blocks.0", "blocks.11", 12, "Block")
    assert [s.label for s in shown.layers] == [
        *("input", "Linear", "LayerNorm", "Linear", "F.scaled_dot_product_attention", "Linear", "add"),
        *("LayerNorm", "Linear", "Dropout", "GELU", "Linear", "add", "Linear"),
    ]


def test_what_is_left_out_hands_its_inputs_on(graph: Drawing) -> None:
    steps = {s.index: s for s in outline(graph).layers}
    order = list(steps)
    inputs = [[order.index(i) for i in s.inputs] for s in steps.values()]
    assert inputs == [[], [0], [1], [2], [3], [4], [1, 5], [6], [7], [8], [9], [10], [6, 11], [12]]


def test_a_block_that_differs_is_shown_by_itself(graph: Drawing) -> None:
    nodes = (replace(n, codes=()) if n.module == "blocks.4.mlp.2" else n for n in graph.nodes)
    graph = replace(graph, nodes=tuple(nodes))
    assert [(r.first, r.last) for r in outline(graph).repeated.values()] == [
        ("blocks.0", "blocks.3"),
        ("blocks.5", "blocks.11"),
    ]


def test_the_tree_marks_what_was_found(graph: Drawing) -> None:
    lines = text(graph).splitlines()
    (marked,) = [line for line in lines if "DRP301" in line]
    assert re.search(r"2: Dropout p=0\.1 +2x5x16 +◀ DRP301 +.*net\.py:\d+$", marked)
    assert "0  Block  and the same up to 11, 12 in all" in text(graph)
    assert len(lines) < 30


def test_the_picture_has_a_box_for_each_step_and_none_over_another(graph: Drawing) -> None:
    root = ElementTree.fromstring(svg("net.py:Net", graph))
    name = "{http://www.w3.org/2000/svg}"
    boxes = [g.find(f"{name}rect") for g in root.iter(f"{name}g") if g.find(f"{name}title") is not None]
    corners = [(float(b.attrib["x"]), float(b.attrib["y"])) for b in boxes if b is not None]
    width, height = (float(boxes[0].attrib[side]) for side in ("width", "height"))  # type: ignore[union-attr]
    assert len(corners) == len(outline(graph).layers)
    for i, (x, y) in enumerate(corners):
        assert all(abs(x - a) >= width or abs(y - b) >= height for a, b in corners[:i])
    texts = [t.text for t in root.iter(f"{name}text")]
    assert "Dropout p=0.1  DRP301" in texts
    assert "blocks.0 to blocks.11: 12 times Block" in texts
    edges = list(root.iter(f"{name}path"))
    assert len(edges) == sum(len(s.inputs) for s in outline(graph).layers)
