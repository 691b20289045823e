"""``facts``: what the checks read about a file, as JSON for whoever writes a check."""

from __future__ import annotations

import dataclasses
import enum
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from dropout_lint.commands.shared.exit_codes import ExitCode
from dropout_lint.commands.shared.messages import show_failures
from dropout_lint.diagnostic import Failure, Span
from dropout_lint.disk import Disk
from dropout_lint.facts import FACT_KINDS, FileFacts, LayerGraph, ModeRun
from dropout_lint.linting.analysis import AnalysedFile, analyse_text
from dropout_lint.mode.linking.link import link
from dropout_lint.project.files import Files
from dropout_lint.project.networks import Networks
from dropout_lint.project.project import Project
from dropout_lint.source.names.place import place_of
from dropout_lint.suggestions import did_you_mean
from dropout_lint.syntax.reading import decode_source, read_bytes
from dropout_lint.syntax.text import NotANotebook, UnreadableSource

_STDIN = Path("-")
_WIDTH = 100
"""Columns of a line of the output, where it can be broken."""
_KINDS = {kind.__name__: kind for kind in sorted((*FACT_KINDS, FileFacts), key=lambda kind: kind.__name__)}


def show_facts(files: Sequence[Path], kinds: Sequence[str], stdin_filename: Path | None) -> ExitCode:
    """Print the facts of files, by path and kind. Raises click.UsageError for an unknown kind."""
    wanted = _wanted(kinds)
    shown: dict[str, Any] = {}
    failures = []
    for file in files:
        path = stdin_filename or file if file == _STDIN else file
        try:
            shown[str(path)] = _facts_of(path, sys.stdin.buffer.read() if file == _STDIN else read_bytes(path), wanted)
        except (UnreadableSource, NotANotebook) as problem:
            failures.append(Failure(str(path), str(problem)))
    if shown:
        click.echo(_laid_out(shown))
    show_failures(failures)
    return ExitCode.FAILED if failures else ExitCode.CLEAN


def _wanted(names: Sequence[str]) -> list[type]:
    """The kinds with these names, all of them without names. Raises click.UsageError for an unknown one."""
    for name in names:
        if name not in _KINDS:
            near = did_you_mean(name, _KINDS) or f"; the kinds are {', '.join(_KINDS)}"
            raise click.UsageError(f"Unknown kind of fact '{name}'{near}", click.get_current_context(silent=True))
    return [kind for name, kind in _KINDS.items() if name in names or not names]


def _facts_of(path: Path, data: bytes, kinds: Collection[type]) -> dict[str, Any]:
    """The facts of one file by the name of their kind. Raises UnreadableSource for a file without facts."""
    disk = Disk()
    source = decode_source(data, path)
    analysed = analyse_text(path, source.text, source.code, place_of(path, disk), modes=True)
    facts = analysed.facts
    if facts is None:
        _refuse(analysed)
        return {}
    project = Project(Files(disk, texts={path: source.text}, known=[facts]), [path])
    found: dict[str, Any] = {}
    for kind in kinds:
        if kind is FileFacts:
            found[kind.__name__] = _of_the_file(facts)
        elif items := _of_kind(kind, facts, project):
            found[kind.__name__] = [_readable(item) for item in items]
    return found


def _of_kind(kind: type, facts: FileFacts, project: Project) -> tuple[object, ...]:
    if kind is LayerGraph:
        return Networks(project).of(facts)
    if kind is ModeRun:
        return tuple(linked.run for linked in link(project, [facts], [Path(facts.path)]))
    return facts.of_kind(kind)


def _refuse(analysed: AnalysedFile) -> None:
    if analysed.failure:
        raise UnreadableSource(analysed.failure)
    if analysed.syntax_error is not None:
        message, line, column = analysed.syntax_error
        raise UnreadableSource(f"syntax error in line {line}, column {column}: {message}")


def _of_the_file(facts: FileFacts) -> dict[str, Any]:
    """What the facts say about the file as a whole: its name, its imports, its definitions."""
    return {name: _readable(value) for name, value in _set_fields(facts) if not _is_listed_apart(value)}


def _is_listed_apart(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], FACT_KINDS)


def _readable(value: object) -> Any:
    """JSON for people: a span is ``line:column-line:column``, and a field with its default is left out."""
    match value:
        case Span():
            return f"{value.line}:{value.column}-{value.end_line}:{value.end_column}"
        case enum.Enum():
            return value.value
        case dict():
            return {str(key): _readable(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted(map(_readable, value), key=str)
        case list() | tuple():
            return [_readable(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {name: _readable(item) for name, item in _set_fields(value)}
    return value


def _set_fields(value: Any) -> Iterator[tuple[str, object]]:
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        factory = field.default_factory
        default = factory() if factory is not dataclasses.MISSING else field.default
        if item != default:
            yield field.name, item


def _laid_out(value: Any, indent: int = 0, taken: int = 0) -> str:
    """JSON in which a list or an object takes one line where it fits; ``taken`` columns are used by its key."""
    line = json.dumps(value, ensure_ascii=False)
    if indent + taken + len(line) < _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    if isinstance(value, dict):
        keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        opening, closing, items = "{", "}", [*zip(keys, value.values(), strict=True)]
    else:
        opening, closing, items = "[", "]", [("", item) for item in value]
    lines = [f"{' ' * (indent + 2)}{key}{_laid_out(item, indent + 2, len(key))}" for key, item in items]
    return "\n".join([opening, ",\n".join(lines), " " * indent + closing])
