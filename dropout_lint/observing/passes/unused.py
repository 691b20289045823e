"""Observe dropouts without effect: nothing calls them, or a recurrent network with one layer has nothing to drop."""

from __future__ import annotations

from torch import nn

from dropout_lint.facts.observations import SingleLayerRnn, UnreachedDropout
from dropout_lint.observing.recording.class_places import module_place
from dropout_lint.observing.recording.modules import CONTAINERS, Leaf
from dropout_lint.observing.subject import Subject


def missed(subject: Subject, dropouts: list[Leaf], called: set[str]) -> list[Leaf]:
    """Dropouts with a rate that were not called, although the module that owns them was."""
    not_called = []
    for leaf in dropouts:
        parent = leaf.path.rpartition(".")[0]
        passed_by = leaf.path and leaf.rate > 0 and leaf.path not in called and parent in called
        if passed_by and not isinstance(subject.model.get_submodule(parent), (*CONTAINERS, nn.Sequential)):
            not_called.append(leaf)
    return not_called


def observe_unused(subject: Subject, dropouts: list[Leaf], called: set[str]) -> None:
    """Observe dropouts that no forward pass called, unless a functional call in their owner has the same rate."""
    modules = {leaf.path for leaf in dropouts}
    functional = [call for recorder in subject.train_calls for call in recorder.calls if call.module not in modules]
    for leaf in missed(subject, dropouts, called):
        parent = leaf.path.rpartition(".")[0]
        prefix = f"{parent}." if parent else ""
        here = [c for c in functional if c.module is not None and (c.module == parent or c.module.startswith(prefix))]
        if any(abs(call.rate - leaf.rate) < 1e-12 for call in here):
            continue
        attention = next((call.place.span.line for call in here if call.is_attention and call.rate == 0), None)
        place = module_place(subject.model, leaf.path)
        subject.log.add(UnreachedDropout(place, (leaf.path,), leaf.kind, leaf.rate, leaf.drops_paths, attention))


def observe_single_layers(subject: Subject) -> None:
    """Observe recurrent networks with dropout and one layer: it only acts between layers."""
    for path, module in subject.model.named_modules():
        if isinstance(module, nn.RNNBase) and module.num_layers == 1 and module.dropout > 0:
            place = module_place(subject.model, path)
            subject.log.add(SingleLayerRnn(place, (path,), type(module).__name__, module.dropout))
