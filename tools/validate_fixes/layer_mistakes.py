"""The mistakes about layers whose fix may be safe: overrides of ``train``, orders, in-place layers, RNNs, masks."""

from __future__ import annotations

from tools.validate_fixes.programs import Mistake

SHARED = """\
def shared(net, x):
    y = x * 1
    z = net.drop(y)
    return y + z


def apply(layer, x):
    y = layer(x)
    return x + y
"""


def _order(name: str, init: str, run: str = "", **roles: str) -> Mistake:
    run = run or f"@before\nx = {'self.' if init.startswith('self.') else ''}$net(x)\n@between\n@after"
    return Mistake("DRP302", name, run.replace("$net", roles.get("net", "")), init=init, roles=roles)


def _sequence(name: str, elements: str) -> Mistake:
    return _order(name, f"self.net = nn.Sequential({elements})", net="net", holder="self.net")


def _in_place(name: str, run: str, init: str = "self.drop = nn.Dropout(0.5, inplace=True)", **roles: str) -> Mistake:
    roles = {"layer": "drop", **roles}
    return Mistake("DRP316", name, f"@before\n{run}\n@after", init=init, roles=roles, module=_outside(run))


def _override(name: str, method: str) -> Mistake:
    sub = f"class Sub(nn.Module):\n{method}\n\n    def forward(self, x):\n        return x\n"
    run = "@before\nx = self.sub(x) * (2 if self.sub.training else 1)\n@between\n@after"
    return Mistake("DRP203", name, run, init="self.sub = Sub()", module=sub, roles={"part": "sub"})


def _mode_given(name: str, run: str, init: str = "self.drop = nn.Dropout(0.5, self.training)") -> Mistake:
    roles = {"layer": "drop", "alias": "F"}
    return Mistake("DRP404", name, f"@before\n{run}\n@after", init=init, roles=roles, module=_outside(run))


def _outside(run: str) -> str:
    return SHARED if "shared(" in run or "apply(" in run else ""


def _recurrent(name: str, init: str) -> Mistake:
    run = "@before\nx = self.rnn(x)[0]\n@between\n@after"
    return Mistake("DRP406", name, run, init=init, roles={"rnn": "rnn"})


def _mask(name: str, run: str, parameters: str = "") -> Mistake:
    return Mistake("DRP506", name, f"if self.training:\n    {run}", roles={"data": "x"}, body=parameters)


def _implicit(name: str, init: str, run: str = "x = self.drop(x)", alias: str = "nn", **more: str) -> Mistake:
    roles = {"alias": alias, **({"layer": "drop"} if init else {})}
    return Mistake("DRP606", name, f"@before\n@between\n{run}\n@after", init=init, roles=roles, **more)


TRAIN = "    def train(self, mode=True):\n        super().train(mode)\n"
LINEAR = "nn.Linear(4, 4), nn.Dropout(0.5), nn.ReLU()"

LAYER_MISTAKES = [
    _override("plain", f"{TRAIN}        self.k = 1"),
    _override("call alone", TRAIN.rstrip()),
    _override("comment", f"{TRAIN}        # the rest\n        self.k = 1  # done\n        # end"),
    _override("test", f"{TRAIN}        if mode:\n            self.k = 1"),
    _override(
        "loop", f"{TRAIN}        for part in self.children():\n            part.k = 1\n        else:\n            pass"
    ),
    _override("try", f"{TRAIN}        try:\n            self.k = 1\n        finally:\n            pass"),
    _override("bare return", f"{TRAIN}        if mode:\n            return\n        self.k = 1"),
    _override("raise", f"{TRAIN}        if mode is None:\n            raise ValueError"),
    _override("instance bound again", f"{TRAIN}        for self in [1, 2]:\n            pass"),
    _override("instance deleted", f"{TRAIN}        del self"),
    _override("generator", "    def train(self, mode=True):\n        yield super().train(mode)"),
    _override("string", f'{TRAIN}        self.k = """a\n  b\n"""'),
    _override("function inside", f"{TRAIN}        def later():\n            return 3\n        self.k = later"),
    _override("decorated", "    @functools.wraps(nn.Module.train)\n" + TRAIN + "        self.k = 1"),
    _override("returns another", "    @property\n    def k(self):\n        return 1\n\n" + TRAIN),
    _override("no default", "    def train(self, mode):\n        super().train(mode)\n        self.k = 1"),
    _override("other name", "    def train(this, mode=True):\n        nn.Module.train(this, mode)\n        this.k = 1"),
    _sequence("sequence", LINEAR),
    _sequence("sequence, in place", "nn.Linear(4, 4), nn.Dropout(0.5, inplace=True), nn.ReLU()"),
    _sequence("sequence, in-place activation", "nn.Linear(4, 4), nn.Dropout(0.5), nn.ReLU(True)"),
    _sequence(
        "sequence, comments", "\n    nn.Linear(4, 4),  # in\n    nn.Dropout(0.5),  # noise\n    nn.ReLU(),  # act\n"
    ),
    _sequence("sequence, longer", f"{LINEAR}, nn.Linear(4, 4), nn.Dropout(0.3), nn.ReLU(), nn.Linear(4, 4)"),
    _sequence("sequence, first", "nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 4)"),
    _sequence("sequence, alpha", "nn.Linear(4, 4), nn.AlphaDropout(0.5), nn.ReLU()"),
    _sequence("sequence, six", "nn.Linear(4, 4), nn.Dropout(0.5), nn.ReLU6()"),
    _sequence("sequence, threshold", "nn.Linear(4, 4), nn.Dropout(0.5), nn.Threshold(0.0, 0.0)"),
    _sequence("sequence, threshold with a value", "nn.Linear(4, 4), nn.Dropout(0.5), nn.Threshold(0.1, 0.0)"),
    _sequence("sequence, slope", "nn.Linear(4, 4), nn.Dropout(0.5), nn.PReLU()"),
    _sequence("sequence, of a view", "nn.Unflatten(1, (2, 2)), nn.Flatten(), nn.Dropout(0.5), nn.ReLU(True)"),
    _order("sequence, two names", f"self.net = self.other = nn.Sequential({LINEAR})", net="net", holder="self.other"),
    _order(
        "names",
        "self.net = nn.Sequential()\nself.net.add_module('a', nn.Linear(4, 4))\n"
        "self.net.add_module('d', nn.Dropout(0.5))\nself.net.add_module('r', nn.ReLU())",
        net="net",
        holder="self.net",
    ),
    _order("list", f"parts = [{LINEAR}]\nself.net = nn.Sequential(*parts)", net="net", holder="self.net"),
    _order(
        "local",
        "",
        "net = nn.Sequential(self.fc, nn.Dropout(0.5), nn.ReLU())\n@before\nx = net(x)\n@after",
        holder="net",
    ),
    *(
        _order(name, "self.drop = nn.Dropout(0.5)\nself.act = nn.ReLU()", f"@before\n{run}\n@after", layer="drop")
        for name, run in (
            ("calls", "x = F.relu(self.drop(self.fc(x)))"),
            ("calls, module", "x = self.act(self.drop(self.fc(x)))"),
            ("calls, torch", "x = torch.relu(self.drop(self.fc(x)))"),
            ("calls, in place", "x = F.relu(self.drop(self.fc(x)), inplace=True)"),
            ("calls, of a name in place", "h = self.fc(x)\nx = F.relu(self.drop(h), inplace=True)\nx = x + h"),
            ("calls, of a name", "h = self.fc(x)\nx = F.relu(self.drop(h))\nx = x + h"),
            ("statements", "x = self.fc(x)\nx = self.drop(x)\nx = self.act(x)"),
            ("statements, in place", "x = self.fc(x)\nx = self.drop(x)\nx = F.relu_(x)"),
            ("statements, kept", "h = x = self.fc(x)\nx = self.drop(x)\nx = F.relu_(x)\nx = x + h"),
            ("statements, other name", "x = self.fc(x)\nd = self.drop(x)\nx = self.act(d)\nx = x + d"),
            ("statements, hazard between", "x = self.fc(x)\nx = self.drop(x)\n@between\nx = self.act(x)"),
            ("statements, functional", "x = self.fc(x)\nx = F.dropout(x, 0.5, self.training)\nx = F.relu(x)"),
            ("calls, infinite", "x = F.relu(self.drop(self.fc(x) * float('inf')))"),
            ("calls, sign", "x = torch.copysign(torch.ones(2, 4), F.relu(self.drop(self.fc(x))))"),
            ("calls, bit by bit", "x = torch.signbit(F.relu(self.drop(self.fc(x)))) * 1.0"),
            ("sign later", "x = self.fc(x)\nx = self.drop(x)\nx = self.act(x)\nx = torch.copysign(x + 1, x)"),
        )
    ),
    _in_place("tanh", "x = torch.tanh(x)\n@between\nx = self.drop(x)"),
    _in_place("at once", "x = self.drop(torch.sigmoid(x))"),
    _in_place("function", "x = torch.tanh(x)\n@between\nx = F.dropout(x, 0.5, self.training, True)", init=""),
    _in_place("function at once", "x = F.dropout(torch.tanh(x), 0.5, self.training, inplace=True)", init=""),
    _in_place("other name", "y = torch.tanh(x)\n@between\nx = self.drop(y)", value="y"),
    _in_place("read later", "y = torch.tanh(x)\nz = self.drop(y)\nx = y + z", value="y"),
    _in_place("read at once", "y = torch.tanh(x)\nx = self.drop(y) + y", value="y"),
    _in_place("two targets", "y = x = torch.tanh(x)\nx = self.drop(x)\nx = x + y", value="y"),
    _in_place("view", "x = torch.tanh(x)\ny = x.view(-1)\nx = self.drop(x)\nx = x + y.view(2, 4)", value="y"),
    _in_place(
        "out", "self.buf = torch.zeros(2, 4)\nx = self.drop(torch.tanh(x.detach(), out=self.buf))\nx = x + self.buf"
    ),
    _in_place("walrus", "x = self.drop(y := torch.tanh(x)) + y"),
    _in_place("kept", "self.last = x = torch.tanh(x)\nx = self.drop(x)\nx = x + self.last"),
    _in_place("appended", "kept = []\nx = torch.tanh(x)\nkept.append(x)\nx = self.drop(x)\nx = x + kept[0]"),
    _in_place("closure", "x = torch.tanh(x)\nf = lambda: x\nx = self.drop(x)\nx = x + f()"),
    _in_place(
        "module", "x = self.act(x)\nx = self.drop(x)", "self.act = nn.Tanh()\nself.drop = nn.Dropout(0.5, inplace=True)"
    ),
    _in_place("activation in place", "x = self.drop(F.relu(x * 1, inplace=True))"),
    _in_place("activation in place, read", "y = x * 1\nx = self.drop(F.relu(y, inplace=True))\nx = x + y", value="y"),
    _in_place(
        "sequence",
        "x = self.net(x)",
        "self.net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Dropout(0.5, True))",
        net="net",
        holder="self.net",
    ),
    _in_place("used again", "x = self.drop(torch.tanh(x))\ny = x * 1\nz = self.drop(y)\nx = z + y"),
    _in_place("used outside", "x = self.drop(torch.tanh(x))\nx = shared(self, x)"),
    _in_place("handed on", "x = self.drop(torch.tanh(x))\nx = apply(self.drop, x * 1)"),
    _in_place("chosen by name", "x = self.drop(torch.tanh(x))\ny = x * 1\ngetattr(self, 'drop')(y)\nx = x + y"),
    _mode_given("function", "x = F.dropout(x, self.training)", ""),
    _mode_given("module", "x = self.drop(x * 1)"),
    _mode_given("module, input", "x = self.drop(x)"),
    _mode_given("module, name", "y = x * 1\nx = self.drop(y)\n@between\nx = x + y"),
    _mode_given("module, layer", "x = self.drop(self.fc(x))"),
    _mode_given("module, reshaped", "y = x * 1\nx = self.drop(y.view(-1)).view(2, 4) + y"),
    _mode_given("module, elsewhere", "x = self.drop(x * 1)\nx = shared(self, x)"),
    _mode_given("module, handed on", "x = self.drop(x * 1)\nx = apply(self.drop, x * 1)"),
    _mode_given("module, walrus", "x = self.drop(y := x * 1) + y"),
    _mode_given("module, float add", "x = self.drop(x + 0)"),
    _recurrent("lstm", "self.rnn = nn.LSTM(4, 4, dropout=0.5)"),
    _recurrent("gru", "self.rnn = nn.GRU(4, 4, 1, batch_first=True, dropout=0.3)"),
    _recurrent("by position", "self.rnn = nn.LSTM(4, 4, 1, True, False, 0.5, False)"),
    _recurrent("rnn", "self.rnn = nn.RNN(\n    4,\n    4,\n    dropout=0.5,  # off\n)"),
    _recurrent("annotated", "self.rnn: nn.Module = nn.LSTM(4, 4, dropout=0.5)"),
    _recurrent("two names", "self.rnn = rnn = nn.LSTM(4, 4, dropout=0.5)\nself.drop_rate = rnn.dropout"),
    _mask("compared", "x = x * (torch.rand(x.shape) > 0.5) / 0.5"),
    _mask("named", "mask = torch.rand(x.shape) > self.p\n    x = x * mask / (1 - self.p)"),
    _mask("sizes", "mask = (torch.rand(x.size(0), 1) > 0.5).float()\n    x = x * mask / 0.5"),
    _mask(
        "list for a while", "n = x.shape[0]\n    x = [x]\n    mask = torch.rand(n, 4) > 0.5\n    x = x[0] * mask / 0.5"
    ),
    _mask("bernoulli", "mask = torch.bernoulli(torch.full(x.shape, 0.5))\n    x = x * mask / 0.5"),
    _mask(
        "generator",
        "g = torch.Generator().manual_seed(3)\n    mask = torch.rand(x.shape, generator=g) > 0.5\n"
        "    x = x * mask / 0.5",
    ),
    _mask("out", "b = torch.zeros(2, 4)\n    mask = torch.rand(x.shape, out=b) > 0.5\n    x = x * mask / 0.5"),
    _mask(
        "array", "x = x.detach().numpy()\n    mask = torch.rand(x.shape) > 0.5\n    x = torch.tensor(x) * mask / 0.5"
    ),
    _implicit("module", "self.drop = nn.Dropout()"),
    _implicit("module, in place", "self.drop = nn.Dropout(inplace=False)"),
    _implicit("channels", "self.drop = nn.Dropout2d()", "x = self.drop(x.view(1, 2, 2, 2)).view(2, 4)"),
    _implicit("function", "", "x = F.dropout(x, training=self.training)", "F"),
    _implicit("alias", "D = nn.Dropout\nself.drop = D()"),
    _implicit(
        "default of a parameter", "self.drop = self.make()", methods="def make(self, D=nn.Dropout):\n    return D()"
    ),
    _implicit(
        "another one for the parameter",
        "self.drop = self.make(lambda: nn.Dropout(0.1))",
        methods="def make(self, D=nn.Dropout):\n    return D()",
    ),
    _implicit("partial", "self.drop = functools.partial(nn.Dropout, 0.2)()"),
    _implicit(
        "subclass",
        "self.drop = D()",
        module="class D(nn.Dropout):\n    def __init__(self, p=0.2):\n        super().__init__(p)",
    ),
]
