"""What is found in a file does not depend on which other files are checked with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.mode.linking.neighbours import MOST_IMPORTERS
from tests.linting import lint_files, write_files
from tests.mode_helpers import MAIN, MODE, NET, STEPS


def project(train: str, evaluate: str, layout: str) -> dict[str, str]:
    steps = STEPS.format(train=train, evaluate=evaluate)
    if layout == "flat":
        return {"net.py": NET, "steps.py": steps, "main.py": MAIN.format(net="net", steps="steps")}
    if layout == "package":
        return {
            "pyproject.toml": "",
            "lib/__init__.py": "from .model.net import Net\nfrom .steps import *\n",
            "lib/model/__init__.py": "",
            "lib/model/net.py": NET,
            "lib/steps.py": steps,
            "scripts/main.py": MAIN.format(net="lib", steps="lib"),
        }
    return {
        "README.md": "",
        "nets/net.py": NET,
        "tools/steps.py": steps,
        "main.py": MAIN.format(net="nets.net", steps="tools.steps"),
        "other.py": MAIN.format(net="nets.net", steps="tools.steps"),
    }


def found(files: list[Path]) -> dict[str, set[tuple[str, int, str]]]:
    by_file: dict[str, set[tuple[str, int, str]]] = {}
    for d in lint_files(files, MODE):
        by_file.setdefault(Path(d.path).name, set()).add((d.code, d.span.line, d.message))
    return by_file


@pytest.mark.parametrize("layout", ["flat", "package", "folders"])
@pytest.mark.parametrize(
    ("train", "evaluate", "place"),
    [
        ("model.train()", "pass", ("steps.py", "DRP206")),
        ("pass", "model.eval()", ("main.py", "DRP205")),
        ("model.train()", "model.eval()", None),
        ("model.train()", "model.train()", ("steps.py", "DRP207")),
    ],
    ids=["evaluated in train mode", "left in eval", "right", "train for evaluation"],
)
def test_each_file_alone(train: str, evaluate: str, place: tuple[str, str] | None, layout: str, tmp_path: Path) -> None:
    files = [p for p in write_files(tmp_path, project(train, evaluate, layout)) if p.suffix == ".py"]
    whole = found(files)
    assert (place[1] in {code for code, _, _ in whole.get(place[0], set())}) if place else whole == {}
    alone: dict[str, set[tuple[str, int, str]]] = {}
    for file in files:
        alone |= found([file])
    assert alone == whole


DRIVER = """\
from app import prepare, repeat

repeat(prepare(), open("batches"))
"""
APP = """\
from net import Net
from steps import evaluate, train


def prepare():
    return Net()


def repeat(model, batches):
    for epoch in range(10):
        train(model, None, batches)
        evaluate(model, batches)
"""
CELLS = """\
{"cells": [{"cell_type": "code", "source": ["from app import prepare, repeat\\n", "repeat(prepare(), [])"],
"outputs": [], "metadata": {}, "execution_count": null}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
"""


@pytest.mark.parametrize("driver", [{"main.py": DRIVER}, {"run.ipynb": CELLS}], ids=["script", "notebook"])
def test_a_driver_without_a_word_about_modes(driver: dict[str, str], tmp_path: Path) -> None:
    files = {"net.py": NET, "steps.py": STEPS.format(train="model.train()", evaluate="pass"), "app.py": APP, **driver}
    paths = write_files(tmp_path, files)
    whole = found(paths)
    assert {code for code, _, _ in whole["steps.py"]} == {"DRP206"}
    assert found([tmp_path / "steps.py"]) == whole


def test_a_file_out_of_sight_proves_nothing(tmp_path: Path) -> None:
    """Runs that start in another project count neither when its files are checked too, nor when they are not."""
    library, user = tmp_path / "library", tmp_path / "user"
    for folder in (library, user):
        folder.mkdir()
        (folder / "pyproject.toml").write_text("")
    (library / "steps.py").write_text(STEPS.format(train="model.train()", evaluate="pass"))
    (user / "net.py").write_text(NET)
    (user / "main.py").write_text(MAIN.format(net="net", steps="library.steps"))
    files = [library / "steps.py", user / "net.py", user / "main.py"]
    assert found(files).get("steps.py") is None
    assert found(files[:1]) == {}


@pytest.mark.parametrize("users", [2, 200])
def test_files_that_a_whole_library_imports_are_judged_by_their_own_runs(users: int, tmp_path: Path) -> None:
    """All that import a file are read when it is checked alone, so far users of a much used one prove nothing in it."""
    files = {"net.py": NET, "steps.py": STEPS.format(train="model.train()", evaluate="pass")}
    files |= {f"main_{n}.py": MAIN.format(net="net", steps="steps") for n in range(users)}
    whole = found(write_files(tmp_path, files))
    assert ("steps.py" in whole) is (users == 2)
    assert found([tmp_path / "steps.py"]) == {k: v for k, v in whole.items() if k == "steps.py"}


@pytest.mark.parametrize("calls", ["a.run(model)\n    b.run(model)", "b.run(model)\n    a.run(model)"])
def test_imports_in_a_circle_end(calls: str, tmp_path: Path) -> None:
    text = "import torch\nimport a\nimport b\n\n\ndef run(model):\n    model.eval()\n    {}\n    return run(model)\n"
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for file in files:
        file.write_text(text.format(calls))
    assert found(files) == {}


def test_ten_thousand_lines_end(tmp_path: Path) -> None:
    functions = "".join(
        f"def step_{n}(model, x):\n    model.train()\n    step_{n + 1}(model, x)\n    return model(x).backward()\n\n\n"
        for n in range(1_700)
    )
    text = f"import torch\n{functions}def step_1700(model, x):\n    return step_0(model, x)\n"
    assert text.count("\n") > 10_000
    file = tmp_path / "long.py"
    file.write_text(text)
    assert found([file]) == {}


def test_files_of_the_same_name_elsewhere_are_not_users(tmp_path: Path) -> None:
    one = project(train="model.train()", evaluate="pass", layout="flat")
    files = {f"experiment{n}/{name}": text for n in range(MOST_IMPORTERS + 10) for name, text in one.items()}
    paths = write_files(tmp_path, {"pyproject.toml": "", **files})[1:]
    found = lint_files(paths, MODE)
    assert {item.code for item in found} == {"DRP206"}
    assert len(found) == MOST_IMPORTERS + 10
    steps = tmp_path / "experiment3" / "steps.py"
    assert lint_files([steps], MODE) == tuple(item for item in found if item.path == str(steps))


@pytest.mark.parametrize(
    ("folder", "package", "found"),
    [
        ("netlib-master", True, True),
        ("owner+netlib@1f2e3d", True, True),
        ("netlib-master", False, False),
        ("netlibrary", True, False),
    ],
)
def test_a_package_in_a_folder_of_a_longer_name(folder: str, package: bool, found: bool, tmp_path: Path) -> None:
    files = {"core/net.py": NET, "core/steps.py": STEPS.format(train="model.train()", evaluate="pass")}
    files |= {"core/__init__.py": "", "main.py": MAIN.format(net="netlib.core.net", steps="netlib.core.steps")}
    files |= {"__init__.py": ""} if package else {}
    paths = write_files(tmp_path / folder, files)
    assert [item.code for item in lint_files(paths, MODE)] == ["DRP206"] * found


def test_places_in_other_files_are_spelt_like_the_file_that_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, project(train="model.train()", evaluate="pass", layout="flat"))
    monkeypatch.chdir(tmp_path)
    found = lint_files([Path("steps.py")], MODE)
    assert {one.path for item in found for one in item.related} == {"main.py", "net.py"}
