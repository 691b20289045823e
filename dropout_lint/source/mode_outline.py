"""What each top-level definition says about modes in words alone, so that few files need their flows read."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator

from dropout_lint.facts import ModeOutline
from dropout_lint.source.import_table import ImportTable
from dropout_lint.source.module import SourceModule
from dropout_lint.source.syntax import dotted, walk

_CHAIN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_STRINGS = re.compile(r'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'', re.DOTALL)
_SWITCHING_WORDS = {"train", "backward", "load_state_dict", "training", "preserve_rng_state"}
_SWITCHES = re.compile(
    r"\.(?<!super\(\)\.)\s*(?:train|backward|load_state_dict)\b|preserve_rng_state|\.training\s*(?::[^=\n]+)?="
)
"""An evaluation alone proves nothing: the model must have been trained, loaded or put into train mode before."""
_ACTING_WORDS = {"eval", "train", "backward", "no_grad", "inference_mode", "set_grad_enabled", "trace", "export"}
_ALONE_WORDS = {"preserve_rng_state", "training", "backward"}
_ALONE = re.compile(r"preserve_rng_state|\.training\s*(?::[^=\n]+)?=|\.\s*backward\b")
_FREEZES = re.compile(r"\.\s*eval\(")
_LOCAL_IMPORT = re.compile(r"^[ \t]+(?:from|import)[ \t]", re.MULTILINE)
_SWITCHING_NAMES = (
    *("torchvision.models", "torch.jit", "torch.export", "torch.onnx", "torch.fx", "torch.load"),
    "torch.autograd.backward",
)
_ELSEWHERE = sys.stdlib_module_names | {"torch", "torchvision", "numpy", "builtins"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def mode_outlines(module: SourceModule) -> tuple[ModeOutline, ...]:
    """The outlines of a file, that of the statements between its definitions first."""
    definitions = list(_definitions(module.tree.body))
    own = {d.name for d in definitions}
    starred = any(not s.startswith("torch") for s in module.imports.stars)
    between = "\n".join(_code(module.tree.body))
    found = [_outline("", between, module.imports, own, starred)]
    for node in definitions:
        text = _STRINGS.sub('""', _text(module, node))
        local = "import " in text and _LOCAL_IMPORT.search(text)
        imports = _with_local_imports(module.imports, node) if local else module.imports
        found.append(_outline(node.name, text, imports, own - {node.name}, starred, _freezes(module, node)))
    return tuple(found)


def _definitions(body: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for statement in body:
        if isinstance(statement, _DEFINITIONS):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try)):
            yield from _definitions(statement.body)
            yield from _definitions(statement.orelse)


def _code(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names in the statements between definitions, without what strings and comments say."""
    for statement in body:
        if isinstance(statement, (ast.If, ast.Try)):
            tests = [statement.test] if isinstance(statement, ast.If) else []
            yield from (name for test in tests for name in _names(test))
            for part in (statement.body, statement.orelse, getattr(statement, "finalbody", [])):
                yield from _code(part)
            for handler in getattr(statement, "handlers", []):
                yield from _code(handler.body)
        elif not isinstance(statement, _DEFINITIONS):
            yield from _names(statement)


def _names(node: ast.AST) -> Iterator[str]:
    for part in walk(node):
        if isinstance(part, (ast.Name, ast.Attribute)):
            yield dotted(part) or f".{part.attr}" if isinstance(part, ast.Attribute) else part.id
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                yield f".{part.attr} ="
        elif isinstance(part, ast.keyword) and part.arg:
            yield part.arg


def _text(module: SourceModule, node: ast.stmt) -> str:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return module.lines.block(first, node.end_lineno or node.lineno)


def _freezes(module: SourceModule, node: ast.stmt) -> bool:
    constructors = [s for s in getattr(node, "body", ()) if getattr(s, "name", "") == "__init__"]
    return isinstance(node, ast.ClassDef) and any(_FREEZES.search(_text(module, s)) for s in constructors)


def _with_local_imports(imports: ImportTable, node: ast.stmt) -> ImportTable:
    table = ImportTable(imports.package)
    for inner in walk(node):
        if isinstance(inner, (ast.Import, ast.ImportFrom)):
            table.add(inner)
    table.names = {**imports.names, **table.names}
    return table


def _outline(
    name: str, text: str, imports: ImportTable, own: set[str], starred: bool, freezes: bool = False
) -> ModeOutline:
    chains = set(_CHAIN.findall(text))
    words = {word for chain in chains for word in chain.split(".")}
    switches = not words.isdisjoint(_SWITCHING_WORDS) and _SWITCHES.search(text) is not None
    mentions: set[str] = set()
    for chain in chains:
        first, dot, rest = chain.partition(".")
        if first in own:
            mentions.add(f".{first}")
        elif first in imports.names:
            dotted = f"{imports.names[first]}{dot}{rest}"
            if dotted.partition(".")[0] not in _ELSEWHERE:
                mentions.add(dotted)
            elif dotted.startswith(_SWITCHING_NAMES):
                switches = True
        elif starred:
            mentions.add(f"*{first}")
    alone = not words.isdisjoint(_ALONE_WORDS) and _ALONE.search(text) is not None
    acts = alone or not words.isdisjoint(_ACTING_WORDS)
    return ModeOutline(name, switches, acts, alone, freezes, frozenset(mentions))
