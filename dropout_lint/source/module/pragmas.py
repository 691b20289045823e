"""Line ranges of the definitions that an ``mc-dropout`` comment may cover."""

from __future__ import annotations

import ast

from dropout_lint.source.module.triage import DEFINITIONS


def pragma_ranges(text: str, tree: ast.Module) -> tuple[tuple[int, int, int], ...]:
    """For each definition: first line with decorators, line of the name, last line. Empty without a pragma."""
    if "mc-dropout" not in text:
        return ()
    return tuple(
        (min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, DEFINITIONS)
    )
