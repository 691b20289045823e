"""The ways to write a rate."""

from __future__ import annotations

from tools.validate_fixes.programs import Rate

COUNTED = """\
@property
def rate(self):
    self.count += 1
    return 0.1 * (self.count % 5)
"""
PLAIN_PROPERTY = """\
@property
def rate(self):
    return self.p
"""
DYNAMIC = """\
def __getattr__(self, name):
    if name == "rate":
        self.count += 1
        return 0.1 * (self.count % 5)
    return super().__getattr__(name)
"""
READS = """\
class Reads(dict):
    def __getitem__(self, key):
        self.n = getattr(self, "n", 0) + 1
        return 0.1 * (self.n % 5)


COUNTS = Reads()
"""

RATES = [
    Rate("literal", "0.5"),
    Rate("local", "p", setup="p = 0.5", variable="p"),
    Rate("local in a tuple", "p", setup="p, q = 0.5, 0.1", variable="p"),
    Rate("list", "c[0]", setup="c = [0.5]", variable="c", box="c", kind="list"),
    Rate("dict", "c['p']", setup="c = {'p': 0.5}", variable="c", box="c", kind="dict"),
    Rate("object", "c.p", setup="c = types.SimpleNamespace(p=0.5)", variable="c", box="c", kind="object"),
    Rate("attribute", "self.p", variable="self", box="self", kind="object"),
    Rate("option", "self.cfg.p", variable="self", box="self.cfg", kind="object"),
    Rate("entry", "self.table['p']", variable="self", box="self.table", kind="dict"),
    Rate("global", "P", variable="P"),
    Rate("global entry", "BOX['p']", variable="BOX", box="BOX", kind="dict"),
    Rate("class attribute", "self.shared", body="shared = 0.5", variable="self", box="self", kind="object"),
    Rate("property", "self.rate", body=COUNTED),
    Rate("plain property", "self.rate", body=PLAIN_PROPERTY, box="self", kind="object"),
    Rate("dynamic attribute", "self.rate", body=DYNAMIC),
    Rate("counted entry", "COUNTS['p']", module=READS),
    Rate("complement", "1 - p", setup="p = 0.5", variable="p"),
    Rate("sum", "self.p + 0.1", variable="self", box="self", kind="object"),
    Rate("conditional", "p if self.ready else 0.1", setup="p = 0.5", variable="p"),
    Rate("builtin", "float(p)", setup="p = 0.5", variable="p"),
    Rate("walrus", "(r := 0.5)", variable="r"),
    Rate("call", "self.table.pop('p', 0.1)", variable="self", box="self.table", kind="dict"),
    Rate("default", "given_p", variable="given_p"),
]
