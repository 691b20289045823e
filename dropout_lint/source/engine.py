"""The source engine: text in, FileFacts out. Knows nothing about rules and never imports torch."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Span
from dropout_lint.facts import DropoutSite, FileFacts, FunctionSummary, ModeOutline
from dropout_lint.facts.doubts import NO_DOUBTS
from dropout_lint.source.masks.sites import mask_sites
from dropout_lint.source.module import triage
from dropout_lint.source.module.pragmas import pragma_ranges
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.place import ModulePlace
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.networks.graphs import layer_graphs
from dropout_lint.source.sites.captures import captured_modes
from dropout_lint.source.sites.classes import headers, model_classes
from dropout_lint.source.sites.doubts import doubts
from dropout_lint.source.sites.flags import flag_uses
from dropout_lint.source.sites.narrow_checks import narrow_checks
from dropout_lint.source.sites.sites import dropout_sites
from dropout_lint.source.sites.users import gated_classes
from dropout_lint.syntax.parsing import parse

if TYPE_CHECKING:
    from dropout_lint.source.modes.flow import FlowReader


def collect(
    path: Path, text: str, place: ModulePlace, *, tree: ast.Module | None = None, modes: bool = False
) -> FileFacts:
    """The facts of one file, which depend only on its text and its module place.

    ``tree`` is the parsed text, if there is one already; ``modes`` adds the facts about modes.

    Raises SourceSyntaxError for text that is not Python, NotParsed if it cannot be parsed here, RecursionError for
    nesting beyond the interpreter's stack.
    """
    module = SourceModule(text, tree or parse(text), place)
    data = text.encode(errors="replace")
    if not module.relevant and not triage.speaks_of_dropout(data):
        return _with_modes(outline(path, module), module, data, modes)
    sites = tuple(dropout_sites(module))
    facts = replace(
        outline(path, module),
        classes=tuple(model_classes(module)),
        flags=tuple(flag_uses(module)),
        graphs=tuple(layer_graphs(module)),
        functions=_summaries(module, sites),
        sites=sites,
        calls=_calls(module),
        doubts=doubts(module),
        foreign_reads=frozenset(module.scopes.foreign_reads),
        setting_reads=frozenset(module.scopes.setting_reads),
        masks=tuple(mask_sites(module)),
        narrow_checks=tuple(narrow_checks(module)),
    )
    facts = replace(facts, gated=gated_classes(module))  # the last, as it visits more definitions
    return _with_modes(facts, module, data, modes)


def _with_modes(facts: FileFacts, module: SourceModule, data: bytes, modes: bool) -> FileFacts:
    """Add the facts about modes that need no other file."""
    speaks = triage.speaks_of_mode(data)
    if not modes:
        return replace(facts, speaks_of_mode=speaks)
    from dropout_lint.source.modes.classes import mode_overrides
    from dropout_lint.source.modes.names import uncalled_mode_methods
    from dropout_lint.source.modes.outline import mode_outlines

    overrides = mode_overrides(module) if speaks else ()
    if overrides and facts.doubts == NO_DOUBTS:
        facts = replace(facts, doubts=doubts(module))
    return replace(
        facts,
        speaks_of_mode=speaks,
        drives=not speaks
        and triage.speaks_of_models(data)
        and triage.is_program(Path(facts.path), data, library=bool(module.place.package)),
        outlines=mode_outlines(module),
        overrides=overrides,
        uncalled=tuple(uncalled_mode_methods(module)) if speaks else (),
    )


def read_outlines(module: SourceModule) -> tuple[ModeOutline, ...]:
    """The outlines of a file that is read only because others use it, or because it drives others."""
    from dropout_lint.source.modes.outline import mode_outlines

    return mode_outlines(module)


def read_flows(module: SourceModule) -> FlowReader:
    """The functions and classes of a file, for linking. Its module may be shallow."""
    from dropout_lint.source.modes.flow import FlowReader

    return FlowReader(module)


def outline(path: Path, module: SourceModule) -> FileFacts:
    """The facts of a file without dropout: those that other files need."""
    return FileFacts(
        path=str(path),
        module=module.place.module,
        imports=dict(module.imports.names),
        stars=tuple(module.imports.stars),
        headers=headers(module),
        definitions=pragma_ranges(module.lines.text, module.tree),
        is_test=module.place.is_test,
        defined=_defined(module),
    )


def _defined(module: SourceModule) -> frozenset[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(s.name for s in module.tree.body if isinstance(s, functions))


def _summaries(module: SourceModule, sites: tuple[DropoutSite, ...]) -> dict[str, FunctionSummary]:
    sinks: dict[str, set[str]] = {}
    for site in sites:
        always_on = site.form == "attention" or (site.form == "functional" and site.mode in {"absent", "true"})
        if always_on and site.rate.parameter and not site.guarded and not site.rate.gated:
            sinks.setdefault(site.scope.function, set()).add(site.rate.parameter)
    applied, handed = _applied_parameters(module)
    made = {s.span for s in sites if s.form == "module" and s.rate.number != 0.0}
    found = {}
    for block in module.scopes.blocks.values():
        if block.kind == "function" and block.name != "<lambda>":
            parameters = [p for p in block.parameters if p != block.self_name]
            found[block.qualname] = FunctionSummary(
                name=block.qualname,
                parameters=tuple(parameters),
                sinks=frozenset(sinks.get(block.qualname, ())),
                only_sinks=frozenset(_read_once(block, sinks.get(block.qualname, ()))),
                returns=tuple(_returned_functions(block)),
                captures=tuple(captured_modes(module, block)),
                applies=frozenset(applied.get(block.qualname, ())),
                hands_on=tuple(handed.get(block.qualname, ())),
                makes_dropout=bool(made) and _returns_only(module, block, made),
            )
    return found


def _read_once(block: Block, names: Collection[str]) -> set[str]:
    """The names that a function mentions once."""
    found = [n.id for n in ast.walk(block.node) if names and isinstance(n, ast.Name) and n.id in names]
    return {name for name in names if found.count(name) == 1}


def _applied_parameters(module: SourceModule) -> tuple[dict[str, list[str]], dict[str, list[tuple[str, str, str]]]]:
    """For each function, its parameters named after dropout that it calls, and those that it passes to a function."""
    applied: dict[str, list[str]] = {}
    handed: dict[str, list[tuple[str, str, str]]] = {}
    for call, block in module.scopes.calls:
        named = {name for name in block.parameters if "drop" in name.lower()} if block.kind == "function" else set()
        if not named:
            continue
        if isinstance(call.func, ast.Name) and call.func.id in named:
            applied.setdefault(block.qualname, []).append(call.func.id)
        places = [(str(i), a) for i, a in enumerate(call.args)] + [(k.arg or "", k.value) for k in call.keywords]
        for place, value in places:
            if isinstance(value, ast.Name) and value.id in named:
                callee = module.scopes.resolve(call.func, block)
                if callee and not callee.startswith("torch."):
                    handed.setdefault(block.qualname, []).append((callee, place, value.id))
    return applied, handed


def _returns_only(module: SourceModule, block: Block, spans: set[Span]) -> bool:
    """Whether each ``return`` of a function is one of these calls."""
    returned = [n.value for n in ast.walk(block.node) if isinstance(n, ast.Return)]
    return bool(returned) and all(isinstance(v, ast.Call) and module.lines.span(v) in spans for v in returned)


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
