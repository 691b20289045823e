"""Finds the places of a file where dropout is configured or applied, as DropoutSite facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from dropout_lint.diagnostic import Span
from dropout_lint.facts import Argument, DropoutSite, ModeArgument, Scope, Value
from dropout_lint.source.module.callers import callers_switch
from dropout_lint.source.module.holders import only_called
from dropout_lint.source.module.source_module import SourceModule
from dropout_lint.source.names.call_arguments import Bound, BoundCall, bound_arguments
from dropout_lint.source.names.scopes import Block
from dropout_lint.source.sites.call_uses import CallUses
from dropout_lint.source.sites.chosen_rnns import CHOSEN, is_chosen_rnn
from dropout_lint.source.sites.containers import NOT_KEPT, Containers
from dropout_lint.source.sites.producers import NOT_KNOWN, Producers
from dropout_lint.source.sites.settled import is_computed, settled
from dropout_lint.syntax.parsing import walk
from dropout_lint.torch_api.signatures import ATTENTION, DROPOUT_MODULES, FUNCTIONALS, MULTIHEAD, RNNS, Signature
from dropout_lint.vocabulary import names_dropout_layer

FALSE = Value(kind="bool", number=0.0, literal=True)
_CONFIGURES = {"p", "dropout", "dropout_p", "inplace", "training", "train", "num_layers"}
"""Parameters whose values are evaluated. Those of tensors are not, which saves time."""
_RATES = {"", "p", "drop_prob", "dropout", "drop", "rate", "prob"}
"""Names of the rate in classes of projects; "" is the first argument of a class in another file."""
_FORMS = (
    ("module", DROPOUT_MODULES),
    ("functional", FUNCTIONALS),
    ("attention", ATTENTION),
    ("rnn", RNNS),
    ("multihead", MULTIHEAD),
)


_PURE = {"abs", "bool", "float", "int", "max", "min", "round"}
_UNUSED_ON_PURPOSE = re.compile(r"#.*(?:un|not |never )used", re.IGNORECASE)


def dropout_sites(module: SourceModule) -> Iterator[DropoutSite]:
    """All dropout sites of a file, in source order."""
    uses, producers, containers = CallUses(module), Producers(module), Containers(module)
    for call, block in module.scopes.calls:
        if containers.may_hold(call):
            yield from _member(module, containers, call, block)
        if not module.can_matter(call, block):
            continue
        name = module.resolve_call(call, block)
        chosen = not name and is_chosen_rnn(module, call, block)
        if chosen:
            name = CHOSEN
        if not name or (name.endswith("()") and name[:-2] in DROPOUT_MODULES):
            yield from _application(module, uses, producers, call, block)
            continue
        for form, table in _FORMS:
            if name in table:
                site = _site(module, uses, producers, containers, call, block, form, name, table[name])
                yield replace(site, chosen=True) if chosen else site
                break
        else:
            if not name.startswith("torch."):
                yield from _forwarded(module, uses, call, block, name)


def _site(
    module: SourceModule,
    uses: CallUses,
    producers: Producers,
    containers: Containers,
    call: ast.Call,
    block: Block,
    form: str,
    name: str,
    signature: Signature,
) -> DropoutSite:
    partial = module.partial_of(call, block)
    bound = bound_arguments(call, signature.parameters, partial)
    arguments = tuple(_argument(module, block, b) for b in bound.arguments)
    rate = next((a.value for a in arguments if a.name == signature.rate), None)
    if rate is None:
        unknown = signature.default_rate is None or bound.unpacked
        rate = Value() if unknown else Value(kind="number", number=signature.default_rate, default=False)
    elif rate.parameter and rate.from_caller and not rate.gated:
        rate = replace(rate, gated=callers_switch(module, block, rate.parameter))
    mode_name = "train" if name in FUNCTIONALS and "train" in signature.parameters else "training"
    mode = _mode(bound.expression(mode_name), bound.unpacked) if form == "functional" else "unknown"
    use, statement, target = uses.use(call)
    layers = bound.expression("num_layers")
    inplace = bound.expression("inplace")
    constructed = form == "module"
    kept = containers.kept(call, block) if constructed else NOT_KEPT
    applied = uses.applied(call, block) if constructed else []
    produced = NOT_KNOWN
    if constructed:
        produced = producers.of_layer(call, block)
    elif form == "functional" and call.args:
        produced = producers.of_expression(call.args[0], block)
    return replace(
        _call_site(module, call, block, form, name),
        arguments=arguments,
        unpacked=bound.unpacked,
        rate=rate,
        rate_argument=signature.rate,
        mode=mode,
        use=use,
        attribute=kept.attribute or (uses.attribute(call) if constructed or form == "rnn" else ""),
        container=kept.kind,
        container_span=kept.span if kept.kind else None,
        container_reader=kept.reader,
        holds_modules_only=kept.modules_only,
        applied_in_comment=constructed and uses.applied_in_comment(uses.attribute(call), block),
        unused_on_purpose=constructed and _UNUSED_ON_PURPOSE.search(module.lines.line(call.lineno)) is not None,
        applied=tuple(uses.applied_call(use) for use in applied),
        settled=settled(module, call, applied, block),
        binding=uses.binding(call, block) if constructed else None,
        input_api=produced.api,
        input_inplace=produced.inplace,
        input_owned=produced.owned,
        inplace=module.values.evaluate(inplace, block) if inplace is not None else FALSE,
        inplace_argument=_passed(module, call, bound, "inplace"),
        only_called=_only_called(module, call, applied) if constructed else None,
        statement=statement,
        statement_target=target,
        error_expected=uses.error_expected(call),
        functional_alias=module.functional_alias(block),
        ones_mask=bool(call.args) and uses.is_ones(call.args[0], block),
        layers=module.values.evaluate(layers, block)
        if layers is not None
        else Value(kind="number", number=None if bound.unpacked else 1.0, literal=True),
    )


def _member(module: SourceModule, containers: Containers, call: ast.Call, block: Block) -> Iterator[DropoutSite]:
    """A call of a class or function of the project whose result is in an unregistered container."""
    name = module.scopes.resolve(call.func, block)
    if not name or name.startswith("torch.") or name.endswith("()") or block.enclosing_class is None:
        return
    kept = containers.kept(call, block)
    if not kept.kind:
        return
    values = [*call.args, *(k.value for k in call.keywords)]
    yield replace(
        _call_site(module, call, block, "member", name),
        arguments=tuple(
            Argument("", keyword=False, text=module.lines.code(v), span=module.lines.span(v), value=Value())
            for v in values
        ),
        attribute=kept.attribute,
        container=kept.kind,
        container_span=kept.span,
    )


def _application(
    module: SourceModule, uses: CallUses, producers: Producers, call: ast.Call, block: Block
) -> Iterator[DropoutSite]:
    """A call of a dropout module by the attribute or name it was bound to."""
    made = module.constructor_of(call.func, block)
    if made is None or made[0] not in DROPOUT_MODULES:
        return
    name, constructor, home = made
    bound = bound_arguments(constructor, DROPOUT_MODULES[name].parameters, None)
    use, statement, target = uses.use(call)
    produced = producers.of_expression(call.args[0], block) if call.args else NOT_KNOWN
    p, inplace = bound.expression("p"), bound.expression("inplace")
    yield replace(
        _call_site(module, call, block, "application", name),
        unpacked=bound.unpacked,
        rate=module.values.evaluate(p, home) if p is not None else Value(kind="number", number=0.5),
        rate_argument="p",
        mode="mode",
        use=use,
        input_api=produced.api,
        input_inplace=produced.inplace,
        input_owned=produced.owned,
        inplace=module.values.evaluate(inplace, home) if inplace is not None else FALSE,
        inplace_argument=_passed(module, constructor, bound, "inplace"),
        constructor=module.lines.span(constructor),
        handed_to=uses.handed_to(call, block),
        statement=statement,
        statement_target=target,
    )


def _forwarded(module: SourceModule, uses: CallUses, call: ast.Call, block: Block, name: str) -> Iterator[DropoutSite]:
    """A call of a function of the project with an argument about dropout, or of a class that is one by its name."""
    if block.enclosing_class is None and block.kind != "function":
        return
    bound = bound_arguments(call, module.parameters_of(name), module.partial_of(call, block))
    arguments = tuple(_argument(module, block, b) for b in bound.arguments)
    layer = names_dropout_layer(name.rpartition(".")[2])
    if not layer and not any("drop" in (a.name + a.text).lower() for a in arguments):
        return
    rate = next((b.value for b in bound.arguments if layer and b.name in _RATES), None)
    site = _call_site(module, call, block, "forwarded", name)
    yield replace(
        site,
        arguments=arguments,
        unpacked=bound.unpacked,
        rate=module.values.evaluate(rate, block) if rate is not None else Value(),
        attribute=uses.attribute(call) if layer else "",
        applied_in_comment=layer and uses.applied_in_comment(uses.attribute(call), block),
        unused_on_purpose=layer and _UNUSED_ON_PURPOSE.search(module.lines.line(call.lineno)) is not None,
    )


def _call_site(module: SourceModule, call: ast.Call, block: Block, form: str, name: str) -> DropoutSite:
    """What holds for every form of a call; nothing about its arguments is known yet."""
    return DropoutSite(
        form=form,  # type: ignore[arg-type]
        api=name,
        span=module.lines.span(call),
        callee=module.lines.span(call.func),
        callee_text=module.lines.code(call.func),
        arguments=(),
        unpacked=False,
        rate=Value(),
        rate_argument="",
        mode="unknown",
        guarded=module.guards.guarded(call, block),
        intent=module.intent(call, block),
        scope=scope_of(block),
    )


def _only_called(module: SourceModule, call: ast.Call, applied: list[ast.Call]) -> bool:
    """Whether a module is called by an expression or a local name alone, or is in a container that is only called."""
    return bool(applied) or only_called(module, module.scopes.parents[call])


def _runs_code(node: ast.AST, block: Block) -> bool:
    """Whether a node may do more than compute a value, such as a call, a property of the class, or ``:=``."""
    if isinstance(node, ast.Call):
        # A lambda that is called at once does what is in it.
        return not isinstance(node.func, ast.Lambda) and getattr(node.func, "id", "") not in _PURE
    return isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)) or is_computed(node, block)


def _passed(module: SourceModule, call: ast.Call, bound: BoundCall, name: str) -> Span | None:
    found = bound.expression(name)
    own = found is not None and found in (*call.args, *(k.value for k in call.keywords))
    return module.lines.span(found) if found is not None and own else None


def _argument(module: SourceModule, block: Block, bound: Bound) -> Argument:
    text = module.lines.code(bound.value)
    speaks = bound.name or text
    configures = bound.name in _CONFIGURES or "drop" in speaks.lower()
    return Argument(
        name=bound.name,
        keyword=bound.keyword is not None,
        runs_code=any(_runs_code(n, block) for n in walk(bound.value)),
        text=text,
        span=module.lines.span(bound.value),
        value=module.values.evaluate(bound.value, block) if configures else Value(),
    )


def _mode(node: ast.expr | None, unpacked: bool) -> ModeArgument:
    if node is None:
        return "unknown" if unpacked else "absent"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node, ast.Attribute) and node.attr == "training":
        return "mode"
    return "unknown"


def _instance(block: Block) -> str:
    """The name of the instance; "" if it is bound to something else."""
    method, name = block.method, block.instance
    if not name or method is None:
        return ""
    scope: Block | None = block
    while scope is not None and scope is not method.parent:
        if name in scope.bindings or (scope.imports is not None and name in scope.imports.names):
            return ""
        scope = scope.parent
    return name


def scope_of(block: Block) -> Scope:
    """The class, method and function that a block is in."""
    owner, method = block.enclosing_class, block.method
    function: Block | None = block
    while function is not None and (function.kind != "function" or function.name == "<lambda>"):
        function = function.parent if function.kind == "function" else None
    return Scope(
        class_name=owner.qualname if owner is not None else "",
        function=function.qualname if function is not None else "",
        method=method.name if method is not None else "",
        self_name=_instance(block),
        parameters=tuple(block.parameters),
        inner=method is not None and block is not method,
    )
