"""Find what an expression may make: classes of the project, models of libraries, pickled models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dropout_lint.evaluations.effects import Effects
from dropout_lint.evaluations.program import Program
from dropout_lint.evaluations.summary import Summary, path_of
from dropout_lint.facts import FileFacts, Location, Term
from dropout_lint.mode.execution.library_models import liveness, model_made_by
from dropout_lint.mode.libraries import frameworks, library
from dropout_lint.mode.program.values import UNKNOWN, Class, Constant, External, Function, Value
from dropout_lint.torch_api.names import canonical

_DEPTH = 5
_MOST = 24


@dataclass(frozen=True, slots=True)
class Made:
    """One thing that a model may be."""

    what: str
    """``class`` of the project, ``library`` model, ``pickled`` model, ``scripted`` one, ``unknown``."""
    home: FileFacts | None = None
    name: str = ""
    mode: str = "none"
    """"eval" if it is made in eval mode, or put into it there."""
    loaded: Location | None = None
    place: Location | None = None
    live: bool | None = None
    """For a library model: its modes differ."""


_FOREIGN = frozenset({
    "sklearn", "xgboost", "lightgbm", "catboost", "statsmodels", "tensorrt", "gensim", "spacy", "cv2", "openai",
    "ultralytics", "tensorflow", "keras", "jax", "flax", "hmmlearn", "nltk", "pandas", "numpy", "scipy",
    "faiss", "umap", "hdbscan", "joblib", "sentence_transformers", "easyocr", "mlflow", "gym", "gymnasium",
    "stable_baselines3", "langchain", "vllm", "pytorch_lightning", "lightning", "argparse", "collections", "os",
    "sys", "re", "json", "yaml", "threading", "multiprocessing", "requests", "skimage", "albumentations", "PIL",
    "torchaudio.transforms", "datasets", "evaluate", "torchmetrics", "tokenizers", "av", "librosa",
})  # fmt: skip
"""Packages whose models have no train mode, or set it themselves."""
_OFTEN_PLAIN = ("torch_geometric.nn.", "timm.", "transformers.", "diffusers.", "torchvision.models.")
"""Libraries many of whose models have no mode-dependent layer."""
UNKNOWN_MODEL = Made("unknown")


class Makers:
    """Answers what a value makes."""

    def __init__(self, program: Program, effects: Effects) -> None:
        self._program = program
        self._effects = effects

    def of(self, summary: Summary, value: Term, index: int | None, depth: int = _DEPTH) -> list[Made]:
        """What a value may be; ``index`` chooses an element of a tuple that a function returns."""
        if depth <= 0:
            return [UNKNOWN_MODEL]
        if value.kind == "choice":
            return [m for part in value.parts[1:] for m in self.of(summary, part, index, depth)][:_MOST]
        if value.kind == "tuple":
            if index is not None and index < len(value.parts):
                return self.of(summary, value.parts[index], None, depth)
            return [m for part in value.parts for m in self.of(summary, part, None, depth)][:_MOST]
        if value.kind in {"each", "dict"}:
            parts = [value.parts[1]] if value.kind == "each" else [v for _, v in value.keywords]
            return [m for part in parts for m in self.of(summary, part, None, depth)][:_MOST]
        if value.kind == "call":
            return self._of_call(summary, value, index, depth)
        path = path_of(value)
        return self._of_path(summary, path, depth) if path else [UNKNOWN_MODEL]

    def _of_path(self, summary: Summary, path: str, depth: int) -> list[Made]:
        found: list[Made] = []
        for one in summary.same(path):
            for maker, bind in self._program.bindings(summary, one):
                if path_of(bind.value) == one:
                    continue
                index = bind.targets.index(one) if len(bind.targets) > 1 else None
                found += self.of(maker, bind.value, index, depth - 1)
        return found[:_MOST] or [UNKNOWN_MODEL]

    def _of_call(self, summary: Summary, value: Term, index: int | None, depth: int) -> list[Made]:
        func = value.parts[0]
        name = func.text if func.kind in {"name", "attribute"} else ""
        if func.kind == "attribute" and name in library.SAME | {"eval", "train"}:
            inner = self.of(summary, func.parts[0], index, depth)
            if name == "eval":
                place = Location(summary.home.path, value.span)
                return [Made(m.what, m.home, m.name, "eval", m.loaded, place, m.live) for m in inner]
            return inner
        if name in library.WRAPPERS | {"deepcopy", "prepare", "unwrap_model"} and len(value.parts) > 1:
            return self.of(summary, value.parts[1], None, depth)
        if name in frameworks.LOADS and func.kind == "attribute":
            owner = self._program.value(summary, func.parts[0])
            if isinstance(owner, Class):
                here = Location(summary.home.path, value.span)
                return [Made("class", owner.home, owner.name, self._built_mode(owner), here, here)]
        target = self._program.value(summary, func)
        place = Location(summary.home.path, value.span)
        match target:
            case Class():
                return [Made("class", target.home, target.name, self._built_mode(target), None, place)]
            case Function():
                return self._of_function(target, index, depth)
            case External():
                return [self._of_external(summary, target, value, place, depth)]
        return self._chosen(summary, func, place, depth)

    def _built_mode(self, target: Class) -> str:
        """The mode in which a constructor leaves the object: "eval" if it calls ``self.eval()``."""
        found = self._program.definitions.method(target.home, target.name, "__init__")
        init = self._program.summary(found[0], found[1].name) if found is not None else None
        if init is None or not init.receiver:
            return "none"
        own = self._effects.inside(init, init.receiver)
        return own.mode if own.mode in {"eval", "maybe"} else "none"

    def _of_function(self, target: Function, index: int | None, depth: int) -> list[Made]:
        """What a function of the project returns, in the mode in which it returns it."""
        inner = self._program.summary(target.home, target.flow.name)
        found: list[Made] = []
        for one in inner.returns if inner is not None else ():
            value = one.value
            if value.kind == "tuple" and index is not None and index < len(value.parts):
                value = value.parts[index]
            made = self.of(inner, value, index, depth - 1) if inner is not None else []
            path = path_of(value)
            if path and inner is not None:
                effect = self._effects.before(inner, inner.same(path), one.place)
                mode = effect.mode if effect.mode in {"eval", "maybe"} else None
                made = [
                    Made(m.what, m.home, m.name, mode or m.mode, effect.loaded or m.loaded, m.place, m.live)
                    for m in made
                ]
                if target.flow.owner and path in {"cls", inner.receiver}:
                    made = [Made("class", target.home, target.flow.owner)]
            found += made
        return found[:_MOST] or [UNKNOWN_MODEL]

    def _of_external(self, summary: Summary, target: External, value: Term, place: Location, depth: int) -> Made:
        name = canonical(target.name)
        if name in {"torch.load", "joblib.load", "pickle.load"}:
            return Made("pickled", None, name, loaded=place, place=place)
        if name.startswith(("torch.jit.", "torch.export", "onnxruntime", "torch.package")):
            return Made("scripted", None, name, place=place)
        if name.startswith(("torch.optim", "torch.utils", "torch.nn.functional", "numpy", "builtins.")):
            return Made("other", None, name, place=place)
        positional = [_constant(part) for part in value.parts[1:]]
        keywords = {key: _constant(part) for key, part in value.keywords}
        known = model_made_by(name, positional, keywords)
        if known is not None:
            mode = "eval" if known.modes == frozenset({"eval"}) else "none" if "train" in known.modes else "maybe"
            what = "library" if known.module and known.live is not None else "other"  # many families have no dropout
            return Made(what, None, name, mode, place if known.loaded else None, place, known.live)
        if name.startswith("torch.nn.") and name.endswith(".from_pretrained"):
            return Made("library", None, name, place=place, live=False)
        if name.rpartition(".")[2] in {"from_pretrained", "create_model_and_transforms"}:
            return Made("library", None, name, "eval", place, place)
        if name.partition(".")[0] in _FOREIGN:
            return Made("other", None, name, place=place)
        if name.startswith("torch.nn.") and name.rpartition(".")[2] in {"Sequential", "ModuleList", "ModuleDict"}:
            parts = [m for part in value.parts[1:] for m in self.of(summary, part, None, depth - 1)]
            live = (
                True if any(m.live for m in parts) else False if parts and all(m.live is False for m in parts) else None
            )
            layer = next((m.name for m in parts if m.live), name)
            return Made("library", None, layer, place=place, live=live)
        live = liveness(name, positional, keywords)
        what = "other" if live is None and name.startswith(_OFTEN_PLAIN) else "library"
        return Made(what, None, name, place=place, live=live)

    def _chosen(self, summary: Summary, func: Term, place: Location, depth: int) -> list[Made]:
        """A class chosen at run time: ``MODELS[name]()``, ``getattr(models, name)()``, ``globals()[name]()``."""
        found = [Made("class", home, name, place=place) for home, name in self._classes(summary, func, depth)]
        return found[:_MOST] or [Made("unknown", place=place)]

    def _classes(self, summary: Summary, func: Term, depth: int) -> list[tuple[FileFacts, str]]:
        if depth <= 0:
            return []
        if (
            func.kind == "item"
            and func.parts[0].kind == "call"
            and func.parts[0].parts[0].text in {"globals", "locals"}
        ):
            return [(c.home, c.name) for c in self._program.definitions.models(summary.home)]
        if func.kind == "call" and func.parts[0].text == "getattr" and len(func.parts) > 1:
            return self._of_module(summary, func.parts[1])
        if func.kind == "item":
            return self._of_table(summary, func.parts[0], depth)
        if func.kind == "call" and func.parts[0].kind == "attribute" and func.parts[0].text == "get":
            return self._of_table(summary, func.parts[0].parts[0], depth)
        path = path_of(func)
        found: list[tuple[FileFacts, str]] = []
        for maker, bind in self._program.bindings(summary, path) if path else ():
            value = self._program.value(maker, bind.value)
            if isinstance(value, Class):
                found.append((value.home, value.name))
            elif bind.value != func:
                found += self._classes(maker, bind.value, depth - 1)
        return found

    def _of_module(self, summary: Summary, module: Term) -> list[tuple[FileFacts, str]]:
        """The models of a file: ``getattr(models, name)``."""
        value = self._program.value(summary, module)
        if not isinstance(value, External):
            return []
        located = self._program.project.modules.locate(Path(value.home.path), value.name)
        home = self._program.project.files.facts(located[0]) if located is not None and not located[1] else None
        if home is None:
            return []
        found = [(c.home, c.name) for c in self._program.definitions.models(home)]
        for dotted in home.imports.values():
            other = self._program.project.names.find(home, dotted)
            if other is not None and other[1] in other[0].headers:
                found.append(other)
        return found

    def _of_table(self, summary: Summary, table: Term, depth: int) -> list[tuple[FileFacts, str]]:
        """The classes in a dictionary: ``{"small": SmallNet, "large": LargeNet}``."""
        path = path_of(table)
        found: list[tuple[FileFacts, str]] = []
        tables = [(summary, table)] if table.kind == "dict" else []
        tables += [(m, b.value) for m, b in self._program.bindings(summary, path)] if path else []
        for maker, value in tables:
            for _, part in value.keywords if value.kind == "dict" else ():
                target = self._program.value(maker, part)
                if isinstance(target, Class):
                    found.append((target.home, target.name))
        return found


def _constant(term: Term) -> Value:
    """A literal argument, such as a rate."""
    return Constant(term.constant) if term.kind == "constant" and term.constant != "?" else UNKNOWN
