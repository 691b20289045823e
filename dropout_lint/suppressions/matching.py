"""Applies suppression comments to diagnostics, and reports unused (DRP002) and unknown (DRP003) ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dropout_lint import rulebook
from dropout_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity, Span
from dropout_lint.suggestions import did_you_mean
from dropout_lint.suppressions.directives import Directive, Item, directives
from dropout_lint.syntax.comments import read_layout

UNUSED = "DRP002"
UNKNOWN = "DRP003"
TOOL_RULES = frozenset(["DRP001", UNUSED, UNKNOWN, "DRP004"])
"""Rules about linting itself; they have no check module."""
MC_DROPOUT_CODES = frozenset(["DRP101", "DRP102", "DRP103", "DRP104", "DRP105", "DRP106", "DRP206", "DRP207", "DRP501"])
"""Rules that ``# dropout-lint: mc-dropout`` turns off: they report dropout at test time."""

_NOT_ANALYSED = {"DRP001", "DRP004"}
_OURS = re.compile(r"dropout-lint|noqa\s*:[^\r\n]*drp", re.IGNORECASE)
# Most 'noqa' comments of a project name the rules of another tool: those need no tokenizer, which is slow.
_ANY = re.compile(r"dropout-lint|noqa(?!:\s?[A-Z]+[0-9])|noqa:[^\r\n]*drp", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The directives of a file. Picklable, without syntax nodes."""

    directives: tuple[Directive, ...] = ()
    lines: int = 0
    complete: bool = True

    @property
    def skip_file(self) -> bool:
        """True if the file must not be checked."""
        return any(d.kind == "skip-file" and not d.problem for d in self.directives)

    @property
    def mc_lines(self) -> tuple[int, ...]:
        """First lines of the statements marked as Monte Carlo dropout."""
        return tuple(d.lines[0] for d in self.directives if d.kind == "mc-dropout" and not d.problem)


def parse_suppressions(text: str, *, any_findings: bool = True) -> Suppressions:
    """Parse the suppression comments of a text, not those inside of strings. Never raises.

    Without ``any_findings``, a ``noqa`` that names no rule of this tool is not read: it can suppress nothing.
    """
    lowered = text.lower()
    if "noqa" not in lowered and "dropout-lint" not in lowered:
        return Suppressions()  # plain searches are far faster than the pattern
    if not (_ANY if any_findings else _OURS).search(text):
        return Suppressions()
    layout = read_layout(text)
    found = [d for comment in layout.comments if _ANY.search(comment.text) for d in directives(comment, layout)]
    return Suppressions(tuple(found), layout.lines, layout.complete)


def apply_suppressions(
    suppressions: Suppressions,
    diagnostics: Sequence[Diagnostic],
    path: str,
    enabled: frozenset[str],
    definitions: Sequence[tuple[int, int, int]] = (),
) -> tuple[Diagnostic, ...]:
    """Remove suppressed diagnostics; add DRP002 and DRP003 if they are ``enabled``.

    ``definitions`` are (first line with decorators, line of the def or class, last line). Unused suppressions are not
    reported for a file that was not fully analysed.
    """
    if suppressions.skip_file:
        return ()
    if not suppressions.directives:
        return tuple(diagnostics)
    used: set[tuple[Directive, Item | None]] = set()
    kept: list[Diagnostic] = []
    for diagnostic in diagnostics:
        matches = [m for d in suppressions.directives for m in _matches(d, diagnostic, definitions)]
        used.update(matches)
        if not matches:
            kept.append(diagnostic)
    about: list[tuple[Directive, Diagnostic]] = []
    if suppressions.complete and not any(d.code in _NOT_ANALYSED for d in diagnostics):
        for directive in suppressions.directives:
            if UNKNOWN in enabled:
                about += [(directive, d) for d in _unknown(directive, path)]
            if UNUSED in enabled and not directive.problem:
                about += [(directive, d) for d in _unused(directive, used, path, enabled, suppressions.lines)]
    for subject, diagnostic in about:
        others = (d for d in suppressions.directives if d is not subject or any(_names_tool(i) for i in d.items))
        if not any(True for d in others for _ in _matches(d, diagnostic, definitions)):
            kept.append(diagnostic)
    return tuple(sorted(kept, key=lambda d: d.sort_key)) if about else tuple(kept)


def _matches(
    directive: Directive, diagnostic: Diagnostic, definitions: Sequence[tuple[int, int, int]]
) -> Iterable[tuple[Directive, Item | None]]:
    """The parts of a directive that suppress a diagnostic."""
    if directive.problem and not (directive.kind == "noqa" and directive.blanket):
        return
    line = diagnostic.span.line
    if directive.kind == "mc-dropout":
        first, last = _intent_range(directive, definitions)
        if diagnostic.code in MC_DROPOUT_CODES and first <= line <= last:
            yield directive, None
        return
    end = diagnostic.span.end_line - (diagnostic.span.end_column == 1 and diagnostic.span.end_line > line)
    first, last = directive.lines
    if directive.file_wide or first <= line <= last or directive.comment.line in (line, end):
        if directive.blanket:
            yield directive, None
        for item in directive.items:
            if item.covers(diagnostic.code):
                yield directive, item


def _intent_range(directive: Directive, definitions: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    first, last = directive.lines
    for start, definition, end in definitions:
        if start <= directive.comment.line <= definition or start == first or first <= definition <= last:
            return start, end
    return directive.block


def _names_tool(item: Item) -> bool:
    return item.text.upper().startswith("DRP00") or any(
        item.covers(code) for code in (UNUSED, UNKNOWN) if "-" in item.text
    )


def _unknown(directive: Directive, path: str) -> Iterable[Diagnostic]:
    if directive.problem:
        yield _diagnostic(UNKNOWN, path, directive, directive.start, directive.end, directive.problem)
    for item in directive.items:
        if not item.rules():
            known = [*rulebook.rules(), *rulebook.codes_by_name()]
            near = did_you_mean(item.text.upper(), known) or did_you_mean(item.text.lower(), known)
            yield _diagnostic(UNKNOWN, path, directive, item.start, item.end, f"unknown rule '{item.text}'{near}")


def _unused(
    directive: Directive, used: set[tuple[Directive, Item | None]], path: str, enabled: frozenset[str], lines: int
) -> Iterable[Diagnostic]:
    if directive.blanket:
        if directive.kind == "noqa" or (directive, None) in used:
            return
        rules = list(rulebook.rules().values())
        if directive.kind == "mc-dropout":
            rules = [rule for rule in rules if rule.code in MC_DROPOUT_CODES]
        if not _all_on(rules, enabled):
            return
        unused: tuple[Item, ...] = ()
        message = f"'dropout-lint: {directive.kind}' suppresses nothing here"
    else:
        unused = tuple(
            i
            for i in directive.items
            if (directive, i) not in used and not _names_tool(i) and _all_on(i.rules(), enabled)
        )
        if not unused:
            return
        message = f"this comment suppresses nothing: no {' or '.join(i.text for i in unused)} is found here"
    fix = Fix("Remove the unused suppression", Applicability.SAFE, (_removal(directive, unused, lines),))
    yield _diagnostic(UNUSED, path, directive, directive.start, directive.end, message, fix)


def _all_on(rules: list[rulebook.Rule], enabled: frozenset[str]) -> bool:
    """True if all these rules were checked; of a group, its default rules."""
    needed = rules if len(rules) == 1 else [rule for rule in rules if rule.set == "default"]
    return bool(needed) and all(rule.code in enabled for rule in needed)


def _diagnostic(
    code: str, path: str, directive: Directive, start: int, end: int, message: str, fix: Fix | None = None
) -> Diagnostic:
    line, column = directive.comment.line, directive.comment.column
    span = Span(line, column + start, line, column + end)
    return Diagnostic(code, path, span, message, Severity.WARNING, fix)


def _removal(directive: Directive, unused: tuple[Item, ...], lines: int) -> Edit:
    """Remove the unused codes from a comment; if none is left, the directive, the comment or its whole line."""
    comment, text = directive.comment, directive.comment.text
    line, column = comment.line, comment.column
    listed = _listed(directive)
    left = [item for item in listed if item not in unused]
    if unused and left:
        start, end = listed[0].start, listed[-1].end
        pieces = [left[0].text]
        for item in left[1:]:
            separator = text[listed[listed.index(item) - 1].end : item.start]
            pieces += [separator, item.text]
        return Edit(Span(line, column + start, line, column + end), "".join(pieces))
    before, after = text[: directive.start].rstrip(), text[directive.end :].strip().lstrip("-:,;\u2013\u2014 \t")
    if after and not after.startswith("#"):
        after = f"# {after}"
    if before or after:
        return Edit(Span(line, column, line, column + len(text)), "  ".join(filter(None, [before, after])))
    if comment.own_line and line < lines:
        return Edit(Span(line, 1, line + 1, 1), "")
    return Edit(Span(line, column - comment.gap, line, column + len(text)), "")


def _listed(directive: Directive) -> list[Item]:
    """All codes of the list, including those of other tools."""
    text = directive.comment.text[: directive.end]
    start = text.find("[" if directive.kind != "noqa" else ":", directive.start)
    if start < 0:
        return []
    found = re.finditer(r"[^\s,\[\]:]+", text[start:])
    return [Item(m.group(), start + m.start(), start + m.end()) for m in found]
