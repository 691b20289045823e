"""Collects the nodes of a LayerGraph while a tracer runs, and what a tracer knows beside them."""

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
from dropout_lint.models.user_code import definition, is_user_file, line_text, place_of, user_frames
from dropout_lint.targets.errors import TargetError
from dropout_lint.torch_api.signatures import DROPOUT_MODULES, FUNCTIONALS

MAX_NODES = 20_000
DROPPING = frozenset({*DROPOUT_MODULES, *FUNCTIONALS, DROP_PATH})
_NAME_CALLED = re.compile(r"[^\W\d]\w*\s*\(")


class TraceError(TargetError):
    """A model cannot be traced; the message is one sentence."""


@dataclass(frozen=True, slots=True, order=True)
class NodeSpan(Span):
    """A span with its file and its node, so that a report about it names the right instance."""

    path: str = ""
    node: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Traced:
    """A network as one tracer saw it in one mode."""

    graph: LayerGraph
    classes: dict[str, str]
    """Class of each module, by its path."""
    callers: dict[int, tuple[CodePlace, ...]]
    """For each functional dropout, the calls that led to it, from itself out to the ``forward`` of its module."""
    not_seen: tuple[str, ...] = ()


class GraphBuilder:
    """Nodes in the order in which they run."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.nodes: list[LayerNode] = []
        self.callers: dict[int, tuple[CodePlace, ...]] = {}
        self.not_seen: list[str] = []
        self._paths: dict[int, str] = {id(module): path for path, module in model.named_modules()}

    def path(self, module: nn.Module, default: str = "") -> str:
        """The path of a module in the model; ``default`` for one that is not registered."""
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
        """Add a node and give its index. Raises TraceError where there are more than anyone can look at."""
        index = len(self.nodes)
        if index >= MAX_NODES:
            raise TraceError(f"its forward runs more than {MAX_NODES} operations")
        known = configured or Configured()
        if kind in DROPPING and known.rate.is_zero:
            kind = "torch.nn.Identity"  # in this mode, at this rate, it is one
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
        """Return the graph, once its outputs are known."""
        scope = Scope(class_name=type(self.model).__name__, method="forward", self_name="self")
        graph = LayerGraph(scope, tuple(self.nodes), tuple(sorted(set(outputs))), seen=seen)
        classes = {path: type(module).__name__ for path, module in self.model.named_modules()}
        return Traced(graph, classes, self.callers, tuple(dict.fromkeys(self.not_seen)))


def _span(at: CodePlace, index: int) -> NodeSpan:
    span = at.span
    return NodeSpan(span.line, span.column, span.end_line, span.end_column, at.path, index)


def call_place(frame: FrameType | None, module: nn.Module) -> CodePlace:
    """The call in user code that a frame is in; the definition of the module's ``forward`` where there is none."""
    caller = next(user_frames(frame), None)
    if caller is not None:
        return place_of(caller)
    return start_place(module)


def start_place(module: nn.Module) -> CodePlace:
    """The definition of a module's ``forward``, or the constructor of one that PyTorch defines."""
    code = getattr(inspect.getattr_static(type(module), "forward", None), "__code__", None)
    if isinstance(code, CodeType) and is_user_file(code.co_filename):
        return definition(code)
    return built_at(module) or NO_PLACE


def layer_place(frame: FrameType | None, module: nn.Module) -> CodePlace:
    """Where the source engine reports a layer: at its call, or its constructor where a container or a loop calls it."""
    birth = built_at(module)
    caller = next(user_frames(frame), None)
    if caller is None:
        return birth or call_place(frame, module)
    at = place_of(caller)
    text = line_text(at.path, at.span.line)[at.span.column - 1 :]
    if birth is not None and (_through_a_container(frame) or _NAME_CALLED.match(text)):
        return birth
    return at


def _through_a_container(frame: FrameType | None) -> bool:
    """Whether a module of PyTorch, such as nn.Sequential, makes the call, not the code of the user."""
    user = next(user_frames(frame), None)
    while frame is not None and frame is not user:
        code = frame.f_code
        if code.co_name == "forward" and "/torch/nn/" in code.co_filename.replace("\\", "/"):
            return True
        frame = frame.f_back
    return False


def calls_to(frame: FrameType | None, module: nn.Module) -> tuple[CodePlace, ...]:
    """The calls in user code from a function out to a method of the module that runs it."""
    found = []
    for user in user_frames(frame):
        found.append(place_of(user))
        code = user.f_code
        if code.co_argcount and user.f_locals.get(code.co_varnames[0]) is module:
            break
    return tuple(found)


def without_ranks(traced: Traced) -> Traced:
    """Remove the ranks, for inputs whose rank was a guess."""
    nodes = tuple(replace(node, rank=None) for node in traced.graph.nodes)
    return replace(traced, graph=replace(traced.graph, nodes=nodes))
