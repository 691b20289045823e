"""What the checks of runs share: where to report, how messages name a model, and a mode call as a fix."""

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


def unless_intended(context: RunContext, run: ModeRun, location: Location, *frames: int) -> Context | None:
    """The context to report a finding in; None if its file is not checked, or dropout at test time is intended."""
    here = context.file(location.path)
    return None if here is None or is_intended(here, run, location, *frames) else here


def is_intended(here: Context, run: ModeRun, location: Location, *frames: int) -> bool:
    """Whether a name on the path to a frame, or a pragma on the line, says that dropout at test time is intended."""
    return is_named_intent(
        here, [n for frame in frames for n in _path_names(run, frame)], location.span.line, location.path
    )


def is_named_intent(here: Context, names: Iterable[str], line: int, path: str = "") -> bool:
    """Whether dotted names match the setting ``mc-dropout-names``, or a line has the pragma."""
    patterns = [pattern.lower() for pattern in here.settings.mc_dropout_names]
    found = {part.lower() for name in names for part in name.split(".")}
    named = any(fnmatchcase(name, pattern) for name in found for pattern in patterns)
    return named or _PRAGMA in here.project.files.lines(Path(path or here.facts.path)).line(line)


def _path_names(run: ModeRun, frame: int) -> Iterable[str]:
    """The functions and classes on the path to a frame."""
    return (name for one in run.chain(frame) for name in run.function_of(one).name.split(".") if name)


def model_name(run: ModeRun, frame: int, model: int) -> str:
    """A model as a function names it, in backquotes; "" if it has no name."""
    name = run.spelling(frame, model) or run.models[model].label
    return f"`{name}`" if name else ""


def live_layer(run: ModeRun, live: int | None) -> str:
    """The words " (its `Dropout` differs between the modes)" for a message, "" without a layer."""
    name = run.models[live].class_name if live is not None else ""
    return f" (its `{name}` differs between the modes)" if name else ""


def built_places(run: ModeRun, model: int, live: int | None) -> Iterator[Related]:
    """The related places where a model was built, and its layer that differs between the modes."""
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
    """A fix that inserts ``receiver.call`` as a statement before another one; advice where that is not possible."""
    if before is None or not _EXPRESSION.fullmatch(receiver):
        return advice(otherwise)
    code = f"{receiver}.{call}"
    return unsafe(f"Insert `{code}`", InsertBefore(before, code), otherwise=otherwise)
