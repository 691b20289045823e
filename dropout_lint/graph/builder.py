"""Build a LayerGraph node by node while a tracer runs, and find the line of user code for each node."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import CodeType, FrameType

from torch import nn

from dropout_lint.diagnostic import NO_PLACE, CodePlace, Span
from dropout_lint.facts import LayerGraph, LayerNode, Scope
from dropout_lint.graph.construction_sites import built_at
from dropout_lint.graph.kinds import DROP_PATH, Configured
from dropout_lint.models.user_code import definition_place, frame_place, is_user_file, line_text, user_frames
from dropout_lint.targets.errors import TargetError
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

MAX_NODES = 20_000
DROPPING = frozenset({*DROPOUT_MODULES, *FUNCTIONALS, DROP_PATH})
_NAME_CALLED = re.compile(r"[^\W\d]\w*\s*\(")


class TraceError(TargetError):
    """A model cannot be traced; the message is one sentence."""


@dataclass(frozen=True, slots=True, order=True)
class NodeSpan(Span):
    """A span that also knows its file and its node, so that a finding at this span names the right module."""

    path: str = ""
    node: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Traced:
    """The graph of a model in one mode, and what the graph itself does not contain."""

    graph: LayerGraph
    classes: dict[str, str]
    """The class name of each module, by its path."""
    callers: dict[int, tuple[CodePlace, ...]]
    """By node index of a functional dropout: the calls that led to it, from its own out to ``forward``."""
    not_seen: tuple[str, ...] = ()
    """Parts that the tracer could not look into, as phrases."""


class GraphBuilder:
    """Collects nodes in the order in which they run; ``finished`` gives the graph."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.nodes: list[LayerNode] = []
        self.callers: dict[int, tuple[CodePlace, ...]] = {}
        self.not_seen: list[str] = []
        self._paths: dict[int, str] = {id(module): path for path, module in model.named_modules()}

    def path(self, module: nn.Module, default: str = "") -> str:
        """The path of a module in the model, ``default`` if it is not registered."""
        return self._paths.get(id(module)) or default

    def add(
        self,
        kind: str,
        inputs: Iterable[int],
        at: CodePlace,
        module: str,
        *,
        configured: Configured | None = None,
        shape: tuple[int, ...] | None = None,
        edited: tuple[int, ...] = (),
        constructor: CodePlace | None = None,
        attribute: str = "",
    ) -> int:
        """Add a node and return its index. Raises TraceError for more than MAX_NODES."""
        index = len(self.nodes)
        if index >= MAX_NODES:
            raise TraceError(f"its forward runs more than {MAX_NODES} operations")
        known = configured or Configured()
        if kind in DROPPING and known.rate.is_zero:
            kind = "torch.nn.Identity"  # it drops nothing in this mode or at this rate
        self.nodes.append(
            LayerNode(
                index,
                kind,
                tuple(dict.fromkeys(inputs)),
                _span(at, index),
                rate=known.rate,
                constructor=_span(constructor, index) if constructor is not None else None,
                kernel=known.kernel,
                padding=known.padding,
                out_features=known.out_features,
                rank=len(shape) if shape is not None else None,
                inplace=known.inplace or bool(edited),
                edited=edited,
                attribute=attribute,
                path=at.path,
                module=module,
                shape=shape,
            )
        )
        return index

    def finished(self, outputs: Iterable[int], seen: str) -> Traced:
        """Return the graph with its outputs; ``seen`` names the tracer."""
        scope = Scope(class_name=type(self.model).__name__, method="forward", self_name="self")
        graph = LayerGraph(scope, tuple(self.nodes), tuple(sorted(set(outputs))), seen=seen)
        classes = {path: type(module).__name__ for path, module in self.model.named_modules()}
        return Traced(graph, classes, self.callers, tuple(dict.fromkeys(self.not_seen)))


def _span(at: CodePlace, index: int) -> NodeSpan:
    span = at.span
    return NodeSpan(span.line, span.column, span.end_line, span.end_column, at.path, index)


def call_place(frame: FrameType | None, module: nn.Module) -> CodePlace:
    """The call in the innermost frame of user code, else the place of the module's ``forward``."""
    caller = next(user_frames(frame), None)
    if caller is not None:
        return frame_place(caller)
    return start_place(module)


def start_place(module: nn.Module) -> CodePlace:
    """The definition of a module's ``forward``, or its constructor call if the class is PyTorch's own."""
    code = getattr(inspect.getattr_static(type(module), "forward", None), "__code__", None)
    if isinstance(code, CodeType) and is_user_file(code.co_filename):
        return definition_place(code)
    return built_at(module) or NO_PLACE


def layer_place(frame: FrameType | None, module: nn.Module) -> CodePlace:
    """The place at which the source engine reports a layer, so that both engines report the same line.

    It is the call (``self.drop(x)``), or the constructor if a container or a loop calls it (``layer(x)``).
    """
    birth = built_at(module)
    caller = next(user_frames(frame), None)
    if caller is None:
        return birth or call_place(frame, module)
    at = frame_place(caller)
    text = line_text(at.path, at.span.line)[at.span.column - 1 :]
    if birth is not None and (_through_a_container(frame) or _NAME_CALLED.match(text)):
        return birth
    return at


def _through_a_container(frame: FrameType | None) -> bool:
    """Whether a module of PyTorch, such as nn.Sequential, makes the call."""
    user = next(user_frames(frame), None)
    while frame is not None and frame is not user:
        code = frame.f_code
        if code.co_name == "forward" and "/torch/nn/" in code.co_filename.replace("\\", "/"):
            return True
        frame = frame.f_back
    return False


def calls_to(frame: FrameType | None, module: nn.Module) -> tuple[CodePlace, ...]:
    """The calls in user code from ``frame`` outwards, up to the method of ``module`` that runs them."""
    found = []
    for user in user_frames(frame):
        found.append(frame_place(user))
        code = user.f_code
        if code.co_argcount and user.f_locals.get(code.co_varnames[0]) is module:
            break
    return tuple(found)


def without_ranks(traced: Traced) -> Traced:
    """The same graph with all ranks unknown, for inputs whose rank was guessed."""
    nodes = tuple(replace(node, rank=None) for node in traced.graph.nodes)
    return replace(traced, graph=replace(traced.graph, nodes=nodes))
