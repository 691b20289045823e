"""What is known about the value of an expression: number, polarity, and who may change it."""

from __future__ import annotations

import pytest

from dropout_lint.facts import Polarity, Value
from dropout_lint.source.values.values import polarity_of
from tests.source_helpers import Probed


def value(text: str) -> Value:
    return Probed(text).value()


def in_constructor(parameters: str, body: str, argument: str = "p") -> Value:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return value(f"class A:\n    def __init__(self, {parameters}):\n{lines}        probe({argument})\n")


# --- numbers

NUMBERS = {
    "a literal": ("probe(0.1)", 0.1),
    "an integer": ("probe(1)", 1.0),
    "a negative number": ("probe(-0.5)", -0.5),
    "a flag": ("probe(True)", 1.0),
    "a text": ("probe('0.1')", None),
    "nothing": ("probe(None)", None),
    "not a number": ("probe(1e999 - 1e999)", None),
    "a constant": ("P = 0.1\nprobe(P)", 0.1),
    "a constant of a constant": ("P = 0.1\nQ = P\nprobe(Q)", 0.1),
    "a typed constant": ("P: float = 0.1\nprobe(P)", 0.1),
    "a constant of the class": ("class A:\n    p = 0.1\n    def f(self):\n        probe(self.p)", 0.1),
    "part of a tuple": ("a, P = 1, 0.1\nprobe(P)", 0.1),
    "part of a call": ("a, P = make()\nprobe(P)", None),
    "a walrus": ("f(P := 0.1)\nprobe(P)", 0.1),
    "one minus": ("probe(1 - 0.9)", 0.1),
    "a sum": ("P = 0.1\nprobe(P + 0.2)", 0.1 + 0.2),
    "a product": ("P = 0.1\nprobe(2 * P)", 0.2),
    "a quotient": ("P = 0.1\nprobe(P / 2)", 0.05),
    "divided by zero": ("probe(1 / 0)", None),
    "a power": ("probe(0.1 ** 2)", None),
    "float()": ("P = 0.1\nprobe(float(P))", 0.1),
    "another call": ("probe(round(0.1))", None),
    "both branches the same": ("probe(0.1 if a else 0.1)", 0.1),
    "two branches": ("probe(0.1 if a else 0.2)", None),
    "or": ("probe(a or 0.1)", None),
    "assigned twice": ("P = 0.1\nP = 0.2\nprobe(P)", None),
    "assigned twice the same": ("if a:\n    P = 0.1\nelse:\n    P = 0.1\nprobe(P)", 0.1),
    "changed in place": ("P = 0.1\nP *= 2\nprobe(P)", None),
    "changed by a function": ("P = 0.1\ndef f(p):\n    global P\n    P = p\nprobe(P)", None),
    "taken from a loop": ("P = 0.1\nfor P in ps:\n    probe(P)", None),
    "captured by match": ("P = 0.1\nmatch cfg:\n    case {'p': P}:\n        pass\nprobe(P)", None),
    "in terms of itself": ("P = P\nprobe(P)", None),
    "imported": ("from config import P\nprobe(P)", None),
    "unknown": ("probe(P)", None),
    "an item": ("P = {'p': 0.1}\nprobe(P['p'])", None),
    "the rate of a module": (
        "class A:\n    def __init__(self):\n        self.d = Dropout(0.1)\n    def f(self):\n        probe(self.d.p)",
        0.1,
    ),
    "the rate by its name": (
        "class A:\n    def __init__(self):\n        self.d = Dropout(p=0.1)\n    def f(self):\n        probe(self.d.p)",
        0.1,
    ),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_is_followed(case: str) -> None:
    text, number = NUMBERS[case]
    found = value(text)
    assert found.number == number
    assert (found.kind in {"number", "bool"}) == (number is not None)


@pytest.mark.parametrize(("text", "kind"), [("0.1", "number"), ("True", "bool"), ("'a'", "str"), ("None", "none")])
def test_the_kind_of_a_constant(text: str, kind: str) -> None:
    found = value(f"probe({text})")
    assert (found.kind, found.literal) == (kind, True)


def test_only_a_number_that_nobody_can_change_is_proven_to_be_zero() -> None:
    assert value("P = 0.0\nprobe(P)").is_zero
    assert not in_constructor("p=0.0", "pass").is_zero
    assert not value("probe(0.1)").is_zero


# --- defaults and callers


def test_a_parameter_of_a_constructor_has_its_default() -> None:
    found = in_constructor("p=0.1", "pass")
    assert (found.number, found.default, found.parameter, found.from_caller) == (0.1, True, "p", False)


def test_a_parameter_of_a_function_belongs_to_its_callers() -> None:
    found = value("def f(p=0.1):\n    probe(p)")
    assert (found.number, found.default, found.parameter, found.from_caller) == (0.1, True, "p", True)


def test_a_parameter_without_default_has_no_number() -> None:
    found = in_constructor("p", "pass")
    assert (found.number, found.parameter) == (None, "p")


def test_a_default_that_is_a_constant_of_the_file() -> None:
    assert value("P = 0.1\nclass A:\n    def __init__(self, p=P):\n        probe(p)").number == 0.1


def test_a_default_is_looked_up_outside_of_the_function() -> None:
    assert value("p = 0.1\ndef f(p=p):\n    probe(p)").number == 0.1


def test_a_parameter_that_is_assigned_is_no_longer_the_parameter() -> None:
    found = in_constructor("p=0.1", "if p is None:\n    p = 0.2")
    assert (found.number, found.parameter) == (None, "")


def test_an_attribute_leads_to_the_parameter_but_is_none() -> None:
    found = in_constructor("p=0.1", "self.rate = p", "self.rate")
    assert (found.number, found.default, found.parameter, found.names) == (0.1, True, "", ("rate", "p"))


def test_an_attribute_that_another_method_sets_depends_on_the_mode() -> None:
    text = "class A:\n    def __init__(self):\n        self.p = 0.1\n    def off(self):\n        self.p = 0.0\n"
    found = value(text + "    def f(self):\n        probe(self.p)")
    assert (found.number, found.gated) == (None, True)


def test_an_attribute_that_nothing_assigns_is_left_to_the_base_class() -> None:
    found = value("class A(Base):\n    def f(self):\n        probe(self.dropout)")
    assert (found.number, found.attribute, found.polarity) == (None, "dropout", "drop")


def test_arithmetic_keeps_who_may_change_it() -> None:
    found = in_constructor("p=0.1", "pass", "p / 2")
    assert (found.number, found.default, found.literal) == (0.05, True, False)
    assert value("probe(1 - 0.9)").literal
    assert value("def f(p):\n    probe(1 - p)").from_caller


# --- options and configurations

ARGPARSE = "parser.add_argument('--drop-rate', type=float, default=0.1, help='{help}')\nargs = parser.parse_args()\n"


@pytest.mark.parametrize("read", ["args.drop_rate", "vars(args)['drop_rate']", "getattr(args, 'drop_rate')"])
def test_an_option_has_its_default(read: str) -> None:
    found = value(ARGPARSE.format(help="") + f"probe({read})")
    assert (found.number, found.default, found.attribute) == (0.1, True, "drop_rate")


def test_an_option_with_a_destination() -> None:
    text = "parser.add_argument('-d', '--rate', dest='drop', default=0.1)\n"
    assert value(text + "probe(args.drop)").number == 0.1
    assert value(text + "probe(args.rate)").number is None


def test_a_click_option() -> None:
    assert (
        value("@click.option('--p-drop', default=0.1)\ndef f(**options):\n    probe(options['p_drop'])").number == 0.1
    )


@pytest.mark.parametrize("default", ["None", "True", "'0.1'", "P"])
def test_an_option_whose_default_is_no_number(default: str) -> None:
    assert value(f"parser.add_argument('--p', default={default})\nprobe(args.p)").number is None


@pytest.mark.parametrize(
    ("text", "doc"),
    [
        ("dropout rate", "drop"),
        ("probability of dropping a unit", "drop"),
        ("probability to keep a unit", "keep"),
        ("keep probability", "keep"),
        ("keep probability, that is one minus the dropout rate", ""),
        ("size of a layer", ""),
    ],
)
def test_a_help_text_says_what_a_probability_means(text: str, doc: Polarity) -> None:
    assert value(ARGPARSE.format(help=text) + "probe(args.drop_rate)").doc == doc


def test_a_docstring_says_what_a_parameter_means() -> None:
    doc = '"""Make it.\n\n        p: probability to keep a unit\n        """'
    assert in_constructor("p", doc).doc == "keep"
    assert in_constructor("p", doc, "1 - p").doc == ""


@pytest.mark.parametrize(
    ("read", "number"),
    [("config.get('p', 0.1)", 0.1), ("getattr(config, 'p', 0.1)", 0.1), ("config.pop('p')", None), ("get(0.1)", None)],
)
def test_a_look_up_with_a_default(read: str, number: float | None) -> None:
    assert value(f"probe({read})").number == number


def test_a_field_of_a_configuration_is_known_by_its_name() -> None:
    found = value("@dataclass\nclass Config:\n    dropout: float = 0.1\ndef f(config):\n    probe(config.dropout)")
    assert (found.attribute, found.default, found.polarity) == ("dropout", True, "drop")


# --- polarity


@pytest.mark.parametrize(
    ("name", "polarity"),
    [
        ("keep_prob", "keep"),
        ("keepProb", "keep"),
        ("keepprob", "keep"),
        ("retain_rate", "keep"),
        ("keep", "keep"),
        ("retain_graph", ""),
        ("dropout", "drop"),
        ("drop_rate", "drop"),
        ("DropPath", "drop"),
        ("dropdown", ""),
        ("p", ""),
    ],
)
def test_the_words_of_a_name(name: str, polarity: Polarity) -> None:
    assert polarity_of(name) == polarity


POLARITIES: dict[str, tuple[str, str, str, Polarity]] = {
    "of the parameter": ("keep_prob", "pass", "keep_prob", "keep"),
    "of what it is assigned to": ("p", "dropout = p", "dropout", "drop"),
    "of the attribute": ("p", "self.dropout = p", "self.dropout", "drop"),
    "a name that says nothing hands it on": ("keep_prob", "p = keep_prob", "p", "keep"),
    "one minus turns it": ("keep_prob", "pass", "1 - keep_prob", "drop"),
    "one minus, with a point": ("keep_prob", "pass", "1.0 - keep_prob", "drop"),
    "twice": ("keep_prob", "drop = 1 - keep_prob", "1 - drop", "keep"),
    "one minus what says nothing": ("p", "pass", "1 - p", ""),
    "two minus": ("keep_prob", "pass", "2 - keep_prob", ""),
    "minus one": ("keep_prob", "pass", "keep_prob - 1", ""),
    "halved": ("keep_prob", "pass", "keep_prob / 2", ""),
    "names that contradict": ("keep_prob", "dropout = keep_prob", "dropout", ""),
    "reassigned with another": ("keep_prob", "keep_prob = 1 - keep_prob", "keep_prob", ""),
    "a local in terms of itself": ("p", "keep_prob = 0.9\nkeep_prob = 1 - keep_prob", "keep_prob", ""),
    "a default put in": ("keep_prob", "keep_prob = keep_prob or 0.9", "keep_prob", "keep"),
    "both branches": ("keep_prob, a", "pass", "keep_prob if a else keep_prob", "keep"),
    "branches that contradict": ("keep_prob, drop, a", "pass", "keep_prob if a else drop", ""),
    "a branch with a number": ("keep_prob, a", "pass", "keep_prob if a else 1.0", "keep"),
    "float()": ("keep_prob", "pass", "float(keep_prob)", "keep"),
}


@pytest.mark.parametrize("case", POLARITIES)
def test_polarity(case: str) -> None:
    parameters, body, argument, polarity = POLARITIES[case]
    assert in_constructor(parameters, body, argument).polarity == polarity


# --- the mode

GATED = {
    "a conditional expression": ("probe(p if self.training else 0.0)", True),
    "negated": ("probe(0.0 if not self.training else p)", True),
    "and": ("probe(self.training and p)", True),
    "times": ("probe(p * self.training)", True),
    "a conditional expression about something else": ("probe(p if self.deep else 0.0)", False),
    "assigned in a branch": ("q = 0.0\nif self.training:\n    q = p\nprobe(q)", True),
    "assigned in a branch about something else": ("q = 0.0\nif self.deep:\n    q = p\nprobe(q)", False),
    "a local that is the mode": ("on = self.training\nprobe(p if on else 0.0)", True),
    "a call that takes the mode": ("probe(rate(p, self.training))", True),
    "plain": ("probe(p)", False),
}


@pytest.mark.parametrize("case", GATED)
def test_a_value_that_depends_on_the_mode(case: str) -> None:
    body, gated = GATED[case]
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    assert value(f"class A:\n    def forward(self, x, p):\n{lines}").gated is gated


def test_the_names_of_a_value_come_in_their_order() -> None:
    assert in_constructor("keep", "rate = 1 - keep\nself.p = rate", "self.p").names == ("p", "rate", "keep")


def test_a_long_chain_of_names_ends_in_the_unknown() -> None:
    chain = "".join(f"p{n + 1} = p{n}\n" for n in range(20))
    assert value(f"p0 = 0.1\n{chain}probe(p20)").number is None
