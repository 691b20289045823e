"""Which bytes are worth parsing, and which definitions worth walking."""

from __future__ import annotations

import ast
import re

from dropout_lint.source.syntax import Lines

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

_WORDS = (
    r"drop|scaled_dot_product_attention|flash_att|memory_efficient_attention|bernoulli|zoneout|keep_?prob|keep_?rate"
    r"|surviv|self\.train\b(?!\s*\()|\brand(?:n|_like|n_like)?\(|uniform_\(|\.empty\("
)
_TEXT = re.compile(_WORDS, re.IGNORECASE)
_BYTES = re.compile(_WORDS.encode(), re.IGNORECASE)

PARSE_ANYWAY = 1_000_000
"""Smaller files are parsed even without such words, so that a syntax error never reads as clean."""


def speaks_of_dropout(data: bytes) -> bool:
    """Whether a file can hold anything to report: it speaks of torch and of dropout, masks or attention."""
    return (b"torch" in data or b"flash_attn" in data or b"xformers" in data) and _BYTES.search(data) is not None


def matters(definition: ast.stmt, lines: Lines) -> bool:
    """Whether a top-level definition can hold anything to report."""
    first = min([definition.lineno, *(d.lineno for d in getattr(definition, "decorator_list", ()))])
    return _TEXT.search(lines.text, lines.offset(first, 1), _end(definition, lines)) is not None


def _end(definition: ast.stmt, lines: Lines) -> int:
    last = definition.end_lineno or definition.lineno
    return lines.starts[last] if last < len(lines.starts) else len(lines.text)
