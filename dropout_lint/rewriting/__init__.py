"""Turns the rewrites that checks ask for into edits of the text.

A fix may have rewrites, such as ``AddArgument(call, "training", "self.training")``. ``with_edits`` replaces them by the
smallest edits. The functions of ``arguments``, ``expressions``, ``exchanges`` and ``statements`` plan each rewrite on
the concrete tree of its statement (``syntax.concrete``). Then ``plan`` parses the edited statement: it must give the
planned tree, with every comment of the old statement.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from dropout_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Rewrite
from dropout_lint.rewriting import arguments, exchanges, expressions, statements
from dropout_lint.rewriting.plan import CommentLost, Planner, Replacement, Unsound, choose
from dropout_lint.syntax.concrete import ConcreteText
from dropout_lint.syntax.concrete_unit import NotConcrete


def with_edits(diagnostics: Iterable[Diagnostic], text: ConcreteText) -> Iterator[Diagnostic]:
    """The diagnostics of a file, with edits in place of rewrites. A fix that would lose a comment becomes advice."""
    for diagnostic in diagnostics:
        fix = diagnostic.fix
        yield replace(diagnostic, fix=edited(fix, text)) if fix is not None and fix.rewrites else diagnostic


def edited(fix: Fix, text: ConcreteText) -> Fix | None:
    """The fix with edits in place of rewrites. If they cannot be made, its advice, or None if it has no advice."""
    try:
        found = _disjoint([one for rewrite in fix.rewrites for one in replacements(rewrite, text)])
    except CommentLost:
        return Fix(fix.otherwise or fix.message, Applicability.DISPLAY)
    except (Unsound, NotConcrete, ValueError, RecursionError):  # RecursionError: code nested too deeply
        return Fix(fix.otherwise, Applicability.DISPLAY) if fix.otherwise else None
    edits = tuple(Edit(text.span((one.start, one.end)), one.code) for one in found)
    return replace(fix, edits=edits, rewrites=(), otherwise="")


def _disjoint(found: list[Replacement]) -> list[Replacement]:
    if any(a.end > b.start for a, b in itertools.pairwise(sorted(found, key=lambda r: (r.start, r.end)))):
        raise Unsound("two rewrites change the same code")
    return found


def replacements(rewrite: Rewrite, text: ConcreteText) -> tuple[Replacement, ...]:
    """The replacements that make a rewrite. Raises NotConcrete, and Unsound if they would change something else."""
    return choose(text, _planners()[type(rewrite)](text, rewrite))


@cache
def _planners() -> dict[type[Rewrite], Planner]:
    return arguments.PLANNERS | expressions.PLANNERS | exchanges.PLANNERS | statements.PLANNERS
