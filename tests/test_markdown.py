"""Python blocks of Markdown files, which ``--preview`` checks."""

from pathlib import Path

import pytest
from click.testing import Result

from dropout_lint.syntax.markdown import decode_markdown
from tests import linting

PAGE = """\
# A model with dropout

`F.dropout(x)` in prose is prose.

```python
import torch.nn.functional as F
from torch import nn
```

The class:

~~~ python title="head.py"
class Head(nn.Module):
    def forward(self, x):
        return F.dropout(x, 0.5)
~~~

```console
$ F.dropout(x, 0.5)
```

    ```python
    indented = F.dropout(x, 0.5)
    ```

```python
a fragment: F.dropout(x)
```

```text
```python
not_python = nn.Dropout(1.5)
```
"""
MENDED = PAGE.replace("F.dropout(x, 0.5)\n~~~", "F.dropout(x, 0.5, training=self.training)\n~~~")


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("page.md").write_text(PAGE, newline="")
    return Path("page.md")


def run(*args: str) -> Result:
    return linting.run("check", "--isolated", *args)


@pytest.mark.usefixtures("page")
def test_blocks_are_one_program_on_their_own_lines() -> None:
    ran = run("--preview", "--output-format", "concise", ".")
    assert [line.split(" ")[:2] for line in ran.stdout.splitlines()[:-2]] == [["page.md:15:16:", "DRP101"]]
    assert ran.exit_code == 1


@pytest.mark.usefixtures("page")
def test_the_frame_shows_the_page() -> None:
    assert "16 | ~~~\n" in run("--preview", ".").stdout


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_fix_changes_its_line_alone(page: Path, newline: str, mark: str) -> None:
    page.write_text(mark + PAGE, newline=newline)
    assert run("--preview", "--fix", ".").exit_code == 0
    assert page.read_bytes() == (mark + MENDED).replace("\n", newline).encode()


@pytest.mark.usefixtures("page")
def test_without_preview_it_is_left_alone_and_says_so_when_named() -> None:
    assert "no Python files found" in run(".").stderr
    named = run("page.md")
    assert (named.exit_code, named.stderr) == (2, "error: page.md: Markdown is checked with --preview only\n")


def test_a_block_that_defines_a_name_again_is_left_out(page: Path) -> None:
    net = "class Net(nn.Module):\n    def forward(self, x):\n        return nn.Dropout(0.5)(x)\n"
    block = f"```python\nfrom torch import nn\n\n{net}```\n"
    page.write_text(block * 2)
    ran = run("--preview", "--output-format", "concise", ".")
    assert [line.split(":")[1] for line in ran.stdout.splitlines() if "DRP103" in line] == ["6"]


def test_a_block_in_python_2_is_no_program(page: Path) -> None:
    page.write_text(PAGE + "\n```python\nprint 'loss', loss\n```\n")
    assert [
        line.split(" ")[1] for line in run("--preview", "--output-format", "concise", ".").stdout.splitlines()[:-2]
    ] == ["DRP101"]


def test_nothing_is_written_outside_of_the_blocks() -> None:
    source = decode_markdown(PAGE.encode(), Path("page.md"))
    assert source.encode(source.text) == PAGE.encode()
    for text in ("import torch\n" + source.text, source.text + "import torch\n"):
        with pytest.raises(ValueError, match="outside of the code blocks"):
            source.encode(text)
