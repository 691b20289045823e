"""Files in the syntax of Python 2, or with ``async`` as a name, as much published research code is.

They stay a syntax error, but can be analysed: the older constructs are overwritten in place by newer ones that mean the
same to the analysis, at the same positions.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator, Sequence
from itertools import pairwise
from tokenize import TokenInfo

_BREAKS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
_JOINING = {"in", "is", "and", "or", "if", "else", "for"}
Replacement = tuple[TokenInfo, str]


def without_older_syntax(text: str) -> str | None:
    """Overwrite older constructs by newer ones of the same length; None if there are none."""
    tokens: list[TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type not in (tokenize.COMMENT, tokenize.NL):
                tokens.append(token)
    except (tokenize.TokenError, SyntaxError):
        return None
    edits = [*_names(tokens), *(edit for statement in _statements(tokens) for edit in _edits(statement))]
    lines = io.StringIO(text).readlines()
    for token, new in edits:
        line, column = token.start
        lines[line - 1] = lines[line - 1][:column] + new + lines[line - 1][column + len(new) :]
    return "".join(lines) if edits else None


def _names(tokens: Sequence[TokenInfo]) -> Iterator[Replacement]:
    """The argument ``async=True`` of ``.cuda()``, and ``<>`` for ``!=``."""
    for token, following in pairwise(tokens):
        if token.string == "async" and following.string in {"=", ",", ")", "."}:
            yield token, "_sync"
        elif (token.string, following.string) == ("<", ">") and token.end == following.start:
            yield token, "!="


def _statements(tokens: Sequence[TokenInfo]) -> Iterator[list[TokenInfo]]:
    """Simple statements, and the headers of compound ones."""
    statement: list[TokenInfo] = []
    depth = 0
    for token in tokens:
        depth += _deeper(token)
        if token.type in _BREAKS or (depth == 0 and token.string in {";", ":"}):
            if statement:
                yield statement
            statement = []
        else:
            statement.append(token)


def _edits(statement: list[TokenInfo]) -> Iterator[Replacement]:
    first, operand = statement[0], statement[1] if len(statement) > 1 else None
    if operand is None:
        return
    if first.string in {"print", "exec"} and _may_follow(operand):
        yield first, "0;".ljust(len(first.string))
        if operand.string == ">>":
            yield operand, "  "
    elif first.string in {"raise", "except"}:
        comma = _comma(statement)
        if comma and first.string == "raise":
            yield statement[comma], ";"
        elif comma == len(statement) - 2:
            yield statement[comma], " "
            yield statement[-1], " " * len(statement[-1].string)


def _may_follow(operand: TokenInfo) -> bool:
    if operand.type == tokenize.OP:
        return operand.string in {">>", "~", "{"}
    return operand.string not in _JOINING


def _deeper(token: TokenInfo) -> int:
    return (token.string in {"(", "[", "{"}) - (token.string in {")", "]", "}"})


def _comma(statement: Sequence[TokenInfo]) -> int:
    """The first comma outside of brackets, 0 if there is none."""
    depth = 0
    for index, token in enumerate(statement):
        depth += _deeper(token)
        if depth == 0 and token.string == ",":
            return index
    return 0
