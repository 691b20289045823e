"""The state of one run: modes, names, budgets, and how states join."""

from __future__ import annotations

from dropout_lint.facts import TRAIN, FileFacts, Location, Modes, Term
from dropout_lint.mode.program.contents import either
from dropout_lint.mode.program.definitions import Definitions, Memory
from dropout_lint.mode.program.events import Recorder, joined
from dropout_lint.mode.program.values import Constant, Frame, Function, Thing, Value
from dropout_lint.project.project import Project

BUDGET = 12_000
"""The most steps of a run of a file."""
ALONE = 2_500
"""The most steps of a run of one function with unknown parameters."""
State = tuple[dict[int, Modes], dict[str, Value]]
"""The modes of all models, and the values of the names in a function."""


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
        """The step at which the function being sketched stops; None outside of sketches."""
        self.numbers = 0
        self.branches = 0
        """How many branches and loops, which may be skipped, contain the current statement."""
        self.reached: set[tuple[str, str]] = set()
        """Functions that the run entered, by file and name."""
        self.undropped: set[str] = set()
        """Command line options with default 0: as a rate, they do not prove that a dropout is active."""
        self.declared: set[str] = set()
        """All command line options."""
        self.options: dict[str, str] = {}
        """Command line options with a string as default, and that string."""
        self.current: Frame | None = None
        """The function that is executed; None at the top level."""
        self.assigned: dict[tuple[str, str], Value | None] = {}
        """What files assign at their top level, by file and name."""
        self.modules: dict[tuple[str, str], FileFacts | None] = {}
        """The files of modules, by the file that imports them and their dotted name."""
        self.unwound: list[list[State]] = []
        """For each loop around, the states at its ``break`` and ``continue`` statements."""
        self.built: dict[tuple[object, ...], tuple[bool | None, str, Location | None]] = {}
        """Modules built so far, by class and constants: whether they are live, and the live layer that proves it."""

    def evaluate(self, term: Term, frame: Frame) -> Value:
        """Evaluate an expression; record the events that it causes."""
        raise NotImplementedError

    def call_property(self, getter: Function, place: Location) -> Value:
        """Execute the getter of a property, in the function that is executed."""
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

    def next_number(self) -> int:
        """Take the next number, for an object or a loop."""
        self.numbers += 1
        return self.numbers

    def make_unknown(self, label: str = "") -> Thing:
        """Make an object about which nothing is known."""
        return Thing(self.next_number(), label=label)

    def make_object(
        self, name: str, live: bool | None, place: Location | None, modes: Modes = TRAIN, *, module: bool
    ) -> Thing:
        """Make an object of a library, in the given modes."""
        thing = Thing(self.next_number(), name, None, place, module, live)
        self.modes[thing.number] = modes
        return thing

    def make_part(self, whole: Thing, name: str) -> Thing:
        """Make a part of an object about which nothing else is known. It has the modes of the whole."""
        part = self.make_unknown(name)
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
