"""Find what is random in eval mode: one forward pass shows whether a generator moves, a second one where."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dropout_lint.diagnostic import CodePlace
from dropout_lint.facts.observations import EvalDraw, PythonDraws, SwitchedOffCall, UnlocatedDraws
from dropout_lint.models.user_code import source_text
from dropout_lint.observing.recording import rng
from dropout_lint.observing.recording.calls import FUNCTIONS, CallRecorder, DropoutCall, ModuleStack
from dropout_lint.observing.recording.class_places import method_place
from dropout_lint.observing.recording.draws import DrawRecorder, DrawUse, RandomDraw
from dropout_lint.observing.recording.mode_arguments import mode_argument
from dropout_lint.observing.recording.modules import configured_rates, is_dropout_like, paths, unregistered
from dropout_lint.observing.subject import PROBE_RATE, Subject, reason, replaced_attributes, tensors

_DRAWING = (nn.modules.rnn.RNNBase, nn.MultiheadAttention, nn.RReLU)


def observe_eval(subject: Subject) -> None:
    """Observe draws of random numbers in eval mode: at the configured rates, then with rates of 0 set to PROBE_RATE."""
    log = subject.log
    try:
        with rng.seeded(subject.seed):
            moved, recorder = _forward(subject)
    except Exception as error:
        log.remark("not checked", f"eval mode: the forward pass raised {reason(error)}")
        return
    if moved:
        _locate(subject, moved, None)
    else:
        log.remark("checked", "an eval forward pass draws no random number")
    seen = {call.place for call in recorder.calls}
    raised = _rates_of_zero(subject)
    if raised:
        try:
            with replaced_attributes(raised):
                again, at_rate = _forward(subject)
                if again:
                    _locate(subject, again, PROBE_RATE)
        except Exception as error:
            log.remark("not checked", f"eval mode with rates raised to {PROBE_RATE:g}: {reason(error)}")
        else:
            recorder.calls += [call for call in at_rate.calls if call.place not in seen or call.live]
            names = ", ".join(sorted({name for _, name in raised}))
            log.remark("note", f"rates of 0 ({names}) were raised to {PROBE_RATE:g} to probe eval mode")
    _switched_off(subject, recorder.calls)


def _forward(subject: Subject) -> tuple[tuple[str, ...], CallRecorder]:
    """Run one eval forward pass; return the names of the generators it draws from, and its dropout calls."""
    with ModuleStack(subject.model) as modules, CallRecorder(modules) as recorder, torch.no_grad():
        before = rng.state()
        subject.model(*subject.args, **subject.kwargs)
        return rng.moved(before, rng.state()), recorder


def _rates_of_zero(subject: Subject) -> dict[tuple[nn.Module, str], float]:
    owners = dict(subject.model.named_modules())
    rates = configured_rates(subject.model)
    return {(owners[path], name): PROBE_RATE for (path, name), rate in rates.items() if rate == 0}


def _draws(subject: Subject) -> tuple[list[RandomDraw], ModuleStack]:
    modules = ModuleStack(subject.model)
    functions = CallRecorder(modules)
    with rng.seeded(subject.seed), torch.no_grad(), modules, functions, DrawRecorder(modules, functions) as recorder:
        subject.model(*subject.args, **subject.kwargs)
    return recorder.draws, modules


def _locate(subject: Subject, moved: Sequence[str], probed: float | None) -> None:
    """Observe each draw of an eval forward pass. ``moved`` names the generators that it draws from."""
    try:
        draws, modules = _draws(subject)
        _, later = _draws(subject)
    except Exception as error:
        place = method_place(type(subject.model))
        subject.log.add(UnlocatedDraws(place, (), tuple(moved), reason(error), probed))
        return
    contained = {id(module) for *_, top in unregistered(subject.model) for module in top.modules()}
    lasting = {id(module) for module in modules.unregistered.values()} & set(later.unregistered)
    names = paths(subject.model)
    for draw in draws:
        seen = _observation(draw, names, contained, lasting, probed)
        if seen.origin == "noise" and _allowed(subject, draw.registered, draw.module):
            subject.log.remark("noise", f"{draw.operator} draws noise that is allowed", draw.registered)
        else:
            subject.log.add(seen)
    others = tuple(name for name in moved if not name.startswith("torch"))
    if others and not _allowed(subject, "", subject.model):
        place, matters = method_place(type(subject.model)), _answer_depends_on_python(subject)
        subject.log.add(PythonDraws(place, (), others, matters, probed))


def _observation(
    draw: RandomDraw,
    names: Mapping[int, str],
    contained: Collection[int],
    lasting: Collection[int],
    probed: float | None,
) -> EvalDraw:
    """Turn a recorded draw into an observation.

    ``names`` are the paths of the registered modules by ``id``, ``contained`` has the ``id`` of each module in a plain
    container, ``lasting`` of each unregistered one that a second forward pass calls again.
    """
    module = draw.module
    modules = (draw.registered,) if draw.registered else ()
    name = getattr(draw.function, "__name__", draw.operator)
    if module is not None and (is_dropout_like(module) or isinstance(module, _DRAWING)) and module.training:
        if id(module) in names:
            home = "registered"
        elif id(module) in contained:
            home = "container"
        else:
            home = "unregistered" if id(module) in lasting else "temporary"
        return EvalDraw(draw.place, modules, name, "module", type(module).__name__, home, probed_rate=probed)  # type: ignore[arg-type]
    if draw.function is F.scaled_dot_product_attention:
        return EvalDraw(draw.place, modules, name, "attention", probed_rate=probed)
    if draw.function in FUNCTIONS:
        mode = mode_argument(source_text(draw.place), name)
        return EvalDraw(draw.place, modules, name, "function", mode=mode, probed_rate=probed)
    if draw.use is DrawUse.MASK and (module is None or is_dropout_like(module) or draw.path is not None):
        return EvalDraw(draw.place, modules, name, "mask", probed_rate=probed)
    return EvalDraw(draw.place, modules, name, "choice" if draw.use is DrawUse.CHOICE else "noise", probed_rate=probed)


def _answer_depends_on_python(subject: Subject) -> bool:
    """Whether the output changes with the seeds of ``random`` and numpy alone, with the same seed of torch."""
    answers = []
    for seed in range(3):
        with rng.seeded(subject.seed), torch.no_grad():
            rng.seed_python(seed)
            answers.append(tensors(subject.model(*subject.args, **subject.kwargs)))
    return any(not torch.equal(a, b) for other in answers[1:] for a, b in zip(answers[0], other, strict=True))


def _allowed(subject: Subject, path: str, module: nn.Module | None) -> bool:
    names = (path, type(module).__name__ if module is not None else "")
    return any(fnmatchcase(name, pattern) for name in names if name for pattern in subject.allow)


def _switched_off(subject: Subject, calls: Sequence[DropoutCall]) -> None:
    """Observe lines whose dropout calls all ran in eval mode without dropping, although they have a rate."""
    dropouts = {path for path, module in subject.model.named_modules() if is_dropout_like(module)}
    by_line: dict[tuple[str, int], list[DropoutCall]] = {}
    for call in calls:
        if call.place.path and call.rate > 0 and call.module not in dropouts:
            by_line.setdefault((call.place.path, call.place.span.line), []).append(call)
    for group in by_line.values():
        if not any(call.live for call in group):
            place: CodePlace = group[0].place
            subject.log.add(SwitchedOffCall(place, ()))
