"""The state of one run: modes, names, budgets, and how states join."""

from __future__ import annotations

from dropout_lint.facts import TRAIN, FileFacts, Location, Modes, Term
from dropout_lint.mode.program.contents import either
from dropout_lint.mode.program.definitions import Definitions, Memory
from dropout_lint.mode.program.events import Recorder, joined
from dropout_lint.mode.program.values import Constant, Frame, Thing, Value
from dropout_lint.project.project import Project

BUDGET = 12_000
"""Steps of one run."""
ALONE = 2_500
"""Steps of a run of one function with unknown parameters."""
State = tuple[dict[int, Modes], dict[str, Value]]
"""The modes of all models, and the values of the names of a function."""


class Exhausted(Exception):  # noqa: N818 - the end of a budget, not an error
    """Raised when a run exceeds its budget; its events are dropped."""


class Overdrawn(Exception):  # noqa: N818 - the end of a budget, not an error
    """Raised when a function that touches no model exceeds its budget; its result is unknown."""


class Machine(Recorder):
    """One run from a root.

    The modules of ``execution`` act on it, layered expressions > calls > statements; only ``evaluate`` recurses up.
    """

    top: Frame
    """The top level of the root."""

    def __init__(self, root: FileFacts, project: Project, memory: Memory) -> None:
        super().__init__()
        self.root = root
        self.project = project
        self.definitions = Definitions(project, memory)
        self.steps = 0
        self.budget = BUDGET
        self.allowance: int | None = None
        """The step at which the current function becomes unknown."""
        self.numbers = 0
        self.branches = 0
        """Depth of branches and loops that may be skipped."""
        self.reached: set[tuple[str, str]] = set()
        """Functions that the run entered, by file and name."""
        self.undropped: set[str] = set()
        """Options of the command line with default rate 0: they do not prove an active dropout."""
        self.options: dict[str, str] = {}
        """Options of the command line with their default words."""
        self.unwound: list[list[State]] = []
        """For each loop around, the states at its ``break`` and ``continue``."""
        self.built: dict[tuple[object, ...], tuple[bool | None, str, Location | None]] = {}
        """For a class and the constants passed to its constructor: whether it is live, and the layer that proves it."""

    def evaluate(self, term: Term, frame: Frame) -> Value:
        """Evaluate an expression; record the events that it causes."""
        raise NotImplementedError

    def truth(self, term: Term, frame: Frame) -> bool | None:
        """The truth of a test, None if constants do not decide it."""
        value = self.evaluate(term, frame)
        if isinstance(value, Constant) and value.value != "?":
            return bool(value.value)
        return None

    def count_step(self) -> None:
        """Raises Exhausted or Overdrawn at the end of a budget."""
        self.steps += 1
        if self.steps > self.budget:
            raise Exhausted
        if self.allowance is not None and self.steps > self.allowance:
            raise Overdrawn

    # Objects

    def number(self) -> int:
        """A new number, for an object or a loop."""
        self.numbers += 1
        return self.numbers

    def fresh(self, label: str = "") -> Thing:
        """An unknown object."""
        return Thing(self.number(), label=label)

    def made(
        self, name: str, live: bool | None, place: Location | None, modes: Modes = TRAIN, *, module: bool
    ) -> Thing:
        """An object that a class or function outside of the project gives."""
        thing = Thing(self.number(), name, None, place, module, live)
        self.modes[thing.number] = modes
        return thing

    def part(self, whole: Thing, name: str) -> Thing:
        """A part of a module, or of its attributes, about which nothing else is known."""
        part = self.fresh(name)
        part.part_of = whole
        self.modes[part.number] = self.mode(whole)
        return part

    # States

    def state(self, frame: Frame) -> State:
        """A copy of the state."""
        return dict(self.modes), dict(frame.names)

    def join(self, ends: list[State], frame: Frame) -> None:
        """Continue in the join of several states."""
        if len(ends) == 1:
            self.modes, frame.names = ends[0]
        else:
            self.modes = joined([modes for modes, _ in ends])
            frame.names = _joined_names([names for _, names in ends])


def _joined_names(ends: list[dict[str, Value]]) -> dict[str, Value]:
    joint: dict[str, Value] = {}
    for bound in ends:
        for name, value in bound.items():
            if name in joint:
                continue
            found = [value]
            for names in ends:
                one = names.get(name, value)
                if one is not value and all(one is not f for f in found):
                    found.append(one)
            joint[name] = value if len(found) == 1 else either([v for v in found if not isinstance(v, Constant)])
    return joint
