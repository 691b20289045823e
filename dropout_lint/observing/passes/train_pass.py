"""Run the model in train mode: its dropouts must be reached, not raise, and drop at their rate."""

from __future__ import annotations

import contextlib
import re

import torch
from torch import nn

from dropout_lint.facts.bound import ALPHA
from dropout_lint.facts.observations import DropoutInModel, DropoutRaised
from dropout_lint.models.user_code import raising
from dropout_lint.observing.passes.unused import missed, observe_single_layers, observe_unused
from dropout_lint.observing.probing.alone import probe_alone
from dropout_lint.observing.recording.calls import CallRecorder, ModuleStack
from dropout_lint.observing.recording.class_places import of_module
from dropout_lint.observing.recording.leaf_outputs import LeafRecorder
from dropout_lint.observing.recording.modules import Leaf, leaves
from dropout_lint.observing.subject import Subject, reason

FORWARDS = 3
"""Layer drop hides modules from one pass; what three passes miss is not used."""
_SHAPE = re.compile(r"size of tensor|must match|broadcast|shape|dimension")
_DEVICE_OR_TYPE = re.compile(r"same device|expected device|dtype")


def observe_train(subject: Subject, units: int) -> set[nn.Module]:
    """Run the model in train mode and observe its dropouts; the modules that were called, registered or not."""
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
                _raised(subject, error, recorder, stack)
                break
            finally:
                called |= stack.called
                modules |= {m for name, m in subject.model.named_modules() if name in stack.called}
                modules |= set(stack.unregistered.values())
                calls.append(functions)
    subject.train_calls = calls
    found = leaves(subject.model)
    found += _by_behaviour(subject, recorder)
    probe_alone(subject, found, recorder, units)
    if subject.trains:
        _in_model(subject, recorder)
        observe_unused(subject, found, called)
    observe_single_layers(subject)
    return modules


def _raised(subject: Subject, error: Exception, recorder: LeafRecorder, stack: ModuleStack) -> None:
    """Observe an error inside of a dropout that its mask explains; any other is the reason for not checking."""
    inside, text = recorder.running, reason(error)
    if inside is None:
        subject.log.remark("not checked", f"train mode: the forward pass raised {text}")
        return
    kind = type(inside).__name__
    path = stack.names.get(id(inside), "")
    if _DEVICE_OR_TYPE.search(text):
        subject.log.add(DropoutRaised(raising(error), (path,), kind, "device or type", text))
    elif _SHAPE.search(text):
        subject.log.add(DropoutRaised(raising(error), (path,), kind, "shape", text))
    else:
        subject.log.remark("not checked", f"train mode: {kind} raised {text}", path)


def _by_behaviour(subject: Subject, recorder: LeafRecorder) -> list[Leaf]:
    """Leaves without a name of a dropout that zero at random what they are given and scale up the rest.

    Masking without scaling is as often meant (masked modelling, augmentation), so it is no mistake by itself.
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


def _in_model(subject: Subject, recorder: LeafRecorder) -> None:
    """Observe each call of torch's own dropouts in the model: what it dropped, and what it was given."""
    tested = [seen for seen in recorder.seen if seen.leaf.is_torch and 0 < seen.leaf.rate < 1]
    sizes = {a.shape[0] for a in (*subject.args, *subject.kwargs.values()) if isinstance(a, torch.Tensor) and a.dim()}
    batch = next(iter(sizes)) if len(sizes) == 1 else None
    for seen in tested:
        leaf = seen.leaf
        subject.log.add(
            DropoutInModel(
                of_module(subject.model, leaf.path),
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
