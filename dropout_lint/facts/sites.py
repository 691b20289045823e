"""Facts about places where dropout is configured or applied, and about flags that copy or test the mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dropout_lint.diagnostic import Span
from dropout_lint.facts.values import FALSE, UNKNOWN, Argument, Scope, Value

ModeArgument = Literal["absent", "true", "false", "mode", "unknown"]

Use = Literal["value", "discarded", "called", "overwritten", "unread"]

Settled = Literal["proven", "open", "no"]


@dataclass(frozen=True, slots=True)
class DropoutSite:
    """One place where dropout is configured or applied.

    ``form`` is how: a constructed module, a functional call, an attention call that takes a rate, an RNN or
    multi-head layer with ``dropout=``, a call that hands a rate to one of those (``forwarded``), a call of a
    dropout module through the attribute or name that it is bound to (``application``), or a call of a class or
    function of the project whose result is in a container that nn.Module does not register (``member``).
    """

    form: Literal["module", "functional", "attention", "rnn", "multihead", "forwarded", "application", "member"]
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
    """Words that declare dropout at test time, such as "monte carlo"; "" if none."""
    scope: Scope
    use: Use = "value"
    attribute: str = ""
    """The attribute of the instance that a constructed module is bound to."""
    container: str = ""
    """What holds the module so that nn.Module does not register it: list, tuple, dict, global, ...; "" if nothing."""
    container_span: Span | None = None
    container_reader: str = ""
    """For a global, the class whose method calls it."""
    applied: tuple[AppliedCall, ...] = ()
    """Calls of the module that is constructed here, at once or through its local name."""
    binding: Span | None = None
    """The statement that binds a local name to the constructed module, when all its uses are in ``applied``."""
    settled: Settled = "no"
    """Whether the arguments have the same values where the module is called as where it is built; "open" if unknown."""
    input_api: str = ""
    """Canonical name of the call whose result is dropped, where it is known."""
    input_inplace: bool = False
    inplace: Value = FALSE
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
    """The value that is passed for ``inplace``."""
    input_owned: bool = False
    """What is dropped is a new tensor, and nothing else reads it afterwards."""
    only_called: bool | None = None
    """For a module in a container or a local name: nothing in the file looks into it. None for any other form."""
    unused_on_purpose: bool = False
    """A comment on its line says that it is not used."""
    applied_in_comment: bool = False
    """A comment in the class is a call of the attribute that it is bound to."""
    holds_modules_only: bool = False
    """The container holds constructed objects alone; a dictionary has strings as keys."""
    constructor: Span | None = None
    """For an application, the call that made the module."""
    handed_to: tuple[str, str] = ("", "")
    """For an application to the result of a call that also got the module: the callee, and the keyword or position."""
    layers: Value = UNKNOWN
    """For an RNN, its ``num_layers``."""
    chosen: bool = False
    """For an RNN, a name chooses its class, as in ``getattr(nn, cell)``: it may be some other layer."""

    def argument(self, name: str) -> Argument | None:
        """The argument bound to this parameter, None if it is not passed."""
        return next((a for a in self.arguments if a.name == name), None)


@dataclass(frozen=True, slots=True)
class AppliedCall:
    """A call of a module that the same expression, or a local name, gives."""

    span: Span
    callee: Span
    """The constructor, or the name."""
    plain: bool
    """One positional argument, so that the functional form can take its place."""


@dataclass(frozen=True, slots=True)
class FlagUse:
    """A mode flag other than ``self.training`` that decides about dropout, or a copy of it."""

    kind: Literal["copy", "constant", "partial", "rate", "closure", "factory", "default", "method"]
    """copy: ``self.flag = self.training`` in a constructor. constant: ``self.flag = True``. method: the bound
    method ``self.train``. partial, rate, closure: the mode is frozen in a ``partial``, in the rate of a constructor, or
    in a function inside of it. factory: it is passed to a function of the project. default: a parameter that is True
    if nobody passes it.
    """
    name: str
    span: Span
    """Where to report: the dropout that the flag governs, or the test."""
    read: Span
    """The expression that reads the flag; for a rate, the whole ``a if flag else b``."""
    scope: Scope
    text: str = ""
    """For a rate, the rate in training; for the bound method, the object that it is bound to; for a factory, the
    keyword or the position of the mode."""
    receiver: str = ""
    """For the bound method of an object outside of its class, the constructor's name; the name of a factory; for a
    default, the class, if its file builds one."""
    tested: bool = True
    """For the bound method, nothing but a test gets it: no ``or`` hands it on."""
    calls: tuple[Span, ...] = ()
    """For a partial, its calls, which do not pass the mode."""


@dataclass(frozen=True, slots=True)
class NarrowDropoutCheck:
    """A test for one dropout class, in a loop over modules that then sets a mode or a rate."""

    span: Span
    asked: Span | None = None
    """Where ``nn.Dropout`` stands in it; None for a test of the class name."""
    namespace: str = ""
    """``nn``, as the source writes it."""
