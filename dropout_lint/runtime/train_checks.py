"""In train mode each dropout must drop at its rate, alone and in place, and be reached at all."""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from dropout_lint.runtime import bound, places, verdicts
from dropout_lint.runtime.calls import CallRecorder, ModuleStack
from dropout_lint.runtime.in_place import InPlace, LeafRecorder
from dropout_lint.runtime.modules import Leaf, leaves
from dropout_lint.runtime.probe import UNITS, Probed, probe, with_rate
from dropout_lint.runtime.subject import Subject, reason
from dropout_lint.runtime.unused import check_single_layer, check_unused, missed

FORWARDS = 3
"""Layer drop hides modules from one pass; what three passes miss is not used."""


def check_train(subject: Subject, units: int = UNITS) -> set[nn.Module]:
    """Run the model in train mode and judge its dropouts; the modules that were called, registered or not."""
    found = leaves(subject.model)
    recorder = LeafRecorder(found, subject.model)
    called: set[str] = set()
    modules: set[nn.Module] = set()
    calls: list[CallRecorder] = []
    for number in range(FORWARDS):
        if number and not missed(subject, found, called):
            break
        with ModuleStack(subject.model) as stack, CallRecorder(stack) as functions:
            try:
                with recorder if number == 0 else contextlib.nullcontext():
                    subject.forward(subject.seed + number)
            except Exception as error:
                subject.trains = False
                _crash(subject, error, recorder, stack)
                break
            finally:
                called |= stack.called
                modules |= {m for name, m in subject.model.named_modules() if name in stack.called}
                modules |= set(stack.strangers.values())
                calls.append(functions)
    subject.train_calls = calls
    found = leaves(subject.model)
    found += _by_behaviour(subject, recorder)
    _alone(subject, found, recorder, units)
    if subject.trains:
        _in_place(subject, recorder)
        check_unused(subject, found, called)
    check_single_layer(subject)
    return modules


def _crash(subject: Subject, error: Exception, recorder: LeafRecorder, stack: ModuleStack) -> None:
    """A train forward pass that raises inside of a dropout is a finding; elsewhere, the reason for not checking."""
    inside = recorder.at_work
    text, place = reason(error), places.of_error(error)
    if inside is None:
        subject.report.say("not checked", f"train mode: the forward pass raised {text}")
        return
    kind = type(inside).__name__
    path = stack.names.get(id(inside), "")
    shape = re.search(r"size of tensor|must match|broadcast|shape|dimension", text)
    device = re.search(r"same device|expected device|dtype", text)
    if device:
        subject.report.find("DRP506", place, f"{kind} raises in train mode: {text}", (path,))
    elif shape:
        subject.report.find("DRP508", place, f"The mask of {kind} does not fit its input: {text}", (path,))
    else:
        subject.report.say("not checked", f"train mode: {kind} raised {text}", path)


def _by_behaviour(subject: Subject, recorder: LeafRecorder) -> list[Leaf]:
    """Leaves without a name of a dropout that zero at random what they are given and scale up the rest.

    Masking without scaling is as often meant (masked modelling, augmentation), so it is nobody's mistake by itself.
    """
    known = {id(leaf.module) for leaf in recorder.leaves}
    found = []
    for path, module, place in recorder.random_leaves:
        mask = place.mask
        if id(module) not in known and mask is not None and mask.constant and mask.dropped and mask.scale > 1.001:
            rate = 1 - 1 / mask.scale
            found.append(Leaf(path, module, "rate", rate))
            subject.report.say(
                "note", f"{type(module).__name__} drops, by its behaviour, at a rate of {rate:.3f}", path
            )
    return found


def _alone(subject: Subject, found: list[Leaf], recorder: LeafRecorder, units: int) -> None:
    groups: dict[Any, list[Leaf]] = defaultdict(list)
    for leaf in found:
        groups[_signature(leaf)].append(leaf)
    alpha = bound.ALPHA / 2 / max(1, 2 * len(groups))
    rates: list[dict[str, Any]] = []
    typed: set[type] = set()
    for group in groups.values():
        leaf, names = group[0], tuple(leaf.path for leaf in group)
        if type(leaf.module) is type(recorder.at_work):
            continue  # it raised in the model
        try:
            probed = probe(leaf, recorder.shapes.get(leaf.path, ()), subject.device, units, subject.seed)
        except Exception as error:
            subject.report.say("not checked", f"{leaf.kind} on its own: {reason(error)}", leaf.path)
            continue
        if probed.draws_in_eval and id(leaf.module) in recorder.reached:
            continue  # the eval forward pass of the model says so, and at which line
        verdicts.judge(probed, subject.report, names, alpha)
        other = with_rate(leaf) if leaf.rate in (0, 0.5) and not leaf.is_torch else None
        if other is not None:
            _at_another_rate(subject, other, probed, units, names, alpha)
        typed_leaf = replace(probed, leaf=other) if other is not None and leaf.rate == 0 else probed
        if type(leaf.module) not in typed and not leaf.is_torch and typed_leaf.leaf.rate > 0:
            typed.add(type(leaf.module))
            verdicts.judge_types(typed_leaf, subject.report, names)
        if probed.mask is not None:
            row = {"module": leaf.path, "class": leaf.kind, "p": leaf.rate, "modules": len(group)}
            mask = probed.mask
            rates.append(row | {"observed": round(mask.rate, 5), "units": mask.units, "scale": round(mask.scale, 5)})
    subject.report.tables["rates"] = rates


def _at_another_rate(
    subject: Subject, other: Leaf, first: Probed, units: int, names: tuple[str, ...], alpha: float
) -> None:
    """The same class with a rate that hides nothing; what it shows is said to be shown there."""
    try:
        probed = probe(other, [first.shape], subject.device, units, subject.seed)
    except Exception as error:
        subject.report.say("not checked", f"{other.kind} at a rate of {other.rate:g}: {reason(error)}", names[0])
        return
    verdicts.judge(replace(probed, fresh=True), subject.report, names, alpha)


def _signature(leaf: Leaf) -> tuple[Any, ...]:
    plain = {k: v for k, v in vars(leaf.module).items() if isinstance(v, int | float | str) and k != "training"}
    return (type(leaf.module), leaf.attribute, leaf.rate, tuple(sorted(plain.items())))


def _in_place(subject: Subject, recorder: LeafRecorder) -> None:
    """The rate at which torch's own dropouts dropped in the model, and what an alpha dropout was given."""
    tested = [seen for seen in recorder.seen if seen.leaf.is_torch and 0 < seen.leaf.rate < 1]
    for seen in tested:
        leaf = seen.leaf
        if bound.contradicts(seen.dropped, seen.units, leaf.rate, bound.ALPHA / (2 * len(tested))):
            share = f"{seen.dropped / seen.units:.4f} of {seen.units} units"
            text = f"{leaf.kind} drops {share} in the model, p is {leaf.rate:g}"
            subject.report.find("DRP590", places.of_module(subject.model, leaf.path), text, (leaf.path,))
        if leaf.kind in {"AlphaDropout", "FeatureAlphaDropout"} and seen.never_negative:
            text = f"{leaf.kind} is given values that are never negative, so they are no output of SELU"
            subject.report.find("DRP311", places.of_module(subject.model, leaf.path), text, (leaf.path,))
        _rank(subject, seen)
    if tested:
        calls = "1 call" if len(tested) == 1 else f"{len(tested)} calls"
        subject.report.say("checked", f"of {calls} of torch's dropouts in the model, each was held against its rate")


def _rank(subject: Subject, seen: InPlace) -> None:
    """Dropout1d on (N, F) and Dropout3d on (N, C, H, W) take the batch for channels, and zero whole samples."""
    leaf, shape = seen.leaf, seen.shape
    batch = {a.shape[0] for a in (*subject.args, *subject.kwargs.values()) if isinstance(a, torch.Tensor) and a.dim()}
    wrong = {"Dropout1d": 2, "Dropout3d": 4}.get(leaf.kind) == len(shape)
    if wrong and len(batch) == 1 and shape[0] in batch and shape[0] > 1:
        text = f"{leaf.kind} is given {tuple(shape)}, takes the batch for channels, and zeroes whole samples"
        subject.report.find("DRP308", places.of_module(subject.model, leaf.path), text, (leaf.path,))
