"""Turns functions into ModeFlows: their statements as steps."""

from __future__ import annotations

import ast

from dropout_lint.facts import NOWHERE, ModeFlow, Step, Term
from dropout_lint.source.modes.terms import term
from dropout_lint.source.names.import_table import ImportTable
from dropout_lint.source.values import intent
from dropout_lint.syntax.positions import Lines
from dropout_lint.vocabulary import MODE_CALLS

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class FlowBuilder:
    """Builds flows; a function's come with those of the functions inside of it."""

    def __init__(self, lines: Lines, package: str) -> None:
        self.flows: list[ModeFlow] = []
        self._lines = lines
        self._package = package

    def top(self, tree: ast.Module) -> ModeFlow:
        """The flow of the top level, without those of its definitions."""
        span = self._lines.span(tree.body[0]) if tree.body else NOWHERE
        steps = self._body(tree.body, "", "")
        return ModeFlow("", span, steps, relevant=_relevant(steps))

    def function(self, node: FunctionNode, prefix: str, owner: str) -> None:
        """Add the flow of a function, and of those inside."""
        name = f"{prefix}.{node.name}"
        steps = self._body(node.body, name.lstrip("."), "")
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [
            *zip(reversed(positional), reversed(arguments.defaults), strict=False),
            *((k, d) for k, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None),
        ]
        decorators = tuple(term(d, self._lines) for d in node.decorator_list)
        self.flows.append(
            ModeFlow(
                name.lstrip("."),
                self._lines.span(node),
                steps,
                parameters=tuple(p.arg for p in (*positional, *arguments.kwonlyargs)),
                positional=len(positional),
                defaults=tuple((p.arg, term(d, self._lines)) for p, d in defaults),
                rest=arguments.vararg.arg if arguments.vararg else "",
                owner=owner,
                decorators=decorators,
                intent=intent.words(node, self._lines),
                relevant=any(_names_event(d) for d in decorators) or _relevant(steps),
                sets_flag=_sets_flag(steps),
                checkpoints="preserve_rng_state" in self._lines.block(node.lineno, node.end_lineno or node.lineno),
            )
        )

    def _class(self, node: ast.ClassDef, prefix: str) -> None:
        name = f"{prefix}.{node.name}"
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.function(statement, name, name)
            elif isinstance(statement, ast.ClassDef):
                self._class(statement, name)

    def _body(self, body: list[ast.stmt], prefix: str, owner: str) -> tuple[Step, ...]:
        steps: list[Step] = []
        for statement in body:
            steps += self._statement(statement, prefix, owner)
        return tuple(steps)

    def _statement(self, node: ast.stmt, prefix: str, owner: str) -> list[Step]:
        lines, span = self._lines, self._lines.span(node)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if prefix:
                    self.function(node, prefix, owner)
                return [Step("define", (Term("name", node.name),), text=f"{prefix}.{node.name}".lstrip("."), span=span)]
            case ast.ClassDef():
                if prefix:
                    self._class(node, prefix)
                return [Step("define", (Term("name", node.name),), text=f"{prefix}.{node.name}".lstrip("."), span=span)]
            case ast.Assign(targets=targets, value=value):
                return [Step("bind", tuple(term(t, lines) for t in targets), term(value, lines), span=span)]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                return [Step("bind", (term(target, lines),), term(value, lines), span=span)]
            case ast.AugAssign(target=target, value=value):
                return [Step("evaluate", (term(target, lines),), term(value, lines), span=span, text="+=")]
            case ast.Expr(value=value):
                found = term(value, lines)
                return [] if found.kind == "constant" else [Step("evaluate", value=found, span=span)]
            case ast.Return(value=value):
                return [Step("return", value=term(value, lines), span=span)]
            case ast.Raise() | ast.Break() | ast.Continue():
                return [Step("stop", span=span, text=type(node).__name__)]
            case ast.If(test=test, body=body, orelse=orelse):
                arms = (self._body(body, prefix, owner), self._body(orelse, prefix, owner))
                return [Step("branch", value=term(test, lines), arms=arms, span=span)]
            case (
                ast.For(target=target, iter=source, body=body, orelse=orelse)
                | ast.AsyncFor(target=target, iter=source, body=body, orelse=orelse)
            ):
                arms = (self._body(body, prefix, owner), self._body(orelse, prefix, owner))
                return [Step("loop", (term(target, lines),), term(source, lines), arms, span)]
            case ast.While(test=test, body=body, orelse=orelse):
                arms = (self._body(body, prefix, owner), self._body(orelse, prefix, owner))
                return [Step("loop", (), term(test, lines), arms, span, "while")]
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                names = tuple(
                    Term("tuple", parts=(term(i.context_expr, lines), term(i.optional_vars, lines))) for i in items
                )
                return [Step("region", names, arms=(self._body(body, prefix, owner),), span=span)]
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                tried = tuple(self._body(b, prefix, owner) for b in (body + orelse, *(h.body for h in handlers)))
                return [Step("try", arms=tried, span=span), *self._body(final, prefix, owner)]
            case ast.Match(subject=subject, cases=cases):
                chosen = tuple(self._body(c.body, prefix, owner) for c in cases)
                return [
                    Step("branch", value=Term("group", parts=(term(subject, lines),)), arms=(*chosen, ()), span=span)
                ]
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                return [Step("outer", tuple(Term("name", n) for n in names))]
            case ast.Import() | ast.ImportFrom() if prefix:
                return self._imports(node)
        return []

    def _imports(self, node: ast.Import | ast.ImportFrom) -> list[Step]:
        table = ImportTable(self._package)
        table.add(node)
        return [Step("bind", (Term("name", name),), Term("import", dotted)) for name, dotted in table.names.items()]


def _relevant(steps: tuple[Step, ...]) -> bool:
    """Whether any step names an event itself."""
    for step in steps:
        terms = [*step.targets, *([step.value] if step.value is not None else [])]
        if any(_names_event(t) for t in terms) or any(_relevant(arm) for arm in step.arms):
            return True
    return _sets_flag(steps)


def _sets_flag(steps: tuple[Step, ...]) -> bool:
    """Whether any step assigns an attribute ``training``."""
    return any(
        any(t.kind == "attribute" and t.text == "training" for t in step.targets)
        or any(_sets_flag(arm) for arm in step.arms)
        for step in steps
    )


def _names_event(found: Term) -> bool:
    if found.kind in {"attribute", "name"} and found.text in MODE_CALLS:
        return True
    return any(_names_event(p) for p in found.parts) or any(
        name == "preserve_rng_state" or _names_event(k) for name, k in found.keywords
    )
