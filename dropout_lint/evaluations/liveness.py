"""Whether a class of the project computes differently in the two modes."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.evaluations.program import Program
from dropout_lint.facts import FileFacts, Location
from dropout_lint.mode.execution.arguments import Arguments
from dropout_lint.mode.execution.construction import construct
from dropout_lint.mode.execution.interpreter import Interpreter
from dropout_lint.mode.program.contents import below
from dropout_lint.mode.program.definitions import Memory
from dropout_lint.mode.program.machine import ALONE, Exhausted, Overdrawn
from dropout_lint.mode.program.values import Class, Frame, Thing


@dataclass(frozen=True, slots=True)
class Liveness:
    """``yes``: with the defaults of its constructor. ``rate``: for some arguments. ``no``: never. Else ``unknown``."""

    kind: str
    layer: str = ""
    place: Location | None = None


_UNKNOWN = Liveness("unknown")


class Livenesses:
    """Answers by class."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._memory = Memory()
        self._known: dict[tuple[str, str], Liveness] = {}

    def of(self, home: FileFacts, name: str) -> Liveness:
        """Build the class with its defaults, then with unknown arguments."""
        key = (home.path, name)
        if key not in self._known:
            self._known[key] = _UNKNOWN
            self._known[key] = self._find(home, name)
        return self._known[key]

    def _find(self, home: FileFacts, name: str) -> Liveness:
        if self._program.project.classes.is_module(home, f".{name}") is False:
            return Liveness("no")
        sure = True
        for kind, unpacked in (("yes", False), ("rate", True)):
            made = self._build(home, name, unpacked)
            if made is None:
                sure = False
                continue
            parts = below(made)
            of_live = (p.part_of for p in parts if p.live is None and p.part_of is not None and p.part_of.live)
            live = next((p for p in parts if p.live), None) or next(of_live, None)
            if live is not None:
                return Liveness(kind, live.name.rpartition(".")[2], live.place)
            sure = sure and all(p.live is False or (p.live is None and p.opaque) for p in parts)
        return Liveness("no") if sure else _UNKNOWN

    def _build(self, home: FileFacts, name: str, unpacked: bool) -> Thing | None:
        reader = self._program.project.files.flows(home)
        if reader is None:
            return None
        machine = Interpreter(home, project=self._program.project, memory=self._memory)
        machine.top = Frame(home, reader.top)
        machine.budget = ALONE
        place = Location(home.path, reader.top.span)
        try:
            return construct(machine, Class(home, name), Arguments([], {}, unpacked=unpacked), machine.top, place)
        except (Exhausted, Overdrawn, RecursionError):
            return None
