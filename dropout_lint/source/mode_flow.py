"""The ModeFlow facts of a file: every function as steps, for the linker that follows the mode of models."""

from __future__ import annotations

import ast

from dropout_lint.facts import ModeFlow, Step, Term
from dropout_lint.source import intent
from dropout_lint.source.import_table import ImportTable
from dropout_lint.source.mode_terms import term
from dropout_lint.source.syntax import Lines

_EVENTS = {"eval", "train", "backward", "no_grad", "inference_mode", "set_grad_enabled", "trace", "export"}


def mode_flows(tree: ast.Module, lines: Lines, package: str) -> tuple[ModeFlow, ...]:
    """The flows of all functions of a file, the top level first."""
    collector = _Collector(lines, package)
    collector.module(tree)
    return tuple(collector.flows)


class _Collector:
    def __init__(self, lines: Lines, package: str) -> None:
        self.flows: list[ModeFlow] = []
        self._lines = lines
        self._package = package
        self._flags: list[tuple[Term, Term, ast.stmt]] = []

    def module(self, tree: ast.Module) -> None:
        place = len(self.flows)
        steps = self._body(tree.body, "", "")
        self.flows.insert(place, self._flow("", tree.body[0] if tree.body else None, steps, tree.body))

    def _flow(
        self,
        name: str,
        node: ast.stmt | None,
        steps: tuple[Step, ...],
        body: list[ast.stmt],
        owner: str = "",
    ) -> ModeFlow:
        flags = bool(self._flags)
        self._flags = []
        span = self._lines.span(node) if node is not None else Step("stop").span
        parameters: list[str] = []
        positional: list[ast.arg] = []
        defaults: list[tuple[str, Term]] = []
        decorators: tuple[Term, ...] = ()
        rest = ""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and name:
            a = node.args
            positional = [*a.posonlyargs, *a.args]
            parameters = [p.arg for p in (*positional, *a.kwonlyargs)]
            rest = a.vararg.arg if a.vararg else ""
            pairs = [
                *zip(reversed(positional), reversed(a.defaults), strict=False),
                *((k, d) for k, d in zip(a.kwonlyargs, a.kw_defaults, strict=True) if d is not None),
            ]
            defaults = [(p.arg, term(d, self._lines)) for p, d in pairs]
            decorators = tuple(term(d, self._lines) for d in node.decorator_list)
        return ModeFlow(
            name,
            span,
            steps,
            tuple(parameters),
            len(positional),
            tuple(defaults),
            rest,
            owner,
            decorators,
            intent.words(node, self._lines) if node is not None and name else "",
            any(_names_event(d) for d in decorators) or _relevant(steps),
            flags,
            bool(name) and node is not None and "preserve_rng_state" in self._text(node),
        )

    def _text(self, node: ast.stmt) -> str:
        return self._lines.block(node.lineno, node.end_lineno or node.lineno)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str, owner: str) -> None:
        name = f"{prefix}.{node.name}" if prefix else node.name
        saved, self._flags = self._flags, []
        steps = self._body(node.body, name, "")
        self.flows.append(self._flow(name, node, steps, node.body, owner))
        self._flags = saved

    def _class(self, node: ast.ClassDef, prefix: str) -> None:
        name = f"{prefix}.{node.name}" if prefix else node.name
        for statement in node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._function(statement, name, name)
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
                self._function(node, prefix, owner)
                return [Step("define", (Term("name", node.name),), text=f"{prefix}.{node.name}".lstrip("."), span=span)]
            case ast.ClassDef():
                self._class(node, prefix)
                return [Step("define", (Term("name", node.name),), text=f"{prefix}.{node.name}".lstrip("."), span=span)]
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Attribute) and target.attr == "training":
                        self._flags.append((term(target.value, lines), term(value, lines), node))
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
        if any(t.kind == "attribute" and t.text == "training" for t in step.targets):
            return True
        if any(_names_event(t) for t in terms) or any(_relevant(arm) for arm in step.arms):
            return True
    return False


def _names_event(found: Term) -> bool:
    if found.kind in {"attribute", "name"} and found.text in _EVENTS:
        return True
    return any(_names_event(p) for p in found.parts) or any(
        name == "preserve_rng_state" or _names_event(k) for name, k in found.keywords
    )
