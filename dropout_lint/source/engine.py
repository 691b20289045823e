"""The source engine: text in, FileFacts out. Knows nothing about rules and never imports torch."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dropout_lint.facts import DropoutSite, FileFacts, FunctionSummary, ModeClass, ModeFlow, ModeOverride
from dropout_lint.source import triage
from dropout_lint.source.classes import headers, model_classes
from dropout_lint.source.flags import flag_uses
from dropout_lint.source.layer_graph import layer_graphs
from dropout_lint.source.masks import mask_sites
from dropout_lint.source.module import SourceModule
from dropout_lint.source.narrow_checks import narrow_checks
from dropout_lint.source.scopes import Block
from dropout_lint.source.sites import dropout_sites
from dropout_lint.source.syntax import parse


def collect(path: Path, text: str, *, modes: bool = False) -> FileFacts:
    """The facts of one file, which depend on its text and its place among packages alone.

    ``modes`` asks for what the file does with the modes of models too.

    Raises SourceSyntaxError for text that is not Python, NotParsed for what cannot be held, RecursionError for
    nesting beyond the interpreter's stack.
    """
    module = SourceModule(path, text, parse(text))
    data = text.encode(errors="replace")
    told = modes_of(module) if modes and triage.speaks_of_mode(data) else Modes()
    if not module.relevant and not triage.speaks_of_dropout(data):
        return outline(module, told)
    sites = tuple(dropout_sites(module))
    return FileFacts(
        path=str(path),
        module=module.name,
        imports=dict(module.imports.names),
        stars=tuple(module.imports.stars),
        headers=headers(module),
        classes=tuple(model_classes(module)),
        flags=tuple(flag_uses(module)),
        graphs=tuple(layer_graphs(module)),
        functions=_summaries(module, sites),
        sites=sites,
        definitions=_definitions(module),
        is_test=_is_test(path),
        calls=_calls(module),
        foreign_reads=frozenset(module.scopes.foreign_reads),
        masks=tuple(mask_sites(module)),
        flows=told.flows,
        overrides=told.overrides,
        mode_classes=told.classes,
        narrow_checks=tuple(narrow_checks(module)),
        defined=_defined(module),
    )


class Modes(NamedTuple):
    """What a file says about modes; ``flows`` is None where that was not asked."""

    flows: tuple[ModeFlow, ...] | None = None
    overrides: tuple[ModeOverride, ...] = ()
    classes: tuple[ModeClass, ...] = ()


def modes_of(module: SourceModule) -> Modes:
    """The flows, overrides and classes of a file."""
    from dropout_lint.source.mode_classes import mode_classes, mode_overrides
    from dropout_lint.source.mode_flow import mode_flows

    package = module.imports.package
    return Modes(mode_flows(module.tree, module.lines, package), mode_overrides(module), mode_classes(module))


def read_modes(path: Path, text: str) -> Modes:
    """The same for a file that is only read because another one uses it."""
    return modes_of(SourceModule(path, text, parse(text), shallow=True))


def outline(module: SourceModule, modes: Modes) -> FileFacts:
    """What other files may ask of a file that holds no dropout."""
    return FileFacts(
        path=str(module.path),
        module=module.name,
        imports=dict(module.imports.names),
        stars=tuple(module.imports.stars),
        headers=headers(module),
        definitions=_definitions(module),
        is_test=_is_test(module.path),
        flows=modes.flows,
        overrides=modes.overrides,
        mode_classes=modes.classes,
        defined=_defined(module),
    )


def _defined(module: SourceModule) -> frozenset[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(s.name for s in module.tree.body if isinstance(s, functions))


def _is_test(path: Path) -> bool:
    if path.name.startswith("test_") or path.stem.endswith("_test"):
        return True
    return any(f.name.lower() in {"test", "tests", "testing"} and _holds_tests(f) for f in list(path.parents)[:3])


@lru_cache(maxsize=1024)
def _holds_tests(folder: Path) -> bool:
    """Whether a folder of that name is a folder of tests; a whole project may stand in one that is called ``test``."""
    return (folder / "conftest.py").is_file() or any(folder.glob("test_*.py")) or any(folder.glob("*/test_*.py"))


def _definitions(module: SourceModule) -> tuple[tuple[int, int, int], ...]:
    """Ranges that a pragma may cover; empty for the many files without one."""
    found: list[tuple[int, int, int]] = []
    if "mc-dropout" not in module.lines.text:
        return ()
    for node in ast.walk(module.tree):
        if isinstance(node, triage.DEFINITIONS):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found.append((first, node.lineno, node.end_lineno or node.lineno))
    return tuple(found)


def _summaries(module: SourceModule, sites: tuple[DropoutSite, ...]) -> dict[str, FunctionSummary]:
    sinks: dict[str, set[str]] = {}
    for site in sites:
        always_on = site.form == "attention" or (site.form == "functional" and site.mode in {"absent", "true"})
        if always_on and site.rate.parameter and not site.guarded and not site.rate.gated:
            sinks.setdefault(site.scope.function, set()).add(site.rate.parameter)
    found = {}
    for block in module.scopes.blocks.values():
        if block.kind == "function" and block.name != "<lambda>":
            parameters = [p for p in block.parameters if p != block.self_name]
            found[block.qualname] = FunctionSummary(
                name=block.qualname,
                parameters=tuple(parameters),
                sinks=frozenset(sinks.get(block.qualname, ())),
                returns=tuple(_returned_functions(block)),
            )
    return found


def _returned_functions(block: Block) -> list[str]:
    inner = [b for b in block.blocks.values() if b.kind == "function"]
    if not inner:
        return []
    returned = {n.value.id for n in ast.walk(block.node) if isinstance(n, ast.Return) and isinstance(n.value, ast.Name)}
    return [b.qualname for b in inner if b.name in returned]


def _calls(module: SourceModule) -> dict[str, tuple[str, ...]]:
    """For each function of the file, the classes whose methods call it by name; "" for any other caller."""
    found: dict[str, list[str]] = {}
    functions = {name for name, block in module.scopes.module.blocks.items() if block.kind == "function"}
    for call, block in module.scopes.calls:
        if isinstance(call.func, ast.Name) and call.func.id in functions:
            owner = block.enclosing_class
            found.setdefault(call.func.id, []).append(owner.qualname if owner is not None else "")
    return {name: tuple(callers) for name, callers in found.items()}
