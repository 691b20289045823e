"""What the tracers see of a live model: operations, edges, rates, shapes, and the exact place of each in user code."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from dropout_lint.cache.codec import decode, encode
from dropout_lint.facts import LayerGraph, LayerNode
from dropout_lint.graph import construction_sites as births
from dropout_lint.graph import execution, fake, symbolic, tracers
from dropout_lint.graph.builder import Traced, TraceError
from dropout_lint.graph.pictures.outline import DrawnNode
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.models.user_code import line_text
from tests.graph_helpers import HEADER, built, traced

MIXED = """\
class Block(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, d), nn.Dropout(0.3),
                                 nn.GELU())
        self.drop = nn.Dropout(0.2)
        self.layers = nn.ModuleList([nn.Linear(d, d), nn.Dropout(0.1)])

    def forward(self, x):
        y = self.net(x)
        y = self.drop(y).view(-1, y.shape[-1]).view_as(x)
        for layer in self.layers:
            y = layer(y)
        é = "two bytes"; y = F.dropout(torch.relu(y), 0.5, self.training)
        y += x
        return F.softmax(torch.cat([x / 2, y], 1)[:, :8] @ y.T, -1)
"""
KINDS = [
    *("input", "torch.nn.Linear", "torch.nn.Dropout", "torch.nn.GELU", "torch.nn.Dropout", ".view", ".view_as"),
    *("torch.nn.Linear", "torch.nn.Dropout", "torch.relu", "torch.nn.functional.dropout", "add", "scale", "cat"),
    *("index", "mul", "torch.nn.functional.softmax"),
]


def run(model: nn.Module, *args: torch.Tensor) -> Traced:
    return execution.trace(model.train(), args or (torch.randn(4, 8),), {})


def dropout_of(model: nn.Module) -> nn.Dropout:
    drop = model.get_submodule("drop")
    assert isinstance(drop, nn.Dropout)
    return drop


def text_at(node: LayerNode) -> str:
    span = node.span
    assert span.line == span.end_line
    return line_text(node.path, span.line)[span.column - 1 : span.end_column - 1]


def structure(graph: LayerGraph) -> list[tuple[object, ...]]:
    return [(n.kind, sorted(n.inputs), n.module, n.rate, n.span, n.path) for n in graph.nodes if n.kind != "input"]


def test_every_operation_is_a_node_with_its_operands(tmp_path: Path) -> None:
    graph = run(built(tmp_path, MIXED, "Block")).graph
    assert [n.kind for n in graph.nodes] == KINDS
    edges = {n.index: n.inputs for n in graph.nodes}
    assert edges[11] == (10, 0)  # y += x
    assert edges[13] == (12, 11)
    assert edges[15] == (14, 11)
    assert graph.outputs == (16,)
    assert graph.seen == "execution"


def test_both_tracers_see_the_same(tmp_path: Path) -> None:
    model = built(tmp_path, MIXED, "Block")
    assert structure(run(model).graph) == structure(symbolic.trace(model.train(), leaves=False).graph)


def test_each_node_stands_where_the_source_has_its_call(tmp_path: Path) -> None:
    nodes = run(built(tmp_path, MIXED, "Block")).graph.nodes
    assert [text_at(n) for n in nodes if "ropout" in n.kind] == [
        "nn.Dropout(0.3)",  # nn.Sequential applies it
        "self.drop(y)",
        "nn.Dropout(0.1)",  # a loop applies it
        "F.dropout(torch.relu(y), 0.5, self.training)",
    ]
    assert {n.path for n in nodes} == {str(tmp_path / "net.py")}
    assert all(n.span.line > 0 for n in nodes)


def test_rates_paths_and_shapes_are_those_of_the_instance(tmp_path: Path) -> None:
    model = built(tmp_path, MIXED, "Block")
    dropout_of(model).p = 0.25
    nodes = run(nn.Sequential(model, model), torch.randn(8, 8)).graph.nodes
    assert [(n.module, n.rate.number) for n in nodes if n.kind == "torch.nn.Dropout"][:3] == [
        ("0.net.1", 0.3),
        ("0.drop", 0.25),
        ("0.layers.1", 0.1),
    ]
    assert nodes[1].shape == (8, 8)
    assert nodes[1].rank == 2
    assert nodes[1].out_features == "8"


@pytest.mark.parametrize("off", ["p", "mode", "functional"])
def test_a_dropout_that_drops_nothing_in_this_mode_is_an_identity(off: str, tmp_path: Path) -> None:
    model = built(tmp_path, MIXED, "Block").train()
    if off == "p":
        dropout_of(model).p = 0.0
    elif off == "mode":
        dropout_of(model).eval()
    else:
        model.training = False
    kinds = [n.kind for n in execution.trace(model, (torch.randn(4, 8),), {}).graph.nodes]
    where = 10 if off == "functional" else 4
    assert kinds == [*KINDS[:where], "torch.nn.Identity", *KINDS[where + 1 :]]


def test_a_copy_knows_the_constructor_of_the_original(tmp_path: Path) -> None:
    text = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        drop = nn.Dropout(0.5)\n"
    )
    text += "        self.net = nn.Sequential(*(copy.deepcopy(drop) for _ in range(3)))\n"
    model = built(tmp_path, text + "\n    def forward(self, x):\n        return self.net(x)\n")
    found = [text_at(n) for n in run(model).graph.nodes if n.kind == "torch.nn.Dropout"]
    assert found == ["nn.Dropout(0.5)"] * 3


def test_a_subclass_is_constructed_where_it_is_called(tmp_path: Path) -> None:
    text = "class Mine(nn.Dropout):\n    def __init__(self, p):\n        super().__init__(p)\n\n\n"
    model = built(tmp_path, text + "Net = nn.Sequential(nn.Linear(8, 8), Mine(0.4))\n")
    last = run(model).graph.nodes[-1]
    assert (last.kind, text_at(last)) == ("torch.nn.Dropout", "Mine(0.4)")


def test_nobody_remembers_constructors_afterwards() -> None:
    before = nn.Module.__init__
    with births.recording():
        assert nn.Module.__init__ is not before
    assert nn.Module.__init__ is before
    assert births.built_at(nn.Dropout()) is None


def test_kernels_paddings_and_batch_norms(tmp_path: Path) -> None:
    text = (
        "Net = nn.Sequential(nn.Conv2d(3, 4, (3, 5), padding=1), nn.Conv2d(4, 4, 3, groups=4), nn.BatchNorm2d(4),"
        "\n    nn.BatchNorm2d(4, track_running_stats=False), nn.Threshold(0, 0), nn.ReLU(inplace=True))\n"
    )
    nodes = run(built(tmp_path, text), torch.randn(2, 3, 8, 8)).graph.nodes[1:]
    assert [n.kernel for n in nodes[:2]] == [(3.0, 5.0), None]
    assert nodes[0].padding == 1.0
    assert [n.kind.rpartition(".")[2] for n in nodes[2:4]] == ["BatchNorm2d", "unknown"]
    assert nodes[4].kind == "torch.nn.Threshold(0, 0)"
    assert nodes[5].inplace


def test_a_subclass_that_normalizes_by_hand_is_the_layer_that_it_is(tmp_path: Path) -> None:
    text = "class Norm(nn.BatchNorm2d):\n    def forward(self, x):\n        return F.batch_norm(x, self.running_mean,"
    text += " self.running_var, self.weight, self.bias, True)\n\n\nNet = nn.Sequential(nn.Conv2d(3, 4, 1), Norm(4))\n"
    assert run(built(tmp_path, text), torch.randn(2, 3, 8, 8)).graph.nodes[-1].kind == "torch.nn.BatchNorm2d"


def test_what_is_written_into_a_tensor_changes_it(tmp_path: Path) -> None:
    text = "class Net(nn.Module):\n    def forward(self, x):\n        y = torch.relu(x)\n        y[0] = x[1]\n"
    text += "        y.mul_(2)\n        return y\n"
    nodes = run(built(tmp_path, text)).graph.nodes
    assert [(n.kind, sorted(n.inputs), n.edited) for n in nodes[3:]] == [
        ("unknown", [1, 2], (1,)),
        ("scale", [3], (3,)),
    ]


def test_states_of_an_rnn_are_another_thing_than_its_output(tmp_path: Path) -> None:
    text = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.rnn = nn.GRU(8, 8)\n"
    )
    text += "\n    def forward(self, x):\n        y, h = self.rnn(x)\n        return y.relu(), h.relu()\n"
    nodes = run(built(tmp_path, text), torch.randn(4, 2, 8)).graph.nodes
    assert [(n.kind, n.inputs) for n in nodes[1:]] == [
        *(("torch.nn.GRU", (0,)), ("unknown", (1,)), (".relu", (1,)), (".relu", (2,)))
    ]


# --- which tracer, and what it could not see

PICKY = """\
class Picky(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        if x.sum() > 0:
            x = x + 1
        return self.drop(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Dropout(0.5)
        self.picky = Picky()
        self.act = nn.GELU()

    def forward(self, x):
        return self.act(self.picky(self.first(x)))
"""


def test_a_module_that_fx_cannot_follow_is_one_unknown_node_and_told(tmp_path: Path) -> None:
    model = built(tmp_path, PICKY)
    with pytest.raises(Exception, match="symbolically traced variables"):
        symbolic.trace(model, leaves=False)
    seen = tracers.trace_model(model)
    assert seen.how == "fx with leaves"
    assert [n.kind for n in seen.training.graph.nodes] == ["input", "torch.nn.Dropout", "unknown", "torch.nn.GELU"]
    (note,) = seen.not_seen
    assert "`picky`" in note
    assert tracers.trace_model(model, (torch.randn(2, 8),)).not_seen == ()


def test_without_inputs_and_without_fx_there_is_a_reason(tmp_path: Path) -> None:
    model = built(tmp_path, PICKY, "Picky")
    with pytest.raises(TraceError, match=r"needs an input .* TraceError: symbolically traced"):
        tracers.trace_model(model)


def test_a_forward_that_raises_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"^its forward raised RuntimeError: mat1 and mat2 shapes[^\n]*$"):
        tracers.trace_model(built(tmp_path, MIXED, "Block"), (torch.randn(4, 9),))


def test_modes_are_as_before(tmp_path: Path) -> None:
    model = built(tmp_path, MIXED, "Block").train()
    dropout_of(model).eval()
    tracers.trace_model(model, (torch.randn(4, 8),))
    tracers.trace_model(model)
    assert [m.training for m in (model, model.get_submodule("net"), dropout_of(model))] == [True, True, False]
    with pytest.raises(TraceError):
        tracers.trace_model(model, (torch.randn(4, 9),))
    assert model.get_submodule("net").training


def test_one_sample_is_too_few_for_a_batch_norm_and_still_seen(tmp_path: Path) -> None:
    model = built(tmp_path, "Net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.BatchNorm1d(8))\n")
    seen = tracers.trace_model(model, (torch.randn(1, 8),))
    assert [n.kind.rpartition(".")[2] for n in seen.training.graph.nodes] == [
        *("input", "Linear", "Dropout", "BatchNorm1d")
    ]
    assert "normalizations" in seen.not_seen[0]


WANTS_TARGETS = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x, targets=None):
        if self.training:
            targets.sum()
        return self.drop(x).tanh()
"""


def test_a_model_that_wants_targets_in_training_is_seen_with_its_dropouts_on(tmp_path: Path) -> None:
    seen = tracers.trace_model(built(tmp_path, WANTS_TARGETS), (torch.randn(2, 8),))
    assert [n.kind for n in seen.training.graph.nodes] == ["input", "torch.nn.Dropout", ".tanh"]
    assert "'NoneType' object has no attribute 'sum'" in seen.not_seen[0]


def test_compiled_parts_are_not_passed_off_as_seen() -> None:
    model = nn.Sequential(nn.Dropout(0.5), torch.jit.script(nn.Sequential(nn.Dropout(0.5), nn.GELU())))
    seen = tracers.trace_model(model, (torch.randn(2, 8),))
    assert [n.kind for n in seen.training.graph.nodes] == ["input", "torch.nn.Dropout", "unknown"]
    assert any("`1`" in note for note in seen.not_seen)


def test_without_weights_the_graph_is_the_same(tmp_path: Path) -> None:
    model = built(tmp_path, MIXED, "Block")
    real = tracers.trace_model(model, (torch.randn(4, 8),))
    for hollow in (copy.deepcopy(model).to("meta"), None):
        if hollow is None:
            with fake.building():
                hollow = built(tmp_path, MIXED, "Block")
        seen = tracers.trace_model(hollow, (torch.randn(4, 8),))
        assert seen.how == "execution on fake tensors"
        assert structure(seen.training.graph) == structure(real.training.graph)
        assert [n.shape for n in seen.training.graph.nodes] == [n.shape for n in real.training.graph.nodes]


def test_a_model_that_fits_no_machine_is_traced_without_values(tmp_path: Path) -> None:
    text = "def Net():\n    return nn.Sequential(nn.Linear(1_000_000, 1_000_000), nn.Dropout(0.5), nn.GELU())\n"
    with fake.building():
        model = built(tmp_path, text)
    assert [d.code for d in traced(model, torch.randn(2, 1_000_000)).diagnostics] == ["DRP301"]


def test_the_answer_is_json(tmp_path: Path) -> None:
    result = traced(built(tmp_path, MIXED, "Block"), torch.randn(4, 8), graph=True)
    again = decode(ModelFindings, encode(result))
    assert again == result
    assert again.drawing is not None
    line = f"{tmp_path / 'net.py'}:{HEADER.count(chr(10)) + 4}"
    assert again.drawing.nodes[2] == DrawnNode("torch.nn.Dropout", (1,), "net.1", 0.3, (4, 8), line, ("DRP301",))
