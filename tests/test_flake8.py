"""The plugin under the real flake8."""

import subprocess
import sys
from pathlib import Path

import pytest

ALWAYS_ON = """\
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)

    def noise(self, x):
        return F.dropout(x, 0.5, training=True)
"""
MESSAGE = "DRP101 `F.dropout` runs with the default training=True here, so it keeps dropping after `model.eval()`."


def flake8(folder: Path, *args: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flake8", "--isolated", "--select", "DRP", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, input=text, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "head.py").write_text(ALWAYS_ON)
    return tmp_path


def test_flake8_finds_the_plugin_and_prints_its_findings(folder: Path) -> None:
    ran = flake8(folder, "head.py")
    # DRP105 is info: flake8 has no severities, and would fail the run for it.
    assert (ran.stdout, ran.stderr, ran.returncode) == (f"head.py:7:16: {MESSAGE}\n", "", 1)


def test_text_from_standard_input(folder: Path) -> None:
    ran = flake8(folder, "--stdin-display-name", "model/head.py", "-", text=ALWAYS_ON)
    assert ran.stdout == f"model/head.py:7:16: {MESSAGE}\n"


def test_both_ways_to_suppress(folder: Path) -> None:
    for comment in ("noqa: DRP101", "dropout-lint: ignore[DRP101]"):
        (folder / "head.py").write_text(ALWAYS_ON.replace("(x, 0.5)", f"(x, 0.5)  # {comment}"))
        assert flake8(folder).stdout == ""


def test_rules_and_level_come_from_our_table(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.dropout-lint]\nselect = ["DRP105"]\nfail-level = "info"\n')
    assert [line.split()[1] for line in flake8(folder).stdout.splitlines()] == ["DRP105"]


def test_a_wrong_table_does_not_look_clean(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.dropout-lint]\nselct = ["DRP105"]\n')
    ran = flake8(folder)
    assert ran.returncode == 1
    assert "head.py:1:1: DRP004" in ran.stdout
    assert "did you mean 'select'?" in ran.stdout
