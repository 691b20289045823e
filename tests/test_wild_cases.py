"""Shapes met in public code that were once judged wrongly: each is here in small, with what must be said of it."""

# ruff: noqa: E501 - sources in one line each are easier to compare

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linting import codes, lint_files, lint_text, write_files

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"


def reported(folder: Path, source: str, path: str = "model.py", **files: str) -> list[str]:
    target, *_ = write_files(folder, {path: HEAD + source, **{f"{name}.py": text for name, text in files.items()}})
    return codes(lint_files([target]))


def net(forward: str, init: str = "") -> str:
    lines = "".join(f"        {line}\n" for line in init.splitlines())
    body = "".join(f"        {line}\n" for line in forward.splitlines())
    return (
        "class Net(nn.Module):\n    def __init__(self, dim, p=0.1):\n        super().__init__()\n        self.p = p\n"
        f"        self.fc = nn.Linear(dim, dim)\n{lines}\n    def forward(self, x, flag=None):\n{body}"
    )


CASES = {
    "switch_unpacked_from_the_input": (
        net("x, dropout_switch = x\nx = self.fc(x)\nif self.p > 0.0 and dropout_switch:\n    x = F.dropout(x, self.p)\nreturn x"),
        [],
    ),
    "rate_above_zero_is_no_guard": (net("x = self.fc(x)\nif self.p > 0:\n    x = F.dropout(x, self.p)\nreturn self.fc(x)"), ["DRP101"]),
    "complement_of_a_rate_that_the_caller_passes": (
        "class Net(nn.Module):\n    def __init__(self, dim):\n        super().__init__()\n        self.fc = nn.Linear(dim, dim)\n\n"
        "    def forward(self, x, keep_rate):\n        return self.fc(F.dropout(x, p=1 - keep_rate))\n",
        [],
    ),
    "early_raise_about_another_flag_is_no_guard": (
        net(
            "output_attentions = flag\nif output_attentions:\n    raise ValueError('not here')\n"
            "return F.scaled_dot_product_attention(x, x, x, dropout_p=self.p)"
        ),
        ["DRP102"],
    ),
    "early_raise_about_a_value_that_a_flag_changed": (
        net(
            "cache = x\nif cache is None:\n    raise ValueError('no cache')\ncross = flag is not None\nif cross:\n    cache = cache + 1\n"
            "return F.scaled_dot_product_attention(x, x, x, dropout_p=self.p)"
        ),
        ["DRP102"],
    ),
    "rate_gated_two_definitions_back": (
        net("p = self.p if self.training else 0.0\nq = p\nreturn F.scaled_dot_product_attention(x, x, x, dropout_p=q)"),
        [],
    ),
    "rate_set_to_zero_by_a_statement": (
        net("p = self.p\nif not self.training:\n    p = 0.0\nreturn F.scaled_dot_product_attention(x, x, x, dropout_p=p)"),
        [],
    ),
    "option_of_the_same_name_is_no_use": (
        "class Net(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n"
        "        self.dropout = nn.Dropout(config.dropout)\n        self.fc = nn.Linear(config.dim, config.dim)\n\n"
        "    def forward(self, x):\n        return self.fc(x)\n",
        ["DRP407"],
    ),
    "unused_and_known_to_be": (net("return self.fc(x)", "self.drop = nn.Dropout(0.1)  # Note: not used"), []),
    "used_by_another_class_of_the_file": (
        net("return self.fc(x)", "self.drop = nn.Dropout(0.1)") + "\n\nclass Outer(nn.Module):\n    def __init__(self, dim):\n"
        "        super().__init__()\n        self.inner = Net(dim)\n\n    def forward(self, x):\n        return self.inner.drop(self.inner(x))\n",
        [],
    ),
    "mask_of_ones_shared_over_time": (
        net("mask = torch.autograd.Variable(torch.ones(x.size(0), 1))\nmask = F.dropout(mask, p=self.p, training=True)\nreturn mask * x"),
        [],
    ),
    "comment_declares_the_noise": (
        net("# training=True resamples the noise under eval() as well\nreturn self.fc(F.dropout(x, p=self.p, training=True))"),
        [],
    ),
    "prenet_by_name": (
        net("return self.fc(F.dropout(x, 0.5))").replace("class Net", "class DecoderPrenet"),
        [],
    ),
    "hyperparameters_are_kept": (
        "class Net(nn.Module):\n    def __init__(self, dim, dropout=0.1):\n        super().__init__()\n"
        "        self.save_hyperparameters()\n        self.fc = nn.Linear(dim, dim)\n\n    def forward(self, x):\n        return self.fc(x)\n",
        [],
    ),
    "variable_defined_by_itself": (
        net("for _ in range(3):\n    x = self.fc(x) + x\n    x = F.dropout(x, self.p, training=self.training)\nreturn self.fc(x)"),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path) -> None:
    source, expected = CASES[name]
    assert reported(tmp_path, source) == expected


def test_rate_in_a_configuration_class_of_another_file(tmp_path: Path) -> None:
    source = (
        "class Net(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n        self.config = config\n"
        "        self.drop = nn.Dropout(self.config.dropout_keep)\n        self.fc = nn.Linear(8, 8)\n\n"
        "    def forward(self, x):\n        return self.fc(self.drop(x))\n"
    )
    assert reported(tmp_path, source, config="class Config:\n    dropout_keep = 0.8\n") == ["DRP401"]
    # A fork that changed the value and kept the name is right, if misnamed.
    assert reported(tmp_path, source, config="class Config:\n    dropout_keep = 0.3\n") == []


def test_base_class_in_another_file_proves_the_module(tmp_path: Path) -> None:
    source = "from base import Base\n\n\nclass Net(Base):\n    def forward(self, x):\n        return F.dropout(x, 0.5) @ self.w\n"
    base = "import torch.nn\n\n\nclass Base(torch.nn.Module):\n    pass\n"
    assert reported(tmp_path, source, base=base) == ["DRP101"]
    assert reported(tmp_path, source, base="class Base:\n    pass\n") == []


def test_rate_handed_on_by_a_function_of_another_file(tmp_path: Path) -> None:
    helper = (
        "import torch.nn.functional as F\n\n\ndef attend(q, k, v, dropout_p):\n"
        "    return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout_p)\n"
    )
    call = "from helper import attend\n\n\n" + net("return attend(x, x, x, {})")
    assert reported(tmp_path, call.format("dropout_p=self.p"), helper=helper) == ["DRP102"]
    assert reported(tmp_path, call.format("dropout_p=self.p if self.training else 0.0"), helper=helper) == []
    gated = helper.replace("dropout_p):", "dropout_p, training):").replace(
        "dropout_p=dropout_p", "dropout_p=dropout_p * training"
    )
    assert reported(tmp_path, call.format("dropout_p=self.p, training=self.training"), helper=gated) == []


@pytest.mark.parametrize(("path", "expected"), [("test/model.py", ["DRP407"]), ("tests/test_model.py", [])])
def test_folder_called_test_is_not_a_folder_of_tests(path: str, expected: list[str], tmp_path: Path) -> None:
    assert reported(tmp_path, net("return self.fc(x)", "self.drop = nn.Dropout(0.1)"), path) == expected


def test_a_rate_handed_on_by_position_is_called_by_the_name_of_its_parameter(tmp_path: Path) -> None:
    source = "def attend(q, k, v, rate=0.0):\n    return F.scaled_dot_product_attention(q, k, v, dropout_p=rate)\n\n\n"
    source += net("return attend(x, x, x, self.dropout)").replace("self.p = p", "self.dropout = p")
    (found,) = lint_text(HEAD + source, {"DRP102"}, tmp_path / "model.py")
    assert found.message.startswith("`attend` applies `rate` in eval mode too")


def test_a_mock_in_place_of_a_mode_method(tmp_path: Path) -> None:
    source = "from unittest.mock import MagicMock\n\n\n" + net("return self.fc(x)", "self.eval = MagicMock()")
    assert reported(tmp_path, source, "tests/test_model.py") == []
    assert reported(tmp_path, source) == ["DRP202"]


@pytest.mark.parametrize(("rate", "says"), [(0.0, False), (0.2, True)])
def test_no_share_is_told_for_rates_that_are_off_by_default(rate: float, says: bool, tmp_path: Path) -> None:
    source = f"class Net(nn.Module):\n    def __init__(self, p={rate}):\n        super().__init__()\n        self.drop = nn.Dropout(p)\n\n"
    source += "    def forward(self, x):\n        return self.drop(self.drop(x))\n"
    (found,) = lint_text(HEAD + source, {"DRP312"}, tmp_path / "model.py")
    assert ("of the values" in found.message) is says
