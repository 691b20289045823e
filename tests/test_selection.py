"""Selectors: what each covers, which one wins, and what a misspelt one is told."""

import pytest

from dropout_lint.config.selection import Selectors, UnknownRuleError, parse_selector, preview_only, select_rules
from dropout_lint.diagnostic import Severity
from dropout_lint.rulebook import Rule


def rule(code: str, name: str, rule_set: str = "default") -> Rule:
    return Rule(code, name, "", Severity.ERROR, "none", rule_set, "0.1", "", "", ())


BOOK = {
    item.code: item
    for item in (
        rule("DRP001", "syntax-error"),
        rule("DRP101", "functional-dropout"),
        rule("DRP102", "attention-dropout"),
        rule("DRP201", "mode-call", "preview"),
        rule("DRP301", "dropout-before-activation"),
        rule("DRP405", "zero-dropout", "opinion"),
        rule("DRP601", "unusual-rate", "opinion"),
    )
}


def selected(*layers: Selectors, preview: bool = False) -> set[str]:
    return set(select_rules(layers, BOOK, preview=preview)) - {"DRP001"}


@pytest.mark.parametrize(
    ("select", "ignore", "preview", "expected"),
    [
        (None, [], False, {"DRP101", "DRP102", "DRP301"}),
        (None, [], True, {"DRP101", "DRP102", "DRP201", "DRP301"}),
        (["DRP1"], ["DRP101"], False, {"DRP102"}),
        (["DRP101"], ["DRP1"], False, {"DRP101"}),
        (["DRP101"], ["DRP101"], False, set()),
        (["ALL"], ["DRP1"], False, {"DRP201", "DRP301", "DRP405", "DRP601"}),
        (["DRP"], [], False, {"DRP101", "DRP102", "DRP301"}),
        (["DRP4"], [], False, {"DRP405"}),
        (["DRP60"], [], False, {"DRP601"}),
        (["unusual-rate"], [], False, {"DRP601"}),
        (["functional-dropout"], ["DRP1"], False, {"DRP101"}),
        (["DRP201"], [], False, set()),
        (["DRP201"], [], True, {"DRP201"}),
        (["DRP2"], [], False, set()),
        (["DRP2"], [], True, {"DRP201"}),
        (["drp101", " DRP102 "], [], False, {"DRP101", "DRP102"}),
        ([], [], False, set()),
    ],
)
def test_the_more_specific_selector_wins_and_sets_are_kept(
    select: list[str], ignore: list[str], preview: bool, expected: set[str]
) -> None:
    assert selected(Selectors(select, (), ignore), preview=preview) == expected


def test_a_later_select_replaces_and_a_later_extend_select_adds() -> None:
    file = Selectors(["DRP3"], (), ["DRP101"])
    assert selected(file, Selectors(["DRP1"])) == {"DRP101", "DRP102"}
    assert selected(file, Selectors(None, ["DRP1"])) == {"DRP101", "DRP102", "DRP301"}
    assert selected(Selectors(["DRP101"]), Selectors(None, (), ["DRP"])) == set()


def test_what_cannot_be_read_is_reported_whatever_is_selected() -> None:
    assert "DRP001" in select_rules([Selectors(["DRP101"])], BOOK, preview=False)
    assert "DRP001" not in select_rules([Selectors(["DRP101"], (), ["DRP001"])], BOOK, preview=False)


def test_fixable_starts_from_all_rules_and_knows_no_sets() -> None:
    assert select_rules([Selectors(None, (), ["DRP1"])], BOOK, preview=True, base=BOOK) == set(BOOK) - {
        "DRP101",
        "DRP102",
    }
    assert select_rules([Selectors(["DRP"])], BOOK, preview=True, base=BOOK) == set(BOOK)


def test_only_exact_preview_selectors_are_said_to_have_no_effect() -> None:
    assert preview_only([Selectors(["DRP201", "DRP2", "ALL", "DRP101"]), Selectors(None, ["mode-call"])], BOOK) == [
        "DRP201",
        "mode-call",
    ]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("DRP10l", "DRP101"),
        ("DPR101", "DRP101"),
        ("101", "DRP101"),
        ("dropout-before-activaton", "dropout-before-activation"),
        ("al", "ALL"),
        ("DRPX", "DRP"),
    ],
)
def test_an_unknown_selector_is_told_the_nearest(text: str, near: str) -> None:
    with pytest.raises(UnknownRuleError, match=rf"Unknown rule '{text}'\. Did you mean {near}\?"):
        parse_selector(text, BOOK)


@pytest.mark.parametrize("text", ["F401", "DRP5", ""])
def test_a_selector_far_from_all_points_to_the_list(text: str) -> None:
    with pytest.raises(UnknownRuleError, match=r"dropout-lint rules|Did you mean DRP"):
        parse_selector(text, BOOK)
