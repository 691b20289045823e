"""Programs and their parts: the text of a small model around one mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from textwrap import indent

_ROLE = re.compile(r"\$(\w+)")

HEADER = """\
import contextlib
import functools
import types

import torch
import torch.nn.functional as F
from torch import nn
"""
SUPPORT = """\
P = 0.5
BOX = {"p": 0.5}


@contextlib.contextmanager
def given(value):
    yield value


class Fake:
    Dropout = ReLU = Tanh = LSTM = Identity = lambda *a, **k: (lambda x, *b: x * 3)
    dropout = dropout2d = relu = tanh = rand = staticmethod(lambda x, *a: x * 3)
    scaled_dot_product_attention = staticmethod(lambda q, k, v, m=None, dropout_p=0.1: q * 3 + dropout_p)
"""
CLASS = """\
class M($base):
$body
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.p = 0.5
        self.cfg = types.SimpleNamespace(p=0.5)
        self.table = {"p": 0.5}
        self.count = 0
$init
        self.ready = True

    def forward(self, x$parameters):
$forward
        return x
$methods
"""


@dataclass(frozen=True)
class Rate:
    """How a rate is written: an expression, the statements before it, and what may be changed about it."""

    name: str
    code: str
    setup: str = ""
    init: str = ""
    variable: str = ""
    """The name that a hazard may bind again."""
    box: str = ""
    """The object that a hazard may change."""
    kind: str = ""
    """Of the box: list, dict, object."""
    body: str = ""
    module: str = ""


@dataclass(frozen=True)
class Mistake:
    """A mistake: statements that bind ``x`` anew, with lines ``@before``, ``@between`` and ``@after`` for hazards."""

    code: str
    name: str
    run: str
    init: str = ""
    imports: str = ""
    body: str = ""
    methods: str = ""
    module: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    """What hazards may attack: alias, layer, net, rnn, value."""


@dataclass(frozen=True)
class Hazard:
    """Code at one slot of a program. It needs the roles that its text names, as ``$rate``."""

    name: str
    slot: str
    """before, between or after the mistake; or init, body, methods, module, tail, imports, user."""
    text: str
    kind: str = ""
    """The kind of box that it is for; "" for any."""

    @property
    def needs(self) -> set[str]:
        """The roles in its text."""
        return set(_ROLE.findall(self.text))


@dataclass(frozen=True)
class Draft:
    """The parts of a program while it is made."""

    forward: str
    base: str = "nn.Module"
    parameters: str = ""
    imports: str = ""
    module: str = ""
    body: str = ""
    init: str = ""
    methods: str = ""
    tail: str = ""
    user: str = ""

    def with_part(self, slot: str, text: str) -> Draft:
        """The same with more at one slot."""
        return replace(self, **{slot: "\n".join(part for part in (getattr(self, slot), text) if part)})


@dataclass(frozen=True)
class Program:
    """A module with a model ``M``, and perhaps another file ``user.py`` with a function ``use(net, x)``."""

    number: int
    label: str
    text: str
    user: str = ""


def filled(text: str, roles: Mapping[str, str]) -> str:
    """A text with its roles replaced."""
    return _ROLE.sub(lambda m: roles.get(m.group(1), m.group()), text)


def at_slot(run: str, slot: str, text: str) -> str:
    """The statements of a mistake with a hazard at a slot, which stays open for the next one."""
    lines = []
    for line in run.splitlines():
        if line.strip() == f"@{slot}":
            lines.append(indent(text, line[: len(line) - len(line.lstrip())]))
        lines.append(line)
    return "\n".join(lines)


def without_slots(run: str) -> str:
    """The statements of a mistake, without the slots that are left."""
    return "\n".join(line for line in run.splitlines() if not line.strip().startswith("@"))


def written(draft: Draft) -> str:
    """The text of a program."""
    parts = {
        "base": draft.base,
        "parameters": draft.parameters,
        "body": _inside(draft.body, 4),
        "init": _inside(draft.init, 8),
        "forward": _inside(without_slots(draft.forward), 8),
        "methods": "\n" + _inside(draft.methods, 4) if draft.methods else "",
    }
    own = _ROLE.sub(lambda m: parts[m.group(1)], CLASS)
    blocks = [HEADER + draft.imports, SUPPORT, draft.module, own, draft.tail]
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"


def _inside(text: str, blanks: int) -> str:
    return indent(text, " " * blanks)
