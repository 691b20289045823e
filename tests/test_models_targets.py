"""Naming a model and its inputs: how they are spelt, how a configuration declares them, and what is loaded for them."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.config.tables import ConfigError
from dropout_lint.models.load import build_model, import_target
from dropout_lint.models.tensors import build
from dropout_lint.targets.errors import TargetError
from dropout_lint.targets.inputs import InputSpec, parse, parse_all
from dropout_lint.targets.target import ModelTarget, parse_kwargs
from tests.linting import write_files

# --- spelling


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("2,3,224,224", InputSpec("float32", (2, 3, 224, 224))),
        ("i64:2,16<1000", InputSpec("int64", (2, 16), 1000)),
        ("mask=bool:2,16", InputSpec("bool", (2, 16), None, "mask")),
        ("bf16:4", InputSpec("bfloat16", (4,))),
        ("float64:2,2", InputSpec("float64", (2, 2))),
        ("2x3", InputSpec("float32", (2, 3))),
        (" x = i32: 2, 3 < 7 ", InputSpec("int32", (2, 3), 7, "x")),
        ("t=f32:", InputSpec("float32", (), None, "t")),
    ],
)
def test_an_input_is_read_and_written(text: str, spec: InputSpec) -> None:
    assert parse(text) == spec
    assert parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not an input: write it as '2,3,224,224', 'i64:2,16<1000' or 'mask=bool:2,16'"),
        ("two", "'two' is not an input"),
        ("2,,3", "'2,,3' is not an input"),
        ("-1,3", "'-1,3' is not an input"),
        ("flot32:2", "unknown type 'flot32' in input 'flot32:2'; did you mean 'float32'?"),
        ("quaternion:2", "types are f16, bf16"),
        ("f32:3<4", "'<4' in input 'f32:3<4' is a bound for integers"),
        ("i64:3<0", "must be 1 or more"),
    ],
)
def test_a_wrong_input_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_two_inputs_cannot_have_one_name() -> None:
    with pytest.raises(TargetError, match="two inputs are given for 'mask'"):
        parse_all(["mask=2,3", "4", "mask=2,4"])


def test_inputs_are_tensors_and_the_same_ones_each_time() -> None:
    torch = pytest.importorskip("torch")
    specs = parse_all(["2,3", "i64:50<7", "m=bool:40", "h=f16:3", "z=c64:2"])
    args, kwargs = build(specs)
    assert [(t.dtype, tuple(t.shape)) for t in args] == [(torch.float32, (2, 3)), (torch.int64, (50,))]
    assert {name: t.dtype for name, t in kwargs.items()} == {
        "m": torch.bool,
        "h": torch.float16,
        "z": torch.complex64,
    }
    assert set(args[1].tolist()) == set(range(7))
    assert set(kwargs["m"].tolist()) == {True, False}
    torch.manual_seed(5)
    assert torch.equal(build(specs)[0][0], args[0])
    assert not args[0].is_cuda


@pytest.mark.parametrize(
    ("spec", "place", "attribute", "is_file"),
    [
        ("a.b:C", "a.b", "C", False),
        ("a.b:C.make", "a.b", "C.make", False),
        ("some dir/x-y.py:net", "some dir/x-y.py", "net", True),
        ("C:\\nets\\a.py:Net", "C:\\nets\\a.py", "Net", True),
    ],
)
def test_a_target_names_a_place_and_an_attribute(spec: str, place: str, attribute: str, is_file: bool) -> None:
    target = ModelTarget(spec)
    assert (target.module, target.attribute, target.is_file, target.label) == (place, attribute, is_file, spec)
    assert pickle.loads(pickle.dumps(target)) == target


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("net.py", "'net.py' does not say which attribute is the model: write 'net.py:ClassName'"),
        ("pkg.net", "write 'pkg.net:ClassName'"),
        (":Net", "write 'package.module:ClassName' or 'file.py:ClassName'"),
        ("net.py:", "does not say which attribute"),
        ("net.py:3d", "does not say which attribute"),
        ("a/b:Net", "'a/b' in 'a/b:Net' is neither a module such as 'package.module' nor a .py file"),
        ("net.ipynb:Net", None),
    ],
)
def test_a_target_of_another_form_is_refused(spec: str, said: str | None) -> None:
    if said is None:
        assert ModelTarget(spec).is_file is False
        return
    with pytest.raises(TargetError) as caught:
        ModelTarget(spec)
    assert said in str(caught.value)


def test_arguments_are_a_json_object() -> None:
    assert parse_kwargs('{"dim": 3, "act": null}') == {"dim": 3, "act": None}
    with pytest.raises(TargetError, match="not valid JSON: Expecting property name"):
        parse_kwargs("{dim: 3}")
    with pytest.raises(TargetError, match="not a JSON object such as"):
        parse_kwargs("[1]")


# --- declaring


Configured = Callable[[str], SettingsResolver]


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> SettingsResolver:
        (tmp_path / "pyproject.toml").write_text(text)
        return SettingsResolver()

    return write


def test_declared_models_start_from_the_folder_of_the_file(configured: Configured, tmp_path: Path) -> None:
    resolver = configured(
        "[[tool.dropout-lint.models]]\ntarget = 'net.py:Net'\n[[tool.dropout-lint.models]]\ntarget = 'a.b:make'\n"
        "kwargs = {dim = 3}\ninputs = ['2,3', 'mask=bool:2']\nname = 'small'\ntimeout = 5\n"
    )
    (tmp_path / "sub").mkdir()
    first, second = resolver(tmp_path / "sub" / "x.py").models
    assert (first.spec, first.root, first.timeout) == ("net.py:Net", str(tmp_path), None)
    assert (second.label, second.kwargs, second.timeout) == ("small", {"dim": 3}, 5.0)
    assert second.inputs == parse_all(["2,3", "mask=bool:2"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("kwargs = {}", "number 1 has no 'target', such as \"package.module:Model\""),
        ("targt = 'a:B'", "unknown key 'targt' in [[tool.dropout-lint.models]] number 1; did you mean 'target'?"),
        ("colour = 1", "valid keys are target, kwargs, inputs, name, timeout"),
        ("target = 3", "'target' in [[tool.dropout-lint.models]] number 1 must be a string that is not empty, not"),
        ("target = 'a.py'", "number 1: 'a.py' does not say which attribute is the model"),
        ("target = 'a:B'\nkwargs = '{}'", 'must be a table of arguments, such as {dim = 64}, not the string "{}"'),
        ("target = 'a:B'\ninputs = [2, 3]", 'must be a list of inputs, such as ["2,3,224,224", "mask=bool:2,16"]'),
        ("target = 'a:B'\ninputs = ['2,x']", "number 1: '2,x' is not an input"),
        ("target = 'a:B'\ntimeout = 0", "must be a number of seconds above 0, not the number 0"),
        ("target = 'a:B'\ntimeout = true", "must be a number of seconds above 0, not true"),
    ],
)
def test_a_wrong_declaration_names_file_key_and_what_is_expected(table: str, said: str, configured: Configured) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(f"[[tool.dropout-lint.models]]\n{table}\n")(Path("x.py"))
    assert said in str(caught.value)
    assert "pyproject.toml: " in str(caught.value)


def test_models_are_an_array_of_tables(configured: Configured) -> None:
    with pytest.raises(ConfigError, match=r"must be tables, each under \[\[tool.dropout-lint.models\]\], not"):
        configured("[tool.dropout-lint]\nmodels = ['a:B']\n")(Path("x.py"))


# --- loading


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to import from, without a trace afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    write_files(folder, {f"{name.replace('__', '/')}.py": text for name, text in files.items()})


def found(spec: str, folder: Path) -> object:
    return import_target(ModelTarget(spec, root=str(folder)))


def test_a_file_sees_its_neighbours_and_its_package(imports: Path) -> None:
    write(imports, a__helper="x = 'neighbour'", a__net="from helper import x")
    assert found("a/net.py:x", imports) == "neighbour"
    write(imports, b__pkg__helper="x = 'relative'", b__pkg__sub__deep="from ..helper import x\nname = __name__")
    for folder in ("b/pkg", "b/pkg/sub"):
        (imports / folder / "__init__.py").touch()
    assert found("b/pkg/sub/deep.py:x", imports) == "relative"
    assert found("b/pkg/sub/deep.py:name", imports) == "pkg.sub.deep"
    write(imports, top="x = 'root'", c__net2="from top import x")
    assert found("c/net2.py:x", imports) == "root"


def test_a_file_may_be_called_like_a_module_that_is_loaded(imports: Path) -> None:
    write(imports, types="x = 'mine'")
    before = sys.modules["types"]
    assert found("types.py:x", imports) == "mine"
    assert sys.modules["types"] is before


def test_a_module_is_found_from_the_root(imports: Path) -> None:
    write(imports, pack__net_in_pack="class Outer:\n    inner = 3")
    assert found("pack.net_in_pack:Outer.inner", imports) == 3


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("no/such.py:Net", "there is no file 'no/such.py' in "),
        ("such_module.net:Net", "there is no module 'such_module' in "),
        ("inside:Net", "; name it as 'src/inside.py:...'"),
        ("src/inside.py:Nett", "'src/inside.py' has no attribute 'Nett'; did you mean 'Net'?"),
        ("src/inside.py:Net.make", "'src/inside.py' has no attribute 'Net.make'"),
    ],
)
def test_what_is_not_there_is_said(spec: str, said: str, imports: Path) -> None:
    write(imports, src__inside="class Net: pass")
    with pytest.raises(TargetError) as caught:
        found(spec, imports)
    assert said in str(caught.value)


def test_a_dependency_that_is_missing_is_not_taken_for_the_target(imports: Path) -> None:
    write(imports, needy="import no_such_dependency")
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        found("needy:x", imports)


def test_a_class_a_function_and_an_instance_are_models() -> None:
    torch = pytest.importorskip("torch")
    target = ModelTarget("a:b", kwargs={"in_features": 2, "out_features": 3})
    assert build_model(torch.nn.Linear, target).out_features == 3
    assert build_model(lambda in_features, out_features: torch.nn.Linear(in_features, out_features), target).training
    model = torch.nn.ReLU()
    assert build_model(model, ModelTarget("a:b")) is model


@pytest.mark.parametrize(
    ("thing", "kwargs", "said"),
    [
        (3, {}, "'b' is an int, not a model, a class or a function"),
        (None, {}, "'b' is None, not a model"),
        (dict, {}, "'b' makes a dict, not a torch.nn.Module"),
        (lambda: None, {}, "'b' makes None, not"),
        (lambda dim, depth: dim + depth, {"depth": 2}, "'dim'; pass it with --kwargs '{\"dim\": ...}'"),
        (lambda: 0, {"dim": 2}, "'b' cannot be built: got an unexpected keyword argument 'dim'"),
        ("instance", {"dim": 2}, "'b' is a model already, so arguments for its constructor mean nothing"),
    ],
)
def test_what_is_no_model_is_said(thing: object, kwargs: dict[str, object], said: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(TargetError) as caught:
        build_model(torch.nn.ReLU() if thing == "instance" else thing, ModelTarget("a:b", kwargs=kwargs))
    assert said in str(caught.value)
