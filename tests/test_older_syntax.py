"""Code in the syntax of Python 2 is a syntax error, and is read all the same."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dropout_lint.fixing.imports import add_imports
from dropout_lint.rulebook import rules
from dropout_lint.syntax.older import without_older_syntax
from dropout_lint.syntax.parsing import OlderModule, SourceSyntaxError, parse
from tests.linting import lint_text, places


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ('print "loss", loss\n', '0;    "loss", loss\n'),
        ('print"loss"\n', '0;   "loss"\n'),
        ("if x: print x,\n", "if x: 0;    x,\n"),
        ("print >>log, x\n", "0;      log, x\n"),
        ("print 'a %d' % (\n    x,\n)\n", "0;    'a %d' % (\n    x,\n)\n"),
        ("exec code in names\n", "0;   code in names\n"),
        ("raise ValueError, 'no'\n", "raise ValueError; 'no'\n"),
        ("try:\n    f(a, b)\nexcept (A, B), e:\n    pass\n", "try:\n    f(a, b)\nexcept (A, B)   :\n    pass\n"),
        ("x.cuda(async=True)\n", "x.cuda(_sync=True)\n"),
        ("if a <> b:\n    pass\n", "if a != b:\n    pass\n"),
        ("# é\nd = {1: 'é'}; print d\n", "# é\nd = {1: 'é'}; 0;    d\n"),
    ],
)
def test_older_constructs_keep_every_position(older: str, newer: str) -> None:
    assert without_older_syntax(older) == newer
    ast.parse(newer)


@pytest.mark.parametrize(
    "text", ["print(x)\n", "print (a), b\n", "printed = print\n", "raise A(b, c)\n", "f(print, x)\n"]
)
def test_python_of_today_holds_none(text: str) -> None:
    assert without_older_syntax(text) is None


@pytest.mark.parametrize("text", ["def f(:\n    print x\n", "print x\n  y\n", "'''\nprint x\n", "print x\n\tif\n"])
def test_what_else_is_wrong_stays_an_error(text: str) -> None:
    with pytest.raises(SourceSyntaxError):
        parse(text)


def test_the_tree_tells_the_error() -> None:
    tree = parse("import a\nprint a\n")
    assert isinstance(tree, OlderModule)
    assert (tree.error.line, len(tree.body)) == (2, 3)


NET = """\
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super(Head, self).__init__()
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        print "input", x.size()
        return self.out(F.dropout(x, 0.5))
"""


def test_other_findings_stand_beside_the_syntax_error_and_their_fixes_work(tmp_path: Path) -> None:
    found = lint_text(NET, rules(), tmp_path / "net.py")
    assert places(found) == [(11, "DRP001"), (12, "DRP101")]
    assert found[1].fix is not None


def test_a_fix_can_add_an_import_to_it() -> None:
    text = "import torch\n\nprint torch.__version__\n"
    added = "import torch\nimport torch.nn.functional as F\n\nprint torch.__version__\n"
    assert add_imports(text, ["import torch.nn.functional as F"]) == added
