"""The definitions that an ``mc-dropout`` comment may cover."""

from __future__ import annotations

import ast

from dropout_lint.source.module.triage import DEFINITIONS


def pragma_ranges(text: str, tree: ast.Module) -> tuple[tuple[int, int, int], ...]:
    """The definitions that a pragma may cover: first line with decorators, line of the name, last line.

    Empty for the many files without a pragma.
    """
    if "mc-dropout" not in text:
        return ()
    return tuple(
        (min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, DEFINITIONS)
    )
