"""``--discover``: find the modules of a project that can be built without arguments, without importing them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dropout_lint.config.resolver import Settings
from dropout_lint.discovery.discovery import discover
from dropout_lint.syntax.parsing import NotParsed, SourceSyntaxError, parse
from dropout_lint.syntax.reading import read_source
from dropout_lint.syntax.text import UnreadableSource
from dropout_lint.targets.target import ModelTarget

_BASES = frozenset({"Module", "LightningModule", "PreTrainedModel"})
"""Bases from other packages that make a class a module, by the last part of their name; besides ``nn.*``."""


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    file: Path
    bases: tuple[str, ...]
    forward: bool
    needs: bool | None
    """Whether the constructor has a parameter without a default; None if the class defines no constructor."""


def modules_without_arguments(folder: Path, settings_for: Callable[[Path], Settings]) -> tuple[ModelTarget, ...]:
    """Return a target for each public top-level module class that has a ``forward`` and needs no arguments.

    Building it may still fail. Files that cannot be read are skipped.
    """
    classes = [one for file in discover([folder], settings_for).files for one in _classes(file)]
    by_name = {one.name: one for one in classes}
    return tuple(
        ModelTarget(f"{one.file}:{one.name}", root=str(Path.cwd()))
        for one in classes
        if not one.name.startswith("_") and _is_module(one, by_name) and _runs_alone(one, by_name)
    )


def _classes(file: Path) -> Iterator[_Class]:
    try:
        text = read_source(file).text
        tree = parse(text, older=False) if "Module" in text or "nn." in text else ast.Module([], [])
    except (UnreadableSource, NotParsed, SourceSyntaxError):
        return
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
            constructor = methods.get("__init__")
            yield _Class(
                node.name,
                file,
                tuple(ast.unparse(base) for base in node.bases),
                "forward" in methods,
                None if constructor is None else _needs_arguments(constructor.args),
            )


def _needs_arguments(arguments: ast.arguments) -> bool:
    positional = [*arguments.posonlyargs, *arguments.args]
    return len(positional) - 1 > len(arguments.defaults) or None in arguments.kw_defaults


def _line(one: _Class, by_name: Mapping[str, _Class]) -> Iterator[_Class]:
    """A class and its bases in the project, nearest first."""
    pending, seen = [one], set()
    while pending:
        current = pending.pop(0)
        if current not in seen:
            seen.add(current)
            yield current
            pending += [by_name[base] for base in map(_last, current.bases) if base in by_name]


def _is_module(one: _Class, by_name: Mapping[str, _Class]) -> bool:
    bases = [base for each in _line(one, by_name) for base in each.bases]
    return any(_last(base) in _BASES or base.startswith(("nn.", "torch.nn.")) for base in bases)


def _runs_alone(one: _Class, by_name: Mapping[str, _Class]) -> bool:
    line = list(_line(one, by_name))
    needs = next((each.needs for each in line if each.needs is not None), False)
    return not needs and any(each.forward for each in line)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
