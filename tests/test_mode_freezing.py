"""Where a program freezes parameters, and which calls repeat a pass to see its spread."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mode_runs import run_of, shown

TRAIN = "\nmodel.train()\nmodel(torch.load('x')).sum().backward()\n"


def frozen(folder: Path, code: str) -> list[tuple[str, str]]:
    """The freezes and thaws of a program, each with the label of its model."""
    run = run_of(folder, "model = Net()\nother = Net()\n" + code + TRAIN)
    return [(kind, label) for kind, label in shown(run) if kind in {"freeze", "thaw"}]


@pytest.mark.parametrize(
    "code",
    [
        "model.requires_grad_(False)",
        "model.requires_grad_(requires_grad=False)",
        "for p in model.parameters():\n    p.requires_grad = False",
        "for p in model.parameters():\n    p.requires_grad_(False)",
        "for name, p in model.named_parameters():\n    p.requires_grad = False",
        "for number, p in enumerate(model.parameters()):\n    p.requires_grad = False",
        "for p in list(model.parameters()):\n    p.requires_grad = False",
        "[p.requires_grad_(False) for p in model.parameters()]",
        "def freeze(net):\n    for p in net.parameters():\n        p.requires_grad = False\n\nfreeze(model)",
    ],
)
def test_all_parameters_are_frozen(code: str, tmp_path: Path) -> None:
    assert frozen(tmp_path, code) == [("freeze", "model")]


@pytest.mark.parametrize(
    "code",
    [
        "for name, p in model.named_parameters():\n    if 'out' not in name:\n        p.requires_grad = False",
        "for n, p in enumerate(model.parameters()):\n    if n < 3:\n        p.requires_grad_(False)",
        "for p in list(model.parameters())[:3]:\n    p.requires_grad = False",
        "for p in model.out.parameters():\n    print(p)",
        "print([p.requires_grad for p in model.parameters()])",
    ],
)
def test_some_parameters_stay_as_they_are(code: str, tmp_path: Path) -> None:
    assert frozen(tmp_path, code) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("model.requires_grad_()", [("thaw", "model")]),
        ("for p in model.parameters():\n    p.requires_grad = len(p) > 1", [("thaw", "model")]),
        ("for p in torch.load('list'):\n    p.requires_grad = True", [("thaw", "")]),
        (
            "for a, b in zip(model.parameters(), other.parameters()):\n    a.data = b.data",
            [("thaw", "model"), ("thaw", "other")],
        ),
        ("model.requires_grad_(False)\nmodel.out = nn.Linear(20, 5)", [("freeze", "model"), ("thaw", "model")]),
        (
            "from itertools import chain\nfor p in chain(model.parameters(), other.parameters()):\n"
            "    p.requires_grad = False",
            [("freeze", "model"), ("freeze", "other")],
        ),
    ],
)
def test_gradients_are_switched_on_or_weights_change_without_them(
    code: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    assert frozen(tmp_path, code) == expected


@pytest.mark.parametrize(
    ("code", "is_sample"),
    [
        ("torch.stack([model(x) for _ in range(9)]).std(0)", True),
        ("torch.std(torch.stack([model(x).softmax(-1) for _ in range(9)]), 0)", True),
        ("found = [model(x) for _ in range(9)]\nfound = torch.stack(found)\nprint(found.var(0))", True),
        ("found = []\nfor _ in range(9):\n    y = model(x)\n    found.append(y)\ntorch.stack(found).std(0)", True),
        ("found = torch.zeros(9)\nfor n in range(9):\n    found[n] = model(x)\nprint(found.std())", True),
        ("torch.stack([model(x.to('cpu')) for _ in range(9)]).std(0)", True),
        ("torch.stack([model(x) for _ in range(9)]).mean(0)", False),
        ("torch.stack([model(x + n) for n in range(9)]).std(0)", False),
        ("torch.stack([model(one) for one in x]).std(0)", False),
        ("torch.stack([model(torch.rand_like(x)) for _ in range(9)]).std(0)", False),
        ("for _ in range(9):\n    x = x + 1\n    print(model(x).std())", False),
        (
            "found = []\nfor _ in range(9):\n    y = model(x)\n    found.append(1)\nprint(torch.tensor(found).std())",
            False,
        ),
    ],
)
def test_a_pass_is_a_sample_if_its_repetitions_are_compared(code: str, is_sample: bool, tmp_path: Path) -> None:
    run = run_of(
        tmp_path, "model = Net()\nmodel.load_state_dict(torch.load('net'))\nx = torch.load('x')\n" + code + "\n"
    )
    forwards = [e for e in run.events if e.kind == "forward"]
    assert [e.sampled is not None for e in forwards][:1] == [is_sample]
