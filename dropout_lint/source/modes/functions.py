"""Builds a ModeFlow for each function: its steps, parameters and decorators."""

from __future__ import annotations

import ast

from dropout_lint.facts import NOWHERE, ModeFlow, Step, Term
from dropout_lint.source.modes.steps import StepBuilder
from dropout_lint.source.modes.terms import term
from dropout_lint.source.values import intent
from dropout_lint.source.walking.walker import Definition
from dropout_lint.syntax.positions import Lines
from dropout_lint.vocabulary import MODE_CALLS

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class FlowBuilder:
    """Collects flows in ``flows``; those of nested functions come before the function around them."""

    def __init__(self, lines: Lines, package: str) -> None:
        self.flows: list[ModeFlow] = []
        self._lines = lines
        self._package = package

    def top(self, tree: ast.Module) -> ModeFlow:
        """The flow of the module body; its functions are not included."""
        span = self._lines.span(tree.body[0]) if tree.body else NOWHERE
        steps = self._steps(tree.body, "")
        return ModeFlow("", span, steps, relevant=_mentions_mode(steps))

    def function(self, node: FunctionNode, prefix: str, owner: str) -> None:
        """Add the flow of a function and of those inside.

        ``prefix`` is the qualified name of what contains it; ``owner`` its class, "" for a plain function.
        """
        name = f"{prefix}.{node.name}".lstrip(".")
        steps = self._steps(node.body, name)
        checkpoints = self._checkpoints(node)
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [
            *zip(reversed(positional), reversed(arguments.defaults), strict=False),
            *((k, d) for k, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None),
        ]
        decorators = tuple(term(d, self._lines) for d in node.decorator_list)
        self.flows.append(
            ModeFlow(
                name,
                self._lines.span(node),
                steps,
                parameters=tuple(p.arg for p in (*positional, *arguments.kwonlyargs)),
                positional=len(positional),
                defaults=tuple((p.arg, term(d, self._lines)) for p, d in defaults),
                rest=arguments.vararg.arg if arguments.vararg else "",
                owner=owner,
                decorators=decorators,
                intent=intent.train_mode_intent(node, self._lines),
                relevant=any(_mentions_mode_call(d) for d in decorators) or _mentions_mode(steps) or checkpoints,
                sets_flag=_sets_flag(steps),
                checkpoints=checkpoints,
            )
        )

    def _checkpoints(self, node: FunctionNode) -> bool:
        """Whether a function may checkpoint, in a file that mentions the option about the random state."""
        if "preserve_rng_state" not in self._lines.text:
            return False
        text = self._lines.block(node.lineno, node.end_lineno or node.lineno)
        return node.name == "forward" or "checkpoint" in text or "preserve_rng_state" in text

    def _steps(self, body: list[ast.stmt], name: str) -> tuple[Step, ...]:
        return StepBuilder(self._lines, self._package, name, lambda inner: self._inside(inner, name, "")).body(body)

    def _inside(self, node: Definition, prefix: str, owner: str) -> None:
        """Add the flows of a function or class nested in another."""
        if not isinstance(node, ast.ClassDef):
            self.function(node, prefix, owner)
            return
        name = f"{prefix}.{node.name}"
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self._inside(statement, name, name)


def _mentions_mode(steps: tuple[Step, ...]) -> bool:
    """Whether a step, at any depth, mentions a mode call such as ``eval`` or assigns ``training``."""
    for step in steps:
        terms = [*step.targets, *([step.value] if step.value is not None else [])]
        if any(_mentions_mode_call(t) for t in terms) or any(_mentions_mode(arm) for arm in step.arms):
            return True
    return _sets_flag(steps)


def _sets_flag(steps: tuple[Step, ...]) -> bool:
    """Whether a step, at any depth, assigns an attribute ``training``."""
    return any(
        any(t.kind == "attribute" and t.text == "training" for t in step.targets)
        or any(_sets_flag(arm) for arm in step.arms)
        for step in steps
    )


def _mentions_mode_call(found: Term) -> bool:
    if found.kind in {"attribute", "name"} and found.text in MODE_CALLS:
        return True
    return any(_mentions_mode_call(p) for p in found.parts) or any(
        name == "preserve_rng_state" or _mentions_mode_call(k) for name, k in found.keywords
    )
