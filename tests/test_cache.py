"""The cache: it changes the time that a run takes, and nothing else."""

from __future__ import annotations

import ast
import math
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from dropout_lint import disk
from dropout_lint.cache import codec, folder
from dropout_lint.cache.folder import CacheFolder
from dropout_lint.config.resolver import SettingsResolver
from dropout_lint.config.schema import Options
from dropout_lint.config.settings import Settings
from dropout_lint.diagnostic import Span
from dropout_lint.discovery.discovery import discover
from dropout_lint.facts import FACT_KINDS, FileFacts, ModeRun
from dropout_lint.linting.collecting import collect
from dropout_lint.linting.facts_store import FactsStore
from dropout_lint.linting.linter import Linter
from dropout_lint.linting.stages import FileSet, LintResult
from dropout_lint.linting.workspace import Workspace
from dropout_lint.rulebook import rules
from dropout_lint.source.names.place import place_of
from tests.linting import check, run

NET = """
import torch.nn.functional as F
from torch import nn
from pkg.base import Base
from pkg.helper import attend
from .config import Config


class Net(Base):
    def __init__(self, config):
        super().__init__()
        self.dropout = config.dropout

    def forward(self, x):
        x = F.dropout(x, {rate})
        return attend(x, x, x, self.dropout)


class Gate(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.keep = nn.Dropout(config.keep_prob)

    def forward(self, x):
        return self.keep(x)
"""
BASE = "from torch import nn\n\n\nclass Base({base}):\n    pass\n"
HELPER = """
import torch.nn.functional as F


def attend(q, k, v, dropout):
    return F.scaled_dot_product_attention(q, k, v, dropout_p={rate})
"""
CONFIG = "class Config:\n    keep_prob = {rate}\n"
LAYERS = """
from torch import nn


class Block(nn.Module):
    def __init__(self, p=0.1):
        super().__init__()
        self.drop = nn.Dropout(p)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        return self.norm(x)
"""
CHILD = "from pkg.layers import Block\n\n\nclass Child(Block):\n    def forward(self, x):\n        return {used}(x)\n"
TRAIN = """
import torch
from pkg.layers import Block


def main(loader, optimizer):
    model = Block()
    for epoch in range(3):
        {before}
        for x in loader:
            model(x).sum().backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            model(x)


main([], None)
"""
VARIANTS: dict[str, list[str]] = {
    "pkg/__init__.py": ["", "from pkg.base import Base\n"],
    "pkg/net.py": [
        NET.format(rate="self.dropout"),
        NET.format(rate="0.50"),
        NET.format(rate="0.25") + "# noqa: DRP101\n",
    ],
    "pkg/base.py": [BASE.format(base="nn.Module"), BASE.format(base="object"), "from pkg.other import Base\n"],
    "pkg/other.py": [BASE.format(base="nn.Module"), "class Base(:\n"],
    "pkg/helper.py": [HELPER.format(rate="dropout"), HELPER.format(rate="0.0"), "from pkg.more import attend\n"],
    "pkg/more/__init__.py": [HELPER.format(rate="dropout"), ""],
    "pkg/config.py": [CONFIG.format(rate="0.9"), CONFIG.format(rate="0.5")],
    "pkg/layers.py": [LAYERS, LAYERS.replace("self.norm(x)", "self.drop(x)")],
    "pkg/child.py": [CHILD.format(used="self.drop"), CHILD.format(used="self.norm")],
    "pkg/pkg/base.py": [BASE.format(base="object")],
    "train.py": [TRAIN.format(before="model.train()"), TRAIN.format(before="pass         ")],
    "tests/test_net.py": ["def test() -> None:\n    pass\n"],
    "tests/net.py": [NET.format(rate="0.5")],
}


def set_up(root: Path) -> None:
    for name, texts in VARIANTS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).unlink(missing_ok=True)
        (root / name).write_text(texts[0])
    (root / "pkg" / "pkg" / "base.py").unlink()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    set_up(root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("DROPOUT_LINT_NO_CACHE")
    return root


def lint(paths: list[Path], options: Options, cache: CacheFolder | None) -> LintResult:
    resolver = SettingsResolver(options, isolated=True)
    return Linter(resolver, 1, cache=cache).run(discover(paths, resolver).files)


# --- warm and cold agree

ALL = Options(select=("ALL",), preview=True)
CHOICES = [Options(), ALL, Options(select=("DRP102",)), Options(mc_dropout_names=("Net",))]


def change(random: random.Random, root: Path) -> None:
    """One thing that a user, an editor or git does to a project."""
    name = random.choice(list(VARIANTS))
    path = root / name
    match random.choice(["write", "write", "write", "keep times", "delete", "touch", "move", "link", "package"]):
        case "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(random.choice(VARIANTS[name]))
        case "keep times" if path.exists():
            status = path.stat()
            path.write_text(random.choice(VARIANTS[name]))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "delete":
            path.unlink(missing_ok=True)
        case "touch" if path.exists():
            os.utime(path)
        case "move":
            here, there = root / "pkg" / "more", root / "pkg" / "less"
            if here.is_dir() and not there.exists():
                here.rename(there)
            elif there.is_dir() and not here.exists():
                there.rename(here)
        case "link":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(random.choice([root / "pkg" / "other.py", root / "nowhere.py"]))
        case "package":
            init = root / "__init__.py"
            init.unlink() if init.exists() else init.write_text("")


@pytest.mark.parametrize("settled", [0, 2_000_000_000], ids=["by signature", "by content"])
@pytest.mark.parametrize("seed", range(3))
def test_a_warm_run_finds_what_a_cold_one_finds(
    project: Path, tmp_path: Path, seed: int, settled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_SETTLED", settled)
    chosen = random.Random(seed)
    cache = CacheFolder(tmp_path / "cache")
    codes: set[str] = set()
    outcomes = set()
    for step in range(40):
        if step % 8 == 0:
            set_up(project)
        change(chosen, project)
        if not settled:
            time.sleep(0.012)  # longer than the clock of a file system takes for a step
        paths = [project] if chosen.random() < 0.7 else [project / "pkg" / "net.py"]
        options = chosen.choice(CHOICES)
        cold = lint(paths, options, None)
        for _ in range(2):
            assert lint(paths, options, cache) == cold
        codes |= {item.code for item in cold.diagnostics}
        outcomes.add(cold.diagnostics)
    assert {"DRP101", "DRP102", "DRP401"} <= codes
    assert len(outcomes) > 6


QUESTIONS = {
    "the base of a class": ("pkg/net.py", "pkg/base.py", BASE.format(base="object")),
    "a function of another file": ("pkg/net.py", "pkg/helper.py", HELPER.format(rate="0.0")),
    "a module that hides another": ("pkg/net.py", "pkg/pkg/base.py", BASE.format(base="object")),
    "a constant of a configuration class": ("pkg/net.py", "pkg/config.py", CONFIG.format(rate="0.5")),
    "a user that nothing imports": ("pkg/layers.py", "pkg/child.py", CHILD.format(used="self.norm")),
    "a user that was not there": ("pkg/layers.py", "pkg/new/child.py", CHILD.format(used="self.drop")),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_a_file_was_judged_by_is_looked_at_again(project: Path, tmp_path: Path, question: str) -> None:
    cache = CacheFolder(tmp_path / "cache")
    linted, other, text = QUESTIONS[question]
    changed = project / other
    if question == "a user that was not there":
        (project / "pkg" / "child.py").unlink()
    before = changed.read_text() if changed.exists() else None
    for paths in ([project / linted], [project]):
        first = lint(paths, ALL, cache)
        changed.parent.mkdir(exist_ok=True)
        changed.write_text(text)
        second = lint(paths, ALL, cache)
        assert second == lint(paths, ALL, None) != first
        changed.unlink()
        if before is not None:
            changed.write_text(before)
        assert lint(paths, ALL, cache) == first


def test_a_change_that_keeps_size_and_time_is_seen(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_SETTLED", 0)
    time.sleep(0.05)
    cache, changed = CacheFolder(tmp_path / "cache"), project / "pkg" / "config.py"
    first = lint([project], ALL, cache)
    before = changed.stat()
    changed.write_text(VARIANTS["pkg/config.py"][1])
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = changed.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert lint([project], ALL, cache) == lint([project], ALL, None) != first


def test_the_same_text_in_two_places_says_different_things(project: Path, tmp_path: Path) -> None:
    text = (project / "pkg" / "net.py").read_text()
    for name in ("tests/net.py", "pkg/more/net.py", "pkg/more/net_test.py", "scripts/net.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
        files = FileSet.of(discover([project], lambda _: Settings(project)).files, lambda _: Settings(project))
        store = FactsStore(CacheFolder(tmp_path / "cache"))
        cold, warm = (
            list(collect(files, space.disk, space.analyses).analysed) for space in (Workspace(), Workspace(store=store))
        )
        assert sorted(warm, key=lambda one: one.path) == sorted(cold, key=lambda one: one.path)
        store.save()
    same = {(one.facts.module, one.facts.is_test) for one in cold if one.path.read_text() == text and one.facts}
    assert same == {
        ("pkg.net", False),
        ("net", True),
        ("pkg.more.net", False),
        ("pkg.more.net_test", False),
        ("net", False),
    }


LOOKS = re.compile(
    r"is_(file|dir|symlink)|l?exists|is(file|dir|link)|r?glob|iterdir|scandir|listdir|l?stat|open|realpath"
    r"|read_(bytes|text|source)"
)


def looks_past_the_disk(text: str) -> list[str]:
    """Calls that ask the file system and that no later run can repeat."""
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    found = []
    for func in calls:
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        receiver = ast.unparse(func.value) if isinstance(func, ast.Attribute) else ""
        if LOOKS.fullmatch(name) and not receiver.endswith("disk"):
            found.append(ast.unparse(func))
    return found


def test_what_judges_a_file_asks_the_disk_alone() -> None:
    package = Path(disk.__file__).parent
    judges = [path for name in ("checks", "mode", "project", "source") for path in (package / name).rglob("*.py")]
    assert len(judges) > 100
    found = {path.name: looks_past_the_disk(path.read_text("utf-8")) for path in judges}
    assert {name: calls for name, calls in found.items() if calls} == {}
    assert looks_past_the_disk("if path.is_file():\n    data = open(path)") == ["path.is_file", "open"]


def test_another_name_for_the_same_file_is_reported_by_that_name(project: Path, tmp_path: Path) -> None:
    cache = CacheFolder(tmp_path / "cache")
    assert {d.path for d in lint([Path("pkg/net.py")], ALL, cache).diagnostics} == {"pkg/net.py"}
    os.chdir(project / "pkg")
    assert {d.path for d in lint([Path("net.py")], ALL, cache).diagnostics} == {"net.py"}


def test_a_run_that_failed_is_run_again(project: Path, tmp_path: Path) -> None:
    cache = CacheFolder(tmp_path / "cache")
    (project / "pkg" / "net.py").write_bytes(b"\xff\xfe bad")
    for _ in range(2):
        assert [failure.path for failure in lint([Path("pkg/net.py")], ALL, cache).failures] == ["pkg/net.py"]


# --- through the command line


def engine_of(*args: str) -> tuple[int, set[str]]:
    """The exit code of a run, and which of the parts that analyse it imported."""
    parts = {f"dropout_lint.{name}" for name in ("source.engine", "project.project", "checks.support.context")} | {
        "libcst"
    }
    code = (
        "import sys\nfrom dropout_lint.cli import main\ntry:\n    main()\n"
        f"except SystemExit as end:\n    print(end.code, *({parts} & {{*sys.modules}}))"
    )
    command = [sys.executable, "-c", code, "check", "--isolated", "-q", *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    exit_code, *modules = done.stdout.splitlines()[-1].split()
    return int(exit_code), set(modules)


@pytest.mark.usefixtures("project")
def test_a_warm_run_imports_nothing_that_analyses() -> None:
    code, modules = engine_of("--exit-zero", ".")
    assert (code, "dropout_lint.source.engine" in modules) == (0, True)
    assert engine_of(".") == (1, set())
    assert "dropout_lint.source.engine" in engine_of("--no-cache", ".")[1]


def test_the_cache_says_what_it_is(project: Path) -> None:
    assert check(".").exit_code == 1
    cache = project / folder.NAME
    assert (cache / ".gitignore").read_text().splitlines()[-1] == "*"
    assert (cache / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "-A"], check=True)
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout
    assert "pkg/net.py" in listed
    assert folder.NAME not in listed


@pytest.mark.parametrize("option", ["--no-cache", "DROPOUT_LINT_NO_CACHE"])
def test_no_cache_leaves_nothing_behind(project: Path, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if option.startswith("--"):
        assert check(option, ".").exit_code == 1
    else:
        monkeypatch.setenv(option, "1")
        assert check(".").exit_code == 1
    assert not (project / folder.NAME).exists()


def test_the_cache_can_be_elsewhere(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check("--cache-dir", str(tmp_path / "one"), ".")
    monkeypatch.setenv("DROPOUT_LINT_CACHE_DIR", str(tmp_path / "two"))
    check(".")
    assert folder.is_ours(tmp_path / "one")
    assert folder.is_ours(tmp_path / "two")
    assert not (project / folder.NAME).exists()


def test_the_cache_is_beside_the_configuration(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "pyproject.toml").write_text("[tool.dropout-lint]\n")
    monkeypatch.chdir(project / "pkg")
    run("check", ".")
    assert folder.is_ours(project / folder.NAME)
    assert not (project / "pkg" / folder.NAME).exists()


@pytest.mark.usefixtures("project")
def test_fixes_after_a_warm_run_are_those_after_a_cold_one() -> None:
    expected = check("--no-cache", "--diff", "--unsafe-fixes", ".").stdout
    assert "+" in expected
    check(".")
    assert check("--diff", "--unsafe-fixes", ".").stdout == expected
    fixed = check("--fix", ".").stdout
    assert "Fixed 4 problems." in fixed
    assert "[*]" not in check(".").stdout
    assert check("--fix", ".").stdout == check("--no-cache", ".").stdout


# --- what can happen to the files of a cache


def kept(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.suffix in {".json", ".jsonl"})


def shortened(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def flipped(data: bytes) -> bytes:
    """Another digit near the middle, so that it is still JSON."""
    digits = [i for i, byte in enumerate(data) if chr(byte) in "012345678"]
    at = min(digits, key=lambda i: abs(i - len(data) // 2))
    return data[:at] + bytes([data[at] + 1]) + data[at + 1 :]


@pytest.mark.parametrize("damage", [shortened, flipped, lambda _: b"", lambda data: b"\xff[" + data])
@pytest.mark.parametrize("which", ["run-", "facts-", ""])
def test_a_damaged_cache_is_no_cache(project: Path, damage: Callable[[bytes], bytes], which: str) -> None:
    expected = check("--no-cache", ".").stdout
    check(".")
    for path in kept(project / folder.NAME):
        if path.name.startswith(which):
            path.write_bytes(damage(path.read_bytes()))
    (project / "pkg" / "child.py").write_text(VARIANTS["pkg/child.py"][0] + "\n")
    for _ in range(2):
        assert check(".").stdout == expected


def test_a_cache_from_another_build_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(".")
    before = {path: path.read_bytes() for path in kept(project / folder.NAME)}
    monkeypatch.setattr(folder, "build", lambda: "0123456789abcdef")
    check(".")
    after = kept(project / folder.NAME)
    assert len(after) == 2 * len(before)
    assert all(path.read_bytes() == data for path, data in before.items())


def test_a_tool_that_was_edited_is_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    before = folder.build()
    folder.build.cache_clear()
    assert folder.build() == before
    monkeypatch.setattr(folder, "_file_states", lambda _: iter(["a.py 1 1"]))
    folder.build.cache_clear()
    assert folder.build() != before
    folder.build.cache_clear()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="no folder is closed to this user")
def test_a_folder_that_cannot_be_written_is_done_without(project: Path) -> None:
    expected = check("--no-cache", ".").stdout
    project.chmod(0o555)
    try:
        done = check(".")
    finally:
        project.chmod(0o755)
    assert (done.stdout, done.stderr) == (expected, "")


@pytest.mark.parametrize("obstacle", ["file", "folder"])
def test_something_in_the_way_is_done_without(project: Path, obstacle: str) -> None:
    expected = check("--no-cache", ".").stdout
    if obstacle == "file":
        (project / folder.NAME).write_text("mine")
    else:
        (project / folder.NAME / folder.build()).mkdir(parents=True)
        (project / folder.NAME / folder.build() / "facts-00.jsonl").mkdir()
    for _ in range(2):
        done = check(".")
        assert (done.stdout, done.stderr) == (expected, "")


def test_runs_at_the_same_time_do_not_harm_one_another(project: Path) -> None:
    expected = check("--no-cache", ".").stdout
    command = [sys.executable, "-m", "dropout_lint", "check", "--isolated", "--output-format", "concise", "."]
    for _ in range(2):
        started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        assert [process.communicate()[0] for process in started] == [expected] * 4
    assert check(".").stdout == expected
    assert not list((project / folder.NAME).rglob("*.tmp"))


def test_a_cache_stays_small(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dropout_lint.linting import facts_store as store
    from dropout_lint.linting import run_cache as runs

    monkeypatch.setattr(store, "_MAX_BYTES", 2_000)
    monkeypatch.setattr(runs, "_MAX_RUNS", 4)
    cache = CacheFolder(tmp_path / "cache")
    sizes = []
    for number in range(60):
        (project / "pkg" / "layers.py").write_text(f"{LAYERS}# {number}\n")
        lint([Path("pkg/layers.py")], Options(mc_dropout_names=(str(number),)), cache)
        sizes.append(sum(path.stat().st_size for path in kept(tmp_path / "cache")))
    assert len([path for path in kept(tmp_path / "cache") if path.name.startswith("run-")]) == 4
    largest = max(len(line) for path in kept(tmp_path / "cache") for line in path.read_bytes().split(b"\n"))
    assert max(sizes) < 32 * (2_000 + largest) + 4 * 10_000
    for name in "abcdef":
        (tmp_path / "cache" / name).mkdir()
    monkeypatch.setattr(folder, "build", lambda: "another")
    lint([Path("pkg/layers.py")], ALL, CacheFolder(tmp_path / "cache"))
    assert len([path for path in (tmp_path / "cache").iterdir() if path.is_dir()]) == 3


def test_what_lies_beside_a_cache_is_never_deleted(project: Path, tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / "mine" / name).mkdir(parents=True)
    lint([project], ALL, CacheFolder(tmp_path / "mine"))
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {*"abcdef", folder.build()}


# --- clean


def test_clean_removes_caches_and_nothing_else(project: Path) -> None:
    check(".")
    check("--cache-dir", "pkg/elsewhere", ".")
    other = project / "data" / folder.NAME
    other.mkdir(parents=True)
    (other / "CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    caches = {project / folder.NAME, project / "pkg" / "elsewhere"}
    left = [path for path in sorted(project.rglob("*")) if not {path, *path.parents} & caches]
    done = run("clean", ".")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [f"Removed {Path(folder.NAME)}", f"Removed {Path('pkg', 'elsewhere')}"]
    assert sorted(project.rglob("*")) == left
    assert run("clean").stderr == "Nothing to remove.\n"


@pytest.mark.usefixtures("project")
def test_clean_refuses_a_path_that_is_not_there() -> None:
    done = run("clean", "nowhere")
    assert (done.exit_code, done.stderr) == (2, "error: nowhere: no such folder\n")


# --- the form


@dataclass(frozen=True, slots=True)
class Leaf:
    kind: Literal["a", "b"]
    spans: tuple[Span, ...] = ()
    pair: tuple[int, Span] | None = None
    names: frozenset[str] = frozenset()
    by_name: dict[str, tuple[Span, ...]] | None = None
    number: int | float | str | bool | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    leaf: Leaf
    below: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    tree: Tree | None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    either: Span | Leaf


def test_a_dataclass_comes_back_from_json() -> None:
    span = Span(1, 2, 3, 4)
    leaf = Leaf("b", (span, span), (1, span), frozenset({'"\ud800'}), {"n": (span,)}, 0.1)
    tree = Tree(leaf, (Branch(None), Branch(Tree(Leaf("a", number=True))), Branch(Tree(Leaf("a", number=3)))))
    assert repr(codec.decode(Tree, codec.encode(tree))) == repr(tree)
    assert codec.decode(tuple[Span, ...], codec.encode((span, span))) == (span, span)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 2**80, -1, 1.0, 1, True, None, "\ud800", "\0"])
def test_every_constant_of_a_source_comes_back(number: float | str | None) -> None:
    leaf = Leaf("a", number=number)
    assert repr(codec.decode(Leaf, codec.encode(leaf))) == repr(leaf)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "3", "[[1,2,3,4],[1]]", '["a",[],null]', '["a",3,0,0,0,0]'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json has messages of its own
        codec.decode(Tree, text)


def test_a_type_that_json_does_not_tell_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="which of them is it"):
        codec.decode(Ambiguous, "[[1,2,3,4]]")


def test_all_facts_come_back_from_json(project: Path) -> None:
    def facts() -> Iterator[FileFacts]:
        from dropout_lint.source.engine import collect
        from dropout_lint.source.names.place import ModulePlace

        root = Path(__file__).parent.parent
        for path in [*project.rglob("*.py"), *root.glob("fixtures/**/*.py"), *root.glob("examples/*.py")]:
            yield collect(path, path.read_text("utf-8"), place_of(path, disk.Disk()), modes=True)
        for example in (e for rule in rules().values() if rule.code > "DRP1" for e in rule.examples):
            yield collect(Path("m.py"), example.code, ModulePlace("m", is_package=False, is_test=False), modes=True)

    found = list(facts())
    assert all(codec.decode(FileFacts, codec.encode(one)) == one for one in found)
    assert all(any(one.of_kind(kind) for one in found) for kind in FACT_KINDS if kind is not ModeRun)
