"""Parses suppression comments: ``# noqa`` as flake8 does, and ``# dropout-lint: ...``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dropout_lint import rulebook
from dropout_lint.suggestions import did_you_mean
from dropout_lint.syntax.comments import Comment, Layout

KINDS = ("ignore", "ignore-file", "skip-file", "mc-dropout")

_NOQA = re.compile(r"#\s*noqa(?::\s?(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*))?", re.IGNORECASE)
_BARE_PREFIX = re.compile(r":\s?(DRP)\b", re.IGNORECASE)
_OURS = re.compile(
    r"(?:^|(?<=\s))#\s*dropout-lint\s*:\s*(?P<kind>[\w-]+)(?:\s*\[(?P<codes>[^\]#]*)(?P<close>\])?)?", re.IGNORECASE
)
_ITEM = re.compile(r"[^\s,]+")
_CODE = re.compile(r"DRP\d{0,3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """A code, prefix or name as written, with its offsets in the comment."""

    text: str
    start: int
    end: int

    def covers(self, code: str) -> bool:
        """True if this is the code or name of the rule, or a prefix of its code."""
        if _CODE.fullmatch(self.text):
            return code.startswith(self.text.upper())
        return rulebook.codes_by_name().get(self.text.lower()) == code

    def rules(self) -> list[rulebook.Rule]:
        """The rules that this names; none if it is unknown."""
        return [rule for code, rule in rulebook.rules().items() if self.covers(code)]


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive of a comment; ``start`` and ``end`` are offsets in the comment's text."""

    kind: str
    comment: Comment
    start: int
    end: int
    items: tuple[Item, ...]
    blanket: bool
    lines: tuple[int, int]
    """Lines of the statement that it is on or above."""
    block: tuple[int, int]
    """The same, with the lines indented below the statement."""
    problem: str = ""
    """Why it has no effect, or not the intended one."""

    @property
    def file_wide(self) -> bool:
        return self.kind in ("ignore-file", "skip-file")


def directives(comment: Comment, layout: Layout) -> Iterator[Directive]:
    """Parse the directives of a comment. A misspelt one has a ``problem``."""
    here = layout.statement(comment.line)
    noqa = _NOQA.search(comment.text)
    if noqa:
        items = tuple(i for i in _items(noqa) if i.text.upper().startswith("DRP"))
        lines = here or (comment.line, comment.line)
        bare = None if noqa["codes"] else _BARE_PREFIX.match(comment.text, noqa.end())
        problem = (
            "'noqa: DRP' without a number is read as a bare 'noqa', which silences every linter here: "
            "write a full code such as DRP101"
        )
        end = bare.end() if bare else noqa.end()
        yield Directive(
            "noqa", comment, noqa.start(), end, items, not noqa["codes"], lines, lines, problem if bare else ""
        )
    for match in _OURS.finditer(comment.text):
        kind = match["kind"].lower()
        lines = here or (layout.following(comment.line) if comment.own_line else (comment.line, comment.line))
        items = tuple(_items(match))
        problem = ""
        if kind not in KINDS:
            problem = f"unknown directive 'dropout-lint: {match['kind']}'{did_you_mean(kind, KINDS)}"
        elif match["codes"] is not None and kind in ("skip-file", "mc-dropout"):
            problem = f"'dropout-lint: {kind}' takes no list of rules"
        elif match["codes"] is not None and not match["close"]:
            problem = f"the list of 'dropout-lint: {kind}[' has no end: add ']'"
        elif match["codes"] is not None and not items:
            problem = f"'dropout-lint: {kind}[]' names no rule"
        elif kind in ("ignore-file", "skip-file") and not (comment.own_line and comment.column == 1 and not here):
            problem = f"'dropout-lint: {kind}' must stand on a line of its own, not indented"
        yield Directive(
            kind,
            comment,
            match.start(),
            match.end(),
            items,
            match["codes"] is None,
            lines,
            layout.block(lines[0]),
            problem,
        )


def _items(match: re.Match[str]) -> Iterator[Item]:
    if match["codes"]:
        for item in _ITEM.finditer(match.string, *match.span("codes")):
            yield Item(item.group(), item.start(), item.end())
