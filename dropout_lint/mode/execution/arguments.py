"""Evaluate the arguments of a call, and bind them to parameters."""

from __future__ import annotations

from dropout_lint.facts import Term
from dropout_lint.mode.program.machine import Machine
from dropout_lint.mode.program.values import Class, Constant, Frame, Function, Group, Table, Thing, Value


class Arguments:
    """The values that a call passes. ``unpacked`` if ``*`` or ``**`` may pass more than is seen."""

    __slots__ = ("keywords", "positional", "unpacked")

    def __init__(self, positional: list[Value], keywords: dict[str, Value], *, unpacked: bool) -> None:
        self.positional = positional
        self.keywords = keywords
        self.unpacked = unpacked

    def all(self) -> list[Value]:
        return [*self.positional, *self.keywords.values()]

    def first(self, name: str) -> Value | None:
        """The first argument, or the one of this name."""
        return self.positional[0] if self.positional else self.keywords.get(name)

    def shown(self) -> tuple[tuple[str, object, type], ...]:
        """Names and constants, "?" for other values, to compare two calls."""
        values = [(str(n), v) for n, v in enumerate(self.positional)] + sorted(
            self.keywords.items(), key=lambda pair: pair[0]
        )
        constants = [(name, value.value if isinstance(value, Constant) else "?") for name, value in values]
        return tuple((name, constant, type(constant)) for name, constant in constants)


def arguments_of(machine: Machine, term: Term, frame: Frame) -> Arguments:
    """Evaluate the arguments of a call, in order."""
    positional: list[Value] = []
    unpacked = False
    for part in term.parts[1:]:
        value = machine.evaluate(part, frame)
        if part.kind == "star":
            unpacked = unpacked or not (isinstance(value, Group) and value.exact)
            positional += value.items if isinstance(value, Group) else [value]
        else:
            positional.append(value)
    keywords: dict[str, Value] = {}
    for name, part in term.keywords:
        value = machine.evaluate(part, frame)
        if name == "**":
            unpacked = True
            if isinstance(value, Table):
                keywords.update(value.items)
        else:
            keywords[name] = value
    return Arguments(positional, keywords, unpacked=unpacked)


def with_class(function: Function, owner: Class, arguments: Arguments) -> Arguments:
    """The arguments of a method that is called on a class: a class method gets the class first."""
    if not any(decorator.text == "classmethod" for decorator in function.flow.decorators):
        return arguments
    return Arguments([owner, *arguments.positional], arguments.keywords, unpacked=arguments.unpacked)


def bind_parameters(machine: Machine, inner: Frame, function: Function, arguments: Arguments) -> None:
    """Bind the parameters of a function. One without an argument gets its default, or an unknown value."""
    flow = function.flow
    names = list(flow.parameters)
    positional = arguments.positional
    if function.instance is not None and names:
        inner.names[names.pop(0)] = function.instance
    elif flow.owner and names and names[0] in {"self", "cls"} and positional and isinstance(positional[0], Thing):
        inner.instance = positional[0]
    room = flow.positional - (1 if function.instance is not None else 0)
    inner.names.update(zip(names[:room], positional, strict=False))
    if flow.rest:
        inner.names[flow.rest] = Group(positional[room:], not arguments.unpacked)
    inner.names.update((name, value) for name, value in arguments.keywords.items() if name in flow.parameters)
    defaults = dict(flow.defaults)
    for name in names:
        if name not in inner.names:
            given = name in defaults and not arguments.unpacked
            inner.names[name] = machine.evaluate(defaults[name], inner) if given else machine.make_unknown(name)
