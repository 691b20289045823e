"""The interpreter of statements, over a domain of constants: the values that a name may have where a program ends."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from textwrap import dedent

import pytest

from dropout_lint.source.walking.interpreter import Interpreter
from dropout_lint.source.walking.targets import paired
from dropout_lint.syntax.parsing import dotted

Values = frozenset[object]
State = dict[str, Values]
ANY: Values = frozenset({"?"})
MISSING: Values = frozenset({"missing"})


class Constants(Interpreter[State, Values]):
    """Sets of constants; ``seen`` are the arguments of calls of ``see``, in the order of the calls."""

    passes = 2

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Values] = []
        self.results: list[Values] = []

    def copy(self, state: State) -> State:
        return dict(state)

    def join(self, states: list[State], at: ast.stmt) -> State:
        names = {name for state in states for name in state}
        return {name: frozenset().union(*(s.get(name, MISSING) for s in states)) for name in names}

    def evaluate(self, node: ast.expr, state: State) -> Values:
        match node:
            case ast.Constant(value=value):
                return frozenset({value})
            case ast.Name() | ast.Attribute():
                return state.get(dotted(node), MISSING)
            case ast.NamedExpr(target=target, value=inner):
                found = self.evaluate(inner, state)
                self.bind(target, found, state)
                return found
            case ast.Call(func=ast.Name(id="see"), args=[argument]):
                self.seen.append(self.evaluate(argument, state))
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return frozenset({tuple(self.evaluate(e, state) for e in elements)})
            case ast.ListComp(elt=element, generators=generators):
                return self.evaluate(element, self.inside(generators, state))
        return ANY

    def bind(self, target: ast.expr, value: Values, state: State) -> None:
        if path := dotted(target):
            state[path] = value

    def forget(self, path: str, at: ast.AST, state: State) -> None:
        state[path] = ANY

    def augment(self, statement: ast.AugAssign, state: State) -> State:
        self.forget_all(statement.target, state)
        return state

    def unpack(self, value: Values, targets: Sequence[ast.expr], state: State) -> list[Values] | None:
        known = [v for v in value if isinstance(v, tuple) and len(v) == len(targets)]
        return list(known[0]) if len(known) == len(value) == 1 else None

    def entered(self, value: Values) -> Values | None:
        return value

    def decides(self, test: ast.expr, state: State) -> bool | None:
        match test:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
                one, other = self.evaluate(left, state), self.evaluate(right, state)
                known = len(one) == len(other) == 1 and not (one | other) & (ANY | MISSING)
                return one == other if known else None
            case ast.Name(id="yes"):
                return True
        return None

    def returned(self, value: ast.expr | None, state: State) -> None:
        self.results.append(self.evaluate(value, state) if value is not None else frozenset({None}))


def run(program: str) -> tuple[Constants, State | None]:
    """Run a program, with ``c``, ``d`` and ``xs`` unknown."""
    domain = Constants()
    return domain, domain.function(ast.parse(dedent(program)).body, {"c": ANY, "d": ANY, "xs": ANY})


PROGRAMS = {
    "assign": ("x = 1", {1}),
    "chained": ("y = x = 1", {1}),
    "annotated": ("x: int = 1", {1}),
    "annotation-alone": ("x = 1\nx: int", {1}),
    "augmented": ("x = 1\nx += 1", {"?"}),
    "walrus": ("see(x := 1)", {1}),
    "walrus-in-test": ("if (x := 1):\n    pass", {1}),
    "tuple": ("y, x = 2, 1", {1}),
    "tuple-swapped": ("x, y = 2, 1\nx, y = y, x", {1}),
    "tuple-nested": ("y, (z, x) = 2, (3, 1)", {1}),
    "tuple-of-one-value": ("pair = (2, 1)\ny, x = pair", {1}),
    "tuple-of-unknown": ("x = 1\ny, x = f()", {"?"}),
    "starred": ("y, *z, x = 3, 2, 2, 1", {1}),
    "starred-of-unknown": ("x = 1\ny, *x = f()", {"?"}),
    "list": ("[y, x] = [2, 1]", {1}),
    "attribute": ("o.a = 1\nx = o.a", {1}),
    "del": ("x = 1\ndel x", {"?"}),
    "import": ("x = 1\nimport a.b as x", {"?"}),
    "import-from": ("x = 1\nfrom a import x", {"?"}),
    "function": ("x = 1\ndef x(): pass", {"?"}),
    "class": ("x = 1\nclass x: pass", {"?"}),
    "inner-scope": ("x = 1\ndef f():\n    x = 2", {1}),
    "if": ("x = 1\nif c:\n    x = 2", {1, 2}),
    "if-else": ("if c:\n    x = 1\nelse:\n    x = 2", {1, 2}),
    "elif": ("if c:\n    x = 1\nelif d:\n    x = 2\nelse:\n    x = 3", {1, 2, 3}),
    "if-decided": ("if yes:\n    x = 1\nelse:\n    x = 2", {1}),
    "if-returns": ("x = 1\nif c:\n    x = 2\n    raise E", {1}),
    "unbound-on-one-path": ("if c:\n    x = 1", {1, "missing"}),
    "assert": ("x = 1\nassert c", {1}),
    "match": ("x = 1\nmatch c:\n    case 1:\n        x = 2\n    case [2, 3]:\n        x = 3", {1, 2, 3}),
    "match-default": ("match c:\n    case 1:\n        x = 2\n    case _:\n        x = 3", {2, 3}),
    "match-decided": ("k = 2\nmatch k:\n    case 1:\n        x = 1\n    case 2 | 3:\n        x = 2\n", {"missing", 2}),
    "match-proven": (
        "k = 2\nmatch k:\n    case 1:\n        x = 1\n    case 2:\n        x = 2\n    case _:\n        x = 3",
        {2},
    ),
    "match-guard": ("match c:\n    case y if d:\n        x = 1\n    case _:\n        x = 2", {1, 2}),
    "match-capture": ("k = 1\nmatch k:\n    case x:\n        pass", {1}),
    "match-capture-as": ("match c:\n    case [1, y] as x:\n        pass\n    case _:\n        x = 1", {"?", 1}),
    "match-sequence": ("k = 2, 1\nmatch k:\n    case [y, x]:\n        pass\n    case _:\n        x = 3", {1, 3}),
    "match-mapping": ("x = 1\nmatch c:\n    case {'k': y, **x}:\n        pass\n    case _:\n        pass", {"?", 1}),
    "match-class": ("x = 1\nmatch c:\n    case P(x):\n        pass\n    case _:\n        pass", {"?", 1}),
    "for": ("x = 1\nfor y in xs:\n    x = 2", {1, 2}),
    "for-target": ("x = 1\nfor x in xs:\n    pass", {1, "?"}),
    "for-else": ("x = 1\nfor y in xs:\n    x = 2\nelse:\n    x = 3", {3}),
    "for-else-break": ("x = 1\nfor y in xs:\n    x = 2\n    if c:\n        break\nelse:\n    x = 3", {2, 3}),
    "async-for": ("x = 1\nasync for y in xs:\n    x = 2", {1, 2}),
    "second-turn": ("x = y = 1\nfor z in xs:\n    x = y\n    y = 2", {1, 2}),
    "continue": ("x = 1\nfor y in xs:\n    x = 2\n    if c:\n        continue\n    x = 3", {1, 2, 3}),
    "break": ("x = 1\nfor y in xs:\n    x = 2\n    break\n    x = 3", {1, 2}),
    "while": ("x = 1\nwhile c:\n    x = 2", {1, 2}),
    "while-true": ("x = 1\nwhile True:\n    x = 2\n    if c:\n        x = 3\n        break", {3}),
    "while-walrus": ("while (x := 1):\n    pass", {"missing", 1}),
    "nested-break": ("x = 1\nfor y in xs:\n    for z in xs:\n        break\n    x = 2", {1, 2}),
    "try": ("try:\n    x = 1\nfinally:\n    pass", {1}),
    "try-except": ("x = 1\ntry:\n    x = 2\nexcept E:\n    x = 3", {2, 3}),
    "try-stops-anywhere": ("x = 1\ntry:\n    x = 2\n    x = 3\nexcept E:\n    pass", {1, 2, 3}),
    "try-else": ("try:\n    x = 1\nexcept E:\n    x = 2\nelse:\n    x = 3", {2, 3}),
    "try-finally": ("try:\n    x = 1\nexcept E:\n    x = 2\nfinally:\n    x = 3", {3}),
    "except-star": ("x = 1\ntry:\n    x = 2\nexcept* E:\n    x = 3", {2, 3}),
    "try-raise": ("x = 1\ntry:\n    if c:\n        x = 2\n        raise E\n    x = 3\nexcept E:\n    pass", {1, 2, 3}),
    "handler-name": ("x = 1\ntry:\n    f()\nexcept E as x:\n    pass", {1, "?"}),
    "break-through-finally": (
        "for y in xs:\n    try:\n        x = 1\n        break\n    finally:\n        x = 2\nelse:\n    x = 3",
        {2, 3},
    ),
    "with": ("with f():\n    x = 1", {1}),
    "with-as": ("with 1 as x:\n    pass", {1}),
    "async-with": ("async with 1 as x:\n    pass", {1}),
    "with-several": ("with 2 as y, 1 as x:\n    pass", {1}),
    "suppress": ("x = 1\nwith suppress(E):\n    x = 2\n    x = 3", {1, 2, 3}),
    "comprehension": ("x = 1\ny = [x for x in xs]", {1}),
    "global": ("global x\nx = 1", {1}),
    "return": ("x = 1\nif c:\n    x = 2\n    return", {1, 2}),
    "return-through-finally": ("x = 1\ntry:\n    return x\nfinally:\n    x = 2", {2}),
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_values_at_the_end(kind: str) -> None:
    program, expected = PROGRAMS[kind]
    _, end = run(program)
    assert end is not None
    assert end.get("x", MISSING) == expected


@pytest.mark.parametrize(
    "program",
    [
        "raise E",
        "assert False",
        "while True:\n    pass",
        "if c:\n    raise E\nelse:\n    raise F",
        "try:\n    f()\nfinally:\n    raise E",
    ],
)
def test_what_never_ends(program: str) -> None:
    assert run(program)[1] is None


def test_statements_behind_an_exit_are_not_read() -> None:
    domain, _ = run("see(1)\nif c:\n    see(2)\n    return\n    see(3)\nwhile True:\n    see(4)\nsee(5)")
    assert domain.seen == [{1}, {2}, {4}, {4}]


def test_an_empty_body_changes_nothing() -> None:
    assert Constants().function([], {"x": ANY}) == {"x": ANY}


def test_each_return_is_evaluated_where_it_is() -> None:
    domain, _ = run("x = 1\nif c:\n    return x\nx = 2\ntry:\n    return x\nfinally:\n    x = 3")
    assert domain.results == [{1}, {2}]


def test_names_are_bound_after_all_values_are_read() -> None:
    pairs = paired(ast.parse("a, *b = c").body[0].targets[0], ast.parse("(1, 2, 3)", mode="eval").body)  # type: ignore[attr-defined]
    assert pairs is not None
    assert [(ast.unparse(t), ast.unparse(v)) for t, v in pairs] == [("a", "1"), ("b", "[2, 3]")]
