"""What a check may ask beyond its fact: the project, the settings, and how to report."""

from __future__ import annotations

import itertools
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Applicability, Diagnostic, Edit, Fix, Related, Severity, Span
from dropout_lint.facts import DropoutSite, FileFacts, LayerNode, ModelClass, Scope
from dropout_lint.project.project import Project
from dropout_lint.rulebook import rules
from dropout_lint.vocabulary import words

if TYPE_CHECKING:
    from dropout_lint.config.resolver import Settings
    from dropout_lint.mode.judges.evidence import Evidence

_STRING = re.compile(r"'(?:\\.|[^'\\\r\n])*'|\"(?:\\.|[^\"\\\r\n])*\"")

_NOISE_WORDS = {"mc", "carlo", "prenet", "bayesian", "uncertainty"}
"""In the name of a class or function, words that say its noise is meant at test time."""


@dataclass(frozen=True)
class Context:
    """One rule at work on one file."""

    code: str
    facts: FileFacts
    project: Project
    settings: Settings
    load: Callable[[], str]
    """Reads the text of the file, which few checks need."""
    evidence: tuple[Evidence, ...] = ()
    """What linking found in the file."""

    def report(
        self,
        span: Span,
        message: str,
        *,
        severity: Severity | None = None,
        fix: Fix | None = None,
        related: tuple[Related, ...] = (),
        beside: Iterable[LayerNode] = (),
    ) -> Diagnostic:
        """A diagnostic of this rule; the severity is the page's unless the evidence decides otherwise.

        Those of the nodes ``beside`` that stand in a wrapper are told as related places. A fix that would delete a
        comment becomes advice.
        """
        inside = ((n, f"`{n.kind.rpartition('.')[2]}` in `{n.wrappers[-1]}`") for n in beside if n.within is not None)
        related += tuple(Related(n.path or self.facts.path, n.span, told) for n, told in inside)
        related = tuple(replace(one, path=self._shown(one.path)) for one in related)
        if fix is not None and any(self._deletes_comment(edit) for edit in fix.edits):
            fix = advice(fix.message)
        level = severity or rules()[self.code].severity
        return Diagnostic(self.code, self.facts.path, span, message, level, fix, related=related)

    def _shown(self, path: str) -> str:
        """The path of another file, spelt like the one that is checked."""
        here = Path.cwd()
        relative = not Path(self.facts.path).is_absolute() and here in Path(path).parents
        return str(Path(path).relative_to(here)) if relative else path

    def _deletes_comment(self, edit: Edit) -> bool:
        if edit.span.line == edit.span.end_line:
            return False
        return _hashes(self.slice(edit.span)) > _hashes(edit.replacement)

    def in_module(self, scope: Scope) -> bool:
        """Whether a scope is a method of a proven nn.Module."""
        return bool(scope.class_name) and self.is_module(scope.class_name)

    def is_module(self, class_name: str) -> bool:
        """Whether a class of this file is an nn.Module: by its bases, or because it registers layers like one."""
        proven = self.project.classes.is_module(self.facts, "." + class_name)
        if proven is not None:
            return proven
        found = self.model_class(class_name)
        return found is not None and found.torch_attributes and "forward" in found.methods

    def model_class(self, class_name: str, line: int = sys.maxsize) -> ModelClass | None:
        """The facts of a class of this file: of the last definition of that name, or of the last one above a line."""
        return next((c for c in reversed(self._classes.get(class_name, ())) if c.span.line <= line), None)

    @cached_property
    def _classes(self) -> dict[str, list[ModelClass]]:
        found: dict[str, list[ModelClass]] = {}
        for one in sorted(self.facts.classes, key=lambda c: c.span.line):
            found.setdefault(one.name, []).append(one)
        return found

    def intended(self, site: DropoutSite) -> bool:
        """Whether the code says that dropout at test time is meant: in words, or by its name."""
        return bool(site.intent) or self.named_intent(site.scope)

    def named_intent(self, scope: Scope) -> bool:
        """Whether a class or function around is named as one that drops at test time on purpose."""
        names = [*scope.class_name.split("."), *scope.function.split("."), scope.method]
        if any(words(name) & _NOISE_WORDS for name in names):
            return True
        patterns = [p.lower() for p in self.settings.mc_dropout_names]
        return any(name and fnmatchcase(name.lower(), pattern) for name in names for pattern in patterns)

    def line(self, number: int) -> str:
        """The text of a line, with its comment."""
        return self._lines[number - 1]

    def slice(self, span: Span) -> str:
        """The source text of a span."""
        lines = self._lines
        if span.line == span.end_line:
            return lines[span.line - 1][span.column - 1 : span.end_column - 1]
        middle = lines[span.line : span.end_line - 1]
        last = lines[span.end_line - 1][: span.end_column - 1] if span.end_line <= len(lines) else ""
        return "".join([lines[span.line - 1][span.column - 1 :], *middle, last])

    @cached_property
    def text(self) -> str:
        """The text of the file."""
        return self.load()

    @cached_property
    def _lines(self) -> list[str]:
        return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", self.text)

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *itertools.accumulate(map(len, self._lines))]

    def offset(self, line: int, column: int) -> int:
        """Where a position lies in the text."""
        return self._starts[line - 1] + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset in the text."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _hashes(text: str) -> int:
    """How many number signs stand outside of strings."""
    return _STRING.sub("", text).count("#")


def safe(message: str, *edits: Edit, imports: tuple[str, ...] = ()) -> Fix | None:
    """A fix that keeps the eval output or makes it deterministic; None without edits."""
    return Fix(message, Applicability.SAFE, edits, imports) if edits else None


def unsafe(message: str, *edits: Edit, imports: tuple[str, ...] = ()) -> Fix | None:
    """A fix that changes training; None without edits."""
    return Fix(message, Applicability.UNSAFE, edits, imports) if edits else None


def advice(message: str) -> Fix:
    """What to do by hand."""
    return Fix(message, Applicability.DISPLAY)


def insertion(line: int, column: int, text: str) -> Edit:
    """An edit that only adds text."""
    return Edit(Span(line, column, line, column), text)
