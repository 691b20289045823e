"""Rewrites of calls, expressions and statements in many layouts: the tree changes as asked, and every comment stays."""

from __future__ import annotations

import ast
import copy
import io
import itertools
import random
import tokenize
from collections.abc import Callable, Iterator

import pytest

from dropout_lint.diagnostic import Applicability, Fix, Rewrite, Span
from dropout_lint.rewrites import (
    AddArgument,
    AddMethod,
    AssignNew,
    AssignResult,
    InsertAfter,
    InsertBefore,
    KeepPart,
    NameArgument,
    RemoveArgument,
    RemoveKeyword,
    RemoveStatement,
    Rename,
    ReplaceExpression,
    ReplaceMethod,
    ReplaceStatement,
    SwapCalls,
    SwapElements,
    WrapExpression,
    WrapStatements,
)
from dropout_lint.rewriting import edited, replacements
from dropout_lint.rewriting.plan import CommentLost, Unsound, apply
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import NotConcrete

CONTEXTS = [
    "x = {}\n",
    "x = 1; y = {}; z = 2  # tail\n",
    "if {}:\n    pass\nelif other:\n    pass\n",
    "if other:\n    pass\nelif {}:\n    pass  # kept\n",
    "if a: x = {}\n",
    "while not ({}): x = 2\n",
    "class A:\n    def m(self):\n        # above\n        return {}  # behind\n",
    "class A(B, k={}):\n    pass\n",
    "async def m():\n    async with {} as y, other as z:\n        await y\n",
    "x = [{} for y in z if y]\n",
    "x = [y for y in {}]\n",
    "g(1, *a, {}, **k)\n",
    "g(*{}, k=2)\n",
    "x = lambda y: ({}, y)\n",
    "@d({})\n@e\ndef m(): ...\n",
    "def m(a, b={}, *, c=None): pass\n",
    "match {}:\n    case [1, y] if y:\n        pass\n",
    "match y:\n    case 1:\n        x = {}\n    case _:\n        pass\n",
    "match y:\n    case z if {}:\n        pass\n",
    "if (y := {}) and y:\n    pass\n",
    "for y in {}:\n    pass\nelse:\n    pass\n",
    "try:\n    x = {}\nexcept E as e:  # why\n    raise\nfinally:\n    pass\n",
    "x = 'é𝄞#' + {} + f\"{{y!r}}\"\n",
    "x = -{} ** 2\n",
    "x = {}.y[0](1)\n",
    "x = a if {} else b\n",
    "x = y = {}, 1\n",
    "del z[{}]\n",
    "assert {}, 'message'  # tail\n",
    "x = \\\n  {}\n",
    "def m():\n\n    '''doc\n    string'''\n    yield {}\n",
]
CALLS = [
    "f(x)",
    "f()",
    "f( )",
    "f(x,)",
    "f(x, y, k=1)",
    "f(k=1, x=x)",
    "f(x, *a, **k)",
    "f((x), k=((y)))",
    "f(g(x), h(y, 2), k=[1, 2])",
    "f(x, lambda y: y, k=(yy := 2))",
    "f(\n    x,  # one )\n    k=2,  # two (\n)",
    "f(\n    x,\n    # between\n    k=2\n    # last\n)",
    "f(x,  # one\n  k=1)",
    "f(  # first\n)",
    "f(x \\\n  , y)",
    "f(\n\tx,\n\tk='a, b)#',\n)",
    "f(x, k={1: 2, **z}, l=x[1:2, ...])",
    "f('''a\nb''', k=not x)",
    "f (x)",
    "(f)(x)",
    "f(x if y else z, k=a + b)",
]
LAYOUTS: dict[str, Callable[[str], str]] = {
    "line feeds": lambda text: text,
    "carriage returns and line feeds": lambda text: text.replace("\n", "\r\n"),
    "carriage returns": lambda text: text.replace("\n", "\r"),
    "mixed": lambda text: text.replace("\n", "\r\n", 1),
    "tabs": lambda text: text.replace("        ", "\t\t").replace("    ", "\t"),
    "nested": lambda text: "class Z:\n  if 1:\n" + "".join(f"     {line}" for line in text.splitlines(keepends=True)),
    "form feeds": lambda text: f"import a\n\x0c\n{text}\x0c\nimport b\n",
    "no last break": lambda text: text.rstrip("\n"),
}


PROGRAMS = 250
"""Of about 5000; the others are as good."""


def programs() -> Iterator[str]:
    everything = list(itertools.product(CONTEXTS, CALLS, LAYOUTS.items()))
    for context, call, (name, layout) in random.Random(0).sample(everything, PROGRAMS):
        if name == "nested" and ("'''" in context or "'''" in call or "\\\n" in context + call):
            continue
        text = layout(context.format(call))
        if _tree(text) is not None:
            yield text


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except SyntaxError:
        return None


def comments(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return sorted(t.string for t in tokenize.generate_tokens(io.StringIO(plain).readline) if t.type == tokenize.COMMENT)


def call_of(tree: ast.AST) -> ast.Call:
    return next(
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "f"
    )


def rewritten(text: str, rewrite: Rewrite) -> str:
    concrete = ConcreteText(text)
    return apply(text, replacements(rewrite, concrete), 0, len(text))


class Spans:
    def __init__(self, text: str) -> None:
        self._lines = ConcreteText(text).lines

    def __call__(self, node: ast.expr | ast.stmt) -> Span:
        return self._lines.span(node)


def _call_changes(draw: random.Random, call: ast.Call, at: Spans) -> Iterator[tuple[Rewrite, ast.expr]]:
    """Rewrites of a call, each with the expression that must come of it."""

    def like(**fields: object) -> ast.Call:
        made = copy.deepcopy(call)
        for name, value in fields.items():
            setattr(made, name, value)
        return made

    def parsed(code: str) -> ast.expr:
        return ast.parse(code, mode="eval").body

    training = ast.keyword("t", parsed("self.training"))
    yield AddArgument(at(call), "t", "self.training"), like(keywords=[*call.keywords, training])
    if call.args and not isinstance(call.args[0], ast.Starred):
        yield AddArgument(at(call), "", "q", at(call.args[0])), like(args=[parsed("q"), *call.args])
        if len(call.args) == 1 and not call.keywords:
            made = like(args=[], keywords=[ast.keyword("t", call.args[0])])
            yield NameArgument(at(call.args[0]), "t"), made
        index = draw.randrange(len(call.args))
        if not isinstance(call.args[index], ast.Starred):
            rest = [*call.args[:index], *call.args[index + 1 :]]
            yield RemoveArgument(at(call.args[index])), like(args=rest)
            yield KeepPart(at(call), at(call.args[index])), call.args[index]
            yield (
                ReplaceExpression(at(call.args[index]), "1 - p"),
                like(args=[*call.args[:index], parsed("1 - p"), *call.args[index + 1 :]]),
            )
            choice = ast.IfExp(parsed("self.training"), call.args[index], parsed("0.0"))
            yield (
                WrapExpression(at(call.args[index]), "{} if self.training else 0.0"),
                like(args=[*call.args[:index], choice, *call.args[index + 1 :]]),
            )
    if call.keywords and call.keywords[0].arg:
        gone = like(keywords=call.keywords[1:])
        yield RemoveKeyword(at(call), call.keywords[0].arg), gone
        yield RemoveArgument(at(call.keywords[0].value)), gone
    yield Rename(at(call), "other"), like(func=parsed("other"))
    yield ReplaceExpression(at(call), "a + b"), parsed("a + b")
    yield WrapExpression(at(call), "1 - {}"), ast.BinOp(ast.Constant(1), ast.Sub(), call)
    yield WrapExpression(at(call), "nn.M({})"), ast.Call(parsed("nn.M"), [call], [])


class _Put(ast.NodeTransformer):
    def __init__(self, new: ast.expr) -> None:
        self._new = new

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "f":
            return self._new
        self.generic_visit(node)
        return node


def test_rewrites_of_calls_change_what_they_name_and_keep_comments() -> None:
    draw = random.Random(0)
    done, refused = 0, []
    for text in programs():
        tree = ast.parse(text)
        for rewrite, expected in _call_changes(draw, call_of(tree), Spans(text)):
            try:
                new = rewritten(text, rewrite)
            except (Unsound, NotConcrete) as problem:
                refused.append((text, rewrite, problem))
                continue
            wanted = ast.dump(_Put(expected).visit(ast.parse(text)))
            assert ast.dump(ast.parse(new)) == wanted, (text, rewrite, new)
            assert comments(new) == comments(text), (text, rewrite, new)
            done += 1
    assert done > PROGRAMS * 6
    for text, rewrite, why in refused:
        whole = isinstance(rewrite, (ReplaceExpression, KeepPart, RemoveArgument, RemoveKeyword))
        inner = whole and "#" in text and (isinstance(why, CommentLost) or "# between" in text)
        assert inner or _cannot_be(text, rewrite), (text, rewrite, why)


def _cannot_be(text: str, rewrite: Rewrite) -> bool:
    """Changes that Python has no place for, or that change nothing."""
    if "(f)(x)" in text and isinstance(rewrite, Rename):
        return False
    return isinstance(rewrite, AddArgument) and "**" in text and not rewrite.name


STATEMENTS = """\
class Net(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p  # rate

    @torch.no_grad()
    def forward(self, x):
        '''doc'''
        y = self.fc(x)  # first
        # above the second
        x = self.drop(
            y,  # tensor
        )
        if y is not None:  # test
            x += self.q(y) * 2
            x.add_(y)  # in place
            self.drop(x)
        for _ in range(3):
            x = self.act(x)
        return x
"""


def statement(text: str, code: str) -> Span:
    tree = ast.parse(text)
    node = next(n for n in ast.walk(tree) if isinstance(n, ast.stmt) and ast.unparse(n).split("\n")[0] == code)
    return ConcreteText(text).lines.span(node)


STATEMENT_CASES: list[tuple[Callable[[str], Rewrite], str, str]] = [
    (
        lambda t: InsertBefore(statement(t, "y = self.fc(x)"), "if not a:\n    return x"),
        "        y = self.fc(x)  # first",
        "        if not a:\n            return x\n        y = self.fc(x)  # first",
    ),
    (
        lambda t: InsertBefore(statement(t, "for _ in range(3):"), "model.eval()"),
        "        for _",
        "        model.eval()\n        for _",
    ),
    (
        lambda t: InsertAfter(statement(t, "self.p = p"), "return self"),
        "        self.p = p  # rate\n",
        "        self.p = p  # rate\n        return self\n",
    ),
    (
        lambda t: InsertAfter(statement(t, "for _ in range(3):"), "del y"),
        "            x = self.act(x)\n",
        "            x = self.act(x)\n        del y\n",
    ),
    (lambda t: RemoveStatement(statement(t, "self.drop(x)")), "            self.drop(x)\n", ""),
    (
        lambda t: ReplaceStatement(statement(t, "self.p = p"), "self.q()"),
        "self.p = p  # rate",
        "self.q()  # rate",
    ),
    (lambda t: AssignResult(statement(t, "self.drop(x)"), "x"), "    self.drop(x)", "    x = self.drop(x)"),
    (
        lambda t: AssignNew(statement(t, "x += self.q(y) * 2")),
        "x += self.q(y) * 2",
        "x = x + (self.q(y) * 2)",
    ),
    (lambda t: AssignNew(statement(t, "x.add_(y)")), "x.add_(y)", "x = x.add(y)"),
    (
        lambda t: WrapStatements(
            Span(*astuple(statement(t, "y = self.fc(x)"))[:2], *astuple(statement(t, "x = self.drop(y)"))[2:]),
            "self.training",
        ),
        "        y = self.fc(x)  # first\n        # above the second\n"
        "        x = self.drop(\n            y,  # tensor\n        )\n",
        "        if self.training:\n            y = self.fc(x)  # first\n            # above the second\n"
        "            x = self.drop(\n                y,  # tensor\n            )\n",
    ),
    (
        lambda t: AddMethod(statement(t, "self.p = p"), "def train(self, mode=True):\n    return self"),
        "        self.p = p  # rate\n",
        "        self.p = p  # rate\n\n    def train(self, mode=True):\n        return self\n",
    ),
]


def astuple(span: Span) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column


@pytest.mark.parametrize("layout", ["line feeds", "carriage returns and line feeds", "carriage returns", "tabs"])
@pytest.mark.parametrize("case", range(len(STATEMENT_CASES)))
def test_rewrites_of_statements(case: int, layout: str) -> None:
    make, old, new = STATEMENT_CASES[case]
    text = LAYOUTS[layout](STATEMENTS)
    before, after = LAYOUTS[layout](old), LAYOUTS[layout](new)
    assert text.count(before) == 1
    found = rewritten(text, make(text))
    if "\r" in text:  # the fixer makes the breaks of the file out of line feeds
        found, text = (part.replace("\r\n", "\n").replace("\r", "\n") for part in (found, text))
        before, after = old, new
    assert found == text.replace(before, after)


@pytest.mark.parametrize(
    ("text", "rewrite"),
    [
        ("if a: x = f(y)\n", InsertBefore(Span(1, 7, 1, 15), "y()")),
        ("a = 1; x = f(y)\n", InsertBefore(Span(1, 8, 1, 16), "y()")),
        ("x = f(y); b = 2\n", InsertAfter(Span(1, 1, 1, 9), "y()")),
        ("if a:\n    pass\nelif b:\n    pass\n", InsertBefore(Span(3, 1, 4, 9), "y()")),
        ("def f():\n    x = 1\n", RemoveStatement(Span(2, 5, 2, 10))),
        ("x = 1; y = 2\n", RemoveStatement(Span(1, 1, 1, 6))),
        ("x = 1  # why\ny = 2\n", RemoveStatement(Span(1, 1, 1, 6))),
        ("y = x.add_(2)\n", AssignNew(Span(1, 5, 1, 14))),
        ("f().x += 2\n", AssignNew(Span(1, 1, 1, 11))),
        ("x = f(y)\n", ReplaceExpression(Span(1, 5, 1, 7), "z")),
        ("x = f(y)\n", AddArgument(Span(1, 1, 1, 2), "k", "1")),
        ("x = f(y)\n", RemoveKeyword(Span(1, 5, 1, 9), "k")),
        ("x = f(*y)\n", NameArgument(Span(1, 8, 1, 9), "k")),
        ("x = (f(y)\n", Rename(Span(1, 6, 1, 10), "g")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Rewrite) else None,
)
def test_what_does_not_fit_is_refused(text: str, rewrite: Rewrite) -> None:
    with pytest.raises((Unsound, NotConcrete)):
        rewritten(text, rewrite)


def test_a_removed_keyword_may_have_blanks_and_its_text_in_a_comment() -> None:
    text = "y = checkpoint(f, x,  # preserve_rng_state=False\n    preserve_rng_state = False)\n"
    new = rewritten(text, RemoveKeyword(Span(1, 5, 2, 32), "preserve_rng_state"))
    assert new == "y = checkpoint(f, x,  # preserve_rng_state=False\n    )\n"


def test_methods_are_replaced_behind_any_object() -> None:
    assert rewritten("m = (a > b).float() * x\n", ReplaceMethod(Span(1, 5, 1, 20), "to(x.dtype)")) == (
        "m = (a > b).to(x.dtype) * x\n"
    )


def elements(text: str) -> list[Span]:
    tree, lines = ast.parse(text), ConcreteText(text).lines
    holder = next(
        n
        for n in ast.walk(tree)
        if isinstance(n, (ast.Call, ast.List)) and len(getattr(n, "args", getattr(n, "elts", ()))) > 1
    )
    return [lines.span(n) for n in (holder.args if isinstance(holder, ast.Call) else holder.elts)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n = S(a(1), b(2), c)\n", "n = S(b(2), a(1), c)\n"),
        ("n = S(\n    a(1),  # one\n    b(2),  # two\n)\n", "n = S(\n    b(2),  # two\n    a(1),  # one\n)\n"),
        ("n = S(\n    a(1),\n\n    b(2)  # two\n)\n", "n = S(\n    b(2),  # two\n\n    a(1)\n)\n"),
        ("n = [(k, a(1)), (l, b(2))]\n", "n = [(l, b(2)), (k, a(1))]\n"),
        ("n = S(a(1),  # order matters\n  b(2))\n", None),
        ("n = S(a(\n  1), b(2))\n", None),
        ("n = S(a(1), b(2), c)  # shared\n", None),
        ("n = S(\n    a(1),\n    # about b\n    b(2),\n)\n", None),
    ],
)
@pytest.mark.parametrize("layout", ["line feeds", "carriage returns and line feeds", "carriage returns"])
def test_elements_are_exchanged_with_their_comments(text: str, expected: str | None, layout: str) -> None:
    text = LAYOUTS[layout](text)
    first, second = elements(text)[:2]
    if expected is None:
        with pytest.raises(Unsound):
            rewritten(text, SwapElements(first, second))
    else:
        assert rewritten(text, SwapElements(first, second)) == LAYOUTS[layout](expected)


def test_the_element_that_moves_back_may_lose_an_argument() -> None:
    text = "n = S(d(0.5, inplace=True), r())\n"
    first, second = elements(text)
    assert rewritten(text, SwapElements(first, second, Span(1, 22, 1, 26))) == "n = S(r(), d(0.5))\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = act(drop(x))\n", "y = drop(act(x))\n"),
        ("y = drop(x + 1).act(2)\n", "y = drop((x + 1).act(2))\n"),
        ("y = act(drop(x, 0.5, k=1), 2)\n", "y = drop(act(x, 2), 0.5, k=1)\n"),
        ("x = drop(y)  # d\nx = act(x)\n", "x = act(y)  # d\nx = drop(x)\n"),
        ("if a:\n\tx = drop(y, 1)\n\tx = x.act()\n", "if a:\n\tx = y.act()\n\tx = drop(x, 1)\n"),
    ],
)
def test_calls_are_exchanged(text: str, expected: str) -> None:
    tree, lines = ast.parse(text), ConcreteText(text).lines
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    inner = next(n for n in calls if getattr(n.func, "id", "") == "drop")
    outer = next(n for n in calls if n is not inner)
    result = outer.func.value if isinstance(outer.func, ast.Attribute) else outer.args[0]
    rewrite = SwapCalls(lines.span(inner), lines.span(outer), lines.span(inner.args[0]), lines.span(result))
    assert rewritten(text, rewrite) == expected


def test_a_fix_whose_comment_would_go_is_advice_and_one_that_does_not_fit_says_what_else_to_do() -> None:
    text = ConcreteText("x = f(  # why\n    1)\n")
    lossy = Fix("Use g", Applicability.SAFE, rewrites=(ReplaceExpression(Span(1, 5, 2, 7), "g()"),))
    assert edited(lossy, text) == Fix("Use g", Applicability.DISPLAY)
    missing = Fix("Drop it", Applicability.SAFE, rewrites=(RemoveKeyword(Span(1, 5, 2, 7), "k"),))
    assert edited(missing, text) is None
    told = Fix("Drop it", Applicability.SAFE, rewrites=missing.rewrites, otherwise="Look yourself")
    assert edited(told, text) == Fix("Look yourself", Applicability.DISPLAY)
