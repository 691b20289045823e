"""``dropout-lint facts``: what the checks read about a file, as JSON that a person can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dropout_lint.facts import FACT_KINDS
from tests.linting import run

NET = """\
import torch.nn.functional as F
from torch import nn
from layers import Block


class Net(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.drop = nn.Dropout(p)
        self.block = Block(8)

    def forward(self, x):
        return self.block(self.drop(x))
"""
BLOCK = """\
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.act = nn.GELU()

    def forward(self, x):
        return self.act(x)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    Path("layers.py").write_text(BLOCK)
    return tmp_path


def facts(*args: str, stdin: str | None = None) -> dict[str, Any]:
    result = run("facts", *args, stdin=stdin)
    assert (result.exit_code, result.stderr) == (0, "")
    shown: dict[str, Any] = json.loads(result.stdout)
    return shown


def test_facts_are_listed_by_file_and_kind() -> None:
    shown = facts("net.py", "layers.py")
    assert list(shown) == ["net.py", "layers.py"]
    assert list(shown["net.py"]) == sorted(shown["net.py"])
    assert [(site["form"], site["span"]) for site in shown["net.py"]["DropoutSite"]] == [
        ("module", "9:21-9:34"),
        ("forwarded", "13:16-13:40"),
        ("application", "13:27-13:39"),
    ]
    assert shown["net.py"]["FileFacts"]["imports"]["F"] == "torch.nn.functional"


def test_fields_with_their_default_are_left_out() -> None:
    rate = facts("--kind", "DropoutSite", "net.py")["net.py"]["DropoutSite"][0]["rate"]
    assert rate == {"kind": "number", "number": 0.5, "default": True, "parameter": "p", "names": ["p"]}


def test_wrappers_of_other_files_are_looked_into() -> None:
    (graph,) = facts("--kind", "LayerGraph", "net.py")["net.py"]["LayerGraph"]
    assert [node["kind"] for node in graph["nodes"]] == ["input", "torch.nn.Dropout", "torch.nn.GELU"]


def test_kinds_can_be_named() -> None:
    assert list(facts("--kind", "ModelClass", "--kind", "DropoutSite", "net.py")["net.py"]) == [
        "DropoutSite",
        "ModelClass",
    ]


def test_every_kind_that_a_check_can_read_can_be_named() -> None:
    for kind in FACT_KINDS:
        assert set(facts("--kind", kind.__name__, "net.py")["net.py"]) <= {kind.__name__}


def test_output_is_the_same_each_time_and_fits_a_screen(folder: Path) -> None:
    first = run("facts", "net.py").stdout
    assert run("facts", "net.py").stdout == first
    assert [line for line in first.splitlines() if len(line) > 100 and str(folder) not in line] == []


def test_standard_input_has_the_name_that_is_given() -> None:
    assert facts("-", stdin=NET)["-"]["DropoutSite"] == facts("net.py")["net.py"]["DropoutSite"]
    assert list(facts("-", "--stdin-filename", "other.py", stdin=NET)) == ["other.py"]


def test_notebooks_and_markdown_have_facts() -> None:
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": NET}
    Path("net.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    Path("net.md").write_text(f"# A page\n\n```python\n{NET}```\n")
    shown = facts("--kind", "DropoutSite", "net.ipynb", "net.md")
    assert [len(shown[name]["DropoutSite"]) for name in ("net.ipynb", "net.md")] == [3, 3]


def test_a_file_without_a_word_about_dropout_has_no_facts() -> None:
    Path("plain.py").write_text("x = 1\n")
    assert facts("plain.py") == {"plain.py": {}}


def test_an_unknown_kind_is_refused_with_the_nearest_one() -> None:
    result = run("facts", "--kind", "DropSite", "net.py")
    assert result.exit_code == 2
    assert "error: Unknown kind of fact 'DropSite'; did you mean 'DropoutSite'?" in result.stderr
    assert "the kinds are" in run("facts", "--kind", "xyz", "net.py").stderr


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("gone.py", None, "no such file"),
        ("broken.py", "from torch import nn\nclass Net(nn.Dropout:\n", "syntax error in line 2, column 21"),
        ("bytes.py", b"\xff\xfe\xfa", "not"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_shown(
    name: str, text: str | bytes | None, reason: str
) -> None:
    if text is not None:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    result = run("facts", name, "net.py", "--kind", "DropoutSite")
    assert result.exit_code == 2
    assert list(json.loads(result.stdout)) == ["net.py"]
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: {name}: ")
    assert reason in line
