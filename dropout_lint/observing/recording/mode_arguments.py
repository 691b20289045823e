"""Read the mode argument of a dropout call from its source text."""

from __future__ import annotations

import ast
import textwrap


def mode_argument(call_text: str, function: str) -> str | None:
    """The source of the mode that a call of ``function`` passes, "" if it passes none, None if the text is unclear."""
    try:
        call = ast.parse(textwrap.dedent(call_text).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(call, ast.Call) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    if ast.unparse(call.func).rpartition(".")[2] != function:
        return None  # an alias, a partial or a module may add a mode that this line does not show
    for keyword in call.keywords:
        if keyword.arg in {"training", "train"}:
            return ast.unparse(keyword.value)
    return ast.unparse(call.args[2]) if len(call.args) > 2 else ""
