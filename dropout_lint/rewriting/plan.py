"""Plans of rewrites: the replacements, and a check that the edited code is the expected tree with all its comments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import libcst as cst

from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import NotConcrete, Unit

Statements = Sequence[cst.CSTNode]
Shape = tuple[object, ...]
_TRIVIA = (
    *(cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline, cst.Comma, cst.Semicolon),
    *(cst.LeftParen, cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftCurlyBrace),
    *(cst.RightCurlyBrace, cst.Colon, cst.Dot, cst.AssignEqual, cst.MaybeSentinel),
)


class Unsound(Exception):  # noqa: N818 - the state of a rewrite, not an error of its own
    """A rewrite does not apply to the code, or would change something else."""


class CommentLost(Unsound):
    """A rewrite would lose a comment."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Put ``code`` in the place of ``text[start:end]``; an empty range inserts."""

    start: int
    end: int
    code: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Replacements in one unit, and the statements that the edited unit must parse to."""

    unit: Unit
    replacements: tuple[Replacement, ...]
    expected: Statements


Planner = Callable[[ConcreteText, Any], list[Plan]]
"""Returns the ways to make a rewrite, the preferred one first. Raises NotConcrete and Unsound."""


def choose(text: ConcreteText, plans: Iterable[Plan]) -> tuple[Replacement, ...]:
    """The replacements of the first plan that is sound. Raises Unsound where none is."""
    problem: Unsound = Unsound("it does not apply")
    for plan in plans:
        try:
            _check(text.text, plan)
        except Unsound as found:
            problem = found
            continue
        return plan.replacements
    raise problem


def _check(text: str, plan: Plan) -> None:
    unit = plan.unit
    piece = apply(text, plan.replacements, unit.start, unit.end)
    if text[unit.start : unit.end] == piece:
        raise Unsound("it changes nothing")
    before, after = Counter[str](), Counter[str]()
    shape(statements_of(unit, unit.module), before)
    if not plan.expected:
        if before or piece.strip():
            raise CommentLost
        return
    try:
        made = unit.parse(piece)
    except NotConcrete as error:
        raise Unsound(str(error)) from None
    if shape(statements_of(unit, made), after) != shape(plan.expected, Counter()):
        raise Unsound("the edited code means something else")
    if before != after:
        raise CommentLost


def apply(text: str, replacements: Iterable[Replacement], start: int, end: int) -> str:
    """``text[start:end]`` after replacements. Several at one place are applied in their order."""
    pieces: list[str] = []
    for one in sorted(replacements, key=lambda found: (found.start, found.end)):
        pieces += [text[start : one.start], one.code]
        start = max(start, one.end)
    return "".join([*pieces, text[start:end]])


def statements_of(unit: Unit, module: cst.Module) -> Statements:
    """The statements of a unit, without the ``if`` that may have been put around them to parse them."""
    if not unit.before.startswith("if "):
        return module.body
    around = module.body[0]
    return around.body.body if isinstance(around, cst.If) else ()


def shape(nodes: Iterable[cst.CSTNode], comments: Counter[str]) -> list[Shape]:
    """The content of trees without their layout, to compare them. Counts their comments in ``comments``."""
    return [found for node in nodes if (found := _shape(node, comments)) is not None]


def _shape(node: cst.CSTNode, comments: Counter[str]) -> Shape | None:
    if isinstance(node, cst.Comment):
        comments[node.value] += 1
        return None
    parts: list[object] = [type(node).__name__]
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, cst.CSTNode):
            below = _shape(value, comments)
            parts += [(item.name, below)] if below is not None else []
        elif isinstance(value, (list, tuple)):
            parts.append(tuple(shape(value, comments)))
        elif isinstance(value, str) and item.name != "indent":
            parts.append(value)
    return None if isinstance(node, _TRIVIA) else tuple(parts)


class _Replacing(cst.CSTTransformer):
    def __init__(self, new: Mapping[cst.CSTNode, cst.CSTNode]) -> None:
        super().__init__()
        self._new = {id(old): node for old, node in new.items()}

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        return self._new.get(id(original_node), updated_node)


def replaced(unit: Unit, new: Mapping[cst.CSTNode, cst.CSTNode]) -> Statements:
    """The statements of a unit with some nodes replaced."""
    module = unit.module.visit(_Replacing(new))
    return statements_of(unit, module)


def filled(template: str, node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression from its code, with a node at its ``{}``."""
    made = expression(template.replace("{}", "__"))
    transformer = _Filling(node)
    return made.visit(transformer)  # type: ignore[return-value]


class _Filling(cst.CSTTransformer):
    def __init__(self, node: cst.BaseExpression) -> None:
        super().__init__()
        self._node = node

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:  # noqa: N802 - libcst's
        return self._node if original_node.value == "__" else updated_node


def expression(code: str) -> cst.BaseExpression:
    """An expression from its code. Raises Unsound."""
    try:
        return cst.parse_expression(code)
    except cst.ParserSyntaxError:
        raise Unsound(f"no expression: {code}") from None
