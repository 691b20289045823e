"""The facts that engines produce and checks read: small, frozen, picklable, free of syntax nodes and tensors.

A check registers itself by annotating its first parameter with a fact kind. The kinds for source are below. Those for a
model that ran are in ``facts.observations``: import them from there, so that checks of source do not load them.
"""

from dropout_lint.facts.classes import ClassHeader, FunctionSummary, ModelClass, RateWrite, UnreadParameter, WeightWrite
from dropout_lint.facts.files import FACT_KINDS, FileFacts
from dropout_lint.facts.layers import Condition, Given, LayerCall, LayerElement, LayerGraph, LayerNode, Passed, Wrapper
from dropout_lint.facts.masks import MaskSite
from dropout_lint.facts.mode_runs import (
    EVAL,
    OPEN,
    TRAIN,
    EventKind,
    Location,
    ModeRun,
    Modes,
    OwnerClass,
    RunEvent,
    RunFrame,
    RunFunction,
    RunModel,
    RunTurn,
)
from dropout_lint.facts.modes import ModeClass, ModeFlow, ModeOutline, ModeOverride, Step, Term, UncalledModeMethod
from dropout_lint.facts.sites import AppliedCall, DropoutSite, FlagUse, ModeArgument, NarrowDropoutCheck, Use
from dropout_lint.facts.values import CONSTRUCTORS, NOWHERE, Argument, Polarity, Scope, Value

__all__ = [
    "CONSTRUCTORS",
    "EVAL",
    "FACT_KINDS",
    "NOWHERE",
    "OPEN",
    "TRAIN",
    "AppliedCall",
    "Argument",
    "ClassHeader",
    "Condition",
    "DropoutSite",
    "EventKind",
    "FileFacts",
    "FlagUse",
    "FunctionSummary",
    "Given",
    "LayerCall",
    "LayerElement",
    "LayerGraph",
    "LayerNode",
    "Location",
    "MaskSite",
    "ModeArgument",
    "ModeClass",
    "ModeFlow",
    "ModeOutline",
    "ModeOverride",
    "ModeRun",
    "ModelClass",
    "Modes",
    "NarrowDropoutCheck",
    "OwnerClass",
    "Passed",
    "Polarity",
    "RateWrite",
    "RunEvent",
    "RunFrame",
    "RunFunction",
    "RunModel",
    "RunTurn",
    "Scope",
    "Step",
    "Term",
    "UncalledModeMethod",
    "UnreadParameter",
    "Use",
    "Value",
    "WeightWrite",
    "Wrapper",
]
