"""Translation validation: programs that make safe fixes treacherous behave the same before and after them.

``python -m tools.validate_fixes --programs 5000`` tries more of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from tools.validate_fixes.grammar import CODES, program
from tools.validate_fixes.programs import Program
from tools.validate_fixes.running import outcome
from tools.validate_fixes.validating import fixed, validated
from tools.validate_fixes.verdicts import difference

PROGRAMS = 240
PARTS = 6


@pytest.mark.parametrize("part", range(PARTS))
def test_a_sample_of_programs_behaves_the_same_after_safe_fixes(part: int, tmp_path: Path) -> None:
    results = [validated(number, 11, CODES, tmp_path) for number in range(part, PROGRAMS, PARTS)]
    assert [(r.number, r.label, r.applied, r.wrong) for r in results if r.wrong] == []
    assert sum(bool(r.applied) and r.ran for r in results) > PROGRAMS / PARTS / 8


def test_number_and_seed_decide_a_program() -> None:
    assert program(7, 3) == program(7, 3)
    assert program(7, 3).text != program(7, 4).text


NET = """\
import torch
import torch.nn.functional as F
from torch import nn


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return {}
"""


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ("F.dropout(x)", "F.dropout(x, training=self.training)", ""),
        ("F.dropout(x)", "F.dropout(x, 0.4, training=self.training)", "train"),
        ("F.dropout(x)", "F.dropout(x + 0 * torch.rand(2, 4), training=self.training)", "train"),
        ("F.dropout(x)", "F.dropout(x) + 0 * self.fc(x).sum()", "train"),
        ("x * 2", "x * 2 if self.training else x", "eval"),
        ("F.dropout(x)", "F.dropout(x, training=self.training) * (1 if self.training else 2)", "eval"),
        ("F.dropout(x)", "F.dropout(x, training=self.training) + x.mul_(2) * 0", "train"),
    ],
)
def test_what_differs_is_seen(before: str, after: str, differs: str) -> None:
    first, second = (outcome(NET.format(code), "") for code in (before, after))
    assert first.error == second.error == ""
    assert difference(first, second, {"DRP101"}).partition(":")[0] == differs


def test_a_crash_of_the_fixed_program_is_a_difference() -> None:
    plain = outcome(NET.format("x"), "")
    assert difference(plain, outcome(NET.format("y"), ""), ()).startswith("train: settled")
    assert difference(plain, outcome("x = 1 / 0\n", ""), ()).startswith("not built: ZeroDivisionError")
    assert difference(outcome("x = 1 / 0\n", ""), plain, ()) == ""


def test_another_file_that_uses_the_model_is_run_as_well(tmp_path: Path) -> None:
    text = NET.replace(
        "self.fc = nn", "self.net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(), nn.ReLU())\n        self.fc = nn"
    )
    text = text.format("self.fc(self.net(x))")
    user = "def use(net, x):\n    return net.net[1](x).sum()\n"
    alone, _ = fixed(Program(0, "", text), tmp_path)
    beside, reported = fixed(Program(0, "", text, user), tmp_path)
    assert [d.code for d in alone.applied] == ["DRP606", "DRP302"] or [d.code for d in alone.applied] == [
        "DRP302",
        "DRP606",
    ]
    assert [d.code for d in beside.applied] == ["DRP606"]
    assert "DRP302" in reported
    assert difference(outcome(text, user), outcome(alone.text, user), ()).startswith("train: ")
    assert difference(outcome(text, user), outcome(beside.text, user), ()) == ""
