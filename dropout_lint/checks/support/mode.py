"""What the checks of runs share: where to report, how to name a model, and a mode call as a fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from dropout_lint.checks.support.context import Context, advice, unsafe
from dropout_lint.checks.support.run_context import RunContext
from dropout_lint.diagnostic import Fix, Related, Span
from dropout_lint.facts import Location, ModeRun
from dropout_lint.rewrites import InsertBefore

_EXPRESSION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PRAGMA = "dropout-lint: mc-dropout"


def unless_meant(context: RunContext, run: ModeRun, location: Location, *frames: int) -> Context | None:
    """The file of a finding; None where it is not reported, or where the code says that dropout is meant there."""
    here = context.file(location.path)
    return None if here is None or is_meant(here, run, location, *frames) else here


def is_meant(here: Context, run: ModeRun, location: Location, *frames: int) -> bool:
    """Whether a name on the path to a frame, or a pragma on the line, says that dropout is meant at test time."""
    patterns = [pattern.lower() for pattern in here.settings.mc_dropout_names]
    names = {name.lower() for frame in frames for name in _path_names(run, frame)}
    named = any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
    return named or _PRAGMA in here.project.files.lines(Path(location.path)).line(location.span.line)


def _path_names(run: ModeRun, frame: int) -> Iterable[str]:
    """The functions and classes on the path to a frame."""
    return (name for one in run.chain(frame) for name in run.function_of(one).name.split(".") if name)


def subject(run: ModeRun, frame: int, model: int) -> str:
    """A model as a function names it, in backquotes; "" for one without a name."""
    name = run.spelling(frame, model) or run.models[model].label
    return f"`{name}`" if name else ""


def differing(run: ModeRun, live: int | None) -> str:
    """The layer that proves that the mode matters, as part of a sentence."""
    name = run.models[live].class_name if live is not None else ""
    return f" (its `{name}` differs between the modes)" if name else ""


def built(run: ModeRun, model: int, live: int | None) -> Iterator[Related]:
    """Where a model was built, and the layer in it whose computation differs between the modes."""
    place = run.models[model].built
    if place is not None:
        yield Related(place.path, place.span, "constructed here, in train mode")
    layer = run.models[live].built if live is not None and live != model else None
    if layer is not None:
        yield Related(layer.path, layer.span, "computes differently by mode")


def related(location: Location, message: str) -> Related:
    """Another place of the run that belongs to a finding."""
    return Related(location.path, location.span, message)


def mode_call(before: Span | None, receiver: str, call: str, otherwise: str) -> Fix:
    """``receiver.call`` as a statement in front of another one; advice where that cannot be written."""
    if before is None or not _EXPRESSION.fullmatch(receiver):
        return advice(otherwise)
    code = f"{receiver}.{call}"
    return unsafe(f"Insert `{code}`", InsertBefore(before, code), otherwise=otherwise)
