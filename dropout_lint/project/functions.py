"""Finds functions across files, and their parameters that set the rate of a dropout that ignores the mode."""

from __future__ import annotations

from dropout_lint.facts import FileFacts, FunctionSummary
from dropout_lint.project.names import Names


class Functions:
    """Finds the summaries of functions."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def find(self, facts: FileFacts, name: str) -> tuple[FileFacts, FunctionSummary] | None:
        """The summary of a project function. For a name that ends in ``()``, that of the inner function it returns."""
        found = self._names.find(facts, name.removesuffix("()"))
        summary = found[0].functions.get(found[1]) if found is not None else None
        if found is None or summary is None:
            return None
        if not name.endswith("()"):
            return found[0], summary
        inner = [found[0].functions[r] for r in summary.returns]
        sinks = frozenset(s for f in inner for s in f.sinks)
        first = next((f for f in inner if f.sinks), None)
        return (found[0], FunctionSummary(first.name, first.parameters, sinks)) if first is not None else None

    def maker(self, facts: FileFacts, name: str) -> tuple[FileFacts, FunctionSummary] | None:
        """The summary of a project function, or of the constructor of a class."""
        found = self._names.find(facts, name)
        if found is None:
            return None
        summary = found[0].functions.get(found[1]) or found[0].functions.get(f"{found[1]}.__init__")
        return (found[0], summary) if summary is not None else None

    def applies(self, facts: FileFacts, name: str, place: str, depth: int = 3) -> bool:
        """Whether a function, or one that it hands this on to, calls what it is given by a keyword or at a position."""
        found = self.find(facts, name) if depth > 0 else None
        if found is None:
            return False
        home, summary = found
        parameter = place
        if place.isdigit():
            parameter = summary.parameters[int(place)] if int(place) < len(summary.parameters) else ""
        if parameter in summary.applies:
            return True
        return any(
            given == parameter and self.applies(home, callee, inner, depth - 1)
            for callee, inner, given in summary.hands_on
        )

    def sinks(self, home: FileFacts, summary: FunctionSummary, depth: int = 3) -> frozenset[str]:
        """Parameters that set the rate of a dropout that ignores the mode, also through functions it calls."""
        found = set(summary.sinks)
        for site in home.sites:
            if site.form != "forwarded" or site.scope.function != summary.name or site.guarded or depth <= 0:
                continue
            called = self.find(home, site.api)
            if called is None:
                continue
            inner = self.sinks(called[0], called[1], depth - 1)
            for index, argument in enumerate(site.arguments):
                names = called[1].parameters
                name = argument.name or (names[index] if index < len(names) else "")
                if name in inner and argument.value.parameter and not argument.value.gated:
                    found.add(argument.value.parameter)
        return frozenset(found)
