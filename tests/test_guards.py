"""Which code runs only in one mode. A test that might depend on the mode counts as one that does."""

from __future__ import annotations

from textwrap import indent

import pytest

from dropout_lint.source.values.guards import is_mode_name
from tests.source_helpers import Probed

CLASS = """\
class Net(nn.Module):
    def __init__(self, flag=False, p=0.1):
        self.flag = flag
        self.p = p
        self.active = self.training

    @property
    def on(self):
        return self.training

    def switch(self, on):
        self.noisy = on

    def forward(self, x, mask=None, use_dropout=False):
{body}
"""


def guarded(body: str) -> bool:
    [found] = Probed(CLASS.format(body=indent(body, " " * 8))).guarded()
    return found


BODIES = {
    # around it
    "if": ("if self.training:\n    probe()", True),
    "else": ("if self.training:\n    pass\nelse:\n    probe()", True),
    "elif": ("if x:\n    pass\nelif self.training:\n    probe()", True),
    "not": ("if not self.training:\n    probe()", True),
    "is": ("if self.training is True:\n    probe()", True),
    "another test": ("if x.ndim > 2:\n    probe()", False),
    "behind the if": ("if self.training:\n    pass\nprobe()", False),
    "in the test itself": ("if probe():\n    pass", False),
    "nested": ("if self.training:\n    if x:\n        for y in x:\n            probe()", True),
    "nested in another test": ("if x:\n    if self.training:\n        probe()", True),
    "while": ("while self.training:\n    probe()", True),
    "with": ("with torch.no_grad():\n    probe()", False),
    "match": ("match self.training:\n    case True:\n        probe()", True),
    "match on a word": ("match mode:\n    case 'train':\n        probe()", True),
    "the guard of a case": ("match x:\n    case [_] if self.training:\n        probe()", True),
    "match on a shape": ("match x.shape:\n    case [_, _]:\n        probe()", False),
    "a word compared": ("if mode == 'train':\n    probe()", True),
    "a conditional expression": ("x = probe() if self.training else x", True),
    "the other side of it": ("x = x if not self.training else probe()", True),
    "the test of it": ("x = x if probe() else self.training", False),
    # and, or
    "and": ("self.training and probe()", True),
    "and, the first": ("probe() and self.training", False),
    "or": ("x = not self.training or probe()", True),
    "a test with and": ("if x is not None and self.training:\n    probe()", True),
    "a test with or": ("if self.training or self.p:\n    probe()", True),
    "and about something else": ("x and probe()", False),
    # exits before it
    "an early return": ("if not self.training:\n    return x\nprobe()", True),
    "an early raise": ("if not self.training:\n    raise ValueError\nprobe()", True),
    "an early continue": ("for y in x:\n    if not self.training:\n        continue\n    probe()", True),
    "an early break": ("for y in x:\n    if not self.training:\n        break\n    probe()", True),
    "an exit in else": ("if self.training:\n    pass\nelse:\n    return x\nprobe()", True),
    "an exit about something else": ("if x is None:\n    return x\nprobe()", False),
    "an exit behind it": ("probe()\nif not self.training:\n    return x", False),
    "an exit before a block": ("if not self.training:\n    return x\nif x:\n    probe()", True),
    "an exit in another block": ("if x:\n    if not self.training:\n        return x\nprobe()", False),
    "no exit": ("if not self.training:\n    x = x + 1\nprobe()", False),
    "an exit before a closure": ("if not self.training:\n    return x\ndef f():\n    probe()\nreturn f()", True),
    # the mode by another name
    "a local": ("on = self.training\nif on:\n    probe()", True),
    "a local of a local": ("on = self.training\nmay = on and x\nif may:\n    probe()", True),
    "a local set under the mode": ("on = False\nif self.training:\n    on = True\nif on:\n    probe()", True),
    "a rate that is zero in eval": ("p = self.p if self.training else 0.0\nif p:\n    probe()", True),
    "a property": ("if self.on:\n    probe()", True),
    "an attribute that holds the mode": ("if self.active:\n    probe()", True),
    "an attribute that a method switches": ("if self.noisy:\n    probe()", True),
    "an option of the constructor": ("if self.flag:\n    probe()", False),
    "a rate": ("if self.p > 0:\n    probe()", False),
    "a flag of the call": ("if use_dropout:\n    probe()", True),
    "an argument of the call": ("if mask:\n    probe()", True),
    "an argument compared with nothing": ("if mask is not None:\n    probe()", False),
    "a name in terms of itself": ("on = on or x\nif on > 0:\n    probe()", False),
    # closures
    "a closure under a test": ("if self.training:\n    def f():\n        probe()\n    f()", True),
    "a lambda under a test": ("if self.training:\n    f = lambda: probe()", True),
    "a test inside a lambda": ("f = lambda: self.training and probe()", True),
    "a comprehension about something else": ("[probe() for y in x if y]", False),
    "what a comprehension runs over": ("[y for y in probe() if self.training]", False),
    "a test inside a comprehension": ("[probe() for y in x if self.training]", True),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_test_of_the_mode_decides(case: str) -> None:
    body, expected = BODIES[case]
    assert guarded(body) is expected


HELPER = """\
def helper(x):
    return probe(x)


class Net(nn.Module):
    def forward(self, x):
{body}
"""
CALLERS = {
    "one that is guarded": ("if self.training:\n    helper(x)", True),
    "one that is not": ("helper(x)", False),
    "all that are guarded": ("if self.training:\n    helper(x)\nself.training and helper(x)", True),
    "one of two": ("if self.training:\n    helper(x)\nhelper(x)", False),
    "none": ("pass", False),
    "handed on as a value": ("if self.training:\n    x.apply(helper)", False),
}


@pytest.mark.parametrize("case", CALLERS)
def test_the_callers_of_a_helper_decide_if_all_of_them_do(case: str) -> None:
    body, expected = CALLERS[case]
    source = Probed(HELPER.format(body=indent(body, " " * 8)))
    assert source.guarded() == [expected]
    assert source.guarded(follow_callers=False) == [False]


def test_callers_of_callers_are_followed() -> None:
    text = HELPER.format(body="        if self.training:\n            outer(x)")
    assert Probed("def outer(x):\n    return helper(x)\n\n" + text).guarded() == [True]


def test_a_helper_that_only_calls_itself_does_not_guard_itself() -> None:
    assert Probed("def helper(x):\n    helper(x)\n    probe(x)").guarded() == [False]


def test_nobody_guards_forward() -> None:
    text = "class Net:\n    def forward(self, x):\n        probe(x)\n    def __call__(self, x):\n"
    assert Probed(text + "        if self.training:\n            self.forward(x)").guarded() == [False]


def test_a_switch_in_the_hand_of_the_caller_counts_only_if_callers_are_followed() -> None:
    source = Probed("def f(x, switch):\n    if switch:\n        probe(x)")
    assert source.guarded() == [True]
    assert source.guarded(follow_callers=False) == [False]


@pytest.mark.parametrize("name", ["dropout", "p", "drop_rate", "attn_drop"])
def test_a_rate_that_is_tested_is_no_switch(name: str) -> None:
    assert Probed(f"def f(x, {name}):\n    if {name}:\n        probe(x)").guarded() == [False]


def test_a_switch_of_a_constructor_is_no_switch_of_the_call() -> None:
    assert Probed("class A:\n    def __init__(self, on):\n        if on:\n            probe()").guarded() == [False]


@pytest.mark.parametrize(
    ("name", "speaks"),
    [
        ("training", True),
        ("isTraining", True),
        ("is_train", True),
        ("do_eval", True),
        ("deterministic", True),
        ("test_mode", True),
        ("constrain", False),
        ("trained", False),
        ("retrieval", False),
        ("x", False),
    ],
)
def test_names_that_speak_of_the_mode(name: str, speaks: bool) -> None:
    assert is_mode_name(name) is speaks
