"""What a check gets beside its fact: the project, the settings, the source text, and how to report."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dropout_lint.diagnostic import Applicability, Confidence, Diagnostic, Fix, Related, Rewrite, Severity, Span
from dropout_lint.facts import DropoutSite, FileFacts, LayerNode, ModelClass, Scope
from dropout_lint.project.project import Project
from dropout_lint.rulebook import rules
from dropout_lint.vocabulary import NOISE_WORDS, words

if TYPE_CHECKING:
    from dropout_lint.config.resolver import Settings


@dataclass(frozen=True)
class Context:
    """What one rule may use while it checks one file. The linter makes one for each rule and file."""

    code: str
    facts: FileFacts
    project: Project
    settings: Settings

    def report(
        self,
        span: Span,
        message: str,
        *,
        severity: Severity | None = None,
        confidence: Confidence = Confidence.PROVEN,
        fix: Fix | None = None,
        related: tuple[Related, ...] = (),
        beside: Iterable[LayerNode] = (),
    ) -> Diagnostic:
        """A diagnostic of this rule, with the severity of its page unless one is passed.

        One that is not proven has a lower severity, and no safe fix, because the code may be right as it is. There is
        no safe fix either where ``exec`` or ``globals()`` may bind the names of the file.
        Nodes in ``beside`` that are inside of a wrapper are added as related places.
        """
        inside = ((n, f"`{n.kind.rpartition('.')[2]}` in `{n.wrappers[-1]}`") for n in beside if n.within is not None)
        related += tuple(Related(n.path or self.facts.path, n.span, text) for n, text in inside)
        related = tuple(replace(one, path=self._as_checked(one.path)) for one in related)
        level = confidence.limit(severity or rules()[self.code].severity)
        doubtful = confidence is not Confidence.PROVEN or self.facts.doubts.dynamic
        if fix is not None and fix.applicability is Applicability.SAFE and doubtful:
            fix = replace(fix, applicability=Applicability.UNSAFE)
        return Diagnostic(self.code, self.facts.path, span, message, level, fix, confidence, related=related)

    def _as_checked(self, path: str) -> str:
        """The path of another file, relative if the path of the checked file is."""
        here = Path.cwd()
        relative = not Path(self.facts.path).is_absolute() and here in Path(path).parents
        return str(Path(path).relative_to(here)) if relative else path

    def in_module(self, scope: Scope) -> bool:
        """Whether a scope is a method of a proven nn.Module."""
        return bool(scope.class_name) and self.is_module(scope.class_name)

    def called_by_modules(self, scope: Scope) -> bool:
        """Whether this file calls the function around, and only from methods of Modules."""
        callers = self.facts.calls.get(scope.function, ())
        return bool(callers) and all(caller and self.is_module(caller) for caller in callers)

    def gated_by_callers(self, scope: Scope) -> bool:
        """Whether the project calls the instances of the class around only under a test of the mode."""
        return bool(scope.class_name) and self.project.usages.are_gated(self.facts, scope.class_name)

    def is_sure_of_mode(self, scope: Scope) -> bool:
        """Whether ``self.training`` is proven to be the mode in a scope.

        The method is called on instances of a proven nn.Module, and nothing in sight but ``train()`` and ``eval()``
        sets their mode.
        """
        facts, name, doubts = self.facts, "." + scope.class_name, self.facts.doubts
        if f"{scope.class_name}.{scope.method}" in doubts.methods or not scope.class_name:
            return False
        if self.project.classes.is_module(facts, name) is not True:
            return False
        above = [header for found in self.project.classes.ancestors(facts, name) if found for header in found[1:]]
        below = [h for h in facts.headers.values() if name in h.bases]
        own = facts.headers.get(scope.class_name)
        if scope.class_name.rpartition(".")[2] in doubts.modes or (own is not None and own.own_mode):
            return False
        return not any(header.own_mode for header in (*above, *below))

    def may_be_touched(self, attribute: str, scope: Scope) -> bool:
        """Whether code in sight may use an attribute of an instance otherwise than by calling it there."""
        if not attribute or self.facts.doubts.may_touch(attribute):
            return True
        return self.project.usages.touches(self.facts, attribute, scope.class_name)

    def is_module(self, class_name: str) -> bool:
        """Whether a class of this file is an nn.Module: by its bases, or because it registers layers like one."""
        proven = self.project.classes.is_module(self.facts, "." + class_name)
        if proven is not None:
            return proven
        found = self.model_class(class_name)
        return found is not None and found.torch_attributes and "forward" in found.methods

    def model_class(self, class_name: str, line: int = sys.maxsize) -> ModelClass | None:
        """A class of this file by its name: its last definition, or the last one that starts at or above ``line``."""
        return next((c for c in reversed(self._classes.get(class_name, ())) if c.span.line <= line), None)

    @cached_property
    def _classes(self) -> dict[str, list[ModelClass]]:
        found: dict[str, list[ModelClass]] = {}
        for one in sorted(self.facts.classes, key=lambda c: c.span.line):
            found.setdefault(one.name, []).append(one)
        return found

    def intended(self, site: DropoutSite) -> bool:
        """Whether words near the site, or a name around it, say that dropout at test time is intended."""
        return bool(site.intent) or self.named_intent(site.scope)

    def named_intent(self, scope: Scope) -> bool:
        """Whether the name of a class or function around says that dropout at test time is intended.

        Such as ``BayesianHead``, or a name that the setting ``mc-dropout-names`` matches.
        """
        names = [*scope.class_name.split("."), *scope.function.split("."), scope.method]
        if any(words(name) & NOISE_WORDS for name in names):
            return True
        patterns = [p.lower() for p in self.settings.mc_dropout_names]
        return any(name and fnmatchcase(name.lower(), pattern) for name in names for pattern in patterns)


def safe(message: str, *rewrites: Rewrite, imports: tuple[str, ...] = (), otherwise: str = "") -> Fix:
    """A fix that keeps training as it is, and keeps the eval output or makes it deterministic.

    ``otherwise`` is the advice to show where the rewrites cannot be made.
    """
    return Fix(message, Applicability.SAFE, (), imports, rewrites, otherwise)


def unsafe(message: str, *rewrites: Rewrite, imports: tuple[str, ...] = (), otherwise: str = "") -> Fix:
    """A fix that changes training, or may. ``otherwise`` is as for ``safe``."""
    return Fix(message, Applicability.UNSAFE, (), imports, rewrites, otherwise)


def advice(message: str) -> Fix:
    """A fix without a change: a sentence that says what to do by hand."""
    return Fix(message, Applicability.DISPLAY)
