"""Everything that one file says."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropout_lint.facts.classes import ClassHeader, FunctionSummary, ModelClass
from dropout_lint.facts.layers import LayerGraph
from dropout_lint.facts.masks import MaskSite
from dropout_lint.facts.modes import ModeOutline, ModeOverride, UncalledModeMethod
from dropout_lint.facts.sites import DropoutSite, FlagUse, NarrowDropoutCheck


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Everything that one file says, and nothing that another file could change."""

    path: str
    module: str
    """Dotted name by the packages around the file."""
    imports: dict[str, str] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    headers: dict[str, ClassHeader] = field(default_factory=dict)
    classes: tuple[ModelClass, ...] = ()
    functions: dict[str, FunctionSummary] = field(default_factory=dict)
    sites: tuple[DropoutSite, ...] = ()
    definitions: tuple[tuple[int, int, int], ...] = ()
    """First line (with decorators), ``def`` line and last line of every function and class, where a pragma needs it."""
    is_test: bool = False
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each function of the file, the classes whose methods call it ("" for other callers)."""
    foreign_reads: frozenset[str] = frozenset()
    """Attributes of something else than the instance that are called or looked into."""
    setting_reads: frozenset[str] = frozenset()
    """Settings of layers that the file reads, with the last name of the layer: ``drop.p``, ``rnn.dropout``."""
    flags: tuple[FlagUse, ...] = ()
    graphs: tuple[LayerGraph, ...] = ()
    masks: tuple[MaskSite, ...] = ()
    speaks_of_mode: bool = False
    """Its words may set a mode, evaluate or export."""
    outlines: tuple[ModeOutline, ...] | None = None
    """None where they have not been looked for."""
    overrides: tuple[ModeOverride, ...] = ()
    uncalled: tuple[UncalledModeMethod, ...] = ()
    narrow_checks: tuple[NarrowDropoutCheck, ...] = ()
    defined: frozenset[str] = frozenset()
    """Functions of the top level."""

    @property
    def has_anything(self) -> bool:
        """Whether any check has something to read here."""
        found = (self.sites, self.classes, self.masks, self.flags, self.graphs, self.narrow_checks)
        return self.speaks_of_mode or any(found)

    def of_kind(self, kind: type) -> tuple[object, ...]:
        """The facts of one kind."""
        if kind is ModeOutline:  # one stands for the file, which is judged as a whole
            return (self.outlines or ())[:1] if self.speaks_of_mode else ()
        found: tuple[object, ...] = getattr(self, _FIELDS[kind])
        return found


_FIELDS: dict[type, str] = {
    DropoutSite: "sites",
    FlagUse: "flags",
    LayerGraph: "graphs",
    MaskSite: "masks",
    ModeOutline: "outlines",
    ModeOverride: "overrides",
    ModelClass: "classes",
    NarrowDropoutCheck: "narrow_checks",
    UncalledModeMethod: "uncalled",
}
FACT_KINDS = tuple(_FIELDS)
"""What a check can read: the annotation of its first parameter."""
