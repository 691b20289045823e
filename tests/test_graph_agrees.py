"""The source engine and the graph engine say the same about the same mistake, however it is written."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch

from dropout_lint.checks import checks
from dropout_lint.facts import LayerGraph
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.rulebook import Rule, rules
from tests.graph_helpers import built, codes, imported, models, seen_anyhow, traced
from tests.linting import codes as source_codes
from tests.linting import lint_files, marks, without_marks
from tests.test_rule_pages import each_of, examples

DEFAULT = frozenset(r.code for r in rules().values() if r.set == "default")
PATTERNS = {
    "DRP301": ("nn.Linear(8, 8)", "nn.Dropout(0.5)", "nn.GELU()", (4, 8)),
    "DRP302": ("nn.Linear(8, 8)", "nn.Dropout(0.5)", "nn.ReLU()", (4, 8)),
    "DRP303": ("nn.Linear(8, 8)", "nn.Dropout(0.5)", "nn.Softmax(-1)", (4, 8)),
    "DRP304": ("nn.Linear(8, 8)", "nn.Dropout(0.5)", "nn.BatchNorm1d(8)", (4, 8)),
    "DRP307": ("nn.Conv2d(3, 3, 3)", "nn.Dropout(0.5)", "nn.Conv2d(3, 3, 3)", (2, 3, 16, 16)),
    "DRP310": ("nn.SELU()", "nn.Dropout(0.5)", "nn.Linear(8, 8)", (4, 8)),
    "DRP311": ("nn.ReLU()", "nn.AlphaDropout(0.5)", "nn.Linear(8, 8)", (4, 8)),
    "DRP314": ("nn.Linear(8, 8)", "nn.Dropout(0.5)", "nn.MaxPool1d(2)", (4, 3, 8)),
}
FORMS = ("sequential", "forward", "wrappers")


WRAPPER = """\
from torch import nn


class {name}(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = {layer}

    def forward(self, x):
        return self.inner(x)
"""
NET = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = {first}
        self.drop = {dropout}
        self.b = {last}

    def forward(self, x):
        return self.b(self.drop(self.a(x)))
"""


def written(form: str, folder: Path, first: str, dropout: str, last: str) -> str:
    """Three layers: in nn.Sequential, one by one, or with the first and the last in wrappers, in a file each."""
    if form == "sequential":
        return f"Net = nn.Sequential(\n    {first},\n    {dropout},\n    {last},\n)\n"
    if form == "forward":
        return NET.format(first=first, dropout=dropout, last=last)
    imports = f"import sys\n\nsys.path.insert(0, {str(folder)!r})\n"
    for name, layer in (("Before", first), ("After", last)):
        file = f"wrapper_{name.lower()}"
        (folder / f"{file}.py").write_text(WRAPPER.format(name=name, layer=layer))
        imports += f"from {file} import {name}\n"
    return f"{imports}\n\n" + NET.format(first="Before()", dropout=dropout, last="After()")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("code", PATTERNS)
def test_both_engines_report_a_mistake_at_the_same_place(
    code: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, dropout, last, size = PATTERNS[code]
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("wrapper_before", "wrapper_after"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    model = built(tmp_path, written(form, tmp_path, first, dropout, last))
    on = DEFAULT | {code}
    source = lint_files([tmp_path / "net.py"], on)
    graph = traced(model, torch.randn(*size), codes=sorted(on))
    assert source_codes(source) == [code]
    assert [(d.code, d.path, d.span.line, d.span.column) for d in graph.diagnostics] == [
        (d.code, d.path, d.span.line, d.span.column) for d in source
    ]


NOT_IN_A_RUN = {"DRP306"}
"""That an output is a prediction is told by names and losses in the source."""
PLACEMENT = frozenset(code for code, (kind, _) in checks().items() if kind is LayerGraph)
_HAS_MODEL = re.compile(r"^class \w+\(nn\.Module\)|^\w+ = nn\.", re.MULTILINE)
OTHER_PACKAGES = {
    "DRP102": {"flash_attn", "xformers"},
    "DRP103": {"flax"},
    "DRP312": {"timm"},
    "DRP315": {"timm", "torchvision"},
}
"""What the models of examples need beside torch: without it, they are skipped."""


def with_models(*kinds: str) -> list[tuple[Rule, int]]:
    """The examples of rules about dropout in a model that define models."""
    return [
        (rule, index)
        for rule, index in examples(*kinds)
        if rule.code[:4] in {"DRP1", "DRP3"} and _HAS_MODEL.search(rule.examples[index].code)
    ]


def other_packages(code: str) -> set[str]:
    """The packages that a text imports, without torch and Python's own."""
    nodes = list(ast.walk(ast.parse(code)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names} - {"torch"} - sys.stdlib_module_names


def test_examples_that_need_another_package_are_known() -> None:
    needed: dict[str, set[str]] = {}
    for rule, index in with_models("bad", "good", "fixed"):
        if packages := other_packages(rule.examples[index].code):
            needed.setdefault(rule.code, set()).update(packages)
    assert needed == OTHER_PACKAGES


def seen(rule: Rule, index: int, folder: Path) -> list[ModelFindings]:
    """What the graph engine says about each model of an example; skips one that needs a package that is missing."""
    code = without_marks(rule.examples[index].code)
    missing = sorted(name for name in other_packages(code) if importlib.util.find_spec(name) is None)
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    path = folder / f"page_{rule.code.lower()}_{index}.py"
    path.write_text(code)
    return [seen_anyhow(model) for model in models(imported(path))]


@each_of(with_models("bad"))
def test_models_of_bad_examples_are_reported_at_the_marks(rule: Rule, index: int, tmp_path: Path) -> None:
    results = seen(rule, index, tmp_path)
    on = DEFAULT | {rule.code}
    found = {(line, code) for result in results for code, line in codes(result) if code in on}
    expected = set(marks(rule.examples[index].code))
    drawings = [result.drawing for result in results if result.how == "execution" and result.drawing is not None]
    nodes = [node for drawing in drawings for node in drawing.nodes]
    ran = {int(node.line.rpartition(":")[2]) for node in nodes if node.rate}
    assert found <= expected
    assert {mark for mark in expected if mark[0] in ran and mark[1] in PLACEMENT - NOT_IN_A_RUN} <= found


@each_of(with_models("good", "fixed"))
def test_models_of_good_examples_are_silent(rule: Rule, index: int, tmp_path: Path) -> None:
    for result in seen(rule, index, tmp_path):
        assert [found for found in codes(result) if found[0] in DEFAULT] == []
