"""What the rules say about a live model, and where they say it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from dropout_lint.diagnostic import Span
from tests.graph_helpers import HEADER, built, codes, traced

OFFSET = HEADER.count("\n")


def model(forward: str, layers: str = "", *, name: str = "Net", before: str = "") -> str:
    """A class with these layers and this forward."""
    return (
        f"{before}class {name}(nn.Module):\n    def __init__(self):\n        super().__init__()\n{layers}\n"
        f"    def forward(self, x):\n{forward}"
    )


def found(folder: Path, text: str, *size: int, name: str = "Net") -> list[tuple[str, int]]:
    """Code and line of each finding that is not an opinion, lines counted in ``text``."""
    result = traced(built(folder, text, name), torch.randn(*(size or (4, 8))))
    return [(code, line - OFFSET) for code, line in codes(result) if code != "DRP305"]


# --- dropout that eval() does not switch off


ALWAYS_ON = {
    "functional": ("        return F.dropout(x, 0.5)\n", "DRP101"),
    "aten": ("        return torch.dropout(x, 0.5, True)\n", "DRP101"),
    "attention": ("        return F.scaled_dot_product_attention(x, x, x, dropout_p=0.1)\n", "DRP102"),
    "forced": ("        return F.dropout(x, 0.5, training=True)\n", "DRP105"),
}


@pytest.mark.parametrize("case", ALWAYS_ON)
def test_what_still_drops_in_eval_is_reported(case: str, tmp_path: Path) -> None:
    forward, code = ALWAYS_ON[case]
    assert found(tmp_path, model(forward)) == [(code, 6)]


@pytest.mark.parametrize(
    "forward",
    [
        "        return F.dropout(x, 0.5, self.training)\n",
        "        return F.dropout(x, 0.5) if self.training else x\n",
        "        return F.dropout(x, 0.0)\n",
        "        # Monte Carlo dropout\n        return F.dropout(x, 0.5)\n",
        "        p = 0.1 if self.training else 0.0\n"
        "        return F.scaled_dot_product_attention(x, x, x, dropout_p=p)\n",
    ],
)
def test_what_follows_the_mode_or_is_meant_is_not(forward: str, tmp_path: Path) -> None:
    assert found(tmp_path, model(forward)) == []


def test_a_helper_in_another_file_answers_for_the_module_that_calls_it(tmp_path: Path) -> None:
    helper = "import torch.nn.functional as F\n\n\ndef drop(x):\n    return F.dropout(x)\n"
    (tmp_path / "helper_of_net.py").write_text(helper)
    text = f"import sys\n\nsys.path.insert(0, {str(tmp_path)!r})\nfrom helper_of_net import drop\n\n\n"
    result = traced(built(tmp_path, model("        return drop(x)\n", before=text)), torch.randn(4, 8))
    (only,) = result.diagnostics
    assert (only.code, Path(only.path).name, only.span.line) == ("DRP101", "helper_of_net.py", 5)


@pytest.mark.parametrize(("name", "line"), [("dropout", 11), ("p", 2)])
def test_a_helper_that_takes_the_rate_answers_where_no_caller_names_it(name: str, line: int, tmp_path: Path) -> None:
    helper = f"def attend(q, {name}):\n    return F.scaled_dot_product_attention(q, q, q, dropout_p={name})\n\n\n"
    text = model(f"        return attend(x, self.{name})\n", f"        self.{name} = 0.2\n", before=helper)
    assert found(tmp_path, text) == [("DRP102", line)]


# --- rates are those of the instance


def test_a_rate_of_zero_is_no_finding(tmp_path: Path) -> None:
    text = "def Net(p=0.0):\n    return nn.Sequential(nn.Linear(8, 8), nn.Dropout(p), nn.GELU())\n"
    assert found(tmp_path, text) == []
    assert found(tmp_path, text.replace("p=0.0", "p=0.3")) == [("DRP301", 2)]


def test_a_zero_rate_between_does_not_hide_what_is_behind_it(tmp_path: Path) -> None:
    layers = ("nn.Linear(8, 8)", "nn.Dropout(0.5)", "nn.Dropout(0.0)", "nn.BatchNorm1d(8)")
    text = "Net = nn.Sequential(\n    " + ",\n    ".join(layers) + "\n)\n"
    assert found(tmp_path, text) == [("DRP304", 3)]


def test_rates_that_drop_everything_or_nothing(tmp_path: Path) -> None:
    layers = (
        "        rates = [1.0, 0.3]\n        self.all = nn.Dropout(rates[0])\n"
        "        self.rnn = nn.LSTM(8, 8, dropout=rates[1])\n"
    )
    expected = [("DRP403", 5), ("DRP406", 6)]
    assert found(tmp_path, model("        return self.rnn(self.all(x))[0]\n", layers)) == expected


def test_ranks_are_those_of_the_run(tmp_path: Path) -> None:
    text = model("        return self.drop(x)\n", "        self.drop = nn.Dropout2d(0.5)\n")
    assert found(tmp_path, text, 4, 8) == [("DRP308", 7)]
    assert found(tmp_path, text, 4, 3, 8, 8) == []
    assert found(tmp_path, text.replace("2d", "3d"), 4, 3, 8, 8) == [("DRP308", 7)]


def test_the_name_of_an_attribute_says_what_is_meant(tmp_path: Path) -> None:
    layers = "        self.rnn = nn.GRU(8, 8)\n        self.drop = nn.Dropout1d(0.5)\n"
    forward = "        return self.drop(self.rnn(x)[0]) * 2\n"
    assert found(tmp_path, model(forward, layers), 4, 3, 8) == [("DRP309", 8)]
    assert found(tmp_path, model(forward, layers).replace("drop", "step_drop"), 4, 3, 8) == []


def test_an_input_inferred_from_a_linear_proves_no_rank(tmp_path: Path) -> None:
    text = "Net = nn.Sequential(nn.Linear(8, 8), nn.Dropout2d(0.5), nn.Linear(8, 8))\n"
    assert codes(traced(built(tmp_path, text))) == []
    assert found(tmp_path, text, 4, 8) == [("DRP308", 1)]


# --- one finding for one line


BLOCKS = """\
class Block(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.lin = nn.Linear(8, 8)
        self.drop = nn.Dropout(p)

    def forward(self, x):
        return x + F.gelu(self.drop(self.lin(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(p) for p in (0.0, 0.1, 0.2)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
"""


def test_instances_of_a_class_are_one_finding_with_their_paths(tmp_path: Path) -> None:
    (only,) = traced(built(tmp_path, BLOCKS), torch.randn(4, 8)).diagnostics
    assert only.code == "DRP301"
    assert only.modules == ("blocks.1.drop", "blocks.2.drop")
    assert only.engines == ("graph",)
    assert only.span == Span(OFFSET + 8, 27, OFFSET + 8, 49)


@pytest.mark.parametrize("outer", ["MCHead", "Prenet", "UncertaintyNet"])
def test_a_module_named_for_its_noise_is_left_alone(outer: str, tmp_path: Path) -> None:
    inner = "class Inner(nn.Sequential):\n    pass\n\n\n"
    layers = "        self.inner = Inner(nn.Linear(8, 8), nn.Dropout(0.5), nn.GELU())\n"
    forward = "        return F.dropout(self.inner(x), 0.5) * 2\n"
    assert found(tmp_path, model(forward, layers, name=outer, before=inner), name=outer) == []
    assert [code for code, _ in found(tmp_path, model(forward, layers, before=inner))] == ["DRP301", "DRP101"][::-1]


def test_dropout_between_blocks_of_several_convolutions_is_another_design(tmp_path: Path) -> None:
    several = "def block():\n    return nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3))\n\n\n"
    one = several.replace(", nn.Conv2d(3, 3, 3))", ")")
    net = "Net = nn.Sequential(block(), nn.Dropout(0.5), block())\n"
    assert found(tmp_path, several + net, 2, 3, 16, 16) == []
    assert found(tmp_path, one + net, 2, 3, 16, 16) == [("DRP307", 5)]


def test_only_the_rules_that_are_asked_for_run(tmp_path: Path) -> None:
    text = "Net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.GELU())\n"
    assert codes(traced(built(tmp_path, text), torch.randn(4, 8), codes=["DRP301"])) == [("DRP301", OFFSET + 1)]
    assert isinstance(built(tmp_path, text), nn.Sequential)
