"""What definitions mention decides which of them are read closely: nothing that may be called is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropout_lint.disk import Disk
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project
from dropout_lint.source.modes.mentions import mentions, without_text
from dropout_lint.source.names.import_table import ImportTable
from tests.mode_helpers import NET, lint_files


def imports(**names: str) -> ImportTable:
    table = ImportTable("package.inner")
    table.names = names
    return table


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def f():\n    return steps.evaluate(model)\n", {"package.steps.evaluate"}),
        ('def f():\n    print(f"accuracy {steps.test(model):.2f}")\n', {"package.steps.test"}),
        ("def f():\n    print(rf'{steps.test(model)}')\n", {"package.steps.test"}),
        ('def f():\n    """As steps.evaluate does."""\n    return "steps.test"  # or steps.train\n', set()),
        ('def f():\n    return "#" + steps.name\n', {"package.steps.name"}),
        ("def f():\n    return 'it''s' + steps.name  # don't\n", {"package.steps.name"}),
        (
            "def f():\n    from .a import b as c\n    import x.y as z\n    z.go(c)\n",
            {"package.inner.a.b", "x.y", "x.y.go"},
        ),
        (
            "def f():\n    from ..a import (\n        b,  # the first\n        c,\n    )\n",
            {"package.a.b", "package.a.c"},
        ),
        ("def f():\n    own(helper)\n", {".own"}),
    ],
)
def test_what_code_mentions(code: str, names: set[str]) -> None:
    assert mentions(code, imports(steps="package.steps"), {"own"}).names == names


@pytest.mark.parametrize(
    ("code", "switches"),
    [
        ("def f():\n    model.train()\n", True),
        ("def f():\n    loss.backward()\n", True),
        ("class A:\n    def train(self, mode=True):\n        super().train(mode)\n", False),
        ("def f():\n    self.training = False\n", True),
        ("def f():\n    return torch.load(path)\n", True),
        ("def f():\n    # model.train()\n    return 'loss.backward()'\n", False),
        ("def f():\n    model.eval()\n", False),
    ],
)
def test_what_switches_a_mode(code: str, switches: bool) -> None:
    assert mentions(code, imports(torch="torch"), ()).switches is switches


def test_literals_and_comments_say_nothing() -> None:
    assert without_text('a = \'b\' + f\'{c}\' # d\n"""e\nf"""\n') == 'a = "" + f\'{c}\' \n""\n'


EVALUATION = """\
from whole import *


def main(batches):
    model = Net()
    for x, y in batches:
        F.cross_entropy(model(x), y).backward()
    with torch.no_grad():
        return [model(x) for x, y in batches]


main(open("batches"))
"""


def test_a_name_is_followed_through_two_star_imports(tmp_path: Path) -> None:
    files = {
        "layers.py": NET,
        "whole/__init__.py": "from .parts import *\n",
        "whole/parts.py": "from layers import *\n",
    }
    found = lint_files(
        tmp_path,
        {
            **files,
            "run.py": EVALUATION.replace("import *", "import *\nimport torch\nimport torch.nn.functional as F", 1),
        },
    )
    assert [d.code for d in found] == ["DRP206"]


def test_a_star_import_brings_no_name_with_an_underscore(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("def _hidden():\n    pass\n\n\ndef shown():\n    pass\n")
    (tmp_path / "listed.py").write_text('__all__ = ["_named"]\n\n\ndef _named():\n    pass\n')
    (tmp_path / "whole.py").write_text("from parts import *\nfrom listed import *\n")
    (tmp_path / "user.py").write_text("import whole\n")
    project = Project(Files(Disk()))
    facts = project.files.facts(tmp_path / "user.py")
    assert facts is not None
    names = ("shown", "_named", "_hidden", "__version__")
    located = {name: project.names.find(facts, f"whole.{name}") for name in names}
    assert {name: found[1] for name, found in located.items() if found is not None} == {
        "shown": "shown",
        "_named": "_named",
    }
