"""What a call does: changes a mode, runs a model, makes an object, or runs a function of the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dropout_lint.facts import FileFacts, ModeFlow, Step, Term
from dropout_lint.mode import frameworks, library
from dropout_lint.mode.interpreter import Interpreter, Memory
from dropout_lint.mode.machine import DEPTH, EVAL, OPEN, SKETCH, TRAIN, Modes, Overdrawn
from dropout_lint.mode.terms import attribute_called, terms
from dropout_lint.mode.uses import Uses, is_reached, layer_uses
from dropout_lint.mode.values import (
    UNKNOWN,
    AnyOf,
    Class,
    Constant,
    External,
    Frame,
    Function,
    Group,
    Lambda,
    Place,
    Table,
    Thing,
    Value,
    below,
    choices,
    either,
    things,
)
from dropout_lint.project import Project
from dropout_lint.torch_names import canonical


@dataclass(eq=False)
class Arguments:
    """The values that a call passes."""

    positional: list[Value]
    keywords: dict[str, Value]
    unpacked: bool

    def all(self) -> list[Value]:
        return [*self.positional, *self.keywords.values()]


@dataclass(eq=False, kw_only=True)
class Caller(Interpreter):
    """The whole machine."""

    project: Project
    memory: Memory = field(default_factory=Memory)
    top: Frame = field(init=False)
    built: dict[tuple[object, ...], tuple[bool | None, str, Place | None]] = field(default_factory=dict)
    """For a class and the constants given to its constructor: whether the mode matters, and the layer that says so."""

    def arguments(self, term: Term, frame: Frame) -> Arguments:
        positional: list[Value] = []
        unpacked = False
        for part in term.parts[1:]:
            value = self.evaluate(part, frame)
            if part.kind == "star":
                unpacked = unpacked or not (isinstance(value, Group) and value.exact)
                positional += value.items if isinstance(value, Group) else [value]
            else:
                positional.append(value)
        keywords: dict[str, Value] = {}
        for name, part in term.keywords:
            value = self.evaluate(part, frame)
            if name == "**":
                unpacked = True
                if isinstance(value, Table):
                    keywords.update(value.items)
            else:
                keywords[name] = value
        return Arguments(positional, keywords, unpacked)

    def call(self, term: Term, frame: Frame) -> Value:
        func = term.parts[0]
        place = Place(frame.home.path, term.span)
        if func.kind == "attribute":
            if func.parts[0].kind == "call" and func.parts[0].parts[0] == Term("name", "super"):
                return self._super(func.text, self.arguments(term, frame), frame, place)
            base = self.evaluate(func.parts[0], frame)
            arguments = self.arguments(term, frame)
            if func.text == "add_argument":
                self._option(arguments)
            found = [self._method(one, func, arguments, frame, place) for one in choices(base)]
            return found[0] if len(found) == 1 else either(found)
        callee = self.evaluate(func, frame)
        arguments = self.arguments(term, frame)
        found = [self.invoke(one, arguments, frame, place) for one in choices(callee)]
        return found[0] if len(found) == 1 else either(found)

    def _option(self, arguments: Arguments) -> None:
        """An option of argparse: https://docs.python.org/3/library/argparse.html#the-add-argument-method."""
        names = [v.value for v in arguments.positional if isinstance(v, Constant) and isinstance(v.value, str)]
        name = next((n for n in names if n.startswith("--")), "").strip("-").replace("-", "_")
        if "drop" in name and library.is_zero(arguments.keywords.get("default")):
            self.undropped.add(name)

    # Methods

    def _method(self, base: Value, func: Term, arguments: Arguments, frame: Frame, place: Place) -> Value:
        name = func.text
        if isinstance(base, Thing):
            return self._of_thing(base, name, func, arguments, frame, place)
        if isinstance(base, Group):
            return self._of_group(base, name, arguments)
        if isinstance(base, Table):
            if name in {"values", "items", "keys", "get", "pop"}:
                values = list(base.items.values())
                if name == "items":
                    return Group([Group([Constant(k), v]) for k, v in base.items.items()])
                key = arguments.positional[0] if arguments.positional else None
                if name in {"get", "pop"} and isinstance(key, Constant):
                    return base.items.get(str(key.value), UNKNOWN)
                return Group(values) if name == "values" else UNKNOWN
            if name == "update":
                base.items.update(arguments.keywords)
            return UNKNOWN
        if isinstance(base, Class) and name in frameworks.LOADS:
            loaded = self.construct(base, Arguments([], {}, True), frame, place)
            self.record("load", loaded, place, frame)
            return loaded
        if isinstance(base, (External, Class)):
            return self.invoke(self.attribute_of(base, name, frame), arguments, frame, place)
        if name == "backward":
            self.record("backward", None, place, frame)
            return UNKNOWN
        if name not in library.HARMLESS_METHODS:
            for value in arguments.all():
                self.escape(value, place, frame)
        return UNKNOWN

    @staticmethod
    def _of_group(base: Group, name: str, arguments: Arguments) -> Value:
        if name in {"append", "add", "insert"} and arguments.positional:
            base.items.append(arguments.positional[-1])
        elif name == "extend" and arguments.positional:
            given = arguments.positional[0]
            base.items += given.items if isinstance(given, Group) else []
            base.exact = base.exact and isinstance(given, Group) and given.exact
        elif name == "pop":
            return either(base.items)
        return UNKNOWN

    def _of_thing(self, base: Thing, name: str, func: Term, arguments: Arguments, frame: Frame, place: Place) -> Value:
        if name == "backward":
            self.record("backward", None, place, frame)
            return UNKNOWN
        if name == "step" and base.module is None:
            for value in arguments.all():
                self._run_callbacks(value, frame, place)
            if "opt" in _text(func.parts[0]).lower() or base.name.startswith("torch.optim"):
                self.record("step", None, place, frame)
            return UNKNOWN
        if name in {"train", "eval"} and base.module is not False:
            done = self._mode_call(base, name, arguments, frame, place)
            if done is not None:
                return done
        if base.module is not False:
            if name in {"forward", "__call__"} and (base.module or base.opaque):
                return self.forward(base, arguments, frame, place)
            if name in library.SAME and not base.random:
                return base
            if name in library.INNER:
                return self._inner(base, name)
            if name == "apply":
                for value in arguments.all():
                    if isinstance(value, Function) and not (value.flow.relevant):
                        continue
                    self.modes[base.number] = self.modes.get(base.number, OPEN) | OPEN
                return base
            if name in {"append", "add_module", "extend", "register_module"}:
                base.children += [t for v in arguments.all() for t in things(v)]
                return UNKNOWN
            if name in library.NEUTRAL:
                if name == "load_state_dict":
                    self.record("load", base, place, frame)
                return UNKNOWN
        if base.random and name not in {"backward"}:
            return base
        target = self.attribute_of(base, name, frame)
        if isinstance(target, Function) and base.module and target.instance is base:
            return self._own_method(base, target, arguments, frame, place)
        unknown = base.opaque or base.module is None
        if isinstance(target, Thing) and target.opaque and not arguments.all() and unknown:
            return target if name not in library.HARMLESS_METHODS else UNKNOWN
        if isinstance(target, Thing) and (target.module or target.number in self.causes):
            return self.forward(target, arguments, frame, place)
        if isinstance(target, (Function, Class, Lambda)):
            return self.invoke(target, arguments, frame, place)
        if name in frameworks.PREPARES and arguments.positional:
            values = arguments.positional
            return values[0] if len(values) == 1 else Group(list(values))
        if base.module and base.home is None:
            return self.forward(base, arguments, frame, place)
        if base.home is not None and self._inherits_unseen(base.home, base.name):
            for value in (base, *list(base.attributes.values())):
                self.escape(value, place, frame)
        if name not in library.HARMLESS_METHODS:
            for value in arguments.all():
                self.escape(value, place, frame)
        return self.fresh()

    def _inherits_unseen(self, home: FileFacts, name: str) -> bool:
        """Whether a class has a base out of sight, whose methods may set any mode."""
        return any(
            not library.is_plain_base(base) and self.base(current, base) is None
            for current, known in self.lineage(home, name)
            for base in known.bases
        )

    def _own_method(self, base: Thing, target: Function, arguments: Arguments, frame: Frame, place: Place) -> Value:
        """A method that a module's class defines: it computes, and may set modes."""
        if target.flow.relevant or (base.home is not None and self._leads_on(base.home, base.name, target.flow)):
            return self.run_function(target, arguments, frame, place)
        if base.home is not None and self._computes(base.home, base.name, target.flow):
            self.forward(base, arguments, frame, place, label=target.flow.name.rpartition(".")[2])
        return UNKNOWN

    def _leads_on(self, home: FileFacts, name: str, flow: ModeFlow) -> bool:
        """Whether a method of a module calls another one that changes the mode or trains, at any distance."""
        key = (home.path, f"{name}.{flow.name}")
        known = self.memory.relevant.get(key)
        if known is None:
            self.memory.relevant[key] = False  # while methods that call one another are looked at
            receiver = flow.parameters[0] if flow.parameters else ""
            called = {attribute_called(t, receiver) for t in terms(flow.steps)} - {"", "forward"}
            found = [m for m in (self.method(home, name, one) for one in sorted(called)) if m is not None]
            known = any(inner.relevant or self._leads_on(home, name, inner) for _, inner in found)
            self.memory.relevant[key] = known
        return known

    def _computes(self, home: FileFacts, name: str, flow: ModeFlow) -> bool:
        """Whether a method of a module calls the module itself, or a layer of it."""
        known = self.memory.computing.get((home.path, name, flow.name))
        if known is None:
            methods = {m for _, c in self.lineage(home, name) for m in c.methods} - {"forward"}
            receiver = flow.parameters[0] if flow.parameters else ""
            known = any(_calls_layer(t, receiver, methods) for t in _terms(flow.steps))
            self.memory.computing[home.path, name, flow.name] = known
        return known

    def _mode_call(self, base: Thing, name: str, arguments: Arguments, frame: Frame, place: Place) -> Value | None:
        """``base.train()`` or ``base.eval()``; None where it is a method of that name which is none of Module's."""
        given = arguments.positional[0] if arguments.positional else arguments.keywords.get("mode")
        if base.home is not None:
            found = self.method(base.home, base.name, name)
            if found is not None and base.module is not True:
                return None
            if found is not None and not self._is_override(found[1], name):
                return None
            if found is not None:
                self.set_mode(base, self._mode_of(name, given, arguments), place, frame)
                for part in below(base):
                    if part is not base:
                        self.modes[part.number] = OPEN
                return base
        if base.opaque and (arguments.unpacked or len(arguments.all()) > 1):
            return None
        if base.opaque and given is not None and not isinstance(given, Constant) and name == "eval":
            return None
        if base.name.startswith(("torch.optim", "builtins")) or (
            base.opaque
            and name == "train"
            and given is not None
            and not isinstance(given, Constant)
            and any(True for _ in things(given))
            and not _mode_like(given)
        ):
            return None
        self.set_mode(base, self._mode_of(name, given, arguments), place, frame)
        return base

    @staticmethod
    def _is_override(flow: ModeFlow, name: str) -> bool:
        others = [p for p in flow.parameters[1:] if p not in {n for n, _ in flow.defaults}]
        return len(others) <= (1 if name == "train" else 0) and flow.parameters[1:2] in {(), ("mode",), ("training",)}

    @staticmethod
    def _mode_of(name: str, given: Value | None, arguments: Arguments) -> Modes:
        if name == "eval":
            return EVAL
        if given is None and not arguments.unpacked:
            return TRAIN
        if isinstance(given, Constant) and given.value in {True, False}:
            return TRAIN if given.value else EVAL
        return OPEN

    def _inner(self, base: Thing, name: str) -> Value:
        part = self.fresh(name)
        part.part_of = base
        self.modes[part.number] = self.modes.get(base.number, OPEN)
        if name in {"named_modules", "named_children", "items"}:
            return Group([Group([UNKNOWN, part])], exact=False)
        if name == "get_submodule":
            return part
        whole = Group([part], exact=False)
        part.children = [base] if name == "children" else []
        return whole

    def forward(self, thing: Thing, arguments: Arguments, frame: Frame, place: Place, label: str = "") -> Value:
        """Run a model."""
        given = [t for v in arguments.all() for t in things(v)]
        smoke = bool(given) and all(t.random for t in given[:2])
        if arguments.keywords.keys() & library.MODE_ARGUMENTS:
            return UNKNOWN  # the caller says in which mode it wants the computation
        live = tuple((t, self.modes.get(t.number, OPEN)) for t in below(thing) if t.live is True)
        self.record(
            "forward", thing, place, frame, live=live, smoke=smoke, unused=place.span == frame.unused, label=label
        )
        return UNKNOWN

    # Calls of values

    def invoke(self, callee: Value, arguments: Arguments, frame: Frame, place: Place) -> Value:
        """Call one value."""
        match callee:
            case Function():
                return self.run_function(callee, arguments, frame, place)
            case Lambda(term=term, frame=home):
                if len(self.turns) < 8 and self.steps < 20_000:
                    inner = Frame(
                        self.number(), home.home, home.flow, home.instance, outer=home, caller=frame, call=place
                    )
                    for name, value in zip(term.text.split(","), arguments.positional, strict=False):
                        inner.names[name] = value
                    return self.evaluate(term.parts[0], inner)
                return UNKNOWN
            case Class():
                return self.construct(callee, arguments, frame, place)
            case AnyOf(home=home):
                made: list[Value] = []
                reader = self.project.flows(home)
                for name in reader.classes if reader is not None else ():
                    known = self.mode_class(home, name)
                    if known is not None and self.project.is_module(home, "." + name) and "forward" in known.methods:
                        made.append(self.construct(Class(home, name), arguments, frame, place))
                return either(made)
            case External(name=name, home=home):
                return self._external(canonical(name), home, arguments, frame, place)
            case Thing():
                if callee.module or callee.opaque:
                    return self.forward(callee, arguments, frame, place) if not callee.random else UNKNOWN
                if callee.home is not None:
                    found = self.method(callee.home, callee.name, "__call__") or self.method(
                        callee.home, callee.name, "forward"
                    )
                    if found is not None and callee.module is None and found[1].name.endswith("forward"):
                        return self.forward(callee, arguments, frame, place)
                    if found is not None:
                        return self.run_function(Function(*found, callee), arguments, frame, place)
        for value in arguments.all():
            self.escape(value, place, frame)
        return self.fresh()

    def _external(self, name: str, home: FileFacts, arguments: Arguments, frame: Frame, place: Place) -> Value:
        found = self.project.find(home, name) if not name.startswith(("torch.", "builtins.")) else None
        if found is not None:
            target = self._in_project(found[0], found[1])
            if target is not None:
                return self.invoke(target, arguments, frame, place)
        last, values = name.rpartition(".")[2], arguments.all()
        if name == "builtins.getattr" and arguments.positional:
            return self._getattr(arguments, frame)
        if name == "builtins.setattr" and len(arguments.positional) == 3:
            owner, key, value = arguments.positional
            if isinstance(owner, Thing) and isinstance(key, Constant):
                self._set(owner, str(key.value), value)
            return UNKNOWN
        if name in {
            "builtins.enumerate",
            "builtins.zip",
            "tqdm.tqdm",
            "builtins.list",
            "builtins.tuple",
            "builtins.reversed",
        }:
            return self._iterated(last, arguments)
        if name in library.COPIES and values:
            return either([self._copy(v, place) if isinstance(v, Thing) else v for v in choices(values[0])])
        if last in library.WRAPPERS and arguments.positional:
            first = arguments.positional[0]
            return self._scripted(first, frame, place) if name == "torch.jit.script" else first
        if name == "torch.export.load":
            program = self.fresh()
            program.name = "traced:" + name
            return program
        if name in library.TRACERS or (
            name == "torch.onnx.export"
            and arguments.keywords.get("dynamo", Constant(True)) == Constant(True)
            and "training" not in arguments.keywords
        ):
            return self._trace(name, arguments, frame, place)
        if name in library.RANDOM:
            drawn = self.fresh()
            drawn.random = True
            return drawn
        made = library.made(name, arguments.positional, arguments.keywords)
        if made is not None:
            model = self._made(name, made.module, made.live, made.modes, place)
            if made.loaded:
                self.record("load", model, place, frame)
            return model
        if last in {"checkpoint", "checkpoint_sequential"} and name.startswith("torch.utils.checkpoint"):
            return self._checkpoint(arguments, frame, place)
        if name.startswith("torch.autograd.Variable") or name == "torch.autograd.Variable":
            return arguments.positional[0] if arguments.positional else UNKNOWN
        live = library.liveness(name, arguments.positional, arguments.keywords)
        if (name.startswith("torch.nn.") and last[:1].isupper()) or live is not None:
            layer = self._made(name, True, live, TRAIN, place)
            layer.children = [t for v in values for t in things(v)]
            if last == "Sequential" and len(layer.children) == 1 and layer.children[0].label == "children":
                layer.children = layer.children[0].children
            return layer
        if name.startswith("torch.optim") or "optim" in name:
            optimizer = self.fresh()
            optimizer.name = "torch.optim"
            return optimizer
        if last in frameworks.PREPARES and name.startswith(("accelerate", "apex", "deepspeed", "lightning")):
            return Group(list(arguments.positional)) if len(arguments.positional) > 1 else self.fresh()
        harmless = (
            (name.startswith("builtins.") and last in library.HARMLESS)
            or last in library.HARMLESS_METHODS
            or name.startswith(library.HARMLESS_PREFIXES)
        )
        if not harmless:
            for value in values:
                self.escape(value, place, frame)
                self._run_callbacks(value, frame, place)
        return self.fresh()

    def _run_callbacks(self, value: Value, frame: Frame, place: Place) -> None:
        """A function of the project handed to a library runs at some time."""
        for one in choices(value):
            if isinstance(one, Function) and one.flow.relevant:
                self.run_function(one, Arguments([], {}, True), frame, place)

    def _in_project(self, home: FileFacts, name: str) -> Value | None:
        if not name:
            return None
        if name in home.headers or self.mode_class(home, name) is not None:
            return Class(home, name)
        flow = self.flow(home, name)
        return Function(home, flow) if flow is not None else None

    def _getattr(self, arguments: Arguments, frame: Frame) -> Value:
        base = arguments.positional[0]
        key = arguments.positional[1] if len(arguments.positional) > 1 else UNKNOWN
        if isinstance(key, Constant):
            return either([self.attribute_of(b, str(key.value), frame) for b in choices(base)])
        if isinstance(base, External):
            found = self.project.find(base.home, base.name)
            if found is not None and not found[1]:
                return AnyOf(found[0])
        return self.fresh()

    def _iterated(self, last: str, arguments: Arguments) -> Value:
        given = arguments.positional
        if last == "enumerate" and given:
            value = given[0]
            if isinstance(value, Group):
                return Group([Group([UNKNOWN, v]) for v in value.items], value.exact)
            return Group([Group([UNKNOWN, self.element(value)])], exact=False)
        if last == "zip":
            groups = [v for v in given if isinstance(v, Group) and v.exact]
            if groups and len(groups) == len(given):
                return Group([Group(list(row)) for row in zip(*(g.items for g in groups), strict=False)])
            return Group([Group([self.element(v) for v in given])], exact=False)
        return given[0] if given else Group([])

    def _trace(self, name: str, arguments: Arguments, frame: Frame, place: Place) -> Value:
        given = arguments.positional[0] if arguments.positional else arguments.keywords.get("model", UNKNOWN)
        for thing in things(given, 0):
            live = tuple((t, self.modes.get(t.number, OPEN)) for t in below(thing) if t.live is True)
            self.record("trace", thing, place, frame, live=live, label=name)
        made = self.fresh()
        made.name = "traced:" + name
        made.origin = next(things(given, 0), None)
        return made

    def _scripted(self, given: Value, frame: Frame, place: Place) -> Value:
        """A copy with a mode of its own."""
        if not isinstance(given, Thing) or not given.module:
            return given
        made = self._copy(given, place)
        made.origin = given
        self.record("script", made, place, frame)
        return made

    def _checkpoint(self, arguments: Arguments, frame: Frame, place: Place) -> Value:
        if arguments.keywords.get("preserve_rng_state") == Constant(False) and arguments.positional:
            for one in choices(arguments.positional[0]):
                thing = one.instance if isinstance(one, Function) else one
                if isinstance(thing, Thing):
                    live = tuple((t, OPEN) for t in below(thing) if t.live and "Norm" not in t.name)
                    self.record("checkpoint", thing, place, frame, live=live)
        return UNKNOWN

    def _made(self, name: str, module: bool, live: bool | None, modes: Modes, place: Place) -> Thing:
        thing = Thing(self.number(), name, None, place, module, live)
        self.modes[thing.number] = modes
        return thing

    def _copy(self, thing: Thing, place: Place) -> Thing:
        made = Thing(self.number(), thing.name, thing.home, place, thing.module, thing.live)
        self.modes[made.number] = self.modes.get(thing.number, OPEN)
        for part in below(thing)[1:60]:
            inner = Thing(self.number(), part.name, part.home, part.place, part.module, part.live)
            self.modes[inner.number] = self.modes.get(part.number, OPEN)
            made.children.append(inner)
        return made

    # Functions and classes of the project

    def construct(self, made: Class, arguments: Arguments, frame: Frame, place: Place) -> Thing:
        """An instance of a class of the project: its constructor runs."""
        module = self.project.is_module(made.home, "." + made.name)
        holds = any(t.module or t.number in self.causes for v in arguments.all() for t in things(v))
        if not module and not holds and not self.matters(made.home, made.name):
            return Thing(self.number(), made.name, made.home, place, module)
        key: tuple[object, ...] = ()
        if module and not holds:
            shown = [(k, v.value if isinstance(v, Constant) else "?") for k, v in _named(arguments)]
            key = (made.home.path, made.name, *((k, v, type(v)) for k, v in shown))
        inside = any(f.instance is not None and f.instance.module for f in frame.chain())
        if key and inside and key in self.built:
            live, name, at = self.built[key]
            whole = Thing(self.number(), name or made.name, None, at or place, True, live)
            self.modes[whole.number] = TRAIN
            return whole
        thing = self._constructed(made, module, arguments, frame, place)
        if key:
            parts = below(thing)
            proof = next((p for p in parts if p.live), None)
            certain = False if all(p.live is False or (p.live is None and p.opaque) for p in parts) else None
            self.built[key] = (True, proof.name, proof.place) if proof is not None else (certain, "", None)
        return thing

    def _constructed(self, made: Class, module: bool | None, arguments: Arguments, frame: Frame, place: Place) -> Thing:
        thing = Thing(self.number(), made.name, made.home, place, module)
        self.modes[thing.number] = TRAIN if module else OPEN
        init = self.method(made.home, made.name, "__init__")
        if init is not None:
            self.run_function(Function(*init, thing), arguments, frame, place)
        elif module:
            thing.children = [t for v in arguments.all() for t in things(v)]
        if module:
            thing.live = self._own_life(thing)
            self._discount_unreached(thing)
        return thing

    def _discount_unreached(self, thing: Thing) -> None:
        """Layers that no method of the class can reach, with the flags that the constructor sets, prove nothing."""
        uses = self._uses(thing.home, thing.name) if thing.home is not None else None
        if uses is None:
            return
        for name, value in thing.attributes.items():
            layer = isinstance(value, Thing) and value.live and value.home is None and not value.children
            if isinstance(value, Thing) and layer and not is_reached(name, uses, thing):
                value.live = False

    def _uses(self, home: FileFacts, name: str) -> Uses | None:
        """The layers that the methods of a class name; None where any layer may be reached."""
        key = (home.path, name)
        if key not in self.memory.uses:
            self.memory.uses[key] = None
            forward = self.method(home, name, "forward")
            if forward is not None and forward[1].parameters and not self._inherits_unseen(home, name):
                flows = [
                    flow
                    for current, known in self.lineage(home, name)
                    for flow in self.within(current, known.name)
                    if flow.name != f"{known.name}.__init__"
                ]
                self.memory.uses[key] = layer_uses(flows, forward[1].parameters[0])
        return self.memory.uses[key]

    def _own_life(self, thing: Thing) -> bool | None:
        if thing.home is None:
            return None
        for _, known in self.lineage(thing.home, thing.name):
            if known.reads_mode:
                return True
            for rate in known.functional_rates:
                value = thing.attributes.get(rate)
                if not (isinstance(value, Constant) and value.value in {0, None}):
                    return True
        return False

    def _super(self, name: str, arguments: Arguments, frame: Frame, place: Place) -> Value:
        instance = frame.instance
        if instance is None or instance.home is None or not frame.flow.owner:
            return UNKNOWN
        lineage = self.lineage(instance.home, instance.name)
        owners = [k.name for _, k in lineage]
        start = owners.index(frame.flow.owner) + 1 if frame.flow.owner in owners else len(lineage)
        for home, known in lineage[start:]:
            if name in known.methods:
                flow = self.flow(home, f"{known.name}.{name}")
                if flow is not None:
                    return self.run_function(Function(home, flow, instance), arguments, frame, place)
        if instance.module and name == "__init__":
            instance.children += [t for v in arguments.all() for t in things(v)]
        elif instance.module and name in {"train", "eval"}:
            given = arguments.positional[0] if arguments.positional else arguments.keywords.get("mode")
            self.set_mode(instance, self._mode_of(name, given, arguments), place, frame)
        elif name != "__init__":
            for value in arguments.all():
                self.escape(value, place, frame)
        return UNKNOWN

    def run_function(self, function: Function, arguments: Arguments, frame: Frame, place: Place) -> Value:
        """Run a function of the project in a frame of its own."""
        flow = function.flow
        chain = list(frame.chain())
        if len(chain) > DEPTH or sum(f.flow is flow for f in chain) >= (1 if flow.relevant else 2):
            for value in arguments.all():
                self.escape(value, place, frame)
            return UNKNOWN
        plain = function.instance is not None and function.instance.module is not True and not flow.relevant
        if plain and not flow.name.endswith("__init__") and not self._sees_models(function, arguments):
            return self.fresh()
        if self._plain(function, arguments, frame):
            return self._sketched(function, arguments, frame, place)
        return self._entered(function, arguments, frame, place)

    def _sees_models(self, function: Function, arguments: Arguments) -> bool:
        instance = function.instance
        if instance is not None and instance.home is not None and self.matters(instance.home, instance.name):
            return True
        return any(t.module or t.number in self.causes for v in arguments.all() for t in things(v))

    def _plain(self, function: Function, arguments: Arguments, frame: Frame) -> bool:
        """A function that changes no mode itself and is given no model: it may still build one, but not at any cost."""
        if function.flow.relevant or function.instance is not None or function.frame is not None:
            return False
        if self.allowance is not None or function.home is self.root:
            return False
        if any(isinstance(v, (Function, Lambda)) for v in arguments.all()):
            return False
        return not any(t.module or t.number in self.causes for v in arguments.all() for t in things(v))

    def _sketched(self, function: Function, arguments: Arguments, frame: Frame, place: Place) -> Value:
        modes, causes, count = dict(self.modes), dict(self.causes), len(self.events)
        state = self.grad, self.turns, self.unwound, self.region, self.branches
        self.allowance = self.steps + SKETCH
        try:
            return self._entered(function, arguments, frame, place)
        except Overdrawn:
            self.modes, self.causes = modes, causes
            del self.events[count:]
            self.grad, self.turns, self.unwound, self.region, self.branches = state
            return self.fresh()
        finally:
            self.allowance = None

    def _entered(self, function: Function, arguments: Arguments, frame: Frame, place: Place) -> Value:
        flow = function.flow
        self.reached.add((function.home.path, flow.name))
        inner = Frame(
            self.number(),
            function.home,
            flow,
            function.instance,
            outer=function.frame,
            caller=frame,
            call=place,
            loops=self.turns,
        )
        self._bind_parameters(inner, function, arguments)
        grad, turns, unwound, region = self.grad, self.turns, self.unwound, self.region
        self.unwound, self.region = [], None
        for decorator in flow.decorators:
            if decorator.kind in {"name", "attribute", "call"}:
                change = self.gradient(decorator, frame if frame.home is function.home else inner)
                self.grad = change if change != "same" else self.grad
        fell = self.run(flow.steps, inner)
        self.grad, self.turns, self.unwound, self.region = grad, turns, unwound, region
        ends = [modes for modes, _ in inner.returns]
        if fell:
            ends.append(self.modes)
        if ends:
            joined = dict(ends[0])
            for other in ends[1:]:
                for number, held in other.items():
                    joined[number] = joined.get(number, held) | held
            self.modes = joined
        returned = [value for _, value in inner.returns]
        return returned[0] if len(returned) == 1 else either([v for v in returned if not isinstance(v, Constant)])

    def _bind_parameters(self, inner: Frame, function: Function, arguments: Arguments) -> None:
        flow = function.flow
        names = list(flow.parameters)
        positional = list(arguments.positional)
        if function.instance is not None and names:
            inner.names[names[0]] = function.instance
            names = names[1:]
        elif flow.owner and names and names[0] in {"self", "cls"} and positional and isinstance(positional[0], Thing):
            inner.instance = positional[0]
        room = flow.positional - (1 if function.instance is not None else 0)
        for name, value in zip(names[:room], positional, strict=False):
            inner.names[name] = value
        if flow.rest:
            inner.names[flow.rest] = Group(positional[room:], not arguments.unpacked)
        for name, value in arguments.keywords.items():
            if name in flow.parameters:
                inner.names[name] = value
        defaults = dict(flow.defaults)
        for name in names:
            if name not in inner.names:
                default = self.evaluate(defaults[name], inner) if name in defaults and not arguments.unpacked else None
                inner.names[name] = default if default is not None else self.fresh(name)


def _named(arguments: Arguments) -> list[tuple[str, Value]]:
    return [(str(n), v) for n, v in enumerate(arguments.positional)] + sorted(
        arguments.keywords.items(), key=lambda pair: pair[0]
    )


def _terms(steps: tuple[Step, ...]) -> Iterator[Term]:
    for step in steps:
        yield from (*step.targets, *([step.value] if step.value is not None else []))
        for arm in step.arms:
            yield from _terms(arm)


def _calls_layer(term: Term, receiver: str, methods: set[str]) -> bool:
    if term.kind == "call":
        func = term.parts[0]
        if func == Term("name", receiver):
            return True
        own = func.kind == "attribute" and func.parts[0] == Term("name", receiver)
        if own and func.text not in methods | library.NEUTRAL | library.SAME:
            return True
    return any(_calls_layer(p, receiver, methods) for p in (*term.parts, *(k for _, k in term.keywords)))


def _text(term: Term) -> str:
    return term.text or (_text(term.parts[0]) if term.parts else "")


def _mode_like(value: Value) -> bool:
    return any(
        t.label in {"mode", "training", "is_train", "train", "is_training", "was_training"} for t in things(value)
    )
