"""All facts of one file."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropout_lint.facts.classes import ClassHeader, FunctionSummary, ModelClass
from dropout_lint.facts.doubts import NO_DOUBTS, Doubts
from dropout_lint.facts.layers import LayerGraph
from dropout_lint.facts.masks import MaskSite
from dropout_lint.facts.mode_runs import ModeRun
from dropout_lint.facts.modes import ModeOutline, ModeOverride, UncalledModeMethod
from dropout_lint.facts.sites import DropoutSite, FlagUse, NarrowDropoutCheck


@dataclass(frozen=True, slots=True)
class FileFacts:
    """All facts of one file. They depend on no other file."""

    path: str
    module: str
    """Dotted name, from the packages around the file."""
    imports: dict[str, str] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    headers: dict[str, ClassHeader] = field(default_factory=dict)
    classes: tuple[ModelClass, ...] = ()
    functions: dict[str, FunctionSummary] = field(default_factory=dict)
    sites: tuple[DropoutSite, ...] = ()
    definitions: tuple[tuple[int, int, int], ...] = ()
    """If the file has a pragma, three lines of each definition: the first with decorators, the ``def``, the last."""
    is_test: bool = False
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each function of the file, the classes whose methods call it ("" for other callers)."""
    foreign_reads: frozenset[str] = frozenset()
    """Attributes of other objects than ``self`` whose value is called or whose attributes are read."""
    setting_reads: frozenset[str] = frozenset()
    """Settings of layers that the file reads, by the last name of the layer: ``drop.p``, ``rnn.dropout``."""
    flags: tuple[FlagUse, ...] = ()
    graphs: tuple[LayerGraph, ...] = ()
    masks: tuple[MaskSite, ...] = ()
    speaks_of_mode: bool = False
    """Words in it suggest that it sets a mode, evaluates or exports."""
    drives: bool = False
    """It is a program without such words, which may run the models of other files."""
    outlines: tuple[ModeOutline, ...] | None = None
    """None if they were not collected."""
    overrides: tuple[ModeOverride, ...] = ()
    uncalled: tuple[UncalledModeMethod, ...] = ()
    narrow_checks: tuple[NarrowDropoutCheck, ...] = ()
    gated: dict[str, bool] = field(default_factory=dict)
    """Whether each call of each instance stands under a test of the mode, for the classes that the file builds."""
    doubts: Doubts = NO_DOUBTS
    defined: frozenset[str] = frozenset()
    """Functions of the top level."""

    @property
    def has_anything(self) -> bool:
        """True if there is a fact for some check."""
        found = (self.sites, self.classes, self.masks, self.flags, self.graphs, self.narrow_checks)
        return self.speaks_of_mode or self.drives or any(found)

    def of_kind(self, kind: type) -> tuple[object, ...]:
        """The facts of one kind. A ModeRun takes several files, so there are none."""
        if kind not in _FIELDS:
            return ()
        found: tuple[object, ...] = getattr(self, _FIELDS[kind])
        return found


_FIELDS: dict[type, str] = {
    DropoutSite: "sites",
    FlagUse: "flags",
    LayerGraph: "graphs",
    MaskSite: "masks",
    ModeOverride: "overrides",
    ModelClass: "classes",
    NarrowDropoutCheck: "narrow_checks",
    UncalledModeMethod: "uncalled",
}
FACT_KINDS = (*_FIELDS, ModeRun)
"""What a check can read: the annotation of its first parameter."""
