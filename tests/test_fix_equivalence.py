"""Fixes keep what they promise: the model is built and run before and after each of them.

Every form is the body of one small network. A safe fix keeps parameters, keys and, bit for bit, what training computes
(or ends the crash of the original); after it, evaluation is the function without dropout.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropout_lint.diagnostic import Applicability, Diagnostic
from dropout_lint.fixing.fixer import FixOutcome
from tests.linting import fix, lint_text

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

SKELETON = """\
import torch
{imports}
from torch import nn


class Net(nn.Module):
    def __init__(self, width=8, p=0.5):
        super().__init__()
        self.p = p
        self.extra = 0.25
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
{init}

    def forward(self, x):
        x = torch.relu(self.hidden(x))
{forward}
        return self.out(x)

    def plain(self, x):
        x = torch.relu(self.hidden(x))
{plain}
        return self.out(x)
"""
FUNCTIONAL = "import torch.nn.functional as F"


@dataclass(frozen=True)
class Form:
    """One way to make a mistake. ``before``: what the original does in training, the same as the fixed one or not."""

    name: str
    code: str
    forward: str
    init: str = ""
    imports: str = FUNCTIONAL
    plain: str = ""
    before: str = "same"
    unsafe: bool = False

    @property
    def source(self) -> str:
        parts = {"init": self.init, "forward": self.forward, "plain": self.plain}
        return SKELETON.format(imports=self.imports, **{k: _indented(v) for k, v in parts.items()})


def _indented(text: str) -> str:
    return "\n".join(" " * 8 + line if line else "" for line in text.splitlines())


def form(name: str, code: str, forward: str, **more: Any) -> Form:
    return Form(name, code, forward, **more)


ATTEND = "x = F.scaled_dot_product_attention(x, x, x)"
MASKED = "if self.training:\n    {}\n    x = x * mask / (1 - self.p)"
SAFE = [
    # 101: the default training=True
    form("bare", "DRP101", "x = F.dropout(x)"),
    form("positional", "DRP101", "x = F.dropout(x, 0.3)"),
    form("keyword", "DRP101", "x = F.dropout(x, p=self.p)"),
    form("keywords only", "DRP101", "x = F.dropout(p=self.p, input=x)"),
    form("in place", "DRP101", "x = F.dropout(x + 0, self.p, inplace=True)"),
    form("alias", "DRP101", "x = tf.dropout(x, self.p)", imports="from torch.nn import functional as tf"),
    form("bare name", "DRP101", "x = drop(x, self.p)", imports="from torch.nn.functional import dropout as drop"),
    form("full name", "DRP101", "x = torch.nn.functional.dropout(x, self.p)", imports=""),
    form("through nn", "DRP101", "x = nn.functional.dropout(x, self.p)", imports=""),
    form("import in the method", "DRP101", "import torch.nn.functional as G\nx = G.dropout(x, self.p)", imports=""),
    form("torch.dropout", "DRP101", "x = torch.dropout(x, self.p, True)"),
    form("torch.dropout by keyword", "DRP101", "x = torch.dropout(x, p=self.p, train=True)"),
    form("several lines", "DRP101", "x = F.dropout(\n    x,\n    p=self.p,\n)"),
    form("several lines, no last comma", "DRP101", "x = F.dropout(x,\n              p=self.p\n              )"),
    form(
        "comments",
        "DRP101",
        "x = F.dropout(  # ), (\n    x,  # the input)\n    p=self.p  # the rate\n    # and more)\n)",
    ),
    form("trailing comma", "DRP101", "x = F.dropout(x, self.p,)"),
    form("parenthesised rate", "DRP101", "x = F.dropout(x, (self.p))"),
    form("parenthesised keyword", "DRP101", "x = F.dropout(x, p=((self.p)))"),
    form("parentheses over lines", "DRP101", "x = F.dropout(x, (\n    self.p  # )\n    ),  # ((\n)"),
    form("parenthesised input", "DRP101", "x = F.dropout((x))"),
    form("expression", "DRP101", "x = F.dropout(x, 1 - (self.p + self.extra))"),
    form("conditional expression", "DRP101", "x = F.dropout(x, p=self.p if self.p > 0.1 else 0.2)"),
    form("backslashes", "DRP101", "x = F.dropout(x, \\\n    self.p \\\n    )"),
    form("nested calls", "DRP101", "x = F.dropout(F.dropout(x, 0.3), p=0.2)"),
    form("twice on a line", "DRP101", "x = F.dropout(x, 0.3); x = F.dropout(x, p=self.p)"),
    form("in an expression", "DRP101", "x = x + F.dropout(x, self.p) * 2", plain="x = x + x * 2"),
    form(
        "in a call",
        "DRP101",
        "x = torch.tanh(F.dropout(x, self.p)) - torch.tanh(x)",
        plain="x = torch.tanh(x) - torch.tanh(x)",
    ),
    form("comprehension", "DRP101", "x = sum([F.dropout(part, 0.4) for part in (x, x)])", plain="x = x + x"),
    form("nested function", "DRP101", "def noisy(y):\n    return F.dropout(y, self.p)\n\nx = noisy(x)"),
    form("lambda", "DRP101", "noisy = lambda y: F.dropout(y, self.p)\nx = noisy(x)"),
    form("loop", "DRP101", "for rate in (0.1, 0.2):\n    x = F.dropout(x, rate)"),
    form("other name of self", "DRP101", "def inner(this=self):\n    return F.dropout(x, this.p)\n\nx = inner()"),
    form("walrus", "DRP101", "x = F.dropout(y := x, self.p) + 0 * y"),
    form("a string before it", "DRP101", 'x = (len("é𝄞#)") and F.dropout(x, self.p))  # é'),
    form("alone in a tuple", "DRP101", "x, = F.dropout(x, self.p),"),
    form(
        "partial",
        "DRP101",
        "x = self.drop(x)",
        init="self.drop = partial(F.dropout, p=p)",
        imports=f"{FUNCTIONAL}\nfrom functools import partial",
    ),
    form("channels", "DRP101", "x = F.dropout1d(x[None], self.p)[0]"),
    # 102: attention
    form("attention", "DRP102", "x = F.scaled_dot_product_attention(x, x, x, dropout_p=self.p)", plain=ATTEND),
    form("attention by position", "DRP102", "x = F.scaled_dot_product_attention(x, x, x, None, 0.2)", plain=ATTEND),
    form(
        "attention, sum",
        "DRP102",
        "x = F.scaled_dot_product_attention(x, x, x, dropout_p=self.p / 2 + 0.1)",
        plain=ATTEND,
    ),
    form(
        "attention, parenthesised",
        "DRP102",
        "x = F.scaled_dot_product_attention(x, x, x, None, (self.p))",
        plain=ATTEND,
    ),
    form(
        "attention, choice",
        "DRP102",
        "x = F.scaled_dot_product_attention(x, x, x, None, 0.1 if self.p > 1 else 0.3)",
        plain=ATTEND,
    ),
    form(
        "attention over lines",
        "DRP102",
        "x = F.scaled_dot_product_attention(\n    x, x, x,  # q, k, v\n    dropout_p=self.p\n    / 2,  # half\n)",
        plain=ATTEND,
    ),
    form(
        "attention, sum over lines with a comment",
        "DRP102",
        "x = F.scaled_dot_product_attention(x, x, x, dropout_p=self.p  # one\n    * self.extra)  # two",
        plain=ATTEND,
    ),
    form(
        "attention, alias",
        "DRP102",
        "x = sdpa(x, x, x, dropout_p=self.drop.p)",
        imports="from torch.nn.functional import scaled_dot_product_attention as sdpa",
        init="self.drop = nn.Dropout(0.2)",
        plain="x = sdpa(x, x, x)",
    ),
    form(
        "attention, nested function",
        "DRP102",
        "def attend(q):\n    return F.scaled_dot_product_attention(q, x, x, dropout_p=self.p)\n\nx = attend(x)",
        plain=ATTEND,
    ),
    form(
        "attention, lambda in the rate",
        "DRP102",
        "x = F.scaled_dot_product_attention(x, x, x, dropout_p=(lambda: 0.3)())",
        plain=ATTEND,
    ),
    # 103: built in forward
    form("built", "DRP103", "x = nn.Dropout(0.3)(x)"),
    form("built with the default", "DRP103", "x = nn.Dropout()(x)"),
    form("built by keyword", "DRP103", "x = nn.Dropout(p=self.p)(x)"),
    form("built in place", "DRP103", "y = x + 0\nnn.Dropout(self.p, inplace=True)(y)\nx = y"),
    form(
        "built in place by position",
        "DRP103",
        "y = x + 0\nz = nn.Dropout(self.p, True)(y)\nx = y + z",
        plain="x = x + x",
    ),
    form("built alpha", "DRP103", "x = nn.AlphaDropout(0.2)(x)"),
    form(
        "built alpha in place", "DRP103", "y = x + 0\nz = nn.AlphaDropout(0.2, True)(y)\nx = y + z", plain="x = x + x"
    ),
    form("built feature alpha", "DRP103", "x = nn.FeatureAlphaDropout(0.2)(x)"),
    form("built 1d", "DRP103", "x = nn.Dropout1d(0.2)(x[None])[0]"),
    form("built 2d", "DRP103", "x = nn.Dropout2d(0.2)(x[None, :, :, None])[0, :, :, 0]"),
    form("built 3d", "DRP103", "x = nn.Dropout3d(0.2)(x[None, :, :, None, None])[0, :, :, 0, 0]"),
    form("built and named", "DRP103", "drop = nn.Dropout(self.p)\nx = drop(x) + drop(x)", plain="x = x + x"),
    form("built, named, twice nested", "DRP103", "drop = nn.Dropout(self.p)\nx = drop(drop(x))"),
    form("built, import needed", "DRP103", "x = nn.Dropout(self.p)(x)", imports=""),
    form("built, alias", "DRP103", "x = Drop(self.p)(x)", imports="from torch.nn import Dropout as Drop"),
    form("built, nested", "DRP103", "x = nn.Dropout(0.2)(nn.Dropout(0.3)(x))"),
    form("built over lines", "DRP103", "x = nn.Dropout(\n    p=self.p,\n)(\n    x\n)"),
    form("built in an expression", "DRP103", "x = x + (nn.Dropout(self.p)(x - 1)) * 2", plain="x = x + (x - 1) * 2"),
    form("built in a nested function", "DRP103", "def noisy(y):\n    return nn.Dropout(self.p)(y)\n\nx = noisy(x)"),
    form("built in a loop", "DRP103", "for rate in (0.1, 0.2):\n    drop = nn.Dropout(rate)\n    x = drop(x)"),
    form("built on a walrus", "DRP103", "x = nn.Dropout(self.p)(y := x) + 0 * y"),
    form(
        "built in a comprehension", "DRP103", "x = sum([nn.Dropout(0.4)(part) for part in (x, x)])", plain="x = x + x"
    ),
    # 107: self.train
    form("flag", "DRP107", "if self.train:\n    x = F.dropout(x, self.p)"),
    form("flag in an expression", "DRP107", "x = F.dropout(x, self.p) if self.train else x"),
    form("flag negated", "DRP107", "if not self.train:\n    return self.out(x)\nx = F.dropout(x, self.p)"),
    form(
        "flag and more", "DRP107", "if (self.p > 0\n        and self.train):  # only then\n    x = F.dropout(x, self.p)"
    ),
    form(
        "flag in a nested function",
        "DRP107",
        "def noisy(y):\n    return F.dropout(y) if self.train else y\n\nx = noisy(x)",
    ),
    form("flag over lines", "DRP107", "if (self\n        .train):\n    x = F.dropout(x, self.p)"),
    # 316: in place behind an activation that keeps its output
    form(
        "after relu",
        "DRP316",
        "x = F.dropout(F.relu(x), self.p, self.training, inplace=True)",
        plain="x = F.relu(x)",
        before="crash",
    ),
    form(
        "after softmax",
        "DRP316",
        "x = F.dropout(x.softmax(-1), self.p, self.training, True)",
        plain="x = x.softmax(-1)",
        before="crash",
    ),
    form(
        "sequential",
        "DRP316",
        "x = self.net(x)",
        init="self.net = nn.Sequential(nn.Linear(8, 8), nn.Sigmoid(), nn.Dropout(inplace=True, p=p))",
        plain="self.net.eval()\nx = self.net(x)",
        before="crash",
    ),
    form(
        "sequential, only argument",
        "DRP316",
        "x = self.net(x)",
        init="self.net = nn.Sequential(\n    nn.Linear(8, 8),\n    nn.Tanh(),\n    nn.Dropout(inplace=True,),\n)",
        plain="self.net.eval()\nx = self.net(x)",
        before="crash",
    ),
    form(
        "attribute",
        "DRP316",
        "x = self.drop(torch.sigmoid(x))",
        init="self.drop = nn.Dropout((p), (True))",
        plain="x = torch.sigmoid(x)",
        before="crash",
    ),
    form(
        "attribute over lines",
        "DRP316",
        "x = self.drop(torch.sigmoid(x))",
        init="self.drop = nn.Dropout(\n    p,  # the rate\n    inplace=True,  # saves memory\n)",
        plain="x = torch.sigmoid(x)",
        before="crash",
    ),
    form(
        "attribute, comment in front",
        "DRP316",
        "x = self.drop(torch.sigmoid(x))",
        init="self.drop = nn.Dropout(p,  # the rate\n                       inplace=True)",
        plain="x = torch.sigmoid(x)",
        before="crash",
    ),
    # 404: the mode in the place of another argument
    form("mode as inplace", "DRP404", "x = self.drop(x + 0)", init="self.drop = nn.Dropout(p, self.training)"),
    form(
        "mode as inplace, parenthesised",
        "DRP404",
        "x = self.drop(x + 0)",
        init="self.drop = nn.Dropout((p), (self.training))",
    ),
    form(
        "mode as inplace over lines",
        "DRP404",
        "x = self.drop(x + 0)",
        init="self.drop = nn.Dropout(\n    p,\n    self.training,\n)",
    ),
    form(
        "mode as inplace, comment",
        "DRP404",
        "x = self.drop(x + 0)",
        init="self.drop = nn.Dropout(\n    p,  # rate\n    self.training,  # mode\n)",
    ),
    form(
        "mode as inplace, trailing comma",
        "DRP404",
        "x = self.drop(x + 0)",
        init="self.drop = nn.Dropout(p, self.training,)",
    ),
    # 406: one layer
    form(
        "one layer",
        "DRP406",
        "x = self.rnn(x)[0]",
        init="self.rnn = nn.LSTM(8, 8, dropout=0.5)",
        plain="x = self.rnn(x)[0]",
    ),
    form(
        "one layer, first",
        "DRP406",
        "x = self.rnn(x)[0]",
        init="self.rnn = nn.GRU(dropout=0.5, input_size=8, hidden_size=8)",
        plain="x = self.rnn(x)[0]",
    ),
    form(
        "one layer, alias",
        "DRP406",
        "x = self.rnn(x)[0]",
        imports="from torch.nn import RNN as R",
        init="self.rnn = R(8, (8), 1, dropout=(0.5))",
        plain="x = self.rnn(x)[0]",
    ),
    form(
        "one layer over lines",
        "DRP406",
        "x = self.rnn(x)[0]",
        init="self.rnn = nn.LSTM(\n    8,\n    8,  # hidden\n    dropout=0.5,  # dropped\n    batch_first=True,\n)",
        plain="x = self.rnn(x)[0]",
    ),
    form(
        "one layer over lines, middle",
        "DRP406",
        "x = self.rnn(x)[0]",
        init="self.rnn = nn.LSTM(8, 8,  # sizes\n                   dropout=0.5, batch_first=True)",
        plain="x = self.rnn(x)[0]",
    ),
    form(
        "one layer by position",
        "DRP406",
        "x = self.rnn(x)[0]",
        init="self.rnn = nn.LSTM(8, 8, 1, True, True, 0.5)  # dropout",
        plain="x = self.rnn(x)[0]",
    ),
    form(
        "one layer by position, more behind",
        "DRP406",
        "x = self.rnn(x)[0][..., :8]",
        init="self.rnn = nn.LSTM(8, 8, 1, True, True, 0.5, True)  # dropout",
        plain="x = self.rnn(x)[0][..., :8]",
    ),
    # 506: the device of the mask
    form("mask", "DRP506", MASKED.format("mask = torch.rand(x.shape) > self.p")),
    form("mask, size", "DRP506", MASKED.format("mask = torch.rand(x.size()) > self.p")),
    form("mask over lines", "DRP506", MASKED.format("mask = torch.rand(\n        x.shape,  # all\n    ) > self.p")),
    form("mask, dtype", "DRP506", MASKED.format("mask = torch.rand(x.shape, dtype=torch.float32) > self.p")),
    form("mask, sizes", "DRP506", MASKED.format("mask = torch.rand(x.shape[0], x.shape[1]) > self.p")),
    form("mask, bernoulli", "DRP506", MASKED.format("mask = torch.bernoulli(torch.ones(x.shape) * (1 - self.p))")),
]
UNSAFE = [
    form("mode as rate", "DRP404", "x = F.dropout(x, self.training)"),
    form("mode as rate, parenthesised", "DRP404", "x = F.dropout(x, (self.training))"),
    form("mode as rate, in place", "DRP404", "x = F.dropout(x + 0, self.training, inplace=True)"),
    form(
        "mode as rate over lines",
        "DRP404",
        "x = F.dropout(\n    x,  # it\n    self.training,  # mode\n)",
    ),
    form(
        "mode as rate, alias",
        "DRP404",
        "x = drop(x, self.training)",
        imports="from torch.nn.functional import dropout as drop",
    ),
    form("zero", "DRP405", "x = self.drop(x)", init="self.drop = nn.Dropout(p=0.0)"),
    form(
        "list",
        "DRP104",
        "for drop in self.drops:\n    x = drop(x)",
        init="self.drops = [nn.Dropout(p) for _ in range(2)]",
    ),
    form(
        "list over lines",
        "DRP104",
        "x = self.drops[0](x)",
        init="self.drops = [\n    nn.Dropout(p),  # one\n    nn.Dropout(p),\n]",
    ),
    form(
        "tuple",
        "DRP104",
        "for drop in self.drops:\n    x = drop(x)",
        init="self.drops = (nn.Dropout(p), nn.Dropout(p))",
    ),
    form(
        "tuple without parentheses",
        "DRP104",
        "for drop in self.drops:\n    x = drop(x)",
        init="self.drops = nn.Dropout(p), nn.Dropout(p)",
    ),
    form("dict", "DRP104", 'x = self.drops["a"](x)', init='self.drops = {"a": nn.Dropout(p)}'),
    form(
        "dict comprehension",
        "DRP104",
        "x = self.drops['a'](x)",
        init="self.drops = {f'{k}': nn.Dropout(p) for k in 'ab'}",
    ),
    form("list, parenthesised", "DRP104", "x = self.drops[0](x)", init="self.drops = ([nn.Dropout(p)])"),
    form("literal True", "DRP105", "x = F.dropout(x, self.p, training=True)"),
    form("literal True by position", "DRP105", "x = F.dropout(x, self.p, (True), False)"),
    form(
        "partial with the mode",
        "DRP106",
        "x = self.drop(x)",
        init="self.drop = partial(F.dropout, p=p, training=self.training)",
        imports=f"{FUNCTIONAL}\nfrom functools import partial",
    ),
    form(
        "partial, first",
        "DRP106",
        "x = self.drop(x, )",
        init="self.drop = partial(F.dropout, training=self.training, p=p,)",
        imports=f"{FUNCTIONAL}\nfrom functools import partial",
    ),
    form(
        "partial over lines",
        "DRP106",
        "x = self.drop(\n    x,  # it\n)",
        init="self.drop = partial(\n    F.dropout,  # f\n    training=self.training,  # mode\n)",
        imports=f"{FUNCTIONAL}\nfrom functools import partial",
    ),
    form("copy", "DRP106", "x = F.dropout(x, self.p, training=self.noisy)", init="self.noisy = self.training"),
    form("rate by mode", "DRP106", "x = self.drop(x)", init="self.drop = nn.Dropout(p if self.training else 0)"),
    form("alpha", "DRP108", "x = F.alpha_dropout(x, (self.p))"),
    form("alpha over lines", "DRP108", "x = F.alpha_dropout(\n    x,  # it)\n    p=self.p,  # rate\n)"),
    form("alpha False", "DRP108", "x = F.alpha_dropout(x, self.p, (False))"),
    form("feature alpha", "DRP108", "x = F.feature_alpha_dropout(x[None], self.p)[0]"),
    form("discarded", "DRP313", "F.dropout(x, self.p, self.training)"),
    form("discarded module", "DRP313", "self.drop(x)  # no effect", init="self.drop = nn.Dropout(p)"),
    form("discarded after a semicolon", "DRP313", "x = x + 1; self.drop(x)", init="self.drop = nn.Dropout(p)"),
    form("discarded, parenthesised", "DRP313", "(self.drop(x))", init="self.drop = nn.Dropout(p)"),
    form("keep", "DRP401", "x = self.drop(x)", init="keep_prob = 0.8\nself.drop = nn.Dropout(keep_prob)"),
    form(
        "keep, parenthesised",
        "DRP401",
        "x = self.drop(x)",
        init="keep_prob = 0.8\nself.drop = nn.Dropout(p=(keep_prob))",
    ),
    form("keep, call", "DRP401", "x = self.drop(x)", init="keep_prob = 0.8\nself.drop = nn.Dropout(float(keep_prob))"),
    form(
        "keep, complement",
        "DRP401",
        "x = self.drop(x)",
        init="drop_rate = 0.2\nself.drop = nn.Dropout(1.0 - drop_rate)",
    ),
    form(
        "keep over lines",
        "DRP401",
        "x = self.drop(x)",
        init="drop_rate = 0.2\nself.drop = nn.Dropout(1.0  # one\n                       - drop_rate)",
    ),
    form("mask in eval", "DRP501", "x = x * (torch.rand_like(x) > self.p) / (1 - self.p)"),
    form(
        "mask with a name",
        "DRP501",
        "keep = 1 - self.p\nmask = torch.bernoulli(torch.full_like(x, keep))  # it\nx = x * mask / keep",
    ),
    form(
        "mask over lines in eval",
        "DRP501",
        "mask = (\n    torch.rand_like(x)\n    > self.p\n)\n\n# scaled\nx = x * mask / (1 - self.p)",
    ),
    form("unscaled", "DRP502", "if self.training:\n    x = x * (torch.rand_like(x) > self.p)"),
    form(
        "unscaled, kept",
        "DRP502",
        "if self.training:\n    dropped = torch.bernoulli(torch.full_like(x, 1 - self.p))\n    x = (x * dropped)",
    ),
    form("wrong scale", "DRP503", "if self.training:\n    x = x * (torch.rand_like(x) < self.p) / (1 - self.p)"),
    form(
        "wrong scale, bernoulli",
        "DRP503",
        "if self.training:\n    x = x * torch.bernoulli(torch.full_like(x, (self.p))) / (1 - self.p)",
    ),
    form(
        "scaled twice",
        "DRP504",
        "if not self.training:\n    return self.out(x * (1 - self.p))\n"
        "x = x * (torch.rand_like(x) > self.p) / (1 - self.p)",
    ),
    form(
        "normal",
        "DRP505",
        "if self.training:\n    x = x * (torch.randn(x.shape, device=x.device) > self.p) / (1 - self.p)",
    ),
    form(
        "normal like",
        "DRP505",
        "if self.training:\n    mask = torch.randn_like(x) > self.p\n    x = x * mask / (1 - self.p)",
    ),
]
NO_FIX = [
    form("rate that is read", "DRP405", "x = F.dropout(self.drop(x), self.drop.p)", init="self.drop = nn.Dropout(0.0)"),
    form("comment in the rate", "DRP405", "x = self.drop(x)", init="self.drop = nn.Dropout(  # off\n    0.0\n)"),
    form(
        "comment in the conversion",
        "DRP506",
        MASKED.format("mask = (torch.rand(x.shape, device=x.device) > self.p).float(  # why\n    )"),
    ),
    form("dict by number", "DRP104", "x = self.drops[0](x)", init="self.drops = {0: nn.Dropout(p)}"),
    form(
        "dict comprehension", "DRP104", "x = self.drops['a'](x)", init="self.drops = {k: nn.Dropout(p) for k in 'ab'}"
    ),
    form("list with a function", "DRP104", "x = self.drops[0](x)", init="self.drops = [nn.Dropout(p), F.relu]"),
    form("list of pairs", "DRP104", "x = self.drops[0][0](x)", init="self.drops = [(nn.Dropout(p), 1)]"),
    form("comment in the constructor", "DRP103", "x = nn.Dropout(\n    0.5  # the rate\n)(x)"),
    form("the rate changes on the way", "DRP103", "p = 0.2\ndrop = nn.Dropout(p)\np = 0.9\nx = drop(x)"),
    form("the rate is drawn", "DRP103", "drop = nn.Dropout(float(torch.rand(1)))\nx = drop(drop(x))"),
    form("the name is deleted", "DRP103", "drop = nn.Dropout(0.2)\nx = drop(x)\ndel drop"),
    form("a statement in place", "DRP316", "x = F.relu(x)\nF.dropout(x, self.p, self.training, True)"),
    form(
        "a module that a statement calls in place",
        "DRP316",
        "x = self.hidden(x)\nself.drop(x)\nx = self.drop(F.relu(x))",
        init="self.drop = nn.Dropout(p, inplace=True)",
    ),
    form("arguments unpacked", "DRP103", "x = nn.Dropout(*[0.5])(x)"),
    form(
        "the mode of torch.dropout in a partial",
        "DRP101",
        "x = self.drop(x)",
        init="self.drop = partial(torch.dropout, p=p, train=True)",
        imports="from functools import partial",
    ),
    form(
        "the rate in a partial",
        "DRP102",
        "x = self.attend(x, x, x)",
        init="self.attend = partial(F.scaled_dot_product_attention, dropout_p=p)",
        imports=f"{FUNCTIONAL}\nfrom functools import partial",
    ),
    form(
        "the mode in a partial",
        "DRP105",
        "x = self.drop(x)",
        init="self.drop = partial(F.dropout, p=p, training=True)",
        imports=f"{FUNCTIONAL}\nfrom functools import partial",
    ),
]
LAYOUTS: dict[str, Callable[[str], str]] = {
    "lf": lambda text: text,
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "tabs": lambda text: re.sub(r"(?m)^(?: {4})+", lambda m: "\t" * (len(m.group()) // 4), text),
    "no final newline, form feed": lambda text: text.rstrip("\n").replace("\n\nclass", "\n\n\x0cclass"),
}


def lint(text: str, code: str, folder: Path) -> tuple[Diagnostic, ...]:
    return lint_text(text, {code}, folder / "net.py")


def fix_form(text: str, code: str, folder: Path, *, unsafe: bool = False) -> FixOutcome:
    levels = (Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,)
    outcome = fix(text, lambda new: lint(new, code, folder), *levels)
    assert outcome.applied, [d.message for d in outcome.remaining] or "not found"
    assert outcome.remaining == outcome.rejected == ()
    assert lint(outcome.text, code, folder) == ()
    again = fix(outcome.text, lambda new: lint(new, code, folder))
    assert again.text == outcome.text
    return outcome


def build(text: str) -> Any:
    namespace: dict[str, Any] = {"__name__": "net"}
    exec(compile(text, "net.py", "exec"), namespace)
    torch.manual_seed(3)
    return namespace["Net"]()


def trained(model: Any) -> list[Any]:
    """Output and gradients of one training step under a fixed seed."""
    torch.manual_seed(7)
    model.train()
    model.zero_grad()
    x = torch.randn(6, 8, requires_grad=True)
    y = model(x)
    y.pow(2).sum().backward()
    return [y.detach(), x.grad, *(p.grad for p in model.parameters()), torch.rand(1)]


def same(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(a is b or torch.equal(a, b) for a, b in zip(first, second, strict=True))


def parametrised(forms: list[Form]) -> list[Any]:
    return [
        pytest.param(form, layout, id=f"{form.code}-{form.name}-{layout}".replace(" ", "_"))
        for form in forms
        for layout in LAYOUTS
    ]


@pytest.mark.parametrize(("form", "layout"), parametrised(SAFE))
@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_a_safe_fix_keeps_the_model_and_makes_its_evaluation_plain(form: Form, layout: str, tmp_path: Path) -> None:
    text = LAYOUTS[layout](form.source)
    fixed = fix_form(text, form.code, tmp_path).text
    before, after = build(text), build(fixed)
    state, new_state = before.state_dict(), after.state_dict()
    assert list(state) == list(new_state)
    assert same(list(state.values()), list(new_state.values()))
    if form.before == "crash":
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            trained(before)
        trained(after)
    else:
        assert same(trained(before), trained(after))
    after.eval()
    x = torch.randn(6, 8)
    with torch.no_grad():
        random_state = torch.get_rng_state()
        once, twice = after(x), after(x)
        assert torch.equal(random_state, torch.get_rng_state())
        assert torch.equal(once, twice)
        assert torch.equal(once, after.plain(x))


@pytest.mark.parametrize(("form", "layout"), parametrised(UNSAFE))
def test_an_unsafe_fix_leaves_a_model_that_can_be_built_and_run(form: Form, layout: str, tmp_path: Path) -> None:
    text = LAYOUTS[layout](form.source)
    fixed = fix_form(text, form.code, tmp_path, unsafe=True).text
    model = build(fixed)
    trained(model)
    model.eval()
    x = torch.randn(6, 8)
    with torch.no_grad():
        assert torch.equal(model(x), model(x))


@pytest.mark.parametrize("form", NO_FIX, ids=lambda form: f"{form.code}-{form.name}".replace(" ", "_"))
def test_where_a_fix_would_change_more_there_is_none(form: Form, tmp_path: Path) -> None:
    build(form.source)
    found = lint(form.source, form.code, tmp_path)
    assert found
    assert all(d.fix is None or not d.fix.edits for d in found)
