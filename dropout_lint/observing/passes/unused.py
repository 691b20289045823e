"""Dropouts that are configured and have no effect: nothing calls them, or there are no layers between them."""

from __future__ import annotations

from torch import nn

from dropout_lint.facts.observations import SingleLayerRnn, UnreachedDropout
from dropout_lint.observing.recording.class_places import of_module
from dropout_lint.observing.recording.modules import CONTAINERS, Leaf
from dropout_lint.observing.subject import Subject


def missed(subject: Subject, found: list[Leaf], called: set[str]) -> list[Leaf]:
    """Dropouts with a rate that were not called, although the module that has them as attributes was."""
    hidden = []
    for leaf in found:
        parent = leaf.path.rpartition(".")[0]
        passed_by = leaf.path and leaf.rate > 0 and leaf.path not in called and parent in called
        if passed_by and not isinstance(subject.model.get_submodule(parent), (*CONTAINERS, nn.Sequential)):
            hidden.append(leaf)
    return hidden


def observe_unused(subject: Subject, found: list[Leaf], called: set[str]) -> None:
    """Observe what no forward pass called, unless a functional call below its owner has the same rate."""
    modules = {leaf.path for leaf in found}
    functional = [call for recorder in subject.train_calls for call in recorder.calls if call.module not in modules]
    for leaf in missed(subject, found, called):
        parent = leaf.path.rpartition(".")[0]
        prefix = f"{parent}." if parent else ""
        here = [c for c in functional if c.module is not None and (c.module == parent or c.module.startswith(prefix))]
        if any(abs(call.rate - leaf.rate) < 1e-12 for call in here):
            continue
        attention = next((call.place.span.line for call in here if call.is_attention and call.rate == 0), None)
        place = of_module(subject.model, leaf.path)
        subject.log.add(UnreachedDropout(place, (leaf.path,), leaf.kind, leaf.rate, leaf.drops_paths, attention))


def observe_single_layers(subject: Subject) -> None:
    """Observe recurrent networks whose dropout has no effect, since they have one layer."""
    for path, module in subject.model.named_modules():
        if isinstance(module, nn.RNNBase) and module.num_layers == 1 and module.dropout > 0:
            place = of_module(subject.model, path)
            subject.log.add(SingleLayerRnn(place, (path,), type(module).__name__, module.dropout))
