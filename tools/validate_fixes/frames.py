"""The functions that may contain a mistake, and how they are called."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent

from tools.validate_fixes.programs import Draft


@dataclass(frozen=True)
class Frame:
    """``methods``, ``module`` and ``tail`` may hold ``$run``, the mistake; else ``forward`` does."""

    name: str
    forward: str = "$run"
    methods: str = ""
    module: str = ""
    tail: str = ""
    body: str = ""
    init: str = ""
    base: str = "nn.Module"

    def around(self, run: str) -> Draft:
        """The program with the mistake in its place."""
        return Draft(
            forward=_put(self.forward, run),
            methods=_put(self.methods, run),
            module=_put(self.module, run),
            tail=_put(self.tail, run),
            body=self.body,
            init=self.init,
            base=self.base,
        )


def _put(text: str, run: str) -> str:
    lines = []
    for line in text.splitlines():
        blanks = line[: len(line) - len(line.lstrip())]
        lines.append(indent(run, blanks) if line.strip() == "$run" else line)
    return "\n".join(lines)


RUN = "def run(self, x):\n    $run\n    return x\n"


def _called(name: str, call: str, method: str = RUN, **more: str) -> Frame:
    return Frame(name, f"x = {call}", method, **more)


FRAMES = [
    Frame("forward"),
    _called("method", "self.run(x)"),
    _called("class called with an instance", "M.run(self, x)"),
    _called("class called without one", "M.run(None, x)"),
    _called("class called with a namespace", "M.run(types.SimpleNamespace(**vars(self), **self._modules), x)"),
    _called("class named otherwise", "Other.run(None, x)", tail="Other = M"),
    _called("class of the instance", "type(self).run(None, x)"),
    _called("class attribute", "self.__class__.run(None, x)"),
    _called("class by a string", "getattr(M, 'run')(None, x)"),
    _called("mapped over the class", "[k.run(None, x) for k in (M,)][0]"),
    _called("method as a value", "self.call(self.run, x)", f"{RUN}\ndef call(self, f, x):\n    return f(x)\n"),
    _called("table of functions", "self.steps['a'](None, x)", f"{RUN}\nsteps = {{'a': run}}\n"),
    _called("static in the end", "self.run(None, x)", f"{RUN}\nrun = staticmethod(run)\n"),
    _called("static", "self.run(self, x)", f"@staticmethod\n{RUN}"),
    _called("static by another name", "self.run(None, x)", f"@static\n{RUN}", module="static = staticmethod"),
    _called("class method", "self.run(x)", f"@classmethod\n{RUN}"),
    _called("class method by another name", "self.run(x)", f"@shared\n{RUN}", module="shared = classmethod"),
    _called(
        "decorated by one that drops the instance",
        "self.run(x)",
        f"@alone\n{RUN}",
        module="def alone(f):\n    return lambda self, x: f(None, x)\n",
    ),
    _called("decorated", "self.run(x)", f"@same\n{RUN}", module="def same(f):\n    return f\n"),
    _called("without gradients", "self.run(x)", f"@torch.no_grad()\n{RUN}"),
    _called(
        "property",
        "self.run",
        "@property\ndef run(self):\n    x = self.x\n    $run\n    return x\n",
        init="self.x = torch.ones(2, 4)",
    ),
    _called(
        "other name of the instance", "self.run(x)", "def run(this, x):\n    self = this\n    $run\n    return x\n"
    ),
    _called(
        "default instance", "self.run(x)", "def run(me, x, self=None):\n    self = self or me\n    $run\n    return x\n"
    ),
    Frame("nested function", "def inner(x):\n    $run\n    return x\nx = inner(x)"),
    Frame("nested function with an instance", "def inner(self, x):\n    $run\n    return x\nx = inner(None, x)"),
    Frame("generator", "x = next(self.run(x))", "def run(self, x):\n    $run\n    yield x\n"),
    Frame(
        "instance bound again",
        "self, old = types.SimpleNamespace(**vars(self), **self._modules), self\n$run\nself = old",
    ),
    Frame("instance lost in an exception", "try:\n    raise ValueError\nexcept ValueError as self:\n    $run"),
    Frame("loop over instances", "for self in (types.SimpleNamespace(**vars(self), **self._modules),):\n    $run"),
    Frame("function", "x = run(self, x)", module=RUN),
    Frame("function put on the class", "x = self.run(x)", tail=f"{RUN}\nM.run = run\n"),
    Frame("function put on the instance", "x = self.run(self, x)", module=RUN, init="self.run = run"),
    Frame(
        "inner class",
        "x = Inner()(x)",
        module=f"class Inner(nn.Module):\n{indent(RUN.replace('run(', 'forward('), '    ')}",
    ),
    Frame("plain class", "x = Inner().run(x)", module=f"class Inner:\n    ready = True\n{indent(RUN, '    ')}"),
    Frame("base class", "x = self.run(x)", module=f"class Base(nn.Module):\n{indent(RUN, '    ')}", base="Base"),
    Frame("mixin", "x = self.run(x)", module=f"class Mix:\n{indent(RUN, '    ')}", base="Mix, nn.Module"),
    Frame(
        "base made by a call",
        "x = Inner().forward(x)",
        module="Made = type('Made', (), {'ready': True, 'p': 0.5})\n\n\n"
        f"class Inner(Made):\n    def __init__(self):\n        self.fc = nn.Linear(4, 4)\n\n"
        f"{indent(RUN.replace('run(', 'forward('), '    ')}",
    ),
    Frame(
        "before the constructor of the base",
        "x = x + Inner(x).y",
        module="class Inner(nn.Module):\n"
        "    def __init__(self, x):\n        self.__dict__['y'] = self.run(x)\n        super().__init__()\n\n"
        f"{indent(RUN, '    ')}",
    ),
    Frame("own attribute of that name", body="training = 'yes'"),
    Frame(
        "property of that name",
        body="@property\ndef training(self):\n    return False\n\n"
        "@training.setter\ndef training(self, value):\n    pass\n",
    ),
    Frame("flag set in a method", "self.training = False\n$run"),
    Frame("flag deleted", "del self.training\n$run\nself.training = True"),
    Frame("frozen", methods="def train(self, mode=True):\n    return super().train(False)\n"),
    Frame("mode kept in another flag", methods="def train(self, mode=True):\n    self.mode = mode\n    return self\n"),
]
