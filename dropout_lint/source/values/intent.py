"""Comments, docstrings and names that say dropout at test time, or train mode, is on purpose."""

from __future__ import annotations

import ast

from dropout_lint.source.names.scopes import Block, Scopes
from dropout_lint.syntax.positions import Lines
from dropout_lint.vocabulary import INTENT_COMMENT, INTENT_DOCSTRING, INTENT_TRAIN_MODE


def inference_intent(node: ast.AST, block: Block, scopes: Scopes, lines: Lines) -> str:
    """The words that say dropout at test time is on purpose, as "MC dropout"; "" if there are none.

    Searches the comments of the statement and above it, then the docstrings of the functions and classes around it.
    """
    statement = node
    while not isinstance(statement, ast.stmt):
        statement = scopes.parents[statement]
    for comment in _comments(statement, lines):
        found = INTENT_COMMENT.search(comment)
        if found:
            return found.group()
    current: Block | None = block
    while current is not None and current.kind != "module":
        if isinstance(current.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found = INTENT_DOCSTRING.search(ast.get_docstring(current.node, clean=False) or "")
            if found:
                return found.group()
        current = current.parent
    return ""


def _comments(statement: ast.stmt, lines: Lines) -> list[str]:
    last = statement.end_lineno or statement.lineno
    if isinstance(statement, (ast.If, ast.For, ast.While, ast.With)):
        last = statement.lineno
    found = [_comment(lines.line(n)) for n in range(statement.lineno, last + 1)]
    above = statement.lineno - 1
    while above > 0 and lines.line(above).strip().startswith("#"):
        found.append(_comment(lines.line(above)))
        above -= 1
    return [comment for comment in found if comment]


def _comment(line: str) -> str:
    _, mark, comment = line.partition("#")
    # Our own pragmas are suppressions and are handled as such.
    return comment if mark and "dropout-lint:" not in comment else ""


def train_mode_intent(node: ast.stmt, lines: Lines) -> str:
    """The words in a function's comments, docstring or name that say it needs train mode; "" if there are none."""
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return ""
    text = lines.block(node.lineno, node.end_lineno or node.lineno)
    comments = "\n".join(_comment(line) for line in text.splitlines()) if "#" in text else ""
    found = (
        INTENT_TRAIN_MODE.search(comments)
        or INTENT_TRAIN_MODE.search(ast.get_docstring(node, clean=False) or "")
        or INTENT_TRAIN_MODE.search(node.name)
    )
    return found.group() if found else ""
