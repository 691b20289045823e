"""Code that makes a fix treacherous: bindings, mutations, readers, replaced classes."""

from __future__ import annotations

from tools.validate_fixes.programs import Hazard

BINDINGS = {
    "assign": "$name = $new",
    "chained assign": "other = $name = $new",
    "augmented": "$name *= 0.2",
    "annotated": "$name: object = $new",
    "tuple": "($name, other) = $new, 1",
    "list": "[$name, *_] = [$new, 1]",
    "lines": "(\n    $name\n) = $new",
    "star": "*_, $name = 1, $new",
    "for": "for $name in ($new,):\n    pass",
    "for, not run": "for $name in ():\n    pass",
    "with": "with given($new) as $name:\n    pass",
    "import": "import math as $name",
    "import from": "from math import pi as $name",
    "def": "def $name(*a, **k): return x",
    "class": "class $name: ...",
    "case": "match $new:\n    case $name:\n        pass",
    "case list": "match [$new]:\n    case [$name]:\n        pass",
    "case star": "match [$new]:\n    case [*$name]:\n        pass",
    "case rest": "match {'k': $new}:\n    case {**$name}:\n        pass",
    "case as": "match $new:\n    case object() as $name:\n        pass",
    "except": "try:\n    raise ValueError\nexcept ValueError as $name:\n    pass",
    "except star": "try:\n    raise ExceptionGroup('', [ValueError()])\nexcept* ValueError as $name:\n    pass",
    "walrus": "if ($name := $new):\n    pass",
    "walrus in a comprehension": "[$name := $new for _ in (0,)]",
    "walrus in a call": "print(end=str($name := $new)[:0])",
    "delete": "del $name",
    "under a test": "if x is not None:\n    $name = $new",
    "not run": "if x is None:\n    $name = $new",
    "comprehension": "[$name for $name in ($new,)]",
    "lambda": "(lambda $name: $name)($new)",
    "function with a local": "def local():\n    $name = $new\n    return $name\nlocal()",
    "class with a local": "class Local:\n    $name = $new",
    "global": "exec('$name = $new')",
    "locals": "locals()['$name'] = $new",
    "comment": "# $name = $new",
    "string": "note = '$name = $new'",
}
"""``$name`` is bound to ``$new``."""
NONLOCAL = "def setter():\n    nonlocal $variable\n    $variable = 0.9\nsetter()"
OBJECT = {
    "attribute": "$box.p = 0.9",
    "augmented attribute": "$box.p *= 0.2",
    "setattr": "setattr($box, 'p', 0.9)",
    "setattr of a name": "k = 'p'\nsetattr($box, k, 0.9)",
    "object setattr": "object.__setattr__($box, 'p', 0.9)",
    "dict": "$box.__dict__['p'] = 0.9",
    "vars": "vars($box).update(p=0.9)",
    "alias": "q2 = $box\nq2.p = 0.9",
    "tuple of attributes": "$box.p, other = 0.9, 1",
    "loop target": "for $box.p in (0.9,):\n    pass",
    "with target": "with given(0.9) as $box.p:\n    pass",
    "function": "def change(o):\n    o.p = 0.9\nchange($box)",
    "walk": "for o in [$box]:\n    o.p = 0.9",
    "delete": "del $box.p",
}
DICT = {
    "item": "$box['p'] = 0.9",
    "augmented item": "$box['p'] *= 0.2",
    "update": "$box.update(p=0.9)",
    "update of a dict": "$box.update({'p': 0.9})",
    "union": "other = $box\nother |= {'p': 0.9}",
    "pop": "$box.pop('p')",
    "clear": "$box.clear()",
    "alias": "q2 = $box\nq2['p'] = 0.9",
    "setitem": "$box.__setitem__('p', 0.9)",
    "method as a value": "put = $box.__setitem__\nput('p', 0.9)",
    "loop target": "for $box['p'] in (0.9,):\n    pass",
    "function": "def change(o):\n    o['p'] = 0.9\nchange($box)",
}
LIST = {
    "item": "$box[0] = 0.9",
    "augmented item": "$box[0] *= 0.2",
    "slice": "$box[:] = [0.9]",
    "insert": "$box.insert(0, 0.9)",
    "append": "$box.append(0.9)",
    "reverse": "$box.append(0.9)\n$box.reverse()",
    "add": "other = $box\nother += [0.9]\nother.reverse()",
    "alias": "q2 = $box\nq2[0] = 0.9",
    "bound method": "push = $box.insert\npush(0, 0.9)",
    "sort": "$box.extend([0.1])\n$box.sort()",
    "delete": "$box.insert(1, 0.9)\ndel $box[0]",
}
SETTERS = {
    "module": "def set_p():\n    global P\n    P = 0.9\n    BOX['p'] = 0.9\n",
    "globals": "def set_p():\n    globals()['P'] = 0.9\n",
    "globals update": "def set_p():\n    globals().update(P=0.9)\n",
}
REPLACED = {
    "alias, attribute": ("tail", "$alias = Fake"),
    "function": ("module", "F.dropout = lambda x, p=0.5: x * 2"),
    "function by setattr": ("module", "setattr(F, 'dropout', lambda x, p=0.5: x * 2)"),
    "function by its module": ("module", "torch.nn.functional.dropout = lambda x, p=0.5: x * 2"),
    "function by another name": ("module", "import torch.nn.functional as f2\nf2.dropout = lambda x, p=0.5: x * 2"),
    "class": (
        "module",
        "class D(nn.Dropout):\n    def __init__(self, rate=0.1):\n        super().__init__(rate)\n\n\nnn.Dropout = D",
    ),
    "class by setattr": ("module", "setattr(nn, 'Dropout', lambda: nn.Identity())"),
    "class by a dict": ("module", "vars(nn)['Dropout'] = lambda: nn.Identity()"),
    "class by a loop": ("module", "for nn.Dropout in (lambda: nn.Identity(),):\n    pass"),
    "class by another name": ("module", "import torch.nn as n2\nn2.Dropout = lambda: nn.Identity()"),
    "defaults": ("module", "nn.Dropout.__init__.__defaults__ = (0.2, False)"),
    "constructor": ("module", "old = nn.Dropout.__init__\nnn.Dropout.__init__ = lambda self, *a: old(self, 0.2)"),
}
ELSEWHERE = {
    "layer from outside": (
        "tail",
        "def change(net):\n    net.$layer = nn.Softmax(-1)\n\n\nold_forward = M.forward\n"
        "M.forward = lambda self, x: (change(self), old_forward(self, x))[1]",
    ),
    "kept from outside": (
        "tail",
        "first = M.forward\n\n\ndef wrapped(self, x):\n    self.$kept = lambda x, p: x * 2\n"
        "    return first(self, x)\n\n\nM.forward = wrapped",
    ),
    "kept by setattr": ("before", "setattr(self, '$kept', lambda x, p: x * 2)"),
    "layer by setattr": ("init", "setattr(self, '$layer', nn.Softmax(-1))"),
    "layer in a subclass": (
        "tail",
        "class N(M):\n    def __init__(self):\n        super().__init__()\n"
        "        self.$layer = nn.Softmax(-1)\n\n\nM = N",
    ),
    "kept in a subclass": (
        "tail",
        "class N(M):\n    def __init__(self):\n        super().__init__()\n"
        "        self.$kept = lambda x, p: x * 2\n\n\nM = N",
    ),
    "layer by the dict": ("init", "self._modules['$layer'] = nn.Softmax(-1)"),
    "flag from outside": (
        "tail",
        "class N(M):\n    train = False\n\n    def train_mode(self):\n        return self\n\n\nM = N",
    ),
    "flag of the instance": ("init", "self.__dict__['train'] = False"),
    "flag by setattr": ("init", "setattr(self, 'train', False)"),
}
READERS = {
    "slice": "x = x + $holder[:2](x.detach())",
    "index": "x = x * (1 + len(str($holder[1])))",
    "last": "x = x * (2 if isinstance($holder[-1], nn.ReLU) else 3)",
    "children": "x = x * (1 + len(str(list($holder.children())[1])))",
    "own children": "x = x * (1 + sum(len(str(c[1])) for c in self.children() if isinstance(c, nn.Sequential)))",
    "modules": "x = x * [isinstance(m, nn.ReLU) for m in self.modules()].index(True)",
    "named modules": "x = x * (2 if isinstance(dict(self.named_modules()).get('net.1'), nn.ReLU) else 3)",
    "submodule": "x = x * (2 if isinstance(self.get_submodule('net.1'), nn.ReLU) else 3)",
    "enumerate": "for i, layer in enumerate($holder):\n    x = x + i * isinstance(layer, nn.ReLU)",
    "loop": "for layer in $holder:\n    x = x + isinstance(layer, nn.Dropout) * x.sum()\n    x = layer(x)",
    "getattr": "x = x * (2 if isinstance(getattr($holder, '1'), nn.ReLU) else 3)",
    "holder by a string": "x = x * (2 if isinstance(getattr(self, 'net', [0, 0])[1], nn.ReLU) else 3)",
    "modules dict": "x = x * (2 if isinstance(list(self._modules.values())[-1][1], nn.ReLU) else 3)",
    "alias": "other = $holder\nx = x * (2 if isinstance(other[1], nn.ReLU) else 3)",
    "unpacked": "a, *rest = $holder\nx = x * (2 if isinstance(rest[0], nn.ReLU) else 3)",
    "length": "x = x * len($holder)",
    "repr": "x = x * (1 + str(self).index('ReLU'))",
    "called only": "x = x + $holder(x).sum()",
}
CHANGERS = {
    "identity": "$holder[1] = nn.Identity()",
    "delete": "del $holder[2]",
    "insert": "$holder.insert(1, nn.Linear(4, 4))",
    "rate": "$holder[1].p = 0.1",
    "append": "$holder.append(nn.Linear(4, 4))",
    "hook": "self.seen = []\n$holder[1].register_forward_hook(lambda m, i, o: o * 2)",
    "hooks on all": "for m in self.modules():\n    m.register_forward_hook(lambda m, i, o: o + (type(m) is nn.ReLU))",
}
RATES_READ = {
    "rate": "x = x * (1 + self.$rnn.dropout)",
    "alias": "r = self.$rnn\nx = x * (1 + r.dropout)",
    "getattr": "x = x * (1 + getattr(self.$rnn, 'dropout'))",
    "vars": "x = x * (1 + vars(self.$rnn)['dropout'])",
    "loop": "for m in self.modules():\n    if isinstance(m, nn.RNNBase):\n        x = x * (1 + m.dropout)",
    "repr": "x = x * (2 if 'dropout=0' in str(self.$rnn) else 3)",
    "function": "def rate_of(layer):\n    return layer.dropout\nx = x * (1 + rate_of(self.$rnn))",
    "flatten": "self.$rnn.flatten_parameters()",
    "weights": "x = x * self.$rnn.weight_ih_l0.shape[0] * self.$rnn.hidden_size",
    "another option": "x = x * (1 + types.SimpleNamespace(dropout=0.5).dropout)",
    "in place": "x = x * (2 if self.$layer.inplace else 3)",
    "in place by getattr": "x = x * (2 if getattr(self.$layer, 'inplace') else 3)",
    "in place of all": "for m in self.modules():\n    x = x * (2 if getattr(m, 'inplace', False) else 3)",
    "value": "x = x + $value",
    "value kept": "self.last = $value",
    "result of train": "x = x * (2 if self.$part.train(self.training) is None else 3)",
    "result of eval": "mode = self.$part.training\nx = x * (2 if self.$part.eval() else 3)\nself.$part.training = mode",
}
USERS = {
    "position": "def use(net, x):\n    return 2 if isinstance(net.net[1], nn.ReLU) else 3\n",
    "slice": "def use(net, x):\n    return net.net[:2](x * 0).sum()\n",
    "children": "def use(net, x):\n    return 2 if isinstance(list(net.net.children())[1], nn.ReLU) else 3\n",
    "rate": "def use(net, x):\n    return net.rnn.dropout\n",
    "called": "def use(net, x):\n    y = x * 1\n    net.drop(y)\n    return y\n",
    "flag": "def use(net, x):\n    net.train = False\n    return 0\n",
    "without the instance": "from net import M\n\n\ndef use(net, x):\n    return M.run(None, x)\n",
    "subclass": "from net import M\n\n\nclass N(M):\n    def __init__(self):\n        super().__init__()\n"
    "        self.train = False\n\n\ndef use(net, x):\n    return N()(x * 0).sum()\n",
    "harmless": "def use(net, x):\n    return net(x).sum()\n",
}


def _at(slots: str, texts: dict[str, str], kind: str = "") -> list[Hazard]:
    return [Hazard(f"{name}, {slot}", slot, text, kind) for slot in slots.split() for name, text in texts.items()]


def _bound(role: str, new: str, slots: str) -> list[Hazard]:
    texts = {f"{role} {n}": t.replace("$name", f"${role}").replace("$new", new) for n, t in BINDINGS.items()}
    return _at(slots, texts)


HAZARDS = [
    *_bound("variable", "0.9", "before between between after"),
    *_bound("alias", "Fake", "before between after module tail body"),
    *_bound("layer", "Fake", "between after"),
    Hazard("variable nonlocal", "between", NONLOCAL),
    *_at("between between after before", OBJECT, "object"),
    *_at("between between after before", DICT, "dict"),
    *_at("between between after before", LIST, "list"),
    *(Hazard(f"setter {n}", "module", t) for n, t in SETTERS.items()),
    Hazard("setter called", "between", "set_p() if 'set_p' in globals() else None"),
    Hazard("method that sets", "between", "self.p = self.p\nself.fc.apply(lambda m: setattr(self, 'p', 0.9))"),
    *(Hazard(f"replaced {n}", slot, t) for n, (slot, t) in REPLACED.items()),
    *(Hazard(n, slot, t) for n, (slot, t) in ELSEWHERE.items()),
    *_at("before between after", READERS),
    *_at("init", CHANGERS),
    *_at("after after before", RATES_READ),
    *(Hazard(f"user {n}", "user", t) for n, t in USERS.items()),
]
