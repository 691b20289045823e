"""The mistakes whose fix may be safe, each in the forms in which it is found."""

from __future__ import annotations

from tools.validate_fixes.programs import Mistake

F = {"alias": "F"}
QUERY = "@before\nq = x.reshape(1, 1, 2, 4)\n"
BARE = "from torch.nn.functional import dropout\n"


def _functional(name: str, call: str, **more: object) -> Mistake:
    return Mistake("DRP101", name, f"@before\n@between\nx = {call}\n@after", **{"roles": F, **more})  # type: ignore[arg-type]


def _attention(name: str, call: str, **more: object) -> Mistake:
    run = f"{QUERY}@between\nx = {call}.reshape(2, 4)\n@after"
    return Mistake("DRP102", name, run, **{"roles": F, **more})  # type: ignore[arg-type]


def _built(name: str, run: str, **more: object) -> Mistake:
    return Mistake("DRP103", name, run, **{"roles": {"alias": "nn"}, **more})  # type: ignore[arg-type]


def _tested(name: str, run: str) -> Mistake:
    return Mistake("DRP107", name, f"@before\n{run}\n@after")


HELPERS = """\
SEEN = []


def attend(q, drop):
    return F.scaled_dot_product_attention(q, q, q, dropout_p=drop)


def scaled(q, drop):
    return F.scaled_dot_product_attention(q, q, q, dropout_p=drop) * (1 + drop)


def logged(q, drop):
    SEEN.append(drop)
    return F.scaled_dot_product_attention(q, q, q, dropout_p=drop) + len(SEEN) * SEEN[-1]
"""

MISTAKES = [
    _functional("default", "F.dropout(x)"),
    _functional("rate", "F.dropout(x, $rate)"),
    _functional("keyword", "F.dropout(x, p=$rate)"),
    _functional("channels", "F.dropout2d(x.view(1, 2, 2, 2), $rate).view(2, 4)"),
    _functional("in place", "F.dropout(x * 1, $rate, inplace=True)"),
    _functional("lines", "F.dropout(  # noise\n    x,  # the input\n    p=$rate,  # the rate\n)"),
    _functional("aten", "torch.dropout(x, $rate, True)", roles={"alias": "torch"}),
    _functional("through nn", "nn.functional.dropout(x, $rate)", roles={"alias": "nn"}),
    _functional("bare", "dropout(x, $rate)", imports=BARE, roles={"alias": "dropout"}),
    _functional("kept", "self.f(x, $rate)", init="self.f = F.dropout", roles={"alias": "F", "kept": "f"}),
    _functional("on the class", "self.f(x, $rate)", body="f = staticmethod(F.dropout)", roles={"kept": "f"}),
    _functional("partial", "functools.partial(F.dropout, p=$rate)(x)"),
    Mistake("DRP101", "local", "f = F.dropout\n@before\n@between\nx = f(x, $rate)\n@after", roles={"alias": "f"}),
    _functional(
        "default of a parameter",
        "self.noisy(x, $rate)",
        methods="""\
def noisy(self, x, p, drop=F.dropout):
    return drop(x, p)
""",
    ),
    _functional("nested", "F.dropout(F.dropout(x, $rate), 0.1)"),
    _functional("twice", "F.dropout(x, $rate) + F.dropout(x, 0.2)"),
    _functional("comprehension", "sum([F.dropout(y, $rate) for y in (x, x)])"),
    _functional("lambda", "(lambda y: F.dropout(y, $rate))(x)"),
    _attention("keyword", "F.scaled_dot_product_attention(q, q, q, dropout_p=$rate)"),
    _attention("position", "F.scaled_dot_product_attention(q, q, q, None, $rate)"),
    _attention("lines", "F.scaled_dot_product_attention(\n    q, q, q,\n    dropout_p=$rate,  # the rate\n)"),
    _attention("helper", "attend(q, drop=$rate)", module=HELPERS, roles={"alias": "attend"}),
    _attention("helper that scales", "scaled(q, drop=$rate)", module=HELPERS, roles={"alias": "scaled"}),
    _attention("helper that keeps", "logged(q, drop=$rate)", module=HELPERS, roles={"alias": "logged"}),
    _built("at once", "@before\n@between\nx = nn.Dropout($rate)(x)\n@after"),
    _built("at once, of a call", "@before\n@between\nx = nn.Dropout($rate)(self.fc(x))\n@after"),
    _built("at once, keyword", "@before\n@between\nx = nn.Dropout(p=$rate)(x + 0)\n@after"),
    _built("at once, walrus", "p = 0.5\n@before\nx = nn.Dropout(p)(x * (p := 0.9))\n@after"),
    _built(
        "at once, setter",
        "@before\nx = nn.Dropout($rate)(self.bump(x))\n@after",
        methods="""\
def bump(self, x):
    self.p = self.cfg.p = self.table["p"] = BOX["p"] = 0.9
    return x
""",
    ),
    *(
        _built(name, f"@before\n{local} = nn.{kind}\n@between\n{use}\n@after", roles={"alias": "nn", "layer": local})
        for name, local, kind, use in (
            ("by name", "drop", "Dropout($rate)", "x = drop(x)"),
            ("by name, of a call", "drop", "Dropout($rate)", "x = drop(self.fc(x))"),
            ("by name, twice", "drop", "Dropout(p=$rate)", "x = drop(x)\nx = drop(x) + drop(x)"),
            ("by name, in place", "drop", "Dropout($rate, inplace=True)", "x = drop(x * 1)"),
            ("by name, channels", "drop", "Dropout2d($rate)", "x = drop(x.view(1, 2, 2, 2)).view(2, 4)"),
            ("by name, alpha", "drop", "AlphaDropout($rate)", "x = drop(x)"),
            ("by name, in a loop", "drop", "Dropout($rate)", "for i in range(2):\n    @between\n    x = drop(x)"),
            (
                "by name, in a function",
                "drop",
                "Dropout($rate)",
                "def late(y):\n    return drop(y)\n@between\nx = late(x)",
            ),
            ("by name, under a test", "drop", "Dropout($rate)", "if x is not None:\n    @between\n    x = drop(x)"),
        )
    ),
    _built(
        "rates of a loop",
        "@before\nfor p in (0.1, 0.2):\n    drop = nn.Dropout(p)\n    @between\n    x = drop(x)\n@after",
        roles={"alias": "nn", "variable": "p"},
    ),
    _built("in a branch", "@before\nif self.ready:\n    drop = nn.Dropout($rate)\n    x = drop(x)\n@after"),
    _built("alone in a branch", "@before\nif self.ready:\n    drop = nn.Dropout($rate)\n@between\nx = drop(x)\n@after"),
    _tested("if", "if self.train:\n    x = F.dropout(x, 0.5, True)"),
    _tested("if not", "if not self.train:\n    x = x * 0"),
    _tested("expression", "x = F.dropout(x, 0.5, True) if self.train else x"),
    _tested("and", "if self.train and x is not None:\n    x = F.dropout(x)"),
    _tested("while", "while self.train:\n    x = F.dropout(x)\n    break"),
    _tested("mode of a call", "x = F.dropout(x, 0.5, training=self.train and True)"),
    _tested("kept", "flag = self.train and self.ready\nif flag:\n    x = F.dropout(x, 0.5, True)"),
    _tested("called", "switch = None or self.train\nswitch(True)\nx = F.dropout(x, 0.5, self.training)"),
    _tested("called at once", "(self.ready and self.train)()\nx = F.dropout(x, 0.5, True)"),
]
