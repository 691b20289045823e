"""Which rules are on: codes, prefixes, names and ``ALL``, where the more specific selector wins, as in ruff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dropout_lint.rulebook import Rule
from dropout_lint.suggestions import nearest

ALL = "ALL"
ALWAYS_SELECTED = frozenset({"DRP001", "DRP004"})
"""Reported whatever is selected: a file that could not be read or checked. Only ``ignore`` turns them off."""

_PREFIX = re.compile(r"DRP\d{0,3}")
_EXACT = len("DRP101")
_OPINION = len("DRP6")
_LOOKALIKES = str.maketrans("OLI", "011")


class UnknownRuleError(ValueError):
    """No rule has this code, prefix or name; the text names the nearest one where there is one."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector and every rule it covers; ``specificity`` is 0 for ALL, else the length of the prefix."""

    text: str
    specificity: int
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Selectors:
    """One source of selectors, such as a file or the command line; None means not given."""

    select: Sequence[str] | None = None
    extend_select: Sequence[str] = ()
    ignore: Sequence[str] = ()


def parse_selector(text: str, rules: Mapping[str, Rule]) -> Selector:
    """Resolve a selector, in either case. Raises UnknownRuleError that suggests the nearest selector."""
    wanted = text.strip().upper()
    if wanted == ALL:
        return Selector(text, 0, frozenset(rules))
    if _PREFIX.fullmatch(wanted):
        codes = frozenset(code for code in rules if code.startswith(wanted))
        if codes:
            return Selector(text, len(wanted), codes)
    for rule in rules.values():
        if rule.name == wanted.lower():
            return Selector(text, _EXACT, frozenset({rule.code}))
    near = nearest_selector(text, rules)
    hint = f"Did you mean {near}?" if near else "Run 'dropout-lint rules' for the list."
    raise UnknownRuleError(f"Unknown rule '{text}'. {hint}")


def nearest_selector(text: str, rules: Mapping[str, Rule]) -> str | None:
    """The code, prefix or name nearest to an unknown one, None if none is near."""
    wanted = text.strip().upper()
    digits = wanted.removeprefix("DRP").translate(_LOOKALIKES)
    if digits and any(code.startswith(f"DRP{digits}") for code in rules):
        return f"DRP{digits}"
    groups = {code[:size] for code in rules for size in (3, _OPINION)}
    known = {ALL: ALL} | {item.upper(): item for rule in rules.values() for item in (rule.code, rule.name)}
    return nearest(wanted, known | {group: group for group in groups})


def select_rules(
    sources: Iterable[Selectors], rules: Mapping[str, Rule], *, preview: bool, base: Iterable[str] | None = None
) -> frozenset[str]:
    """The codes that are on. Later sources override earlier ones. ``base`` replaces the default rules at the start.

    Raises UnknownRuleError.
    """
    sets = {"default", "preview"} if preview else {"default"}
    enabled = {code for code, rule in rules.items() if rule.set in sets} if base is None else set(base)
    always = ALWAYS_SELECTED.intersection(rules) if base is None else frozenset[str]()
    for source in sources:
        chosen = [parse_selector(text, rules) for text in (*(source.select or ()), *source.extend_select)]
        ignored = [parse_selector(text, rules) for text in source.ignore]
        if source.select is not None:
            enabled = set(always)
        for specificity in range(_EXACT + 1):
            for selector in chosen:
                if selector.specificity == specificity:
                    enabled |= selector.codes if base is not None else _switched_on(selector, rules, preview)
            for selector in ignored:
                if selector.specificity == specificity:
                    enabled -= selector.codes
    return frozenset(enabled)


def preview_only(sources: Iterable[Selectors], rules: Mapping[str, Rule]) -> list[str]:
    """Selectors that have no effect because they name one preview rule and preview is off."""
    texts = [text for source in sources for text in (*(source.select or ()), *source.extend_select)]
    selectors = [parse_selector(text, rules) for text in dict.fromkeys(texts)]
    return [
        selector.text
        for selector in selectors
        if selector.specificity == _EXACT and all(rules[code].set == "preview" for code in selector.codes)
    ]


def _switched_on(selector: Selector, rules: Mapping[str, Rule], preview: bool) -> frozenset[str]:
    if selector.specificity == 0:
        return selector.codes
    opinion = selector.specificity >= _OPINION
    off = {None if preview else "preview", None if opinion else "opinion"}
    return frozenset(code for code in selector.codes if rules[code].set not in off)
