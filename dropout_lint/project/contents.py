"""Finds out which classes and functions of the project make a module with a dropout in it."""

from __future__ import annotations

from typing import Literal

from dropout_lint.facts import DropoutSite, FileFacts
from dropout_lint.project.classes import Classes
from dropout_lint.project.names import Names

Holds = Literal["yes", "if passed", "no"]
_DEPTH = 4
"""Number of classes that are followed, each built by the one before."""
_FOLLOWS_MODE = {"module", "multihead", "rnn"}


class Contents:
    """Answers about what is in a module. A class or function is given by the facts of a file and its name in it."""

    def __init__(self, names: Names, classes: Classes) -> None:
        self._names = names
        self._classes = classes
        self._known: dict[tuple[str, str], Holds] = {}

    def holds_dropout(self, facts: FileFacts, name: str) -> Holds:
        """Whether a call gives a module with a dropout; "if passed" if the rate is 0 by default."""
        return self._holds(facts, name, _DEPTH)

    def _holds(self, facts: FileFacts, name: str, depth: int) -> Holds:
        found = self._names.find(facts, name)
        if found is None or depth <= 0:
            return "no"
        home, qualname = found
        key = (home.path, qualname)
        if key not in self._known:
            self._known[key] = "no"
            summary = home.functions.get(qualname)
            made = summary is not None and summary.makes_dropout
            self._known[key] = "yes" if made else self._of_class(home, qualname, depth)
        return self._known[key]

    def _of_class(self, home: FileFacts, name: str, depth: int) -> Holds:
        if not self._classes.is_module(home, "." + name):
            return "no"
        found: set[Holds] = {self._of_site(home, s, depth) for s in home.sites if s.scope.class_name == name}
        for above in self._classes.ancestors(home, "." + name):
            if above is not None:
                base = above[1].name
                found |= {self._of_site(above[0], s, depth) for s in above[0].sites if s.scope.class_name == base}
        return "yes" if "yes" in found else "if passed" if "if passed" in found else "no"

    def _of_site(self, home: FileFacts, site: DropoutSite, depth: int) -> Holds:
        if site.form == "forwarded" and site.scope.constructs:
            return "if passed" if self._holds(home, site.api, depth - 1) != "no" else "no"
        follows = site.form in _FOLLOWS_MODE or (site.form == "functional" and site.mode == "mode")
        if not follows or site.rate.is_zero or (site.form == "rnn" and site.layers.number == 1.0):
            return "no"
        return "if passed" if site.rate.number == 0.0 else "yes"
