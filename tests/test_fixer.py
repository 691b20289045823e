"""Fixes as text: what one pass applies, when passes end, which import lines come along, and diffs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity, Span
from dropout_lint.fixing.fixer import FixFailed, apply_fixes, fix_text, unified_diff
from dropout_lint.fixing.imports import ImportClash, add_imports
from dropout_lint.syntax.positions import Lines

F = "import torch.nn.functional as F"


def finding(text: str, *edits: tuple[int, int, str], imports: tuple[str, ...] = (), code: str = "DRP101") -> Diagnostic:
    index = Lines(text)

    def span(start: int, end: int) -> Span:
        return Span(*index.position(start), *index.position(end))

    fix = Fix("mend it", Applicability.SAFE, tuple(Edit(span(a, b), new) for a, b, new in edits), imports)
    return Diagnostic(code, "x.py", span(edits[0][0], edits[0][1]), "broken", Severity.ERROR, fix)


def replacing(pattern: str, new: str, imports: tuple[str, ...] = ()) -> Callable[[str], tuple[Diagnostic, ...]]:
    def lint(text: str) -> tuple[Diagnostic, ...]:
        return tuple(finding(text, (m.start(), m.end(), new), imports=imports) for m in re.finditer(pattern, text))

    return lint


def always(_: Diagnostic) -> bool:
    return True


def test_edits_keep_every_other_character() -> None:
    text = "\tx = 'é𝄞' + bad  # why\r\ny = 'a\x0cb\u2028' + bad\rz = bad"
    lint = replacing("bad", "good")
    new, waiting = apply_fixes(text, lint(text))
    assert (new, waiting) == (text.replace("bad", "good"), ())


def test_of_overlapping_fixes_the_first_wins_and_is_whole() -> None:
    text = "abcdefgh"
    first, second = finding(text, (0, 1, "A"), (4, 6, "E")), finding(text, (2, 3, "C"), (5, 7, "F"))
    assert apply_fixes(text, [second, first]) == ("AbcdEgh", (second,))


def test_nested_calls_are_both_mended_in_one_pass() -> None:
    text = "drop(drop(x))"
    new, waiting = apply_fixes(text, [finding(text, (12, 12, ", t")), finding(text, (11, 11, ", t"))])
    assert (new, waiting) == ("drop(drop(x, t), t)", ())


def test_touching_edits_are_applied_and_an_insertion_inside_of_another_edit_waits() -> None:
    text = "abcd"
    swap, tail, inside = finding(text, (0, 2, "X")), finding(text, (2, 2, "-")), finding(text, (1, 1, "!"))
    assert apply_fixes(text, [inside, tail, swap]) == ("X-cd", (inside,))


def test_insertions_of_two_fixes_at_one_place_wait_but_equal_fixes_are_one() -> None:
    text = "f()"
    one, two, same = finding(text, (2, 2, "a")), finding(text, (2, 2, "b"), code="DRP102"), finding(text, (2, 2, "a"))
    assert apply_fixes(text, [two, same, one]) == ("f(a)", (two,))


def test_insertions_of_one_fix_at_one_place_keep_their_order_and_number() -> None:
    text = "f"
    assert apply_fixes(text, [finding(text, (0, 0, "a"), (0, 1, "g"), (1, 1, ")"), (1, 1, ")"))])[0] == "ag))"


def test_edits_outside_of_the_text_or_against_each_other_are_not_applied() -> None:
    text = "abc\n"
    outside = finding(text, (0, 1, "x"))
    beyond = Edit(Span(7, 1, 7, 2), "y")
    assert outside.fix is not None
    bad = Diagnostic("DRP101", "x.py", Span(1, 1, 1, 2), "m", Severity.ERROR, Fix("m", Applicability.SAFE, (beyond,)))
    crossed = finding(text, (0, 2, "x"), (1, 3, "y"))
    assert apply_fixes(text, [bad, crossed]) == (text, (bad, crossed))


def test_passes_go_on_until_nothing_is_left() -> None:
    outcome = fix_text("x = aaaa", replacing("aa", "a"), always)
    assert outcome.text == "x = a"
    assert len(outcome.applied) == 3
    assert outcome.remaining == outcome.rejected == ()


def test_only_what_may_be_applied_is_applied() -> None:
    outcome = fix_text("x = bad", replacing("bad", "good"), lambda _: False)
    assert (outcome.text, outcome.applied, len(outcome.remaining)) == ("x = bad", (), 1)


def test_fixes_that_chase_each_other_fail() -> None:
    def lint(text: str) -> tuple[Diagnostic, ...]:
        return replacing("a", "b")(text) or replacing("b", "a")(text)

    with pytest.raises(FixFailed, match="20 passes"):
        fix_text("x = a", lint, always)


def test_a_fix_that_breaks_the_file_is_dropped_alone() -> None:
    def lint(text: str) -> tuple[Diagnostic, ...]:
        return (*replacing("bad", "good")(text), *replacing("ok", "(")(text))

    outcome = fix_text("y = bad\nx = ok\nz = bad\n", lint, always)
    assert outcome.text == "y = good\nx = ok\nz = good\n"
    assert [d.span.line for d in outcome.applied] == [1, 3]
    assert [d.span.line for d in outcome.rejected] == [2]
    assert [d.span.line for d in outcome.remaining] == [2]


def test_a_repeated_keyword_counts_as_broken_though_it_parses() -> None:
    def lint(text: str) -> tuple[Diagnostic, ...]:
        return (finding(text, (8, 8, ", t=2")),)

    outcome = fix_text("f(x, t=1)", lint, always)
    assert (outcome.text, len(outcome.rejected)) == ("f(x, t=1)", 1)


def test_a_fix_that_changes_nothing_is_dropped() -> None:
    outcome = fix_text("x = same", replacing("same", "same"), always)
    assert (outcome.text, outcome.applied, len(outcome.rejected)) == ("x = same", (), 1)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows the syntax")
def test_syntax_newer_than_the_running_python_is_fixed_too() -> None:
    text = "import torch\n\nclass A[T]:\n    x = bad\n\ny = ok\n"

    def lint(text: str) -> tuple[Diagnostic, ...]:
        return (*replacing("bad", "F.good", (F,))(text), *replacing("ok", "(")(text))

    outcome = fix_text(text, lint, always)
    assert outcome.text == f"import torch\n{F}\n\nclass A[T]:\n    x = F.good\n\ny = ok\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\nimport torch\nfrom torch import nn  # layers\n\nx = 1\n", None),
        ("import os\r\nimport torch  # t\r\n#+\r\nx = 1\r\n", "import os\r\nimport torch  # t\r\n+\r\n#+\r\nx = 1\r\n"),
        ("import torch; x = [\n1]\ny = 2\n", "import torch; x = [\n1]\n+\ny = 2\n"),
        ("from torch import (\n    nn,\n)\nx = 1\n", "from torch import (\n    nn,\n)\n+\nx = 1\n"),
        ("import torch", "import torch\n+"),
        ("import torch\\\n  .nn\nx = 1", "import torch\\\n  .nn\n+\nx = 1"),
        ("'''doc'''\nfrom __future__ import annotations\n# c\nx = 1\n", None),
        ('#!/bin/python\n"""doc\n"""\nx = 1\n', '#!/bin/python\n"""doc\n"""\n\n+\n\nx = 1\n'),
        ("# licence\n@a\nclass X: pass\nimport torch\n", "# licence\n+\n\n\n@a\nclass X: pass\nimport torch\n"),
        ("def f(): ...\r\n", "+\r\n\r\n\r\ndef f(): ...\r\n"),
        ("try:\n    import x\nexcept ImportError: ...\n", "+\n\ntry:\n    import x\nexcept ImportError: ...\n"),
        ("'doc'\n\ndef f(): ...\n", "'doc'\n\n+\n\ndef f(): ...\n"),
        ("'doc'\nimport os\n", "'doc'\n\n+\nimport os\n"),
        ("import os\n", "+\nimport os\n"),
        (
            "from __future__ import annotations\ndef f(): ...\n",
            "from __future__ import annotations\n+\n\n\ndef f(): ...\n",
        ),
        ("", "+\n"),
        ("# only a comment", "# only a comment\n+"),
        ("x = '\x0c\u2028'\nimport torch\ny = 1", "x = '\x0c\u2028'\nimport torch\n+\ny = 1"),
        ("try:\n    import torch.nn.functional as F\nexcept ImportError:\n    F = None\n", "same"),
        ("from torch.nn import functional as F\n", "same"),
        ("import torch\nif TYPE_CHECKING:\n    import torch.nn.functional as F\n", None),
    ],
)
def test_an_import_goes_below_the_last_torch_import_of_the_header(before: str, after: str | None) -> None:
    new = add_imports(before, [F, F])
    if after is None:
        lines = before.splitlines(keepends=True)
        last = max(n for n, line in enumerate(lines) if line.startswith(("import torch", "from")))
        after = "".join([*lines[: last + 1], "+\n", *lines[last + 1 :]])
    assert new == (before if after == "same" else re.sub(r"(?m)^\+", F, after))
    assert add_imports(new, [F]) == new


def test_import_torch_is_satisfied_by_a_submodule_import() -> None:
    assert add_imports("import torch.nn\n", ["import torch"]) == "import torch.nn\n"
    assert add_imports("import torch.nn as nn\n", ["import torch"]) == "import torch.nn as nn\nimport torch\n"


@pytest.mark.parametrize("text", ["import flax.linen as F\n", "def F(): ...\n", "E, F = 1, 2\n", "from . import F\n"])
def test_a_name_that_means_something_else_is_not_overwritten(text: str) -> None:
    with pytest.raises(ImportClash):
        add_imports(text, [F])
    outcome = fix_text(text + "bad", replacing("bad", "good", (F,)), always)
    assert (outcome.text, outcome.applied, len(outcome.remaining)) == (text + "bad", (), 1)


def test_an_import_comes_once_and_only_with_an_applied_fix() -> None:
    text = "import torch\nbad(bad)\n"
    assert fix_text(text, replacing("bad", "F.x", (F,)), always).text == f"import torch\n{F}\nF.x(F.x)\n"
    assert fix_text(text, replacing("bad", "F.x", (F,)), lambda _: False).text == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\n", "a\nc\n"),
        ("a\r\nb\r\nc", "a\r\nB\r\nc"),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("a\x0cb\u2028c\nd\n", "a\x0cb\u2028c\nD\n"),
        ("a\rb\rc", "a\rB\rc"),
        ("x", ""),
    ],
)
def test_a_diff_can_be_applied(old: str, new: str, tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(old.encode())
    diff = unified_diff(old, new, "x.py")
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-p0", "-"], input=diff.encode(), cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, (diff, done.stderr)
    assert path.read_bytes() == new.encode()
    assert unified_diff(new, new, "x.py") == ""
