"""What a check gives back and leaves behind: the model as it was, places, tables, refutations, the page, the job."""

from __future__ import annotations

import json
import math
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: N812
from torch import nn

from dropout_lint.cache.codec import decode
from dropout_lint.facts import bound
from dropout_lint.model_linting.model_findings import ModelFindings
from dropout_lint.models.load import LoadedModel
from dropout_lint.observing.recording import masks, rng
from dropout_lint.runtime import check, job
from dropout_lint.targets.target import ModelTarget


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.norm, self.drop = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)
        self.mix, self.last = nn.Linear(8, 8), nn.BatchNorm1d(8)

    def forward(self, x: torch.Tensor) -> Any:
        x = self.drop(self.norm(self.hidden(x)).relu())
        x = F.dropout(
            x,
            0.3,
            self.training,
        )
        return self.last(self.mix(x))


class Bad(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(super().forward(x), 0.3)


def batch() -> torch.Tensor:
    return torch.randn(2000, 4, generator=torch.Generator().manual_seed(0))


# --- nothing is left behind


@pytest.mark.parametrize("cls", [Net, Bad])
def test_the_model_and_the_random_states_are_as_they_were(cls: type[nn.Module]) -> None:
    model = cls()
    model.get_submodule("norm").eval()
    modes = [module.training for module in model.modules()]
    values = {name: value.clone() for name, value in model.state_dict().items()}
    states = rng.state()
    check(model, batch())
    assert not rng.moved(states, rng.state())
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, values[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_an_error_of_the_model_is_said_and_leaves_it_as_it_was() -> None:
    model = Net().eval()
    report = check(model, torch.randn(8, 5))
    assert not model.training
    assert not report.diagnostics
    assert [o.kind for o in report.observations] == ["not checked", "not checked"]
    assert all("RuntimeError" in o.text for o in report.observations)


def test_the_same_seed_gives_the_same_report() -> None:
    random.seed(1)
    first = check(Bad(), batch()).as_dict()["tables"]["rates"]
    random.seed(2)
    torch.manual_seed(5)
    assert check(Bad(), batch()).as_dict()["tables"]["rates"] == first
    assert check(Bad(), batch(), seed=1).as_dict()["tables"]["rates"] != first


def test_every_generator_is_watched() -> None:
    numpy = pytest.importorskip("numpy")
    for draw, name in ((lambda: torch.rand(1), "torch"), (random.random, "random"), (numpy.random.rand, "numpy")):
        before = rng.state()
        draw()
        assert rng.moved(before, rng.state()) == (name,)


# --- the bound and the masks


def test_the_bound_alarms_less_often_than_it_says() -> None:
    draws = torch.distributions.Binomial(500, torch.tensor(0.1)).sample((20_000,))  # type: ignore[no-untyped-call]
    alarms = sum(bound.contradicts(int(k), 500, 0.1, 1e-3) for k in draws)
    assert alarms <= 20


@pytest.mark.parametrize(("p", "true"), [(0.1, 0.9), (0.2, 0.25), (0.5, 0.51), (0.0, 0.1)])
def test_the_units_needed_are_enough_and_not_far_too_many(p: float, true: float) -> None:
    units = math.ceil(math.log(2 / bound.ALPHA) / bound.divergence(true, p)) if p else 1
    assert bound.contradicts(round(units * true) + 1, units, p)
    assert not bound.contradicts(round(units * p), units, p)
    assert p == 0 or not bound.contradicts(round(units / 4 * true), units // 4, p)


@pytest.mark.parametrize(
    ("shape", "shared"),
    [((64, 8, 4, 4), ()), ((64, 8, 1, 1), (2, 3)), ((64, 1, 1, 1), (1, 2, 3)), ((1, 8, 4, 4), (0,))],
)
def test_values_that_share_a_decision_count_once(shape: tuple[int, ...], shared: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    runs = torch.stack([((torch.rand(shape) > 0.3) / 0.7).expand(64, 8, 4, 4) for _ in range(8)])
    mask = masks.read(runs)
    assert mask is not None
    assert mask.shared == shared
    assert mask.units == 8 * math.prod(shape)
    assert mask.constant
    assert mask.scale == pytest.approx(1 / 0.7)
    assert not mask.blocks


def test_neighbours_that_drop_together_are_blocks() -> None:
    torch.manual_seed(0)
    coarse = torch.rand(8, 16, 4, 8, 8) > 0.3
    mask = masks.read(coarse.repeat_interleave(2, 3).repeat_interleave(2, 4).float())
    assert mask is not None
    assert mask.blocks


# --- places, tables, refutations


def test_a_finding_spans_the_whole_call() -> None:
    (found,) = check(Bad(), batch()).diagnostics
    line = Path(__file__).read_text("utf-8").splitlines()[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == "F.dropout(super().forward(x), 0.3)"


def test_a_call_that_obeys_the_mode_refutes_a_source_finding_at_its_first_line() -> None:
    lines = Path(__file__).read_text("utf-8").splitlines()
    (refuted,) = check(Net(), batch()).refuted
    assert refuted.path == __file__
    assert "x = F.dropout(" in lines[refuted.line - 1]
    assert "DRP101" in refuted.codes


def test_the_shift_is_measured_where_dropout_reaches_a_batch_norm() -> None:
    report = check(Net(), batch())
    (row,) = report.tables["batch_norm"]
    assert row["module"] == "last"
    assert row["ratio"] < 0.8
    layers = {row["module"]: row for row in report.tables["layers"]}
    assert layers["hidden"]["ratio"] == 1
    assert layers["drop"]["on"] > layers["drop"]["off"]


def test_a_report_reads_as_true_without_findings_and_prints_a_table() -> None:
    assert check(Net(), batch())
    report = check(Bad(), batch())
    assert not report
    first = str(report).splitlines()[0]
    assert re.match(r"error +DRP101 +\S+test_runtime_report\.py:\d+ ", first)


def test_configured_and_never_called_is_explained_by_attention_with_the_same_rate() -> None:
    class Attention(nn.Module):
        def __init__(self, used: float) -> None:
            super().__init__()
            self.drop, self.used = nn.Dropout(0.1), used

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            p = self.used if self.training else 0.0
            return F.scaled_dot_product_attention(x, x, x, dropout_p=p)

    x = torch.randn(2, 4, 8, 8)
    assert check(Attention(0.1), x).diagnostics == []
    (found,) = check(Attention(0.0), x).diagnostics
    assert found.code == "DRP407"
    assert "`dropout_p` 0" in found.message


def test_attention_is_checked_through_identity_values() -> None:
    class Attention(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.scaled_dot_product_attention(x, x, x, dropout_p=0.2 if self.training else 0.0)

    report = check(Attention(), torch.randn(2, 4, 8, 8))
    assert any(o.kind == "checked" and "dropout_p=0.2" in o.text for o in report.observations)


# --- the page


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_needs_no_other_file_and_has_findings_curves_and_both_themes(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    check(Bad(), batch(), html=file)
    text = file.read_text("utf-8")
    page = Page(text)
    assert not {"script", "link", "img"} & set(page.tags)
    assert all(link.startswith(("https://github.com/", "https://dropout-lint.github.io/")) for link in page.links)
    assert "prefers-color-scheme: dark" in text
    assert "DRP101" in text
    points = [len(d.split()) for d in re.findall(r"<path class=o(?:n|ff) d='([^']*)'", text)]
    assert points == [5, 5], "hidden, norm, drop, mix and last"
    assert list(tmp_path.iterdir()) == [file]


def test_names_are_escaped_in_the_page(tmp_path: Path) -> None:
    evil = type("<b>Net</b>", (Net,), {})
    check(evil(), batch(), html=tmp_path / "page.html")
    assert "<b>Net" not in (tmp_path / "page.html").read_text("utf-8")


# --- the job


def loaded(model: nn.Module, inputs_from: str = "given") -> LoadedModel:
    return LoadedModel(model, (batch(),) if inputs_from else (), {}, ModelTarget("a:B"), inputs_from)


def test_the_job_gives_json() -> None:
    model = Bad()
    result = job.validate(loaded(model), {"device": "cpu", "allow": (), "seed": 0})
    report = check(model, batch())
    found = decode(ModelFindings, result)
    assert list(found.diagnostics) == report.diagnostics
    assert list(found.remarks) == report.observations
    assert set(report.as_dict()) == {"diagnostics", "observations", "tables", "refuted"}
    assert json.loads(json.dumps(report.as_dict()))["diagnostics"][0]["code"] == "DRP101"


def test_without_inputs_the_structure_is_checked_and_the_rest_is_said_not_to_be() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            with pytest.warns(UserWarning, match="num_layers"):
                self.rnn = nn.LSTM(4, 4, dropout=0.2)

    result = decode(ModelFindings, job.validate(loaded(Recurrent(), inputs_from=""), {}))
    assert [d.code for d in result.diagnostics] == ["DRP406"]
    assert [o.kind for o in result.remarks] == ["not checked"]
