"""Statements that ``--unsafe-fixes`` inserts are run: after the fix, each pass is in the mode that it should be in."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropout_lint.diagnostic import Diagnostic
from tests.linting import fix, lint_text
from tests.mode_helpers import MODE

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

HEAD = """\
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.drop(F.relu(self.norm(self.hidden(x)))))


def batches(count):
    return [(torch.zeros(6, 4), torch.zeros(6, dtype=torch.long)) for _ in range(count)]


"""
STEP = """\
def step(model, optimizer, x, y):
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()


"""
START = """\
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


@dataclass(frozen=True)
class Script:
    """A mistake, the modes of its forwards in order (T train, E eval, M mixed), and the same after the fix."""

    name: str
    code: str
    text: str
    before: str
    after: str
    added: tuple[str, ...]
    """The lines that the fix adds or changes, with their indentation."""


SCRIPTS = [
    Script(
        "left in eval, in one script",
        "DRP205",
        HEAD
        + START
        + """\
for epoch in range(2):
    for x, y in batches(2):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        for x, y in batches(1):
            print(model(x))
""",
        "TTEEEE",
        "TTETTE",
        ("    model.train()",),
    ),
    Script(
        "left in eval, by a function, after a comment, with tabs",
        "DRP205",
        HEAD
        + STEP
        + """\
def validate(net):
	net.eval()
	with torch.no_grad():
		return [net(x) for x, _ in batches(1)]


def main():
	model = Net()
	optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
	for epoch in range(2):
		# one epoch

		for x, y in batches(2):
			step(model, optimizer, x, y)
		if epoch < 1:
			validate(model)


if __name__ == "__main__":
	main()
""",
        "TTEEE",
        "TTETT",
        ("\t\tmodel.train()",),
    ),
    Script(
        "left in eval, in a class",
        "DRP205",
        HEAD
        + """\
class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def fit(self):
        for epoch in range(2):
            for x, y in batches(1):
                self.optimizer.zero_grad()
                F.cross_entropy(self.net(x), y).backward()
                self.optimizer.step()
            self.evaluate()

    @torch.no_grad()
    def evaluate(self):
        self.net.eval()
        for x, _ in batches(2):
            print(self.net(x))


Trainer().fit()
""",
        "TEEEEE",
        "TEETEE",
        ("            self.net.train()",),
    ),
    Script(
        "left in eval, within an epoch",
        "DRP205",
        HEAD
        + STEP
        + START
        + """\
for epoch in range(2):
    model.train()
    for number, (x, y) in enumerate(batches(2)):
        step(model, optimizer, x, y)
        model.eval()
        with torch.no_grad():
            print(model(x))
""",
        "TEEETEEE",
        "TETETETE",
        ("        model.train()",),
    ),
    Script(
        "evaluated in train mode",
        "DRP206",
        HEAD
        + STEP
        + START
        + """\
for epoch in range(2):
    model.train()
    for x, y in batches(1):
        step(model, optimizer, x, y)
    if epoch >= 0:
        with torch.no_grad():
            for x, y in batches(2):
                print(model(x))
""",
        "TTTTTT",
        "TEETEE",
        ("        model.eval()",),
    ),
    Script(
        "evaluated in train mode, set before the loop: one fix calls for another",
        "DRP206",
        HEAD
        + STEP
        + START
        + """\
model.train()
for epoch in range(2):
    for x, y in batches(1):
        step(model, optimizer, x, y)
    with torch.no_grad():
        for x, y in batches(1):
            print(model(x))
""",
        "TTTT",
        "TETE",
        ("    model.train()", "    model.eval()"),
    ),
    Script(
        "two models, in the same evaluation",
        "DRP206",
        HEAD
        + """\
first, second = Net(), Net()
optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.1)
for epoch in range(2):
    first.train()
    second.train()
    for x, y in batches(1):
        optimizer.zero_grad()
        F.cross_entropy(first(x) + second(x), y).backward()
        optimizer.step()
    with torch.inference_mode():
        for x, y in batches(1):
            print(first(x) + second(x))
""",
        "TTTTTTTT",
        "TTEETTEE",
        ("    first.eval()", "    second.eval()"),
    ),
    Script(
        "evaluated in train mode, by a function",
        "DRP206",
        HEAD
        + STEP
        + """\
def evaluate(net, data):
    \"\"\"How good it is.\"\"\"
    right = 0
    with torch.no_grad():
        for x, y in data:
            right += (net(x).argmax(1) == y).sum()
    return right


"""
        + START
        + """\
for epoch in range(2):
    model.train()
    for x, y in batches(1):
        step(model, optimizer, x, y)
    evaluate(model, batches(1))
""",
        "TTTT",
        "TETE",
        ("    net.eval()",),
    ),
    Script(
        "named and not called",
        "DRP201",
        HEAD
        + STEP
        + START
        + """\
for epoch in range(2):
    model.train()
    for x, y in batches(1):
        step(model, optimizer, x, y)
    model.eval  # for the validation
    with torch.no_grad():
        print(model(x))
""",
        "TTTT",
        "TETE",
        ("    model.eval()  # for the validation",),
    ),
    Script(
        "flag assigned",
        "DRP204",
        HEAD
        + START
        + """\
model.training = False
with torch.no_grad():
    for x, _ in batches(2):
        print(model(x))
""",
        "MM",
        "EE",
        ("model.eval()",),
    ),
    Script(
        "override without the children",
        "DRP203",
        HEAD.replace(
            "    def forward",
            "    def train(self, mode=True):\n        self.training = mode\n        return self\n\n    def forward",
        )
        + START
        + """\
model.eval()
with torch.no_grad():
    for x, _ in batches(1):
        print(model(x))
""",
        "M",
        "E",
        ("        super().train(mode)",),
    ),
    Script(
        "traced in train mode",
        "DRP209",
        HEAD.replace("self.norm(self.hidden(x))", "self.hidden(x)")
        + START
        + """\
model.load_state_dict(Net().state_dict())
graph = torch.jit.trace(model, torch.zeros(6, 4), check_trace=False)
""",
        "T",
        "E",
        ("model.eval()",),
    ),
    Script(
        "part frozen by the constructor",
        "DRP211",
        HEAD.replace(
            "        self.out = nn.Linear(8, 3)\n",
            "        self.out = nn.Linear(8, 3)\n        self.norm.eval()  # frozen\n",
        ).replace("self.drop = nn.Dropout(0.5)", "self.drop = nn.Identity()")
        + START
        + """\
for x, y in batches(2):
    model.train()
    F.cross_entropy(model(x), y).backward()
""",
        "TT",
        "MM",
        (
            "    def train(self, mode: bool = True):",
            "        super().train(mode)",
            "        self.norm.eval()",
            "        return self",
            "",
        ),
    ),
]


LOADED = """\
WEIGHTS = Net().state_dict()


"""
EVALUATIONS = [
    Script(
        "bound in the function, without gradients",
        "DRP206",
        HEAD
        + LOADED
        + """\
def evaluate():
    with torch.no_grad():
        model = Net()
        model.load_state_dict(WEIGHTS)
        for x, y in batches(2):
            print((model(x).argmax(1) == y).sum())


evaluate()
""",
        "TT",
        "EE",
        ("        model.eval()",),
    ),
    Script(
        "weights loaded between constructor and loop, at the top",
        "DRP206",
        HEAD
        + LOADED
        + """\
model = Net()
model.load_state_dict(WEIGHTS)
with torch.no_grad():
    for x, y in batches(2):
        print((model(x).argmax(1) == y).sum())
""",
        "TT",
        "EE",
        ("model.eval()",),
    ),
    Script(
        "bound in a loop, under a decorator",
        "DRP206",
        HEAD
        + LOADED
        + """\
@torch.no_grad()
def test(folds):
    for fold in range(folds):
        model = Net()
        model.load_state_dict(WEIGHTS)
        for x, y in batches(2):
            print((model(x).argmax(1) == y).sum())


test(2)
""",
        "TTTT",
        "EEEE",
        ("        model.eval()",),
    ),
    Script(
        "a parameter that a branch binds again",
        "DRP206",
        HEAD
        + LOADED
        + """\
def predict(model=None):
    if model is None:
        model = Net()
        model.load_state_dict(WEIGHTS)
    with torch.no_grad():
        for x, y in batches(2):
            print((model(x).argmax(1) == y).sum())


predict()
""",
        "TT",
        "EE",
        ("    model.eval()",),
    ),
    Script(
        "a model that may be None",
        "DRP206",
        HEAD
        + LOADED
        + """\
def predict(model):
    with torch.no_grad():
        for x, y in batches(2):
            if model is not None:
                print((model(x).argmax(1) == y).sum())


one = Net()
one.load_state_dict(WEIGHTS)
predict(one)
predict(None)
""",
        "TT",
        "EE",
        ("                model.eval()",),
    ),
    Script(
        "an attribute that another method binds",
        "DRP206",
        HEAD
        + LOADED
        + """\
class Tester:
    def build(self):
        self.net = Net()
        self.net.load_state_dict(WEIGHTS)

    def test(self):
        with torch.no_grad():
            self.build()
            for x, y in batches(2):
                print((self.net(x).argmax(1) == y).sum())


Tester().test()
""",
        "TT",
        "EE",
        ("            self.net.eval()",),
    ),
    Script(
        "an attribute that the constructor binds",
        "DRP206",
        HEAD
        + LOADED
        + """\
class Tester:
    def __init__(self):
        self.net = Net()
        self.net.load_state_dict(WEIGHTS)

    @torch.no_grad()
    def test(self):
        for x, y in batches(2):
            print((self.net(x).argmax(1) == y).sum())


Tester().test()
""",
        "TT",
        "EE",
        ("        self.net.eval()",),
    ),
    Script(
        "trained and evaluated by turns, the model made in the function",
        "DRP206",
        HEAD
        + STEP
        + """\
def main():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        for x, y in batches(1):
            step(model, optimizer, x, y)
        with torch.no_grad():
            for x, y in batches(1):
                print(model(x))


main()
""",
        "TTTT",
        "TETE",
        ("        model.train()", "        model.eval()"),
    ),
]


TRAININGS = [
    Script(
        "left in eval by a function, before the training",
        "DRP290",
        HEAD
        + STEP
        + """\
def validate(net):
    net.eval()
    with torch.no_grad():
        return [net(x) for x, _ in batches(1)]


def main():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    validate(model)
    for epoch in range(2):
        for x, y in batches(1):
            step(model, optimizer, x, y)


main()
""",
        "EEE",
        "ETT",
        ("    model.train()",),
    ),
    Script(
        "traced within the training",
        "DRP209",
        HEAD.replace("self.norm(self.hidden(x))", "self.hidden(x)")
        + STEP
        + """\
def main():
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        for x, y in batches(1):
            step(model, optimizer, x, y)
        graph = torch.jit.trace(model, torch.zeros(6, 4), check_trace=False)


main()
""",
        "TTTT",
        "TETE",
        ("        model.train()", "        model.eval()"),
    ),
    Script(
        "two parts, one frozen and one also in eval mode",
        "DRP211 DRP215",
        HEAD
        + """\
class Tuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Net(), Net()
        self.first.requires_grad_(False)
        self.second.requires_grad_(False)
        self.second.eval()
        self.head = nn.Linear(3, 3)

    def forward(self, x):
        return self.head(self.first(x) + self.second(x))


model = Tuned()
optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
for epoch in range(2):
    model.train()
    for x, y in batches(1):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
""",
        "TTTT",
        "EEEE",
        (
            "    def train(self, mode: bool = True):",
            "        super().train(mode)",
            "        self.first.eval()",
            "        self.second.eval()",
            "        return self",
            "",
        ),
    ),
    Script(
        "part frozen before an early return of another method",
        "DRP215",
        HEAD
        + """\
class Tuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Net()
        for parameter in self.body.parameters():
            parameter.requires_grad = False
        self.head = nn.Linear(3, 3)

    def forward(self, x):
        return self.head(self.body(x))


model = Tuned()
optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
for x, y in batches(2):
    model.train()
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
""",
        "TT",
        "EE",
        (
            "    def train(self, mode: bool = True):",
            "        super().train(mode)",
            "        self.body.eval()",
            "        return self",
            "",
        ),
    ),
    Script(
        "left in eval, in a fold of its own",
        "DRP205",
        HEAD
        + STEP
        + """\
def main():
    for fold in range(2):
        model = Net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for epoch in range(2):
            for x, y in batches(1):
                step(model, optimizer, x, y)
            model.eval()
            with torch.no_grad():
                print(model(torch.ones(6, 4)))


main()
""",
        "TEEETEEE",
        "TETETETE",
        ("            model.train()",),
    ),
]


def lint(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    return lint_text(text, MODE, folder / "program.py")


def modes(text: str) -> str:
    """Runs a script and says in which mode each forward of its ``Net`` is, all modules in it considered."""
    seen: list[str] = []

    def record(module: Any, _: Any) -> None:
        if type(module).__name__ == "Net":
            flags = {part.training for part in module.modules()}
            seen.append("M" if len(flags) > 1 else "T" if flags == {True} else "E")

    hook = torch.nn.modules.module.register_module_forward_pre_hook(record)
    try:
        exec(compile(text, "program.py", "exec"), {"__name__": "__main__"})
    finally:
        hook.remove()
    return "".join(seen)


@pytest.mark.parametrize("script", [*SCRIPTS, *EVALUATIONS, *TRAININGS], ids=lambda script: script.name)
def test_each_forward_is_in_the_intended_mode_after_the_fix(script: Script, tmp_path: Path) -> None:
    assert {d.code for d in lint(script.text, tmp_path)} == set(script.code.split())
    assert modes(script.text) == script.before
    outcome = fix(script.text, lambda text: lint(text, tmp_path))
    assert outcome.remaining == ()
    assert lint(outcome.text, tmp_path) == ()
    assert modes(outcome.text) == script.after
    old = script.text.splitlines()
    opcodes = difflib.SequenceMatcher(None, old, outcome.text.splitlines(), autojunk=False).get_opcodes()
    changed = [line for tag, _, _, a, b in opcodes if tag != "equal" for line in outcome.text.splitlines()[a:b]]
    assert tuple(changed) == script.added


def test_nothing_is_inserted_for_the_variable_of_a_loop(tmp_path: Path) -> None:
    loop = """\
models = [Net() for _ in range(3)]
optimizer = torch.optim.SGD([p for m in models for p in m.parameters()], lr=0.1)
for epoch in range(2):
    for x, y in batches(1):
        for m in models:
            step(m, optimizer, x, y)
    for m in models:
        m.eval()
    with torch.no_grad():
        for x, y in batches(1):
            models[0](x)
"""
    [diagnostic] = lint(HEAD + STEP + loop, tmp_path)
    assert diagnostic.code == "DRP205"
    assert diagnostic.fix is not None
    assert diagnostic.fix.edits == ()


def test_no_override_is_written_for_a_part_that_is_frozen_on_a_condition(tmp_path: Path) -> None:
    network = """\
class Tuned(nn.Module):
    def __init__(self, freeze):
        super().__init__()
        self.body = Net()
        self.head = nn.Linear(3, 3)
        if freeze:
            self.body.eval()

    def forward(self, x):
        return self.head(self.body(x))
"""
    [diagnostic] = lint(HEAD + network, tmp_path)
    assert diagnostic.code == "DRP211"
    assert diagnostic.fix is not None
    assert diagnostic.fix.edits == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            """\
def main():
    for epoch in range(2):
        with torch.no_grad():
            print(model(torch.ones(6, 4)))
        for x, y in batches(1):
            step(model, optimizer, x, y)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
main()
""",
            id="evaluated first in each turn",
        ),
        pytest.param(
            """\
def test(data):
    with torch.no_grad():
        print([model(x).argmax(1) for model in data])


test([Net()])
""",
            id="the variable of a comprehension",
        ),
        pytest.param(
            """\
class Trainer:
    def __init__(self, engine):
        self.engine = engine
        self.net = Net()

    def fit(self):
        for epoch in range(2):
            self.engine.update(self.net)
            with torch.no_grad():
                print((self.net(torch.ones(6, 4)).argmax(1) == 1).sum())
""",
            id="a loop in which something else trains",
        ),
    ],
)
def test_no_statement_is_inserted_where_it_would_harm(text: str, tmp_path: Path) -> None:
    text = HEAD + STEP + text
    outcome = fix(text, lambda text: lint(text, tmp_path))
    assert outcome.text == text
    assert {d.code for d in outcome.remaining} <= {"DRP206"}
