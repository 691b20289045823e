"""DRP404: the mode, or ``inplace``, passed at the position of another parameter."""

from __future__ import annotations

from collections.abc import Iterator

from dropout_lint.checks.support.context import Context, safe, unsafe
from dropout_lint.checks.support.layers_seen import layer_is_seen
from dropout_lint.diagnostic import Diagnostic
from dropout_lint.facts import Argument, DropoutSite
from dropout_lint.rewrites import AddArgument, NameArgument, RemoveArgument

_THIRD = "The third argument of `{0}` is `training`: with `{1}` False it never drops."


def check(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    """Report ``F.dropout(x, self.training)``, ``F.dropout(x, p, self.inplace)``, ``nn.Dropout(p, self.training)``."""
    if site.form == "functional" and site.api.startswith("torch.nn.functional."):
        yield from _functional(site, context)
    elif site.form == "module":
        inplace, p = site.argument("inplace"), site.argument("p")
        if inplace is not None and _says(inplace, "training"):
            applied = [s for s in context.facts.sites if s.constructor == site.span]
            owned = bool(applied) and all(s.input_owned for s in applied)
            make = safe if owned and not layer_is_seen(site, context) else unsafe
            fix = make(
                f"Remove `{inplace.text}`: modules follow the mode by themselves",
                RemoveArgument(inplace.span),
            )
            yield context.report(
                inplace.span, f"The second argument of `{site.callee_text}` is `inplace`, not the mode.", fix=fix
            )
        elif p is not None and _says(p, "training"):
            yield context.report(
                p.span, f"The first argument of `{site.callee_text}` is the rate: True is 1.0 and drops everything."
            )


def _functional(site: DropoutSite, context: Context) -> Iterator[Diagnostic]:
    p, training = site.argument("p"), site.argument("training")
    if p is not None and not p.keyword and _says(p, "training"):
        fixable = training is None and p.span.within(site.span)
        fix = unsafe(f"Name it: `training={p.text}`", NameArgument(p.span, "training")) if fixable else None
        yield context.report(
            p.span,
            f"The second argument of `{site.callee_text}` is the rate: True is 1.0, so training sees only zeros "
            "and eval nothing dropped.",
            fix=fix,
        )
    elif training is not None and not training.keyword and _says(training, "inplace"):
        owner = site.scope.self_name
        if not owner or len(site.arguments) > 3:
            yield context.report(training.span, _THIRD.format(site.callee_text, training.text))
            return
        mode = f"{owner}.training"
        yield context.report(
            training.span,
            _THIRD.format(site.callee_text, training.text),
            fix=unsafe(
                f"Pass the mode first: `{mode}, {training.text}`", AddArgument(site.span, "", mode, training.span)
            ),
        )


def _says(argument: Argument, word: str) -> bool:
    last = argument.text.rpartition(".")[2]
    return not argument.keyword and (last == word or (word == "training" and last in {"is_training", "istraining"}))
