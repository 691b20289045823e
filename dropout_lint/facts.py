"""The facts that engines produce and checks read: small, frozen, picklable, free of syntax nodes and tensors.

A check registers itself by annotating its first parameter with one of the fact kinds below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dropout_lint.diagnostic import Span

NOWHERE = Span(0, 0, 0, 0)
Polarity = Literal["keep", "drop", ""]


@dataclass(frozen=True, slots=True)
class Value:
    """What is known about an expression that configures dropout. Every field may be unknown.

    ``number`` is the proven constant (also True/False as 1.0/0.0 with ``kind`` "bool"); ``polarity`` whether the
    value is a probability to keep or to drop, by the identifiers it flows through; ``doc`` the same as told by a
    docstring or a help text; ``gated`` whether some definition of it depends on the train/eval mode.
    """

    kind: Literal["number", "bool", "str", "none", "unknown"] = "unknown"
    number: float | None = None
    polarity: Polarity = ""
    doc: Polarity = ""
    gated: bool = False
    literal: bool = False
    default: bool = False
    """The number is the default of a parameter, so a caller can change it."""
    parameter: str = ""
    """The parameter of the enclosing function that this value is, unchanged."""
    from_caller: bool = False
    """Computed from a parameter of a function that is no constructor, so that its callers decide."""
    attribute: str = ""
    """The last attribute or key name the value was read from, for a look-up in configuration classes."""
    names: tuple[str, ...] = ()
    """Identifiers the value flows through, outermost first."""

    @property
    def is_zero(self) -> bool:
        """Proven to be zero wherever it is used, not only by default."""
        return self.number == 0.0 and not self.default


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call. ``name`` is the parameter it binds to, "" where unknown (after ``*args``)."""

    name: str
    keyword: bool
    text: str
    span: Span
    """The value alone."""
    removal: Span | None
    """What to delete so that it is no longer passed: the argument with a comma; None where that is not possible."""
    value: Value


@dataclass(frozen=True, slots=True)
class Scope:
    """Where in a file something stands."""

    class_name: str = ""
    """Qualified name of the innermost class whose method encloses it, "" outside of classes."""
    function: str = ""
    """Qualified name of the innermost named function, "" at module or class level."""
    method: str = ""
    """The method of ``class_name`` that encloses it (closures and lambdas count for their method)."""
    self_name: str = ""
    """How the instance is called there, "" where there is none."""
    parameters: tuple[str, ...] = ()

    @property
    def constructs(self) -> bool:
        """Whether this runs while the object is built, not while it computes."""
        return self.method in CONSTRUCTORS


CONSTRUCTORS = frozenset(
    {"__init__", "__new__", "__post_init__", "setup", "build", "_build", "configure_model", "__setstate__"}
)

ModeArgument = Literal["absent", "true", "false", "mode", "unknown"]
Use = Literal["value", "discarded", "called", "overwritten"]


@dataclass(frozen=True, slots=True)
class DropoutSite:
    """One place where dropout is configured or applied.

    ``form`` is how: a constructed module, a functional call, an attention call that takes a rate, an RNN or
    multi-head layer with ``dropout=``, a call that hands a rate to one of those (``forwarded``), or a call of a
    dropout module through the attribute or name that it is bound to (``application``).
    """

    form: Literal["module", "functional", "attention", "rnn", "multihead", "forwarded", "application"]
    api: str
    """Canonical dotted name of what is called."""
    span: Span
    callee: Span
    callee_text: str
    arguments: tuple[Argument, ...]
    unpacked: bool
    """The call has ``*args`` or ``**kwargs``."""
    rate: Value
    rate_argument: str
    """Name of the parameter that takes the rate."""
    mode: ModeArgument
    guarded: bool
    """A test of the train/eval mode decides whether this runs."""
    intent: str
    """Why this is meant to be random at test time, in the source's own words; "" where nothing says so."""
    scope: Scope
    use: Use = "value"
    attribute: str = ""
    """The attribute of the instance that a constructed module is bound to."""
    container: str = ""
    """The Python container (list, tuple, dict, ...) that keeps the module from being registered; "" if none."""
    container_span: Span | None = None
    applied: tuple[AppliedCall, ...] = ()
    """Where a module constructed here is called at once or through its local name."""
    binding: Span | None = None
    """The statement that binds a local name to the constructed module, when all its uses are in ``applied``."""
    input_api: str = ""
    """Canonical name of the call whose result is dropped, where it is known."""
    input_inplace: bool = False
    inplace: Value = Value(kind="bool", number=0.0)
    error_expected: bool = False
    """A test states that this call raises."""
    statement: Span | None = None
    """The statement that consists of this call alone (``use`` is "discarded")."""
    statement_target: str = ""
    functional_alias: str = ""
    """How this file spells torch.nn.functional, "" when it does not import it."""
    ones_mask: bool = False
    """The input is a mask of ones, as in variational dropout."""
    inplace_argument: Span | None = None
    """What to delete so that ``inplace`` is not passed: the argument with its comma."""
    constructor: Span | None = None
    """For an application, the call that made the module."""
    layers: Value = Value()
    """For an RNN, its ``num_layers``."""

    def argument(self, name: str) -> Argument | None:
        """The argument bound to this parameter, None if it is not passed."""
        return next((a for a in self.arguments if a.name == name), None)


@dataclass(frozen=True, slots=True)
class AppliedCall:
    """A call of a module that was constructed in the same expression or bound to a local name."""

    span: Span
    input_text: str
    """Source of all arguments of the call."""
    plain: bool
    """One positional argument, so that the functional form can take its place."""


@dataclass(frozen=True, slots=True)
class FlagUse:
    """A mode flag other than ``self.training`` that decides about dropout, or a copy of it."""

    kind: Literal["copy", "constant", "partial", "rate", "method"]
    """``self.flag = self.training`` while constructing; ``self.flag = True``; the mode frozen in a ``partial``, or in
    the rate of a constructor; the bound method ``self.train``."""
    name: str
    span: Span
    """Where to report: the dropout that the flag governs, or the test."""
    read: Span
    """The expression that reads the flag: for a partial what to delete, for a rate the whole choice."""
    scope: Scope
    text: str = ""
    """For a rate, the one that is meant for training; for the bound method, what it is bound to."""
    receiver: str = ""
    """For the bound method of an object outside of its class, the constructor's name."""
    calls: tuple[Span, ...] = ()
    """For a partial, its calls, which do not pass the mode."""


@dataclass(frozen=True, slots=True)
class RateWrite:
    """A dropout rate assigned while the model computes."""

    target: str
    span: Span
    scope: Scope
    under_mode_test: bool
    """A zero, written where the mode decides."""
    in_forward_branch: bool
    """A constant, written in one branch of ``forward``."""
    restored: bool


@dataclass(frozen=True, slots=True)
class WeightWrite:
    """A parameter overwritten with a dropped copy of itself."""

    target: str
    span: Span
    scope: Scope


@dataclass(frozen=True, slots=True)
class Change:
    """A span of the source and what could stand there instead."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class MaskSite:
    """One hand-written random mask that is applied to a tensor, or that mixes two states (zoneout)."""

    kind: Literal["product", "index", "zoneout", "mask"]
    """A mask alone has a scale of its own and is applied somewhere else."""
    span: Span
    """The call that draws."""
    use: Span
    """Where the mask meets the tensor."""
    sampler: Literal["uniform", "normal", "bernoulli"]
    kept: str
    """The probability to keep a value, as it would be written; "" where it is not known."""
    scale: Literal["right", "none", "complement", "unknown"]
    """How the result is scaled: by one over the probability to keep, not at all, by the probability to drop."""
    compensated: bool
    """The class or function scales by the same probability somewhere else."""
    guarded: bool
    """A test of the train/eval mode decides about the draw, the use or the rate."""
    reached: bool
    """``forward`` of the class gets here, and no caller on the way asks for the mode."""
    calls: tuple[Span, ...]
    """For a helper outside of classes, calls by a ``forward`` of this file that do not ask for the mode."""
    callers: tuple[str, ...]
    """The classes of those calls."""
    words: frozenset[str]
    """Words of the identifiers of the rate, the function and the class."""
    shape: Literal["same", "vector", "other"]
    """The mask has the shape of the tensor; a vector where sizes were taken for values; anything else."""
    intent: str
    scope: Scope
    exchanged: bool = False
    """A zoneout that keeps the new state with the probability meant for the old one."""
    evaluation: Change | None = None
    """A tensor scaled by the probability to keep in the branch of evaluation, and the tensor alone."""
    division: Span | None = None
    """The division by one minus the rate, in a function that admits a rate of 1."""
    device: Change | None = None
    """Where the draw stays on the default device, the argument that takes it to the tensor's."""
    cast: Span | None = None
    """The mask's conversion to float32."""
    dtype: Change | None = None
    """Its last part, and one that converts to the tensor's type."""
    resampled: Change | None = None
    """The probability in the sampler, and one minus it."""
    rescaled: Change | None = None
    """Behind the product, the division by the probability to keep."""
    uniform: Change | None = None
    """The name of a normal draw, and that of the uniform one."""
    per_sample: Change | None = None
    """The shape of the mask, and one with a single entry for each sample."""
    wrap: Span | None = None
    """Whole lines from the draw to the use that an ``if`` on the mode can hold, as eval then changes nothing."""
    early: Change | None = None
    """The return of the tensor in eval, before the draw."""
    zero: Change | None = None
    """The return of zeros for a rate of 1, before the draw."""


@dataclass(frozen=True, slots=True)
class UnreadParameter:
    """A parameter of a constructor that configures dropout and that nothing reads."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class ModelClass:
    """What a class says about itself: its bases, its dropout attributes and how it uses them."""

    name: str
    span: Span
    """The ``class`` line."""
    bases: tuple[str, ...]
    """Dotted names, or names of the same file behind a leading dot."""
    methods: frozenset[str]
    read: frozenset[str]
    """Attributes of the instance that the class reads, calls or deletes, in any method."""
    opaque: bool
    """Reads its attributes in a way that names none (``children()``, ``getattr`` with a variable, ...)."""
    torch_attributes: bool
    """Assigns an attribute from torch.nn, as only a Module does."""
    rate_writes: tuple[RateWrite, ...] = ()
    weight_writes: tuple[WeightWrite, ...] = ()
    unread_parameters: tuple[UnreadParameter, ...] = ()
    abstract: bool = False


@dataclass(frozen=True, slots=True)
class FunctionSummary:
    """What a function does with a rate that it is given."""

    name: str
    parameters: tuple[str, ...]
    sinks: frozenset[str]
    """Parameters that reach a dropout which ignores the mode."""
    returns: tuple[str, ...] = ()
    """Functions of the same file that it returns, as factories do."""


@dataclass(frozen=True, slots=True)
class ClassHeader:
    """Enough of a class to follow its bases and its constants."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    attributes: frozenset[str]
    """Names on the instance that the class reads."""
    constants: dict[str, float]
    texts: dict[str, str] = field(default_factory=dict)
    """Strings that the class body or the constructor's defaults give to names."""
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """One argument of a constructor, as far as it is proven: a constant, or the name of a class or function."""

    kind: Literal["constant", "name", "unknown"] = "unknown"
    constant: str | float | bool | None = None
    name: str = ""
    value: Value = Value()
    """For an argument that speaks of dropout, what else is known about it."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """The arguments of a call in order, each with its keyword or ""; ``unpacked`` if there may be others."""

    arguments: tuple[tuple[str, Given], ...] = ()
    unpacked: bool = False


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a layer came about that is a class of the project or the product of one of its functions.

    ``depth`` counts the wrappers around it that were looked into.
    """

    target: str
    """What is called to build it: a dotted name, or one of the same file behind a leading dot."""
    passed: Passed
    operands: tuple[tuple[str, tuple[int, ...]], ...]
    """The nodes that may have made each argument of the layer's call, with its keyword or ""."""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class LayerNode:
    """One operation in a network: a layer applied to a value, a function or a method of a tensor.

    ``inputs`` are the nodes, all of them before it, that may have made its operand; several mean alternatives
    (branches), or operands of an operation that joins values (``add``, ``cat``). ``kind`` is the canonical name of the
    layer or function, a method as ``.view``, or ``input``, ``add``, ``mul``, ``cat``, ``index``, ``unknown``.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    span: Span
    rate: Value = Value()
    constructor: Span | None = None
    """Where the layer was built, if it is a module."""
    kernel: tuple[float, ...] | None = None
    """Kernel sizes of a convolution or pooling, None where unknown; empty for other layers."""
    padding: float | None = None
    out_features: str = ""
    """Source of the output width of a Linear."""
    rank: int | None = None
    """Number of dimensions of the value, batch included, where it is proven."""
    inplace: bool = False
    edited: tuple[int, ...] = ()
    """Those of its inputs that it overwrites, where a method or an assignment like ``+=`` does so."""
    forced: bool = False
    """A functional dropout with a literal ``training=True``."""
    guarded: bool = False
    """A test of the train/eval mode decides whether it runs."""
    optional: bool = False
    """Some other test decides whether it runs."""
    element: LayerElement | None = None
    """How it stands in the arguments of nn.Sequential or in a list of layers."""
    call: LayerCall | None = None
    """How it is called in a ``forward``."""
    attribute: str = ""
    """The attribute of the instance that holds the module."""
    wrapper: Wrapper | None = None
    """For an unknown layer, what may tell what is in it."""
    within: Span | None = None
    """For what is inside of a wrapper, the place in the graph's own file that applies the wrapper."""
    wrappers: tuple[str, ...] = ()
    """The classes and functions of the wrappers that it is inside of, outermost first."""
    path: str = ""
    """The file that the span stands in, "" for the file of the facts themselves."""
    module: str = ""
    """Path of the module in the instance ("blocks.3.drop"), or of the one that calls a function; "" in source."""
    shape: tuple[int, ...] | None = None
    """Sizes of the value, where a run showed them."""


@dataclass(frozen=True, slots=True)
class LayerElement:
    """A layer as an element of nn.Sequential or of a list of layers."""

    form: Literal["positional", "named", "list", "append"]
    whole: Span
    """What to exchange with a neighbour so that both change places: the element, its pair, or its statement."""
    layer: Span
    """The layer as it is written there: a constructor, or the name of a layer built before."""
    inplace: Span | None
    """What to delete so that it is not ``inplace``."""
    container: tuple[int, int]
    """Position of the container, the same for elements that stand in one."""


@dataclass(frozen=True, slots=True)
class LayerCall:
    """The text of a call around its operand: a function's first argument, or what a method is called on."""

    span: Span
    prefix: str
    first: str
    suffix: str
    atom: bool
    """The operand needs no parentheses in front of a dot."""
    statement: Span | None = None
    """The statement, where it is ``target = call``."""
    target: str = ""


@dataclass(frozen=True, slots=True)
class LayerGraph:
    """A network, or a part of one, as far as an engine can see it; ``partial`` if anything in it is unknown."""

    scope: Scope
    nodes: tuple[LayerNode, ...]
    outputs: tuple[int, ...]
    """Nodes whose value is returned; empty for a lone nn.Sequential."""
    losses: tuple[int, ...] = ()
    """Nodes whose value is given to a loss function that reads logits or probabilities."""
    compared: tuple[int, ...] = ()
    """Nodes whose value a regression loss compares with its target."""
    seen: str = "source"
    """How: from source, or by which tracer of an instance."""

    @property
    def adds_input(self) -> bool:
        """Whether a value is added, or joined, to one that it was computed from: a residual or dense connection.

        What a wrapper does inside counts for the wrapper alone.
        """
        own = (node for node in self.nodes if node.within is None)
        return any(node.kind in {"add", "cat"} and self.rejoins(node) for node in own)

    def rejoins(self, node: LayerNode) -> bool:
        """Whether one operand of a node was computed from another."""
        lowest = min(node.inputs, default=0)
        for operand in node.inputs:
            made_of = self.sources(operand, lowest)
            if any(other in made_of for other in node.inputs if other != operand):
                return True
        return False

    def sources(self, index: int, lowest: int = 0) -> set[int]:
        """Everything from the node ``lowest`` on that a node's value was computed from, and the node."""
        seen: set[int] = set()
        pending = [index]
        while pending:
            current = pending.pop()
            if current >= lowest and current not in seen:
                seen.add(current)
                pending += self.nodes[current].inputs
        return seen


@dataclass(frozen=True, slots=True)
class Term:
    """An expression as far as it can carry a model, a class, a function or a constant.

    ``parts`` are the operands in order: the base of an attribute or item; the callee and then the arguments of a
    call; the elements of a tuple or list; iterable and element of a comprehension.
    """

    kind: str
    """name, attribute, item, call, constant, tuple, dict, each, choice, compare, not, lambda, star, import or group."""
    text: str = ""
    """A name, an attribute, a dotted import, the operator of a comparison, the variable of a comprehension."""
    parts: tuple[Term, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()
    span: Span = NOWHERE
    """Of calls and attributes."""
    constant: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A statement. ``arms`` are its blocks: two for a branch, the body and the rest for a loop, one for a region."""

    kind: Literal["bind", "evaluate", "return", "branch", "loop", "region", "stop", "define", "try", "outer"]
    targets: tuple[Term, ...] = ()
    value: Term | None = None
    arms: tuple[tuple[Step, ...], ...] = ()
    span: Span = NOWHERE
    text: str = ""
    """What a definition is called in full; how a path stops."""


@dataclass(frozen=True, slots=True)
class ModeFlow:
    """One function, or the top level of a file: its steps in order, with branches, loops and regions without gradient.

    Calls of ``eval()``, ``train()``, of models, of ``backward()`` and of other functions are terms in it; which is
    which is decided when files are linked, because it takes the value of the callee.
    """

    name: str
    """Qualified name, "" for the top level."""
    span: Span
    steps: tuple[Step, ...]
    parameters: tuple[str, ...] = ()
    """Those that can be passed by position come first."""
    positional: int = 0
    defaults: tuple[tuple[str, Term], ...] = ()
    rest: str = ""
    """The parameter that takes further positional arguments."""
    owner: str = ""
    """Qualified name of the class whose method it is."""
    decorators: tuple[Term, ...] = ()
    intent: str = ""
    """Words that say dropout is meant at test time."""
    relevant: bool = False
    """Changes a mode, trains, exports or switches gradients off itself."""
    sets_flag: bool = False
    """Assigns to an attribute ``training``."""
    checkpoints: bool = False
    """Speaks of the random state that activation checkpointing keeps."""


@dataclass(frozen=True, slots=True)
class ModeOutline:
    """What a definition of the top level says about modes in words, "" for the statements between definitions.

    It tells whether running a function can prove anything, before the function is read closely.
    """

    name: str
    switches: bool
    """Switches a mode, trains, loads or exports."""
    acts: bool
    """Does that, or switches gradients off."""
    alone: bool
    """Worth a run even as a Module: assigns the flag ``training``, checkpoints without the random state, or trains."""
    freezes: bool
    """A class whose constructor puts a part into eval mode."""
    mentions: frozenset[str]
    """Dotted names behind imports; names of the file behind a dot; names that a star import may bind behind a star."""


@dataclass(frozen=True, slots=True)
class UncalledModeMethod:
    """A statement that names ``model.eval`` or ``model.train`` and does not call it."""

    receiver: str
    method: str
    span: Span
    is_used: bool
    """The file uses the receiver as a model."""
    owner: str
    """The class whose instance the receiver is, "" for anything else."""


@dataclass(frozen=True, slots=True)
class ModeOverride:
    """A class that defines ``train`` or ``eval`` itself."""

    owner: str
    name: str
    span: Span
    """The name in the ``def`` line."""
    required: int
    """Parameters without a default, beside the instance."""
    first: str
    """The first parameter beside the instance, "" for none."""
    keywords: bool
    trains: bool
    """Its body runs ``backward()`` or a step of an optimizer, or loops over data."""
    forwards: bool
    """Calls the method of the base class."""
    recurses: bool
    """Passes the mode on to its children by hand."""
    returns: bool
    """Ends in returning something."""
    body: Span
    """The first statement after the docstring."""
    end: Span
    """The last statement."""
    one_line: bool
    static: bool = False
    kind: Literal["method", "property", "attribute"] = "method"
    instance: str = ""
    backward: bool = False
    """Computes gradients, as only training does."""
    extra: bool = False
    """Does something beside calling the method of the base class."""
    sets: bool = False
    """Assigns the flag by hand."""


@dataclass(frozen=True, slots=True)
class ModeClass:
    """What a class proves about modes, beside what its constructor builds."""

    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    reads_mode: bool
    """Asks ``self.training`` outside of constructors and overrides."""
    functional_rates: tuple[str, ...]
    """The rates of functional dropouts: an attribute, or "?" for anything else that is not zero."""


@dataclass(frozen=True, slots=True)
class NarrowDropoutCheck:
    """A test for one dropout class, in a walk over modules that then sets a mode or a rate."""

    span: Span
    asked: Span | None = None
    """Where ``nn.Dropout`` stands in it; None for a test of the class name."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Everything that one file says, and nothing that another file could change."""

    path: str
    module: str
    """Dotted name by the packages around the file."""
    imports: dict[str, str] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    headers: dict[str, ClassHeader] = field(default_factory=dict)
    classes: tuple[ModelClass, ...] = ()
    functions: dict[str, FunctionSummary] = field(default_factory=dict)
    sites: tuple[DropoutSite, ...] = ()
    definitions: tuple[tuple[int, int, int], ...] = ()
    """First line (with decorators), ``def`` line and last line of every function and class, where a pragma needs it."""
    is_test: bool = False
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """For each function of the file, the classes whose methods call it ("" for other callers)."""
    foreign_reads: frozenset[str] = frozenset()
    """Attributes of something else than the instance that are called or looked into."""
    flags: tuple[FlagUse, ...] = ()
    graphs: tuple[LayerGraph, ...] = ()
    masks: tuple[MaskSite, ...] = ()
    speaks_of_mode: bool = False
    """Its words may set a mode, evaluate or export."""
    outlines: tuple[ModeOutline, ...] | None = None
    """None where they have not been looked for."""
    overrides: tuple[ModeOverride, ...] = ()
    uncalled: tuple[UncalledModeMethod, ...] = ()
    narrow_checks: tuple[NarrowDropoutCheck, ...] = ()
    defined: frozenset[str] = frozenset()
    """Functions of the top level."""

    @property
    def has_anything(self) -> bool:
        """Whether any check has something to read here."""
        found = (self.sites, self.classes, self.masks, self.flags, self.graphs, self.narrow_checks)
        return self.speaks_of_mode or any(found)

    def of_kind(self, kind: type) -> tuple[object, ...]:
        """The facts of one kind."""
        by_kind: dict[type, tuple[object, ...]] = {
            DropoutSite: self.sites,
            FlagUse: self.flags,
            LayerGraph: self.graphs,
            MaskSite: self.masks,
            ModeOutline: (self.outlines or ())[:1] if self.speaks_of_mode else (),
            ModeOverride: self.overrides,
            ModelClass: self.classes,
            NarrowDropoutCheck: self.narrow_checks,
            UncalledModeMethod: self.uncalled,
        }
        return by_kind[kind]
