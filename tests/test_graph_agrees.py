"""The source engine and the graph engine say the same about the same mistake, however it is written."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

from dropout_lint.checks import checks
from dropout_lint.config.resolver import Settings
from dropout_lint.facts import LayerGraph
from dropout_lint.linting.linter import Linter
from dropout_lint.model_linting.answers import ModelFindings
from dropout_lint.rulebook import Rule, rules
from tests.graph_helpers import built, codes, imported, models, seen_anyhow, traced
from tests.test_rule_pages import MARK, examples, marks

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
    settings = Settings(root=tmp_path, enabled=on)
    source = Linter(lambda _: settings, jobs=1).run([tmp_path / "net.py"])
    graph = traced(model, torch.randn(*size), codes=sorted(on))
    assert [d.code for d in source.diagnostics] == [code]
    assert [(d.code, d.path, d.span.line, d.span.column) for d in graph.diagnostics] == [
        (d.code, d.path, d.span.line, d.span.column) for d in source.diagnostics
    ]


NOT_IN_A_RUN = {"DRP306"}
"""That an output is a prediction is told by names and losses in the source."""
PLACEMENT = frozenset(code for code, (kind, _) in checks().items() if kind is LayerGraph)
_HAS_MODEL = re.compile(r"^class \w+\(nn\.Module\)|^\w+ = nn\.", re.MULTILINE)
_NEEDS = re.compile(r"^(?:from|import) (?!torch|math|os|sys|functools|dataclasses|collections|typing)\w", re.MULTILINE)


def with_models(*kinds: str) -> list[object]:
    """The examples of rules about dropout in a model that define models, and need nothing but torch."""
    found = []
    for parameter in examples(*kinds):
        rule, index = parameter.values  # type: ignore[attr-defined]
        code = rule.examples[index].code
        if rule.code[:4] in {"DRP1", "DRP3"} and _HAS_MODEL.search(code) and not _NEEDS.search(code):
            found.append(parameter)
    return found


def seen(rule: Rule, index: int, folder: Path) -> list[ModelFindings]:
    """What the graph engine says about each model of an example; skips pages that are a part of something."""
    path = folder / f"page_{rule.code.lower()}_{index}.py"
    path.write_text(MARK.sub("", rule.examples[index].code))
    try:
        module = imported(path)
    except (ImportError, NameError, AttributeError, SystemExit) as error:
        pytest.skip(f"needs more than torch: {error}")
    return [seen_anyhow(model) for model in models(module)]


@pytest.mark.parametrize(("rule", "index"), with_models("bad"))
def test_models_of_bad_examples_are_reported_at_the_marks(rule: Rule, index: int, tmp_path: Path) -> None:
    results = seen(rule, index, tmp_path)
    on = DEFAULT | {rule.code}
    found = {(line, code) for result in results for code, line in codes(result) if code in on}
    expected = set(marks(rule.examples[index]))
    drawings = [result.drawing for result in results if result.how == "execution" and result.drawing is not None]
    nodes = [node for drawing in drawings for node in drawing.nodes]
    ran = {int(node.line.rpartition(":")[2]) for node in nodes if node.rate}
    assert found <= expected
    assert {mark for mark in expected if mark[0] in ran and mark[1] in PLACEMENT - NOT_IN_A_RUN} <= found


@pytest.mark.parametrize(("rule", "index"), with_models("good", "fixed"))
def test_models_of_good_examples_are_silent(rule: Rule, index: int, tmp_path: Path) -> None:
    for result in seen(rule, index, tmp_path):
        assert [found for found in codes(result) if found[0] in DEFAULT] == []
