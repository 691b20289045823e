"""Notebooks: linted as one program, reported by cell, and changed in nothing but the lines that a fix is about."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dropout_lint.config.output_formats import FORMATS
from dropout_lint.syntax.magics import is_skipped, mask, unmask
from dropout_lint.syntax.reading import decode_source
from tests import linting

nbformat = pytest.importorskip("nbformat")

IMPORTS = "%matplotlib inline\nimport torch.nn.functional as F\nfrom torch import nn\n!pip install torch"
NET = """class Net(nn.Module):
    # größer
    def forward(self, x):
        %time y = x
        return F.dropout(x, 0.5)"""
FIXED = NET.replace("0.5)", "0.5, training=self.training)")
PATH = Path("nb.ipynb")


def code(source: str | list[str], **more: Any) -> dict[str, Any]:
    output = {"name": "stdout", "output_type": "stream", "text": ["é\n", "F.dropout(x, 0.5)\n"]}
    cell = {"cell_type": "code", "execution_count": 3, "id": f"c{abs(hash(str(source)))}", "metadata": {}}
    return {**cell, "outputs": [output], "source": source, **more}


def notebook(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    metadata = {"language_info": {"name": "python"}, "zeta": 1, "alpha": {"b": 1, "a": 2}}
    return {"cells": [*cells], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5, **more}


TEXT = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["F.dropout(x, 0.5)\n", "x = ("]}
USUAL = notebook(TEXT, code(IMPORTS.splitlines(keepends=True)), code(NET.splitlines(keepends=True)))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.chdir(tmp_path)

    def write(document: dict[str, Any] | str | bytes, name: str = "nb.ipynb") -> Path:
        text = json.dumps(document, indent=1) if isinstance(document, dict) else document
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path(name)

    return write


def check(*args: str, stdin: str | None = None) -> Result:
    return linting.run("check", "--isolated", *args, stdin=stdin)


# --- what is found, and where


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_names_the_cell_and_its_line(write: Callable[..., Path], format: str) -> None:
    write(USUAL)
    assert re.search(r"cell\W+3\b", check("--output-format", format, ".").stdout)


def test_a_finding_is_shown_in_its_cell(write: Callable[..., Path]) -> None:
    write(USUAL)
    assert (
        check("nb.ipynb", "--output-format", "concise")
        .stdout.splitlines()[0]
        .startswith("nb.ipynb:cell 3:5:16: DRP101 [*]")
    )
    shown = check("nb.ipynb").stdout
    assert " --> nb.ipynb:cell 3:5:16\n" in shown
    assert "4 |         %time y = x\n5 |         return F.dropout(x, 0.5)\n" in shown
    (found,) = json.loads(check("nb.ipynb", "--output-format", "json").stdout)
    assert (found["cell"], found["location"], found["noqa_row"]) == (3, {"row": 5, "column": 16}, 5)
    assert found["fix"]["edits"][0]["location"] == {"row": 5, "column": 32}
    github = check("nb.ipynb", "--output-format", "github").stdout
    assert "line=1,endLine=1" in github
    assert "::nb.ipynb:cell 3:5:16: DRP101" in github


def test_ruff_counts_cells_and_lines_in_the_same_way(write: Callable[..., Path], tmp_path: Path) -> None:
    write(notebook(TEXT, code("%%bash\nx = ("), code("x = 1\n"), TEXT, code("%timeit 1\nx = 1\ny = (")))
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--output-format", "concise", "."],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "nb.ipynb:cell 5:3:" in ruff.stdout
    assert "nb.ipynb:cell 5:3:5: DRP001" in check("--output-format", "concise", ".").stdout


def test_cells_see_what_cells_before_them_bind(write: Callable[..., Path]) -> None:
    write(notebook(code("import torch.nn.functional as F\nfrom torch import nn"), code(NET)))
    assert "DRP101" in check(".").stdout
    write(notebook(code("from flax import nn"), code(NET)))
    assert "All checks passed!" in check(".").stdout


def test_the_files_beside_a_notebook_are_looked_into(write: Callable[..., Path]) -> None:
    write(
        notebook(code("import torch.nn.functional as F\nfrom base import Base"), code(NET.replace("nn.Module", "Base")))
    )
    Path("base.py").write_text("from torch import nn\n\n\nclass Base(nn.Module):\n    pass\n")
    assert "nb.ipynb:cell 2:5:16: DRP101" in check("--output-format", "concise", "nb.ipynb").stdout
    Path("base.py").write_text("class Base:\n    pass\n")
    assert "All checks passed!" in check("nb.ipynb").stdout


@pytest.mark.parametrize(
    "cells",
    [
        [code("%%bash\nx = ("), code("%%html\n<b>"), code("%%writefile a.py\nx = (")],
        [code(NET, cell_type="raw")],
        [code("x = (", metadata={"vscode": {"languageId": "julia"}})],
        [],
        [code("")],
        [code([])],
    ],
)
def test_what_is_no_python_is_left_alone(write: Callable[..., Path], cells: list[dict[str, Any]]) -> None:
    write(notebook(*cells))
    assert "All checks passed!" in check(".").stdout


def test_a_notebook_in_another_language_is_left_alone(write: Callable[..., Path]) -> None:
    write(notebook(code("x <- dropout("), metadata={"language_info": {"name": "R"}}))
    assert "All checks passed!" in check(".").stdout


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", "1:1", "no valid JSON (expecting value)"),
        ('{"cells": [\n}', "2:1", "no valid JSON (expecting value)"),
        ("[1]", "1:1", "'nbformat' is missing"),
        ('{"nbformat": 3}', "1:1", "format 3; 'jupyter nbconvert --to notebook' turns it into format 4"),
        ('{"nbformat": 4, "cells": {}}', "1:1", "'cells' is not a list"),
        (b'{"nbformat": 4, "cells": ["\xff"]}', "1:1", "not UTF-8 text (byte 27)"),
        ("[" * 100_000, "1:1", "nested too deeply"),
    ],
)
def test_a_broken_notebook_is_a_finding(write: Callable[..., Path], text: str | bytes, place: str, reason: str) -> None:
    write(text)
    done = check("--output-format", "concise", "--fix", ".")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == f"nb.ipynb:{place}: DRP001 Syntax error: not a notebook: {reason}"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "cell",
    [None, 3, {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3}, {"cell_type": "code", "source": [1]}],
)
def test_an_odd_cell_is_left_alone(write: Callable[..., Path], cell: object) -> None:
    write(notebook(code(IMPORTS), code(NET), cell))  # type: ignore[arg-type]
    assert "nb.ipynb:cell 2:5:16: DRP101" in check("--output-format", "concise", ".").stdout
    assert "Fixed 1 problem." in check("--fix", ".").stdout


# --- suppression


@pytest.mark.parametrize("comment", ["# noqa: DRP101", "# dropout-lint: ignore[DRP101]", "# noqa"])
def test_a_comment_suppresses_in_its_cell(write: Callable[..., Path], comment: str) -> None:
    two = NET.replace("Net", "Two")
    write(notebook(code(IMPORTS), code(f"{NET}  {comment}"), code(two)))
    assert re.findall(r"cell (\d)", check("--output-format", "concise", ".").stdout) == ["3"]
    unused = f"x = 1  {comment}" if comment != "# noqa" else "x = 1"
    write(notebook(code(IMPORTS), code(unused), code(two)))
    found = re.findall(r"cell (\d):(\d):\d+: (DRP\d+)", check("--output-format", "concise", ".").stdout)
    assert found == [("2", "1", "DRP002")] * (comment != "# noqa") + [("3", "5", "DRP101")]


def test_add_noqa_writes_into_the_cell(write: Callable[..., Path]) -> None:
    path = write(USUAL)
    assert check("--add-noqa", ".").exit_code == 0
    cells = json.loads(path.read_bytes())["cells"]
    assert cells[2]["source"][-1] == "        return F.dropout(x, 0.5)  # dropout-lint: ignore[DRP101]"
    assert cells[:2] == USUAL["cells"][:2]
    assert "All checks passed!" in check(".").stdout


# --- fixing changes the intended lines only

FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "as Jupyter writes it": lambda nb: json.dumps(nb, indent=1, ensure_ascii=False) + "\n",
    "as JSON escapes it": lambda nb: json.dumps(nb, indent=1),
    "as Colab writes it": lambda nb: json.dumps(nb, indent=2, ensure_ascii=False),
    "tabs": lambda nb: json.dumps(nb, indent="\t", ensure_ascii=False),
    "one line": lambda nb: json.dumps(nb),
    "compact": lambda nb: json.dumps(nb, separators=(",", ":"), ensure_ascii=False),
    "sorted": lambda nb: json.dumps(nb, indent=4, sort_keys=True),
    "Windows": lambda nb: json.dumps(nb, indent=1).replace("\n", "\r\n") + "\r\n",
    "odd escapes": lambda nb: json.dumps(nb, indent=1).replace("(x", r"\u0028x").replace("/", r"\/"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("listed", [True, False])
def test_a_fix_changes_its_line_and_no_other_byte(write: Callable[..., Path], form: str, listed: bool) -> None:
    lines = NET.splitlines(keepends=True)
    net = code(lines if listed else NET)
    before = FORMS[form](notebook(TEXT, code(IMPORTS), net, code("%%bash\nls"), code("x = 1  # größer")))
    path = write(before)
    assert "Fixed 1 problem." in check("--fix", ".").stdout
    expected = re.sub(r"(F\.dropout(?:\(|\\u0028)x, 0\.5)(?=\)\")", r"\1, training=self.training", before)
    expected = expected.replace(json.dumps(NET)[1:-1], json.dumps(FIXED)[1:-1])
    after = path.read_bytes().decode()
    assert after == expected != before
    nbformat.validate(nbformat.reads(after, 4))
    assert "".join(json.loads(after)["cells"][2]["source"]) == FIXED
    assert "All checks passed!" in check("--fix", ".").stdout
    assert path.read_bytes().decode() == after


def test_lines_come_and_go_as_list_elements(write: Callable[..., Path]) -> None:
    train = (
        "for epoch in range(3):\n    for x in loader:\n        model(x).sum().backward()\n        optimizer.step()\n"
        "    model.eval()\n    with torch.no_grad():\n        model(x)"
    )
    build = (
        "import torch\nfrom torch import nn\n# noqa: DRP101\nmodel = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))"
    )
    path = write(notebook(code(build.splitlines(keepends=True)), code(train.splitlines(keepends=True))))
    before = path.read_text().splitlines()
    check("--preview", "--fix", "--unsafe-fixes", ".")
    after = path.read_text().splitlines()
    assert [line.strip() for line in before if line not in after] == [r'"# noqa: DRP101\n",']
    assert [line.strip() for line in after if line not in before] == [r'"    model.train()\n",']
    assert "All checks passed!" in check("--preview", ".").stdout


def test_git_shows_the_fixed_lines(write: Callable[..., Path], tmp_path: Path) -> None:
    write(USUAL)

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    git("add", ".")
    patch = check("--diff", ".").stdout
    check("--fix", ".")
    changed = [line for line in git("diff", "-U0").splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    assert changed == [
        '-    "        return F.dropout(x, 0.5)"',
        '+    "        return F.dropout(x, 0.5, training=self.training)"',
    ]
    git("checkout", "-q", ".")
    (tmp_path / "fix.patch").write_text(patch)
    git("apply", "-p0", "fix.patch")
    assert "All checks passed!" in check(".").stdout


def test_an_import_that_a_fix_needs_comes_into_a_cell(write: Callable[..., Path]) -> None:
    net = "class Net(nn.Module):\n    def forward(self, x):\n        return nn.Dropout(0.5)(x)"
    path = write(notebook(code("%matplotlib inline\nfrom torch import nn\n"), code(net)))
    assert "Fixed 1 problem." in check("--fix", ".").stdout
    first, second = ("".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"])
    assert first == "%matplotlib inline\nfrom torch import nn\nimport torch.nn.functional as F\n"
    assert second == net.replace("nn.Dropout(0.5)(x)", "F.dropout(x, 0.5, training=self.training)")


def test_nothing_is_put_above_a_cell_magic(write: Callable[..., Path]) -> None:
    net = "class Net(nn.Module):\n    def forward(self, x):\n        return nn.Dropout(0.5)(x)"
    path = write(notebook(code(f"%%time\n{net}\nfrom torch import nn")))
    assert "Fixed 1 problem." in check("--fix", ".").stdout
    source = "".join(json.loads(path.read_bytes())["cells"][0]["source"])
    assert source.startswith("%%time\nimport torch.nn.functional as F\n\n\nclass Net(nn.Module):\n")


def test_standard_input_may_be_a_notebook(write: Callable[..., Path]) -> None:
    path = write(USUAL)
    text = path.read_text()
    done = check("--fix", "--stdin-filename", "other.ipynb", "-", stdin=text)
    check("--fix", "nb.ipynb")
    assert done.stdout == path.read_text() != text
    shown = check("--stdin-filename", "other.ipynb", "-", stdin=text).stdout
    assert " --> other.ipynb:cell 3:5:16" in shown


def test_a_warm_run_shows_the_same_cells(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DROPOUT_LINT_NO_CACHE")
    write(USUAL)
    cold = check(".").stdout
    assert check(".").stdout == cold
    write(notebook(TEXT, TEXT, *USUAL["cells"][1:]))
    assert check(".").stdout == cold.replace("cell 3", "cell 4")


# --- IPython's lines

KEPT = [
    "%matplotlib inline",
    "  %matplotlib inline",
    "x = 1\n%timeit x\nif x:\n    !ls {x}\n    y = !ls\n    z, w = %time 3\nelse:\n    %cd ..",
    "!pip install a \\\n    b \\\n    c\nx = 1",
    "?x\nx?\nx.y??\ntorch.*Tensor?  # all of them\n%%debug?",
    "!echo \"it's\nx = 1",
    "!echo (\n!echo )\n!echo '''",
    "%%time\nx = 1\n%cd x",
    "\n%%timeit -n 3\nx = 1",
    "# __ipython_0__\n%ls\n# __ipython_7__",
    "# %%[cell 3]%%\nx = 1",
    "x = 1;\ny;",
    "def f():\n    %time g()\n    return 1",
    "await f()\nasync with g() as h:\n    !ls",
    "cd ..\npip install torch\nx = 1",
]
PYTHON = [
    'x = """\n%not\n!nor\nthis?\n"""',
    "x = (a\n % b)\ny = a \\\n % b\nassert x != y",
    "x = [\n    a\n    %b\n]",
    "x = y % z\nx %= 3",
    "# is it so?\n# !ls",
    'time = 3\nrun (time)\nx = """\ncd ..\n"""',
]


@pytest.mark.parametrize("cell", KEPT)
def test_lines_of_ipython_are_masked_and_come_back(cell: str) -> None:
    masked = mask(cell, lambda line: line.startswith("# %%[cell"))
    assert masked.lines or ";" in cell
    assert compile(masked.text, "cell", "exec", flags=0x2000)  # which allows await
    assert masked.text.count("\n") == cell.count("\n")
    assert unmask(masked.text, masked) == cell
    assert unmask(f"{masked.text}\nz = 1", masked) == f"{cell}\nz = 1"


@pytest.mark.parametrize("cell", PYTHON)
def test_python_is_not_masked(cell: str) -> None:
    assert mask(cell, lambda _: False).text == cell


def test_a_masked_line_must_stay() -> None:
    masked = mask("%time x\ny = 1\n!ls", lambda _: False)
    for torn in ("y = 1", masked.text.replace("0", "1"), f"{masked.text}\n{masked.text}"):
        with pytest.raises(ValueError, match="lines of IPython"):
            unmask(torn, masked)
    magic = mask("%%time\nx = 1", lambda _: False)
    with pytest.raises(ValueError, match="above a cell magic"):
        unmask(f"import torch\n{magic.text}", magic)


@pytest.mark.parametrize("name", ["bash", "html", "writefile", "cython", "javascript", "python2", "script"])
def test_cells_of_other_languages_are_known(name: str) -> None:
    assert is_skipped(f"\n%%{name} -x\nfoo")
    assert not is_skipped(f"# %%{name}\nfoo")


def test_a_text_without_a_cell_is_not_written() -> None:
    source = decode_source(json.dumps(USUAL).encode(), PATH)
    assert source.encode(source.text) == json.dumps(USUAL).encode()
    with pytest.raises(ValueError, match="cells of the notebook apart"):
        source.encode(source.text.replace("# %%[cell 3]%%\n", ""))
