"""Finds words about modes in each top-level definition, so that linking parses few of them into flows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping

from dropout_lint.facts import ModeOutline
from dropout_lint.source.modes.mentions import without_text
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.module.triage import DEFINITIONS
from dropout_lint.syntax.parsing import dotted, walk
from dropout_lint.vocabulary import MODE_CALLS

_ACTS = {word: re.compile(rf"{word}(?<!\w{word})\b") for word in MODE_CALLS}
"""Each begins with letters: a pattern that begins with a boundary is far slower."""
_ALONE = {
    "preserve_rng_state": re.compile("preserve_rng_state"),
    ".training": re.compile(r"\.training\s*(?::[^=\n]+)?="),
    "backward": re.compile(r"\.\s*backward\b"),
}
_FREEZES = re.compile(r"\.\s*eval\(")
_SETS_PARTS = re.compile(r"\.(?:requires_grad_?|from_pretrained)\b")


def mode_outlines(module: SourceModule) -> tuple[ModeOutline, ...]:
    """The outlines of a file. The first is that of the statements outside of definitions."""
    names = tuple(dict.fromkeys(_code(module.tree.body)))
    option = "preserve_rng_state" in module.lines.text
    acts, alone = _says("\n".join(names))
    found = [ModeOutline("", 0, 0, acts, alone, freezes=False, words=names)]
    for node in _definitions(module.tree.body):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        start, end = module.lines.block_offsets(first, node.end_lineno or node.lineno)
        text = module.lines.text[start:end]
        acts, alone = _says(text)
        if option and "checkpoint" in text:
            acts, alone = True, True
        found.append(ModeOutline(node.name, start, end, acts, alone, _freezes(module, node, text)))
    return tuple(found)


def _says(text: str) -> tuple[bool, bool]:
    """Whether a text changes or needs a mode, and whether that is so without other files."""
    if not (_any(_ACTS, text) or _any(_ALONE, text)):
        return False, False
    code = without_text(text)
    alone = _any(_ALONE, code)
    return alone or _any(_ACTS, code), alone


def _any(patterns: Mapping[str, re.Pattern[str]], text: str) -> bool:
    """Whether a pattern is found. Each is searched only near a word of it, which is faster."""
    return any(word in text and pattern.search(text) is not None for word, pattern in patterns.items())


def _definitions(body: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for statement in body:
        if isinstance(statement, DEFINITIONS):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try)):
            yield from _definitions(statement.body)
            yield from _definitions(statement.orelse)


def _code(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names in statements outside of definitions, without strings and comments."""
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try)):
            tests = [statement.test] if isinstance(statement, ast.If) else []
            yield from (name for test in tests for name in _names(test))
            for part in (statement.body, statement.orelse, getattr(statement, "finalbody", [])):
                yield from _code(part)
            for handler in getattr(statement, "handlers", []):
                yield from _code(handler.body)
        elif not isinstance(statement, DEFINITIONS):
            yield from _names(statement)


def _names(node: ast.AST) -> Iterator[str]:
    for part in walk(node):
        if isinstance(part, (ast.Name, ast.Attribute)):
            yield dotted(part) or f".{part.attr}" if isinstance(part, ast.Attribute) else part.id
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                yield f".{part.attr} ="
        elif isinstance(part, ast.keyword) and part.arg:
            yield part.arg


def _freezes(module: SourceModule, node: ast.stmt, text: str) -> bool:
    if not isinstance(node, ast.ClassDef):
        return False
    constructors = [s for s in node.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"]
    return any(_FREEZES.search(module.lines.block(s.lineno, s.end_lineno or s.lineno)) for s in constructors) or (
        bool(constructors) and _SETS_PARTS.search(text) is not None
    )
