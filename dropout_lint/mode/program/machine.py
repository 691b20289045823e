"""The abstract machine: the state of one run, in which expressions and statements meet."""

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
"""Steps of a run of one function, about whose parameters nothing is known."""
State = tuple[dict[int, Modes], dict[str, Value]]
"""The modes of all models, and what the names of a function stand for."""


class Exhausted(Exception):  # noqa: N818 - the end of a budget, not an error
    """The program is longer than the budget; what was seen so far proves nothing about the rest."""


class Overdrawn(Exception):  # noqa: N818 - the end of a budget, not an error
    """A function without any model takes too long: it counts as unknown."""


class Machine(Recorder):
    """One run from a root. What the parts of a program do to it is in the modules named after them.

    They call one another downwards, from expressions over calls to statements; ``evaluate`` is the way back up.
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
        """The step at which the function under way counts as unknown."""
        self.numbers = 0
        self.branches = 0
        """Branches and loops under way that may be passed by."""
        self.reached: set[tuple[str, str]] = set()
        """Functions that the run entered, by file and name."""
        self.undropped: set[str] = set()
        """Rates of the command line that are 0 unless they are given, so that no dropout is proven by them."""
        self.options: dict[str, str] = {}
        """Words that options of the command line stand for unless they are given."""
        self.unwound: list[list[State]] = []
        """For each loop under way, the states at its ``break`` and ``continue``."""
        self.built: dict[tuple[object, ...], tuple[bool | None, str, Location | None]] = {}
        """For a class and the constants given to its constructor: whether the mode matters, and which layer says so."""

    def evaluate(self, term: Term, frame: Frame) -> Value:
        """What an expression stands for; events that it causes are recorded."""
        raise NotImplementedError

    def truth(self, term: Term, frame: Frame) -> bool | None:
        """Whether a test holds, where constants decide it."""
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
        """A number that nothing else in the run has."""
        self.numbers += 1
        return self.numbers

    def fresh(self, label: str = "") -> Thing:
        """An object about which nothing is known."""
        return Thing(self.number(), label=label)

    def made(self, name: str, module: bool, live: bool | None, place: Location | None, modes: Modes = TRAIN) -> Thing:
        """What a class or function outside of the project gives."""
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
        """Go on in the state after one of several paths."""
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
