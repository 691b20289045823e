"""Switch the model between its modes, and observe modules and rates that ``train()`` or ``eval()`` leave wrong."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from dropout_lint.diagnostic import NO_PLACE, CodePlace
from dropout_lint.facts.observations import ContainedDropout, FrozenPartWoken, LeftInTrainMode, ModeNotSet, RateChanged
from dropout_lint.observing.recording.class_places import assignment_place, method_place
from dropout_lint.observing.recording.modules import (
    answers_by_mode,
    configured_rates,
    is_dropout_like,
    is_frozen,
    leaves,
    rate_of,
    unregistered,
)
from dropout_lint.observing.subject import Subject, reason


def set_mode(subject: Subject, training: bool) -> None:
    """Put the model in a mode by its own ``train`` or ``eval``, and observe modules that they left in another mode.

    The model and all its modules are in the mode afterwards, whatever these methods did.
    """
    model, word = subject.model, "train" if training else "eval"
    try:
        model.train() if training else model.eval()
    except Exception as error:
        subject.log.add(ModeNotSet(method_place(type(model), "train"), (), word, reason(error)))
        nn.Module.train(model, training)
        return
    if model.training is not training:
        subject.log.add(ModeNotSet(method_place(type(model), "train"), (), word))
        if training:
            nn.Module.train(model)
    elif not training:
        _left_in_train_mode(subject)
    if not training:
        for module in model.modules():
            module.training = False


def _left_in_train_mode(subject: Subject) -> None:
    model = subject.model
    for path, module in model.named_modules():
        if module.training and answers_by_mode(module):
            owner, place = _override(model, path)
            overridden = place != NO_PLACE
            found = place if overridden else method_place(type(owner))
            subject.log.add(LeftInTrainMode(found, (path,), type(owner).__name__, overridden))


def _override(model: nn.Module, path: str) -> tuple[nn.Module, CodePlace]:
    """The innermost owner of ``path`` that overrides ``train`` or ``eval``, and where; else the parent and NO_PLACE."""
    parts = path.split(".")
    owners = [model.get_submodule(".".join(parts[:depth])) for depth in range(len(parts))]
    for owner in reversed(owners):
        for name in ("train", "eval"):
            if getattr(type(owner), name) is not getattr(nn.Module, name):
                return owner, method_place(type(owner), name)
    return owners[-1], NO_PLACE


def observe_frozen_parts(subject: Subject) -> None:
    """Observe frozen parts that were built in eval mode, and that ``train()`` puts back into train mode.

    Call it before any change of mode.
    """
    model = subject.model
    if not model.training:
        return
    asleep = [
        (path, module)
        for path, module in model.named_modules()
        if not module.training and is_frozen(module) and any(map(answers_by_mode, module.modules()))
    ]
    asleep = [(path, m) for path, m in asleep if not any(path.startswith(f"{other}.") for other, _ in asleep)]
    if not asleep:
        return
    model.train()
    for path, module in asleep:
        if module.training:
            parent, _, name = path.rpartition(".")
            place = assignment_place(type(model.get_submodule(parent)), name)
            subject.log.add(FrozenPartWoken(place, (path,)))


def observe_contained(subject: Subject, called: Iterable[nn.Module]) -> None:
    """Observe dropouts in plain containers that the forward pass calls; ``called`` are the modules it called."""
    reached = {id(module) for module in called}
    for owner, path, item, module in unregistered(subject.model):
        inside = [m for m in module.modules() if is_dropout_like(m) and (rate_of(m) or ("", 0.0))[1] > 0]
        if inside and any(id(m) in reached for m in inside):
            place = assignment_place(type(owner), item.partition("[")[0])
            name = f"{path}.{item}" if path else item
            subject.log.add(ContainedDropout(place, (name,), type(inside[0]).__name__))


def observe_changed_rates(subject: Subject, before: dict[tuple[str, str], float]) -> None:
    """Observe rates that differ from ``before``, read in train mode before the eval forward pass."""
    after = configured_rates(subject.model)
    dropping = {leaf.path for leaf in leaves(subject.model)}
    for (path, name), rate in before.items():
        now = after.get((path, name), rate)
        if now == rate:
            continue
        owners = [subject.model.get_submodule(path)]
        if path in dropping and path:
            owners.insert(0, subject.model.get_submodule(path.rpartition(".")[0]))
        found = (assignment_place(type(owner), name, m) for owner in owners for m in ("forward", "train", "eval"))
        place = next((place for place in found if place != NO_PLACE), method_place(type(owners[0])))
        subject.log.add(RateChanged(place, (path,), name, rate, now))
