"""Analyse one file: collect its facts and suppression comments. Runs in worker processes too."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dropout_lint.processes import ignore_interrupts
from dropout_lint.source.module.triage import (
    PARSE_ANYWAY,
    is_program,
    speaks_of_dropout,
    speaks_of_mode,
    speaks_of_models,
)
from dropout_lint.suppressions.matching import Suppressions, parse_suppressions
from dropout_lint.syntax.reading import decode_source, read_bytes
from dropout_lint.syntax.text import NotANotebook, UnreadableSource

if TYPE_CHECKING:
    from dropout_lint.disk import Disk
    from dropout_lint.facts import FileFacts
    from dropout_lint.source.names.place import ModulePlace
    from dropout_lint.syntax.parsing import SourceSyntaxError

_RECURSION_LIMIT = 8_000


@dataclass(frozen=True, slots=True)
class AnalysedFile:
    """The analysis of one file, without a look at others. ``failure`` is why it could not be analysed."""

    path: Path
    facts: FileFacts | None = None
    suppressions: Suppressions = field(default_factory=Suppressions)
    syntax_error: tuple[str, int, int] | None = None
    failure: str = ""


class Task(NamedTuple):
    """A file to analyse; with ``modes``, also its facts about train and eval mode are collected."""

    path: Path
    place: ModulePlace
    modes: bool


class TaskResult(NamedTuple):
    """A task and its result. ``text`` is the result as JSON if a worker process sent it, else ""."""

    task: Task
    analysed: AnalysedFile
    text: str = ""


def start_worker() -> None:
    """Prepare a worker process."""
    ignore_interrupts()
    gc.disable()
    sys.setrecursionlimit(_RECURSION_LIMIT)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Trees are acyclic and short-lived: collecting garbage while parsing costs a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def analyse(path: Path, place: ModulePlace, modes: bool, disk: Disk) -> AnalysedFile:
    """Analyse a file. Raises nothing."""
    try:
        source = decode_source(read_bytes(path, disk.read), path)
    except NotANotebook as error:
        return AnalysedFile(path, syntax_error=(str(error), error.line, error.column))
    except UnreadableSource as error:
        return AnalysedFile(path, failure=str(error))
    return analyse_text(path, source.text, source.code, place, modes)


def analyse_text(path: Path, text: str, data: bytes, place: ModulePlace, modes: bool) -> AnalysedFile:
    """Analyse a text; ``data`` is the same text as ASCII-compatible bytes, for the word search. Raises nothing."""
    from dropout_lint.syntax.parsing import MAX_BYTES

    relevant = speaks_of_dropout(data) or (modes and speaks_of_mode(data))
    program = modes and not relevant and speaks_of_models(data)
    program = program and is_program(path, data, library=bool(place.package))
    if len(data) > (MAX_BYTES if relevant else PARSE_ANYWAY):
        size = f"{len(data) / 1e6:.0f} MB are more than the {MAX_BYTES / 1e6:.0f} MB that are parsed"
        return AnalysedFile(path, failure=f"too large to check: {size}") if relevant else AnalysedFile(path)
    with without_garbage_collection():
        return _parsed(path, text, place, modes, relevant or program)


def _parsed(path: Path, text: str, place: ModulePlace, modes: bool, relevant: bool) -> AnalysedFile:
    from dropout_lint.syntax.parsing import NotParsed, OlderModule, SourceSyntaxError, parse

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        suppressions = parse_suppressions(text, any_findings=relevant)
        tree = parse(text)
        error = _error_at(tree.error) if isinstance(tree, OlderModule) else None
        if not relevant:
            return AnalysedFile(path, None, suppressions, error)
        from dropout_lint.source.engine import collect

        return AnalysedFile(path, collect(path, text, place, tree=tree, modes=modes), suppressions, error)
    except SourceSyntaxError as found:
        return AnalysedFile(path, None, suppressions, _error_at(found))
    except NotParsed as found:
        return AnalysedFile(path, failure=str(found))
    except RecursionError:
        return AnalysedFile(path, failure="nested too deeply to be analysed")
    except Exception as found:  # a bug on one file must not hide the findings in the others
        reason = f"the analysis crashed: {type(found).__name__}: {found}".splitlines()[0]
        return AnalysedFile(path, failure=f"{reason}; this is a bug in dropout-lint")
    finally:
        sys.setrecursionlimit(limit)


def _error_at(error: SourceSyntaxError) -> tuple[str, int, int]:
    return str(error), error.line, error.column
