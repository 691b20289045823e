"""What the bytes of a file may define and import, beside what a parse finds in it."""

from __future__ import annotations

import ast
import symtable
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropout_lint.project import name_search


def bound(text: str) -> set[str]:
    """The names that a text binds at its top level."""
    table = symtable.symtable(text, "m.py", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            )
            yield from (part for name in names for part in name.split(".") if part not in {"", "*"})


def stars(tree: ast.AST) -> list[str]:
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
    return sorted("^" * node.level + (node.module or "") for node in nodes)


def bases(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            yield from (
                n.id if isinstance(n, ast.Name) else n.attr
                for n in ast.walk(base)
                if isinstance(n, ast.Name | ast.Attribute)
            )


def missed(text: str) -> dict[str, object]:
    """What a parse finds that the bytes do not say."""
    data, tree = text.encode(), ast.parse(text)
    every_import = {name.decode() for name in name_search.imported_words(data)}
    defined = {s.name for s in tree.body if isinstance(s, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)}
    result: dict[str, object] = {
        "bound": {n for n in bound(text) - every_import if not name_search.may_assign(data, n.encode())},
        "imported": set(imported(tree)) - every_import,
        "bases": set(bases(tree)) - name_search.bases(data),
        "stars": set(stars(tree)) - set(name_search.star_imports(data)),
        "defined": defined - {name.decode() for name in name_search.defines(data)} - every_import,
    }
    return {question: names for question, names in result.items() if names}


STATEMENTS = [
    "import a, b.c as d",
    "import a; import b",
    "if x: import a",
    "try: from a import b\nexcept ImportError: c = 1",
    "from a import b as c, d",
    "from a import (\n    b,  # one (of two)\n    c as d,\n)\n",
    "from a import b, \\\n    c",
    "from a \\\n    import b",
    "from . import a",
    "from .. import a",
    "from ...a.b import c",
    "from . a import b",
    "from a import *",
    "from .a import  *  # all",
    "from .. import *",
    "from a import \\\n    *",
    "class A(B, metaclass=M): pass",
    "class A(make(b), C): pass",
    "class A(\n    B,  # (the first)\n    C[D, e.F],\n):\n    pass",
    "class A[T](B[T]): pass",
    "class A: pass",
    "def f(a): pass",
    "async def f(a): pass",
    "async  def f(a): pass",
    "a = 1",
    "a = b = 1",
    "a, b = 1, 2",
    "(a, [b, *c]) = d",
    "(\n    a,\n    b  # the last\n) = c",
    "a \\\n    = 1",
    "a: int = 1",
    "a: int",
    "type A = int",
    "for a in b: pass",
    "for a, (b, c) in d:\n    e = a",
    "for a \\\n    in b: pass",
    "with a as b, c as (d, e): pass",
    "try: pass\nexcept E as a: pass",
    "(a := 1)",
    "print(a := 1, b)",
    "match x:\n    case a: pass",
    "match x:\n    case a if a > 1: pass",
    "match x:\n    case [a, *b] | {'k': a, **b}: pass",
    "match x:\n    case C(a, k=b) as c: pass",
    "x = 1; y = 2",
    "if x:\n    y = 1\nelse:\n    def z(): pass",
    "été = 1",
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("text", STATEMENTS)
def test_no_statement_is_missed(text: str, newline: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError:
        pytest.skip("newer syntax than this Python's")
    assert missed(text.replace("\n", newline)) == {}


def test_no_name_of_a_large_library_is_missed() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    files = [*folder.glob("*.py"), *folder.glob("[a-e]*/*.py"), *Path(name_search.__file__).parents[1].rglob("*.py")]
    assert len(files) > 300
    found = {path.name: missed(path.read_text("utf-8")) for path in files}
    assert {name: names for name, names in found.items() if names} == {}


def test_words_of_strings_and_comments_import_nothing() -> None:
    text = '"""We import the weights; they import torch."""\n# import a\nx = "from b import c"\n'
    assert name_search.imported_words(text.encode()) == set()


def test_a_name_that_is_also_imported_is_not_defined() -> None:
    text = "try:\n    from a import b\nexcept ImportError:\n    b = None\nb = b or 1\nc: int = 2\nd == 3\n"
    assert name_search.defines(text.encode()) == {b"c", b"try"}
