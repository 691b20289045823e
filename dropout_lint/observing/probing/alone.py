"""Probe each dropout of a model outside of the model; equal configurations are probed once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from dropout_lint.facts.bound import ALPHA
from dropout_lint.facts.observations import ProbedDropout
from dropout_lint.observing.probing.probe import foreign_input, probe, with_probe_rate
from dropout_lint.observing.recording.leaf_outputs import LeafRecorder
from dropout_lint.observing.recording.modules import Leaf
from dropout_lint.observing.subject import Subject, reason


def probe_alone(subject: Subject, dropouts: list[Leaf], recorder: LeafRecorder, units: int) -> None:
    """Probe dropouts on the input shapes that ``recorder`` saw, with at least ``units`` independent drops each."""
    groups: dict[Any, list[Leaf]] = defaultdict(list)
    for leaf in dropouts:
        groups[_configuration(leaf)].append(leaf)
    alpha = ALPHA / 2 / max(1, 2 * len(groups))
    rates: list[dict[str, Any]] = []
    typed: set[type] = set()
    for group in groups.values():
        leaf, names = group[0], tuple(leaf.path for leaf in group)
        if type(leaf.module) is type(recorder.running):
            continue  # it raised in the model
        try:
            probed = probe(leaf, recorder.shapes.get(leaf.path, ()), subject.device, units, subject.seed)
        except Exception as error:
            subject.log.remark("not checked", f"{leaf.kind} on its own: {reason(error)}", leaf.path)
            continue
        if probed.draws_in_eval and id(leaf.module) in recorder.reached:
            continue  # eval_pass observes it, and knows the line that draws
        _add(subject, replace(probed, modules=names, alpha=alpha))
        other = with_probe_rate(leaf) if leaf.rate in (0, 0.5) and not leaf.is_torch else None
        if other is not None:
            _at_another_rate(subject, other, probed, units, names, alpha)
        typed_leaf = other if other is not None and leaf.rate == 0 else leaf
        if type(leaf.module) not in typed and not leaf.is_torch and typed_leaf.rate > 0:
            typed.add(type(leaf.module))
            subject.log.add(foreign_input(typed_leaf, probed.shape, names))
        if probed.mask is not None:
            row = {"module": leaf.path, "class": leaf.kind, "p": leaf.rate, "modules": len(group)}
            mask = probed.mask
            rates.append(row | {"observed": round(mask.rate, 5), "units": mask.units, "scale": round(mask.scale, 5)})
    subject.log.tables["rates"] = rates


def _configuration(leaf: Leaf) -> tuple[Any, ...]:
    plain = {k: v for k, v in vars(leaf.module).items() if isinstance(v, int | float | str) and k != "training"}
    return (type(leaf.module), leaf.attribute, leaf.rate, tuple(sorted(plain.items())))


def _at_another_rate(
    subject: Subject, other: Leaf, first: ProbedDropout, units: int, names: tuple[str, ...], alpha: float
) -> None:
    """Probe a new module of the same class at PROBE_RATE, where mistakes that 0 or 0.5 hide become visible."""
    try:
        probed = probe(other, [first.shape], subject.device, units, subject.seed)
    except Exception as error:
        subject.log.remark("not checked", f"{other.kind} at a rate of {other.rate:g}: {reason(error)}", names[0])
        return
    _add(subject, replace(probed, modules=names, alpha=alpha, fresh=True))


def _add(subject: Subject, probed: ProbedDropout) -> None:
    """Add the result of a probe, and remarks on what it could not decide."""
    subject.log.add(probed)
    text = _left_open(probed)
    if text:
        subject.log.remark("not checked", f"{probed.class_name}{text}", probed.modules[0])
    if probed.unscaled and probed.drops_whole_parts:
        text = f"{probed.class_name} drops whole paths or tokens and does not scale the rest"
        subject.log.remark("note", text, probed.modules[0])


def _left_open(probed: ProbedDropout) -> str:
    """What a probe cannot decide, "" if it decides rate and scale."""
    if probed.draws_in_eval or probed.moments is not None or probed.splits_samples:
        return ""
    if probed.mask is None:
        return ": nothing was kept, so neither rate nor scale can be read" if 0 < probed.rate < 1 else ""
    if probed.mask.blocks:
        return " drops neighbours together: its rate was not tested, its scale is the block's"
    if not 0 < probed.rate < 1 or probed.mask.constant:
        return ""
    if probed.multiplies_noise:
        return " multiplies noise in, and has no mask to test"
    return ": what is kept is not scaled by one number"
