"""In eval mode nothing may be random: one forward pass decides, and a second one says which line is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn

from dropout_lint.diagnostic import Severity
from dropout_lint.runtime import places, rng
from dropout_lint.runtime.calls import CallRecorder, DropoutCall, ModuleStack
from dropout_lint.runtime.causes import Cause, cause_of
from dropout_lint.runtime.draws import Draw, DrawRecorder
from dropout_lint.runtime.modules import configured_rates, is_dropout_like, paths, unregistered
from dropout_lint.runtime.report import Refutation
from dropout_lint.runtime.subject import PROBE_RATE, Subject, changed, reason, tensors

REFUTABLE = ("DRP101", "DRP102", "DRP105", "DRP106", "DRP107")


def check_eval(subject: Subject) -> None:
    """Report what moves a random state in eval mode, at the configured rates and then with rates of 0 raised."""
    try:
        with rng.seeded(subject.seed):
            moved, recorder = _forward(subject)
    except Exception as error:
        subject.report.say("not checked", f"eval mode: the forward pass raised {reason(error)}")
        return
    if moved:
        _blame(subject, moved, "")
    else:
        subject.report.say("checked", "an eval forward pass draws no random number")
    seen = {draw.place for draw in recorder.calls}
    raised = _raised(subject)
    if raised:
        try:
            with changed(raised):
                again, at_rate = _forward(subject)
                if again:
                    _blame(subject, again, f" (probed with a rate of {PROBE_RATE:g} where 0 is configured)")
        except Exception as error:
            subject.report.say("not checked", f"eval mode with rates raised to {PROBE_RATE:g}: {reason(error)}")
        else:
            recorder.calls += [call for call in at_rate.calls if call.place not in seen or call.live]
            names = ", ".join(sorted({name for _, name in raised}))
            subject.report.say("note", f"rates of 0 ({names}) were raised to {PROBE_RATE:g} to probe eval mode")
    _refute(subject, recorder.calls)


def _forward(subject: Subject) -> tuple[tuple[str, ...], CallRecorder]:
    """Names of the generators that one eval forward pass draws from, and the functions that it called."""
    with ModuleStack(subject.model) as modules, CallRecorder(modules) as recorder, torch.no_grad():
        before = rng.state()
        subject.model(*subject.args, **subject.kwargs)
        return rng.moved(before, rng.state()), recorder


def _raised(subject: Subject) -> dict[tuple[nn.Module, str], float]:
    owners = dict(subject.model.named_modules())
    rates = configured_rates(subject.model)
    return {(owners[path], name): PROBE_RATE for (path, name), rate in rates.items() if rate == 0}


def _draws(subject: Subject) -> tuple[list[Draw], ModuleStack]:
    modules = ModuleStack(subject.model)
    functions = CallRecorder(modules)
    with rng.seeded(subject.seed), torch.no_grad(), modules, functions, DrawRecorder(modules, functions) as recorder:
        subject.model(*subject.args, **subject.kwargs)
    return recorder.draws, modules


def _blame(subject: Subject, moved: Sequence[str], how: str) -> None:
    try:
        draws, modules = _draws(subject)
        _, later = _draws(subject)
    except Exception as error:
        subject.report.find(
            "DRP190",
            places.of_method(type(subject.model)),
            f"An eval forward pass draws random numbers ({', '.join(moved)}){how}; where is not known, since following "
            f"the operators raised {reason(error)}",
        )
        return
    held = {id(module) for *_, top in unregistered(subject.model) for module in top.modules()}
    stays = {id(module) for module in modules.strangers.values()} & set(later.strangers)
    for draw in draws:
        cause = cause_of(draw, held, stays, paths(subject.model))
        if cause is not None and cause.is_noise and _allowed(subject, draw.registered, draw.module):
            subject.report.say("noise", f"{draw.operator} draws noise that is allowed", draw.registered)
        elif cause is not None:
            _report(subject, draw, cause, how)
    others = [name for name in moved if not name.startswith("torch")]
    if others and not _allowed(subject, "", subject.model):
        matters = _answer_depends_on_python(subject)
        text = f"An eval forward pass draws from {' and '.join(others)}, and the answer depends on it"
        if not matters:
            text = (
                f"An eval forward pass draws from {' and '.join(others)}, but the answer was the same with another seed"
            )
        level = Severity.WARNING if matters else Severity.INFO
        subject.report.find("DRP190", places.of_method(type(subject.model)), text + how, severity=level)


def _answer_depends_on_python(subject: Subject) -> bool:
    """Whether other seeds of ``random`` and numpy, and the same of torch, give another answer."""
    answers = []
    for seed in range(3):
        with rng.seeded(subject.seed), torch.no_grad():
            rng.seed_python(seed)
            answers.append(tensors(subject.model(*subject.args, **subject.kwargs)))
    return any(not torch.equal(a, b) for other in answers[1:] for a, b in zip(answers[0], other, strict=True))


def _report(subject: Subject, draw: Draw, cause: Cause, how: str) -> None:
    modules = (draw.registered,) if draw.registered else ()
    severity = Severity.INFO if cause.is_noise else None
    subject.report.find(cause.code, draw.place, cause.message + how, modules, severity)


def _allowed(subject: Subject, path: str, module: nn.Module | None) -> bool:
    names = (path, type(module).__name__ if module is not None else "")
    return any(fnmatchcase(name, pattern) for name in names if name for pattern in subject.allow)


def _refute(subject: Subject, calls: Sequence[DropoutCall]) -> None:
    """Functional calls that ran in eval mode with a rate and drew nothing contradict a source finding at their line."""
    dropouts = {path for path, module in subject.model.named_modules() if is_dropout_like(module)}
    by_line: dict[tuple[str, int], list[DropoutCall]] = {}
    for call in calls:
        if call.place.path and call.rate > 0 and call.module not in dropouts:
            by_line.setdefault((call.place.path, call.place.span.line), []).append(call)
    for (path, line), group in by_line.items():
        if not any(call.live for call in group):
            why = "in an eval forward pass the call ran with its dropout switched off"
            subject.report.refuted.append(Refutation(REFUTABLE, path, line, why))
