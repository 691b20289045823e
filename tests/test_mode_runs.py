"""The runs that the linker makes are plain data that tells what happens to each model."""

from __future__ import annotations

import dataclasses
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropout_lint.cache.codec import decode, encode
from dropout_lint.disk import Disk
from dropout_lint.facts import EVAL, OPEN, TRAIN, ModeRun
from dropout_lint.mode import program
from dropout_lint.mode.linking.link import LinkedRun, link
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project
from tests.linting import write_files
from tests.mode_helpers import MAIN, NET, STEPS

HEAD = "import torch\nfrom net import Net\nfrom torch import nn\n\n"


def runs(folder: Path, files: dict[str, str]) -> tuple[LinkedRun, ...]:
    paths = write_files(folder, files)
    project = Project(Files(Disk()), paths)
    return link(project, [facts for path in paths if (facts := project.files.facts(path)) is not None], paths)


def run_of(folder: Path, code: str, function: str = "") -> ModeRun:
    """The run of a program beside the network, or of one of its functions."""
    found = [one.run for one in runs(folder, {"net.py": NET, "program.py": HEAD + code})]
    return next(run for run in found if run.function == function)


def shown(run: ModeRun) -> list[tuple[str, str]]:
    """The events with the label of the model."""
    return [(e.kind, run.models[e.model].label if e.model is not None else "") for e in run.events]


def test_the_example_of_the_glossary_is_what_happens(tmp_path: Path) -> None:
    lines = re.findall(r"^    \d  (.*)$", (program.__doc__ or "").split("The run of these statements")[0], re.MULTILINE)
    path = tmp_path / "example.py"
    path.write_text("import torch\nfrom torch import nn\nfrom torch.nn.functional import mse_loss\n" + "\n".join(lines))
    project = Project(Files(Disk()), [path])
    facts = project.files.facts(path)
    assert facts is not None
    (linked,) = link(project, [facts], [path])
    run = linked.run
    assert [model.class_name for model in run.models] == ["Sequential", "Dropout", "Linear"]
    assert [model.live for model in run.models] == [False, True, False]
    seen = [(e.kind, e.model, e.modes, e.live, e.grad, e.location.span.line - 3, len(e.turns)) for e in run.events]
    live = ((1, TRAIN),)
    assert seen == [
        ("forward", 0, TRAIN, live, True, 3, 1),
        ("backward", None, OPEN, (), True, 3, 1),
        ("forward", 0, TRAIN, live, False, 5, 0),
    ]
    assert run.events[2].region is not None


def test_a_run_travels_as_a_pickle_and_as_json(tmp_path: Path) -> None:
    steps = STEPS.format(train="model.train()", evaluate="model.eval()")
    found = runs(tmp_path, {"net.py": NET, "steps.py": steps, "main.py": MAIN.format(net="net", steps="steps")})
    assert found
    for one in found:
        text = encode(one.run)
        assert encode(decode(ModeRun, text)) == text == encode(pickle.loads(pickle.dumps(one)).run)


def values(value: object) -> Iterator[object]:
    yield value
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from values(getattr(value, field.name))
    elif isinstance(value, (tuple, frozenset)):
        for one in value:
            yield from values(one)


def test_a_run_holds_facts_and_nothing_of_the_interpreter(tmp_path: Path) -> None:
    run = run_of(tmp_path, "model = Net()\nmodel.train()\nwith torch.no_grad():\n    model(torch.rand(2, 20))\n")
    modules = {type(value).__module__ for value in values(run)}
    assert modules == {"builtins", "dropout_lint.facts.mode_runs", "dropout_lint.diagnostic"}
    for kind in {type(value) for value in values(run) if dataclasses.is_dataclass(value)}:
        assert vars(kind)["__dataclass_params__"].frozen


def test_an_event_tells_the_mode_its_cause_and_its_place(tmp_path: Path) -> None:
    code = "model = Net()\nmodel.eval()\nmodel(torch.rand(2, 20))\nmodel.train()\nmodel(1, targets)\n"
    run = run_of(tmp_path, code)
    assert shown(run) == [("mode", "model"), ("forward", "model")] * 2
    first, second = run.events[1], run.events[3]
    assert (first.modes, first.cause, first.random_input) == (EVAL, 0, True)
    assert (second.modes, second.cause, second.random_input) == (TRAIN, 2, False)
    assert second.passes == ("targets",)
    assert [run.models[part].class_name for part, _ in second.live] == ["Dropout"]
    assert run.spelling(second.frame, second.model or 0) == "model"
    assert second.location.span.line == HEAD.count("\n") + 5


def test_a_call_that_cannot_be_followed_is_an_escape(tmp_path: Path) -> None:
    run = run_of(tmp_path, "from elsewhere import prepare\n\nmodel = Net()\nprepare(model)\nmodel.train()\n")
    assert shown(run) == [("escape", "model"), ("mode", "model")]


def test_frames_lead_back_to_the_top_level(tmp_path: Path) -> None:
    code = "def inner(net):\n    net.train()\n\n\ndef outer(net):\n    inner(net)\n\n\nmodel = Net()\nouter(model)\n"
    run = run_of(tmp_path, code)
    (event,) = run.events
    names = [run.function_of(frame).name for frame in run.chain(event.frame)]
    assert names == ["inner", "outer", ""]
    assert [run.spelling(frame, event.model or 0) for frame in run.chain(event.frame)] == ["net", "net", "model"]


def test_a_constructor_that_sets_modes_is_described(tmp_path: Path) -> None:
    code = (
        "class Whole(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.part = Net()\n"
        "        self.other = nn.Linear(1, 1)\n        self.part.eval()\n\n    def forward(self, x):\n"
        "        return self.encode(x)\n\n    def encode(self, x):\n        return self.part(x)\n"
    )
    run = run_of(tmp_path, code, "Whole.__init__")
    whole = next(model for model in run.models if model.name == "Whole")
    assert dict(whole.attributes).keys() == {"part", "other"}
    assert whole.owner is not None
    assert (whole.owner.sees_bases, whole.owner.sets_mode) == (True, False)
    assert whole.owner.used == {"encode", "part"}


@pytest.mark.parametrize(
    ("loop", "repeated"),
    [
        ("for _ in range(20):\n    model(x)\n", True),
        ("[model(x) for _ in range(20)]\n", True),
        ("for i in range(3):\n    print(i)\nfor _ in range(20):\n    model(x)\n", True),
        ("for i in range(20):\n    model(x[i])\n", False),
        ("for x in batches:\n    model(x)\n", False),
    ],
)
def test_a_pass_on_the_same_input_again_and_again(loop: str, repeated: bool, tmp_path: Path) -> None:
    run = run_of(tmp_path, f"model = Net()\nmodel.train()\nx = load()\n{loop}")
    assert {e.repeated for e in run.events if e.kind == "forward"} == {repeated}


def test_a_run_counts_where_a_check_of_the_file_alone_would_make_it(tmp_path: Path) -> None:
    steps = STEPS.format(train="model.train()", evaluate="model.eval()")
    found = runs(tmp_path, {"net.py": NET, "steps.py": steps, "main.py": MAIN.format(net="net", steps="steps")})
    counted = {Path(one.run.path).name: {Path(path).name for path in one.files} for one in found}
    assert counted["main.py"] == {"main.py", "steps.py"}
