"""Adds the import statements that a fix needs, as text, so that nothing else of the file changes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from dropout_lint.source.names.rebinding import stores
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.positions import LINE_BREAK, Lines

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class ImportClash(Exception):  # noqa: N818 - the file's names clash, which is no error of its own
    """A name that an import would bind already means something else at the top level."""


def add_imports(text: str, statements: Sequence[str]) -> str:
    """The text with the statements added. Raises as ``import_insertion`` does."""
    offset, lines = import_insertion(text, statements)
    return text[:offset] + lines + text[offset:]


def import_insertion(text: str, statements: Sequence[str]) -> tuple[int, str]:
    """Offset and lines to insert, so that the names of the statements are imported; ``(0, "")`` if they are already.

    They go after the last torch import of the header, else below the docstring and ``from __future__`` lines.
    Raises ImportClash, and SyntaxError for a text that cannot be parsed.
    """
    if not statements:
        return 0, ""
    body = _top_level(text)
    bound = dict(_bindings(body))
    taken = _otherwise_bound(body)
    missing: list[str] = []
    for statement in dict.fromkeys(statements):
        wanted = dict(_bindings(ast.parse(statement).body))
        for name, target in wanted.items():
            if name in taken or bound.get(name, target) != target:
                raise ImportClash(f"'{name}' already means {bound.get(name) or 'something else'} here")
        if not wanted.items() <= bound.items():
            missing.append(statement)
            bound.update(wanted)
    if not missing:
        return 0, ""
    first_break = LINE_BREAK.search(text)
    newline = first_break.group() if first_break else "\n"
    offset = _place(text, body)
    lines = "".join(statement + newline for statement in missing)
    if offset and text[offset - 1] not in "\r\n":
        return offset, newline + lines.removesuffix(newline)
    above, below = _blank_lines(text, body, offset)
    return offset, newline * above + lines + newline * below


def _top_level(text: str) -> list[ast.stmt]:
    try:
        return parse(text).body
    except (SourceSyntaxError, NotParsed) as error:
        raise SyntaxError(str(error)) from None


def _bindings(body: Iterable[ast.stmt]) -> Iterable[tuple[str, str]]:
    """What each name bound at the top level means: a dotted path, or nothing for what is no import."""
    for statement in body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                root = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (root, root)
        elif isinstance(statement, ast.ImportFrom):
            module = "." * statement.level + (statement.module or "")
            for alias in statement.names:
                yield alias.asname or alias.name, f"{module}.{alias.name}"
        elif isinstance(statement, ast.Try):
            yield from _bindings(statement.body)
        elif isinstance(statement, _DEFINITIONS):
            yield statement.name, ""
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for node in (node for target in targets for node in ast.walk(target)):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id, ""


def _otherwise_bound(body: list[ast.stmt]) -> set[str]:
    """The names that something else than an import of the top level may bind, in any kind of statement.

    With a star import, that is each name that nothing in the file binds.
    """
    tree = ast.Module(body, [])
    handlers = [h for s in body if isinstance(s, ast.Try) for h in s.handlers]
    instead = {node for h in handlers for part in h.body for node in ast.walk(part)}  # of an import that failed
    places = [(name, node) for name, node in stores(tree) if node not in instead]
    taken = {name for name, node in places if not isinstance(node, (ast.Import, ast.ImportFrom))}
    if any(isinstance(s, ast.ImportFrom) and s.names[0].name == "*" for s in body):
        read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        taken |= read - {name for name, _ in places}
    return taken


def _is_torch(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import):
        return any(alias.name.partition(".")[0] == "torch" for alias in statement.names)
    if isinstance(statement, ast.ImportFrom):
        return statement.level == 0 and (statement.module or "").partition(".")[0] == "torch"
    return False


def _blank_lines(text: str, body: list[ast.stmt], offset: int) -> tuple[int, int]:
    """Blank lines to add above and below new imports, so that they do not touch a docstring or code.

    Below an import of the file they continue its block, whatever follows.
    """
    line = Lines(text).position(offset)[0]
    before = [statement for statement in body if (statement.end_lineno or 0) < line]
    following = [statement for statement in body if _first_line(statement) == line]
    imports = (ast.Import, ast.ImportFrom)
    if any(isinstance(statement, imports) and _is_torch(statement) for statement in before):
        return 0, 0
    above = 1 if before and not isinstance(before[-1], imports) else 0
    if not following or isinstance(following[0], imports):
        return above, 0
    return above, 2 if isinstance(following[0], _DEFINITIONS) else 1


def _first_line(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, _DEFINITIONS) else []
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _place(text: str, body: list[ast.stmt]) -> int:
    """Offset of the start of the line before which the imports go, or of the end of a last line without a break."""
    header: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, _DEFINITIONS):
            break
        header.append(statement)
    torch = [n for n, statement in enumerate(header) if _is_torch(statement)]
    start = 0
    if header and isinstance(header[0], ast.Expr) and isinstance(header[0].value, ast.Constant):
        start = 1 if isinstance(header[0].value.value, str) else 0
    future = [n for n, s in enumerate(header) if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    after = torch[-1] if torch else max([start - 1, *future])
    index = Lines(text)
    if after < 0:
        if not body:
            return len(text)
        return index.offset(_first_line(body[0]), 1)
    end = body[after].end_lineno or 1
    for statement in body[after + 1 :]:
        if statement.lineno > end:  # further statements may follow on the same line, after a semicolon
            break
        end = statement.end_lineno or end
    return index.offset(end + 1, 1) if end < index.count else len(text)
