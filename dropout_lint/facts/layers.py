"""Networks: layers, the values that flow between them, and wrappers to be inlined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import UNKNOWN, Scope, Value


@dataclass(frozen=True, slots=True)
class Given:
    """One argument of a constructor: a proven constant, the name of a class or function, or unknown."""

    kind: Literal["constant", "name", "unknown"] = "unknown"
    constant: str | float | bool | None = None
    name: str = ""
    value: Value = UNKNOWN
    """For an argument named after dropout, what is known about its value."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """The arguments of a call in order, each with its keyword or ""; ``unpacked`` if there may be others."""

    arguments: tuple[tuple[str, Given], ...] = ()
    unpacked: bool = False


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A layer that a class or function of the project makes. Its own graph is inlined later.

    ``depth`` counts the wrappers around it that were inlined already.
    """

    target: str
    """What is called to build it: a dotted name, or one of the same file behind a leading dot."""
    passed: Passed
    operands: tuple[tuple[str, tuple[int, ...]], ...]
    """For each argument of the layer's call: its keyword or "", and the nodes that may have made it."""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """What a test around a layer says about a setting: that ``self.norm == "batch"`` holds, or not.

    ``operator`` is "true" for a test of the setting itself. A "branch" is one arm of one test, met once: layers in it
    run together.
    """

    text: str
    operator: Literal["true", "==", ">", "<", "branch"]
    value: str | float | bool | None
    holds: bool


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
    rate: Value = UNKNOWN
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
    """The inputs that it overwrites, by a method or an assignment such as ``+=``."""
    forced: bool = False
    """A functional dropout with a literal ``training=True``."""
    guarded: bool = False
    """A test of the train/eval mode decides whether it runs."""
    optional: bool = False
    """Some other test decides whether it runs."""
    conditions: tuple[Condition, ...] = ()
    """What the tests around it, and around its construction, say."""
    element: LayerElement | None = None
    """Its position in the arguments of nn.Sequential or in a list of layers."""
    call: LayerCall | None = None
    """How it is called in a ``forward``."""
    callee: str = ""
    """The class or function as the source names it, ``nn.Dropout``; "" if only a run shows it."""
    attribute: str = ""
    """The attribute of the instance that holds the module."""
    wrapper: Wrapper | None = None
    """For a layer of unknown contents, the call to inline."""
    within: Span | None = None
    """For a node from an inlined wrapper, the call of the wrapper in the file of the graph; else None."""
    wrappers: tuple[str, ...] = ()
    """The names of the wrappers around it, outermost first."""
    path: str = ""
    """The file of the span, "" for the file of the graph."""
    chosen_by: str = ""
    """The parameter of the constructor that gives the class or function; ``kind`` is then that of its default."""
    module: str = ""
    """Path of the module in the instance ("blocks.3.drop"), or of the one that calls a function; "" in source."""
    shape: tuple[int, ...] | None = None
    """Sizes of the value, where a run showed them."""


@dataclass(frozen=True, slots=True)
class LayerElement:
    """A layer as an element of nn.Sequential or of a list of layers."""

    form: Literal["positional", "named", "list", "append"]
    whole: Span
    """The span to swap with a neighbour: the element, its (name, layer) pair, or its statement."""
    layer: Span
    """The layer as it is written there: a constructor, or the name of a layer built before."""
    inplace: Span | None
    """The value of its argument ``inplace``, if it is passed."""
    container: tuple[int, int]
    """The position of the container in the file."""
    only_called: bool = False
    """The file calls the container as a whole and never looks into it."""
    holder: str = ""
    """The attribute of the instance that the container is bound to."""


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A call and its operand: the first argument of a function, or the object of a method."""

    span: Span
    operand: Span
    name: str = ""
    """The operand, where it is a dotted name."""
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
    """From source, or the tracer that ran the model."""

    @property
    def adds_input(self) -> bool:
        """Whether a value is added or joined to one that it was computed from: a residual or dense connection.

        Connections inside wrappers do not count.
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
        """The node and all nodes from ``lowest`` on that its value was computed from."""
        seen: set[int] = set()
        pending = [index]
        while pending:
            current = pending.pop()
            if current >= lowest and current not in seen:
                seen.add(current)
                pending += self.nodes[current].inputs
        return seen
