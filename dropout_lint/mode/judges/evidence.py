"""What a run proves, as plain data for the checks."""

from __future__ import annotations

from dataclasses import dataclass, field

from dropout_lint.diagnostic import Related, Span
from dropout_lint.mode.judges.naming import layer, names, spelt
from dropout_lint.mode.program.values import Frame, Place, Thing


@dataclass(frozen=True, slots=True)
class Evidence:
    """One proven mistake: where to report it, the path that proves it, and where a statement would mend it."""

    code: str
    path: str
    span: Span
    subject: str
    """What the model is called there, "" if it has no name."""
    detail: str = ""
    """What is live: the layer that proves that the mode matters."""
    names: frozenset[str] = frozenset()
    """Functions and classes on the path, for the names that declare intent."""
    related: tuple[Related, ...] = ()
    insert: Span | None = None
    """The statement before which a mode call belongs."""
    receiver: str = ""
    """How the model is spelt there."""
    extra: str = ""


def at(
    code: str,
    place: Place,
    frame: Frame,
    thing: Thing,
    live: Thing | None,
    related: tuple[Related, ...] = (),
    insert: Span | None = None,
    extra: str = "",
) -> Evidence:
    """A mistake about a model at a place of a function; ``live`` is the layer that proves it, if there is one."""
    receiver = spelt(frame, thing)
    shown = layer(live) if live is not None else ""
    return Evidence(
        code, place.path, place.span, receiver or thing.label, shown, names(frame), related, insert, receiver, extra
    )


@dataclass(slots=True)
class Findings:
    """The evidence of a project, by file."""

    by_file: dict[str, list[Evidence]] = field(default_factory=dict)
    seen: set[tuple[str, str, Span]] = field(default_factory=set)

    def add(self, found: Evidence) -> None:
        """Keep the first evidence for a place."""
        key = (found.code, found.path, found.span)
        if key not in self.seen:
            self.seen.add(key)
            self.by_file.setdefault(found.path, []).append(found)
