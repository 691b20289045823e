"""``train()`` and ``eval()`` must reach every registered module, and change nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from dropout_lint.runtime import places
from dropout_lint.runtime.modules import BATCH_NORMS, configured_rates, is_dropout_like, leaves, rate_of, unregistered
from dropout_lint.runtime.subject import Subject, reason


def set_mode(subject: Subject, training: bool) -> bool:
    """Put the model in a mode by its own ``train`` or ``eval``, then make sure; report what they left behind.

    False, with a finding, if the call raised. Either way the model is in the mode afterwards.
    """
    model, word = subject.model, "train" if training else "eval"
    try:
        model.train() if training else model.eval()
    except Exception as error:
        subject.report.find(
            "DRP202",
            places.of_method(type(model), "train"),
            f"`{word}()` raised {reason(error)}, so the model cannot be put in that mode",
        )
        nn.Module.train(model, training)
        return False
    if not training:
        _unreached(subject)
        for module in model.modules():
            module.training = False
    elif not model.training:
        _shadowed(subject, word)
        nn.Module.train(model)
    return True


def _shadowed(subject: Subject, word: str) -> None:
    place = places.of_method(type(subject.model), "train")
    subject.report.find("DRP202", place, f"After `{word}()` the model is in the other mode: its own `train` sets none")


def _unreached(subject: Subject) -> None:
    model = subject.model
    if model.training:
        _shadowed(subject, "eval")
        return
    for path, module in model.named_modules():
        if module.training and _minds(module):
            owner, place = _override(model, path)
            name = type(owner).__name__
            subject.report.find(
                "DRP203" if place is not places.NOWHERE else "DRP290",
                place if place is not places.NOWHERE else places.of_method(type(owner)),
                f"`eval()` leaves modules in train mode that drop or normalise by batch, below {name}",
                (path,),
            )


def _minds(module: nn.Module) -> bool:
    """Whether a module answers differently in its two modes, as far as its class says."""
    rate = rate_of(module) if is_dropout_like(module) else None
    return isinstance(module, BATCH_NORMS) or (rate is not None and rate[1] > 0)


def _override(model: nn.Module, path: str) -> tuple[nn.Module, places.Place]:
    """The innermost module on the way that has a ``train`` or ``eval`` of its own, and where."""
    parts = path.split(".")
    owners = [model.get_submodule(".".join(parts[:depth])) for depth in range(len(parts))]
    for owner in reversed(owners):
        for name in ("train", "eval"):
            if getattr(type(owner), name) is not getattr(nn.Module, name):
                return owner, places.of_method(type(owner), name)
    return owners[-1], places.NOWHERE


def check_frozen_parts(subject: Subject) -> None:
    """Report a part that was built in eval mode, with all its parameters frozen, and that ``train()`` wakes up.

    To be called while the model is in the mode that its constructor left it in.
    """
    model = subject.model
    if not model.training:
        return
    asleep = [
        (path, module)
        for path, module in model.named_modules()
        if not module.training and _frozen(module) and any(map(_minds, module.modules()))
    ]
    asleep = [(path, m) for path, m in asleep if not any(path.startswith(f"{other}.") for other, _ in asleep)]
    if not asleep:
        return
    model.train()
    for path, module in asleep:
        if module.training:
            owner = model.get_submodule(path.rpartition(".")[0])
            subject.report.find(
                "DRP211",
                places.of_assignment(type(owner), path.rpartition(".")[2]),
                "This frozen part was built in eval mode, and `train()` of the model undoes that",
                (path,),
            )


def _frozen(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(p.requires_grad for p in parameters)


def check_unregistered(subject: Subject, called: Iterable[nn.Module]) -> None:
    """Report dropouts that the forward pass reaches and that plain containers hold; ``called`` is what it reached."""
    reached = {id(module) for module in called}
    for owner, path, place, module in unregistered(subject.model):
        inside = [m for m in module.modules() if is_dropout_like(m) and (rate_of(m) or ("", 0.0))[1] > 0]
        if inside and any(id(m) in reached for m in inside):
            attribute = place.partition("[")[0]
            name = f"{path}.{place}" if path else place
            subject.report.find(
                "DRP104",
                places.of_assignment(type(owner), attribute),
                f"{type(inside[0]).__name__} is held in a plain container, so `eval()` does not reach it",
                (name,),
            )


def check_rates_return(subject: Subject, before: dict[tuple[str, str], float]) -> None:
    """Report rates that an eval forward pass changed for the training after it; ``before`` is from train mode."""
    after = configured_rates(subject.model)
    dropping = {leaf.path for leaf in leaves(subject.model)}
    for (path, name), rate in before.items():
        now = after.get((path, name), rate)
        if now == rate:
            continue
        owners = [subject.model.get_submodule(path)]
        if path in dropping and path:
            owners.insert(0, subject.model.get_submodule(path.rpartition(".")[0]))
        found = (places.of_assignment(type(owner), name, m) for owner in owners for m in ("forward", "train", "eval"))
        place = next((place for place in found if place is not places.NOWHERE), places.of_method(type(owners[0])))
        subject.report.find(
            "DRP109",
            place,
            f"An eval forward pass changes the rate `{name}` from {rate:g} to {now:g}, and training keeps it",
            (path,),
        )
