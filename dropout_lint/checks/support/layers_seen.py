"""Whether code in sight may use a layer otherwise than its known calls do."""

from __future__ import annotations

from dropout_lint.checks.support.context import Context
from dropout_lint.facts import DropoutSite


def layer_is_seen(site: DropoutSite, context: Context) -> bool:
    """Whether something else than the calls of a dropout module in its class may call it, or read its settings.

    Never for a functional call, or a module that only a local name or an expression holds.
    """
    if site.form == "functional":
        return False
    if "inplace" in context.facts.doubts.walked:
        return True
    constructor = site.constructor or site.span
    made = next((s for s in context.facts.sites if s.form == "module" and s.span == constructor), None)
    if made is None:
        return True
    if made.attribute:
        return context.may_be_touched(made.attribute, made.scope)
    return made.only_called is False
