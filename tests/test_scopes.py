"""Which block binds a name, and what the name stands for."""

from __future__ import annotations

import pytest

from tests.source_helpers import Probed

OWNERS = {
    "a local hides the module's": ("x = 1\ndef f():\n    x = 2\n    probe(x)", "f"),
    "a parameter hides the module's": ("x = 1\ndef f(x):\n    probe(x)", "f"),
    "a closure sees the function around": ("def f(x):\n    def g():\n        probe(x)", "f"),
    "a lambda has parameters of its own": ("x = 1\nf = lambda x: probe(x)", "<lambda>"),
    "a default is evaluated outside": ("x = 1\ndef f(x=probe(x)):\n    pass", "module"),
    "a decorator is evaluated outside": ("x = 1\n@probe(x)\ndef f(x):\n    pass", "module"),
    "a method does not see its class": ("x = 1\nclass A:\n    x = 2\n    def f(self):\n        probe(x)", "module"),
    "a class body sees its own names": ("x = 1\nclass A:\n    x = 2\n    probe(x)", "A"),
    "a class inside a function": ("def f(x):\n    class A:\n        def g(self):\n            probe(x)", "f"),
    "keyword-only parameters": ("x = 1\ndef f(*, x=2):\n    probe(x)", "f"),
    "positional-only parameters": ("x = 1\ndef f(x, /):\n    probe(x)", "f"),
    "further arguments": ("args = 1\ndef f(*args, **kwargs):\n    probe(args)", "f"),
    "a walrus": ("x = 1\ndef f():\n    if (x := 2):\n        probe(x)", "f"),
    "a walrus in a comprehension": ("x = 1\ndef f(xs):\n    [x := y for y in xs]\n    probe(x)", "f"),
    "a loop": ("x = 1\ndef f(xs):\n    for x in xs:\n        probe(x)", "f"),
    "a nested target": ("x = 1\ndef f(xs):\n    for i, (x, *_) in xs:\n        probe(x)", "f"),
    "a starred target": ("x = 1\ndef f(xs):\n    _, *x = xs\n    probe(x)", "f"),
    "with": ("x = 1\ndef f():\n    with open('') as x:\n        probe(x)", "f"),
    "except": ("x = 1\ndef f():\n    try:\n        pass\n    except OSError as x:\n        probe(x)", "f"),
    "an import": ("x = 1\ndef f():\n    import x\n    probe(x)", "f"),
    "a dotted import": ("x = 1\ndef f():\n    import x.y\n    probe(x)", "f"),
    "a name captured by match": ("x = 1\ndef f(y):\n    match y:\n        case {'x': x}:\n            probe(x)", "f"),
    "a starred capture": ("x = 1\ndef f(y):\n    match y:\n        case [_, *x]:\n            probe(x)", "f"),
    "the rest of a mapping": ("x = 1\ndef f(y):\n    match y:\n        case {**x}:\n            probe(x)", "f"),
    "a capture by as": ("x = 1\ndef f(y):\n    match y:\n        case int() as x:\n            probe(x)", "f"),
    "global": ("x = 1\ndef f():\n    global x\n    x = 2\n    probe(x)", "module"),
    "global in a method": (
        "x = 1\nclass A:\n    def f(self):\n        global x\n        x = 2\n        probe(x)",
        "module",
    ),
    "nonlocal": ("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n        probe(x)", "f"),
    "global hides a function around": (
        "x = 1\ndef f(x):\n    def g():\n        global x\n        probe(x)",
        "module",
    ),
    "nonlocal of the outermost function": (
        "def f(x):\n    def g():\n        def h():\n            nonlocal x\n            x = 2\n            probe(x)",
        "f",
    ),
    "a function": ("def f():\n    def x():\n        pass\n    probe(x)", "f"),
    "a class": ("def f():\n    class x:\n        pass\n    probe(x)", "f"),
    "del binds nothing": ("x = 1\ndel x\nprobe(x)", "module"),
    "nothing binds it": ("probe(x)", ""),
    "an attribute binds no name": ("def f(self):\n    self.x = 1\n    probe(x)", ""),
}


@pytest.mark.parametrize("case", OWNERS)
def test_the_block_that_binds_a_name(case: str) -> None:
    text, owner = OWNERS[case]
    assert Probed(text).owners() == [owner]


def test_each_part_of_a_paired_tuple_has_its_value() -> None:
    source = Probed("import torch\na, (b, c) = torch.relu, (torch.tanh, 1)\nprobe(a)\nprobe(b)")
    assert source.names() == ["torch.relu", "torch.tanh"]


def test_a_name_written_by_another_function_has_both_values() -> None:
    text = "import torch\nact = torch.relu\ndef change():\n    global act\n    act = torch.tanh\nprobe(act)"
    assert Probed(text).names() == [""]
    assert Probed(text.replace("    global act\n", "")).names() == ["torch.relu"]


HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"
NAMES = {
    "an alias of an import": (HEAD + "probe(nn.Dropout)", "torch.nn.Dropout"),
    "the long way": (HEAD + "probe(torch.nn.functional.dropout)", "torch.nn.functional.dropout"),
    "a module that re-exports": ("from torch.nn.modules.dropout import Dropout\nprobe(Dropout)", "torch.nn.Dropout"),
    "a variable": (HEAD + "D = nn.Dropout\nprobe(D)", "torch.nn.Dropout"),
    "two variables": (HEAD + "D = nn.Dropout\nE = D\nprobe(E)", "torch.nn.Dropout"),
    "an attribute of the class": (
        HEAD + "class A:\n    def __init__(self):\n        self.d = F.dropout\n    def f(self):\n        probe(self.d)",
        "torch.nn.functional.dropout",
    ),
    "the instance has the name that the method gives it": (
        HEAD + "class A:\n    def __init__(me):\n        me.d = F.dropout\n    def f(this):\n        probe(this.d)",
        "torch.nn.functional.dropout",
    ),
    "a static method has no instance": (
        HEAD + "class A:\n    d = F.dropout\n    @staticmethod\n    def f(x):\n        probe(x.d)",
        "",
    ),
    "a closure that takes another self": (
        HEAD + "class A:\n    d = F.dropout\n    def f(self):\n        return lambda self: probe(self.d)",
        "",
    ),
    "two values of an attribute": (
        HEAD + "class A:\n    def __init__(self, a):\n        self.d = F.dropout if a else 1\n        self.d = F.relu\n"
        "    def f(self):\n        probe(self.d)",
        "",
    ),
    "a class of the file": ("class A:\n    pass\nprobe(A)", ".A"),
    "a method": ("class A:\n    def g(self):\n        pass\n    def f(self):\n        probe(self.g)", ".A.g"),
    "an instance": ("class A:\n    pass\na = A()\nprobe(a)", ".A()"),
    "a nested function": ("def f():\n    def g():\n        pass\n    probe(g)", ".f.g"),
    "a parameter": (HEAD + "def f(nn):\n    probe(nn.Dropout)", ""),
    "a local in the way": (HEAD + "def f():\n    nn = make()\n    probe(nn.Dropout)", ""),
    "a local import": ("def f():\n    from torch import nn\n    probe(nn.Dropout)", "torch.nn.Dropout"),
    "a local look-alike": (
        HEAD + "def f():\n    from flax import linen as nn\n    probe(nn.Dropout)",
        "flax.linen.Dropout",
    ),
    "torch and a look-alike": (
        "try:\n    from torch import nn\nexcept ImportError:\n    from flax import linen as nn\nprobe(nn.Dropout)",
        "",
    ),
    "two values": (HEAD + "D = nn.Dropout\nif x:\n    D = nn.Identity\nprobe(D)", ""),
    "twice the same value": (
        HEAD + "if x:\n    D = nn.Dropout\nelse:\n    D = nn.Dropout\nprobe(D)",
        "torch.nn.Dropout",
    ),
    "a star import": ("from torch.nn import *\nprobe(Dropout)", "torch.nn.Dropout"),
    "a star import of something else": ("from mine import *\nprobe(Dropout)", ""),
    "a star import behind an own class": (
        "from torch.nn import *\nclass Dropout:\n    pass\nprobe(Dropout)",
        ".Dropout",
    ),
    "a star import does not reach parameters": ("from torch.nn import *\ndef f(Dropout):\n    probe(Dropout)", ""),
    "a name bound to itself": ("x = x\nprobe(x)", ""),
    "two names bound to each other": ("x = y\ny = x\nprobe(x)", ""),
    "a subscript": (HEAD + "probe(table[0])", ""),
}


@pytest.mark.parametrize("case", NAMES)
def test_what_a_name_stands_for(case: str) -> None:
    text, name = NAMES[case]
    assert Probed(text).names() == [name]


def test_a_name_that_a_comprehension_binds_too_is_not_proven() -> None:
    """The names of a comprehension are taken for names of the block around it."""
    source = Probed("import torch\nact = torch.relu\nxs = [act for act in acts]\nprobe(act)")
    assert source.names() == [""]


def test_a_read_of_the_instance_is_noted_at_its_class() -> None:
    source = Probed("class A:\n    def f(self, other):\n        probe(self.p, other.drop.p, other.q)\n")
    assert list(source.scopes.module.blocks["A"].reads) == ["p"]
    assert source.scopes.foreign_reads == {"drop"}


def test_a_definition_that_is_passed_over_is_walked_on_demand() -> None:
    scopes = Probed("def f(x):\n    y = x\n").scopes
    closed = type(scopes)(scopes.module.node, scopes.module.imports, ())  # type: ignore[arg-type]
    assert closed.module.blocks == {}
    unfolded = closed.unfold("f")
    assert unfolded is not None
    assert list(unfolded.bindings) == ["y"]
    assert len(closed.module.bindings["f"]) == 1
    assert closed.unfold("g") is None
