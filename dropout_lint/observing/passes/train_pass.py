"""Run the model in train mode, and observe which dropouts are reached, which raise, and how much each drops."""

from __future__ import annotations

import contextlib
import re

import torch
from torch import nn

from dropout_lint.facts.bound import ALPHA
from dropout_lint.facts.observations import DropoutInModel, DropoutRaised
from dropout_lint.models.user_code import raising_place
from dropout_lint.observing.passes.unused import missed, observe_single_layers, observe_unused
from dropout_lint.observing.probing.alone import probe_alone
from dropout_lint.observing.recording.calls import CallRecorder, ModuleStack
from dropout_lint.observing.recording.class_places import module_place
from dropout_lint.observing.recording.leaf_outputs import LeafRecorder
from dropout_lint.observing.recording.modules import Leaf, leaves
from dropout_lint.observing.subject import Subject, reason

FORWARDS = 3
"""Most forward passes: layer drop may skip a module in one, but one that three miss counts as unused."""
_SHAPE = re.compile(r"size of tensor|must match|broadcast|shape|dimension")
_DEVICE_OR_TYPE = re.compile(r"same device|expected device|dtype")


def observe_train(subject: Subject, units: int) -> set[nn.Module]:
    """Run the model in train mode, observe its dropouts, and return every module that was called, registered or not.

    ``units`` is the least number of independent drops for each rate.
    """
    dropouts = leaves(subject.model)
    recorder = LeafRecorder(dropouts, subject.model)
    called: set[str] = set()
    modules: set[nn.Module] = set()
    calls: list[CallRecorder] = []
    for number in range(FORWARDS):
        if number and not missed(subject, dropouts, called):
            break
        with ModuleStack(subject.model) as stack, CallRecorder(stack) as functions:
            try:
                with recorder if number == 0 else contextlib.nullcontext():
                    subject.forward(subject.seed + number)
            except Exception as error:
                subject.trains = False
                _observe_error(subject, error, recorder, stack)
                break
            finally:
                called |= stack.called
                modules |= {m for name, m in subject.model.named_modules() if name in stack.called}
                modules |= set(stack.unregistered.values())
                calls.append(functions)
    subject.train_calls = calls
    dropouts = leaves(subject.model)  # again, as forward passes can add modules
    dropouts += _dropouts_by_behaviour(subject, recorder)
    probe_alone(subject, dropouts, recorder, units)
    if subject.trains:
        _observe_calls(subject, recorder)
        observe_unused(subject, dropouts, called)
    observe_single_layers(subject)
    return modules


def _observe_error(subject: Subject, error: Exception, recorder: LeafRecorder, stack: ModuleStack) -> None:
    """Observe an error that the mask of a dropout caused: a wrong device, type or shape. Others mean not checked."""
    inside, text = recorder.running, reason(error)
    if inside is None:
        subject.log.remark("not checked", f"train mode: the forward pass raised {text}")
        return
    kind = type(inside).__name__
    path = stack.names.get(id(inside), "")
    if _DEVICE_OR_TYPE.search(text):
        subject.log.add(DropoutRaised(raising_place(error), (path,), kind, "device or type", text))
    elif _SHAPE.search(text):
        subject.log.add(DropoutRaised(raising_place(error), (path,), kind, "shape", text))
    else:
        subject.log.remark("not checked", f"train mode: {kind} raised {text}", path)


def _dropouts_by_behaviour(subject: Subject, recorder: LeafRecorder) -> list[Leaf]:
    """Find leaves that drop although their name does not say so: they zero inputs at random and scale up the rest.

    Masking without scaling is left out: it is often meant, as in masked modelling and augmentation.
    """
    known = {id(leaf.module) for leaf in recorder.leaves}
    found = []
    for path, module, call in recorder.random_leaves:
        mask = call.mask
        if id(module) not in known and mask is not None and mask.constant and mask.dropped and mask.scale > 1.001:
            rate = 1 - 1 / mask.scale
            found.append(Leaf(path, module, "rate", rate))
            text = f"{type(module).__name__} drops, by its behaviour, at a rate of {rate:.3f}"
            subject.log.remark("note", text, path)
    return found


def _observe_calls(subject: Subject, recorder: LeafRecorder) -> None:
    """Observe each call of one of torch's own dropouts: how much it dropped, and the shape of its input."""
    tested = [seen for seen in recorder.seen if seen.leaf.is_torch and 0 < seen.leaf.rate < 1]
    sizes = {a.shape[0] for a in (*subject.args, *subject.kwargs.values()) if isinstance(a, torch.Tensor) and a.dim()}
    batch = next(iter(sizes)) if len(sizes) == 1 else None
    for seen in tested:
        leaf = seen.leaf
        subject.log.add(
            DropoutInModel(
                module_place(subject.model, leaf.path),
                (leaf.path,),
                leaf.kind,
                leaf.rate,
                seen.dropped,
                seen.units,
                seen.shape,
                batch,
                seen.never_negative,
                ALPHA / (2 * len(tested)),
            )
        )
    if tested:
        calls = "1 call" if len(tested) == 1 else f"{len(tested)} calls"
        subject.log.remark("checked", f"of {calls} of torch's dropouts in the model, each was held against its rate")
