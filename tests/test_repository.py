"""What holds for the repository as a whole: pages and checks, imports, the README, the example, the scaffold."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import fields
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from dropout_lint import __version__
from dropout_lint.checks import GROUPS, checks, checks_of, codes, refuting
from dropout_lint.config.schema import KEYS
from dropout_lint.config.settings import Settings
from dropout_lint.facts import FACT_KINDS, observations
from dropout_lint.rulebook import parse_page, rules
from tests.linting import run
from tools import new_rule, readme

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dropout_lint"
README = (ROOT / "README.md").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


# --- pages and checks


def test_every_rule_has_a_check_and_every_check_a_page() -> None:
    modules = {
        path.stem.replace("_", "-")
        for group in GROUPS.values()
        for path in (PACKAGE / "checks" / group).glob("*.py")
        if path.stem != "__init__"
    }
    checked = {code: rule for code, rule in rules().items() if not code.startswith("DRP0")}
    assert modules == {rule.name for rule in checked.values()}
    assert set(checks()) == codes() == {code for code, rule in checked.items() if rule.engines != ("runtime",)}


def test_every_observation_is_read_by_a_check_and_every_rule_of_runs_reads_one() -> None:
    kinds = [value for value in vars(observations).values() if isinstance(value, type)]
    kinds = [kind for kind in kinds if issubclass(kind, observations.Observation) and not kind.__subclasses__()]
    read = {kind: {*checks_of(kind), *refuting(kind)} for kind in kinds}
    assert [kind for kind, by in read.items() if not by] == []
    assert {code for code, rule in rules().items() if rule.engines == ("runtime",)} <= set().union(*read.values())


def test_no_engine_names_a_rule() -> None:
    engines = ("facts", "graph", "observing", "models")
    named = [path for name in engines for path in (PACKAGE / name).rglob("*.py") if "DRP" in path.read_text("utf-8")]
    assert named == []


def test_no_code_and_no_name_is_given_twice() -> None:
    pages = [path.stem.partition("-") for path in (ROOT / "rules").glob("DRP*.md")]
    for column in (0, 2):
        assert [text for text, times in Counter(page[column] for page in pages).items() if times > 1] == []


# --- imports


def broken_contracts(folder: Path) -> list[str]:
    """The contracts of the package in ``folder`` that import-linter finds broken."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(
        [*command, "--no-cache"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        check=False,
    )
    assert re.search(r"^Contracts: \d+ kept, \d+ broken\.", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert (done.returncode != 0) == (" BROKEN" in done.stdout)
    return re.findall(r"^(.*) BROKEN$", done.stdout, re.MULTILINE)


def test_imports_keep_to_the_layers() -> None:
    assert broken_contracts(ROOT) == []
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    assert [contract["name"] for contract in contracts if contract.get("ignore_imports")] == []


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("source/names/place.py", "from dropout_lint import checks", "A layer imports only layers below it"),
        ("facts/values.py", "def f():\n    import dropout_lint.config", "A layer imports only layers below it"),
        ("syntax/text.py", "import dropout_lint.syntax.notebook", "No circle between the parts of a package"),
        (
            "checks/practice/hard_coded_dropout_rate.py",
            "import dropout_lint.checks.arguments.zero_dropout",
            "No check imports another check",
        ),
        ("checks/support/paths.py", "import ast", "Checks know no syntax tree, no tensor and no file"),
        ("mode/program/events.py", "import torch", "Only the engines that run a model import torch"),
        ("graph/sites.py", "import dropout_lint.rulebook", "An engine gives facts and knows no rule"),
        ("observing/subject.py", "from dropout_lint import checks", "An engine gives facts and knows no rule"),
    ],
)
def test_a_wrong_import_breaks_its_contract(file: str, line: str, contract: str, tmp_path: Path) -> None:
    assert contract in broken_contracts(copy_with_line(tmp_path, file, line))


def test_the_picture_of_the_layers_is_that_of_the_contract() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (picture,) = re.findall(r"<!-- layers:begin -->\n```text\n(.*?)```\n<!-- layers:end -->", text, re.DOTALL)
    shown = [re.split(r" {2,}", line)[0].split(", ") for line in picture.splitlines()]
    contract = next(c for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    assert shown == [layer.split(" : ") for layer in contract["layers"]]


def test_the_examples_of_a_rule_need_only_pytest() -> None:
    """What CONTRIBUTING.md says; a contributor need not install torch to test a page."""
    wanted = {re.split(r"[^\w-]", line)[0] for line in PYPROJECT["project"]["optional-dependencies"]["dev"]}
    modules = [name for name, owners in packages_distributions().items() if wanted & set(owners) - {"pytest"}]
    code = "import sys, tests.test_rule_pages, tests.conftest\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert {"torch", "numpy", "jsonschema"} <= set(modules)
    assert set(modules) & set(done.stdout.splitlines()) - {"dropout_lint"} == set()


# --- what a run imports

TRAP = "import os\nwith open(os.environ['TRAP'], 'a') as file:\n    file.write(__name__ + '\\n')\n"
FIXED = "import torch.nn.functional as F\n\n\ndef f(x, model):\n    return F.dropout(x, 0.5, training=model.training)\n"
WORDLESS = "import torch\n\n\ndef f(x):\n    return torch.relu(x)\n"


def run_imports(folder: Path, module: str, args: list[str], package: Path = ROOT) -> bool:
    """Run the tool from ``package`` and say whether it, or a process that it started, imported ``module``."""
    traps, log = folder / "traps", folder / "log"
    traps.mkdir(exist_ok=True)
    (traps / f"{module}.py").write_text(TRAP)
    log.write_text("")
    env = {**os.environ, "PYTHONPATH": f"{traps}{os.pathsep}{package}", "TRAP": str(log), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "dropout_lint", *args], capture_output=True, text=True, env=env, cwd=folder, check=False
    )
    if package == ROOT:
        assert done.returncode in {0, 1}, done.stderr
    return log.read_text() != ""


def copy_with_line(folder: Path, file: str, line: str) -> Path:
    """A copy of the package in which one module does what it must not."""
    copy = folder / "copy"
    shutil.copytree(PACKAGE, copy / "dropout_lint", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "rules", copy / "rules")
    shutil.copy(ROOT / "pyproject.toml", copy)
    with (copy / "dropout_lint" / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    return copy


COMMANDS = {
    "check": (["check", "--select", "ALL", "--preview", str(ROOT / "examples")], "checks/support/context.py"),
    "fix": (["check", "--select", "ALL", "--diff", "--unsafe-fixes", str(ROOT / "examples")], "fixing/fixer.py"),
    "rule": (["rule", "DRP101", "--color", "always"], "commands/rule.py"),
    "rules": (["rules"], "commands/rule.py"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_torch_is_never_imported(command: str, tmp_path: Path) -> None:
    assert not run_imports(tmp_path, "torch", COMMANDS[command][0])


@pytest.mark.parametrize("command", COMMANDS)
def test_importing_torch_would_be_noticed(command: str, tmp_path: Path) -> None:
    args, file = COMMANDS[command]
    assert run_imports(tmp_path, "torch", args, copy_with_line(tmp_path, file, "import torch"))


@pytest.mark.parametrize("text", [WORDLESS, "", "x = 1\n"])
def test_a_file_without_words_imports_no_libcst_and_no_facts(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    assert not run_imports(tmp_path, "libcst", ["check", "a.py"])
    code = (
        "import sys\nfrom dropout_lint.cli import main\ntry:\n    main()\nexcept SystemExit:\n"
        "    print(sorted({'dropout_lint.source.engine', 'dropout_lint.checks'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "a.py"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_libcst_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(WORDLESS)
    assert run_imports(
        tmp_path, "libcst", ["check", "a.py"], copy_with_line(tmp_path, "linting/linter.py", "import libcst")
    )


# --- the README


def test_the_readme_is_up_to_date() -> None:
    assert readme.generated(README) == README, "run 'python -m tools.readme'"


def test_an_old_readme_is_noticed() -> None:
    for old in ("| error | safe | on |", "Found 6 problems"):
        assert old in README
        assert readme.generated(README.replace(old, "old")) == README


def test_the_rule_table_has_a_row_for_every_page() -> None:
    rows = re.findall(r"^\| \[(DRP\d{3})\]\(rules/([^)]+)\)", readme.between(README, "rules"), re.MULTILINE)
    assert rows == [(rule.code, rule.page) for rule in rules().values()]


def test_all_settings_are_in_the_readme() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", readme.between(README, "keys"), re.MULTILINE)
    assert sorted(rows) == sorted(KEYS)


@pytest.mark.parametrize("setting", [item.name for item in fields(Settings)])
def test_every_setting_is_read(setting: str) -> None:
    source = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    assert re.search(rf"(?:settings|self|\))\.{setting}\b", source)


def test_the_configuration_of_the_readme_is_valid(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "pyproject.toml").write_text("\n".join(blocks))
    (tmp_path / "a.py").write_text("")
    result = run("check", "--config", str(tmp_path / "pyproject.toml"), str(tmp_path / "a.py"))
    assert (result.exit_code, result.output) == (0, "All checks passed!\n")


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(FIXED)
    (use,) = re.findall(r"^## Use it\n\n```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for line in use.splitlines():
        program, *args = line.partition("#")[0].split()
        assert program == "dropout-lint"
        assert run(*args).exit_code == 0, line


def test_the_suppressions_of_the_readme_work(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^## Suppress a finding\n\n```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    text = (
        "import torch.nn.functional as F\nfrom torch import nn\n\n\n"
        "class A(nn.Module):\n    def forward(self, x):\n{}\n        return x + h\n    {}\n"
    )
    top, below = shown.split("\n\n\n")
    indented = [part.replace("\n", "\n" + " " * by) for part, by in ((top, 8), (below, 4))]
    file = tmp_path / "a.py"
    file.write_text(text.format(" " * 8 + indented[0], indented[1]))
    assert run("check", "--isolated", str(file)).output == "All checks passed!\n"
    file.write_text(re.sub("#.*", "", file.read_text()))
    found = run("check", "--isolated", str(file)).output
    assert found.count("DRP101 [*]") == 3


def test_set_up_takes_two_lines_and_ci_runs_the_second() -> None:
    for name in ("try", "test"):
        command = readme.between(README, name)
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
        # The name of the environment is all that .ci/run changes, so nothing may run from elsewhere.
        assert all(part.strip().startswith((".venv/bin/", "python3 -m venv")) for part in command.split("&&"))
    assert '".[dev]"' in readme.between(README, "test")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "'/^<!-- test:begin -->$/,/^<!-- test:end -->$/p' README.md" in script
    if os.name == "posix":
        assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_links_of_the_documents_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "docs/frameworks.md"):
        document = ROOT / name
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8")):
            assert target.startswith("https://") or (document.parent / target).exists(), f"{name}: {target}"


def test_versions_agree() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"rev: v{__version__}" in README


def test_the_hooks_are_commands_that_exist() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    assert re.findall(r"^- id: (.*)$", hooks, re.MULTILINE) == ["dropout-lint", "dropout-lint-fix"]
    for entry in re.findall(r"^  entry: dropout-lint (.*)$", hooks, re.MULTILINE):
        assert run(*entry.split(), "--diff", str(ROOT / "tools" / "__init__.py")).exit_code == 0


# --- the example


def test_the_example_holds_six_different_mistakes() -> None:
    result = run("check", "--isolated", "--output-format", "concise", str(ROOT / "examples"))
    found = re.findall(r":(\d+):\d+: (DRP\d+)", result.output)
    assert sorted(code for _, code in found) == ["DRP101", "DRP102", "DRP103", "DRP313", "DRP401", "DRP406"]
    lines = (ROOT / "examples" / "six_mistakes.py").read_text("utf-8").splitlines()
    marked = [number + 2 for number, line in enumerate(lines) if re.search(r"# Mistake \d$", line)]
    assert [int(number) for number, _ in found] == marked


def test_the_fixed_example_answers_the_same_question_the_same_way(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    file = tmp_path / "fixed_example.py"
    shutil.copy(ROOT / "examples" / "six_mistakes.py", file)

    def answers() -> bool:
        spec = importlib.util.spec_from_file_location("fixed_example", file)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        torch.manual_seed(0)
        with pytest.warns(UserWarning, match="num_layers"):
            model = module.Classifier(words=10, classes=2, dim=16).eval()
        tokens = torch.randint(1, 10, (4, 6))
        same: bool = torch.equal(model(tokens), model(tokens))
        return same

    assert not answers()
    assert run("check", "--isolated", "--fix", str(file)).exit_code == 1
    assert answers()


# --- the scaffold


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for group in GROUPS.values():
        (tmp_path / "dropout_lint" / "checks" / group).mkdir(parents=True)
    (tmp_path / "rules").mkdir()
    for name in ("TEMPLATE.md", "retired.md", "DRP405-zero-dropout.md"):
        shutil.copy(ROOT / "rules" / name, tmp_path / "rules")
    return tmp_path


@pytest.mark.parametrize("fact", new_rule.FACTS)
def test_the_scaffold_writes_a_page_and_a_check(fact: str, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["DRP399", "dropout-on-a-tuesday", "--fact", fact, "--root", str(checkout)]
    assert new_rule.main(args) == 0
    page = checkout / "rules" / "DRP399-dropout-on-a-tuesday.md"
    module = checkout / "dropout_lint" / "checks" / "placement" / "dropout_on_a_tuesday.py"
    printed = capsys.readouterr().out
    assert str(page.relative_to(checkout)) in printed
    assert str(module.relative_to(checkout)) in printed
    rule = parse_page(page.read_text("utf-8"), page.name)
    assert (rule.code, rule.name) == ("DRP399", "dropout-on-a-tuesday")
    assert "DRPnnn" not in rule.text
    namespace: dict[str, object] = {}
    exec(compile(module.read_text("utf-8"), module, "exec"), namespace)
    assert list(namespace["check"](None, None)) == []  # type: ignore[operator]
    assert fact in {kind.__name__ for kind in FACT_KINDS}
    command = [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(module)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    command[3:4] = ["format", "--check"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("kind", new_rule.OBSERVATIONS)
def test_the_scaffold_writes_a_rule_about_an_observation(kind: str, checkout: Path) -> None:
    page, module = new_rule.new_rule("DRP299", "mode-on-a-tuesday", kind, checkout)
    rule = parse_page(page.read_text("utf-8"), page.name)
    assert (rule.engines, rule.fix) == (("runtime",), "none")
    headings = re.findall(r"^## .*$", rule.text, re.MULTILINE)
    assert headings == ["## Why it matters", "## When to ignore it", "## Sources"]
    namespace: dict[str, object] = {}
    exec(compile(module.read_text("utf-8"), module, "exec"), namespace)
    (check,) = (value for name, value in namespace.items() if name.startswith("check_"))
    assert list(check(None, None)) == []  # type: ignore[operator]
    assert next(iter(check.__annotations__.values())) == kind
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), str(module)]
        assert subprocess.run(ruff, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["DRP18", "a-b"], "'DRP18' is no code"),
        (["drp318", "a-b"], "'drp318' is no code"),
        (["DRP005", "a-b"], "'DRP005' is no code"),
        (["DRP799", "a-b"], "'DRP799' is no code"),
        (["DRP399", "Zero_Dropout"], "'Zero_Dropout' is no name"),
        (["DRP399", "dropout"], "two or more"),
        (["DRP399", "no-dropout"], "name what is wrong"),
        (["DRP405", "a-b"], "DRP405 is taken by rules/DRP405-zero-dropout.md."),
        (["DRP399", "zero-dropout"], "zero-dropout is taken"),
        (["DRP398", "a-b"], "DRP398 is retired"),
        (["DRP399", "a-b"], "dropout_lint/checks/placement/a_b.py exists."),
        (["DRP399", "c-d", "--fact", "DropoutSites"], "did you mean DropoutSite?"),
        (["DRP399", "c-d", "--fact", "Tensor4"], "facts are DropoutSite"),
    ],
)
def test_the_scaffold_refuses_in_one_sentence(
    args: list[str], reason: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "dropout_lint" / "checks" / "placement" / "a_b.py").write_text("")
    (checkout / "rules" / "retired.md").write_text("- DRP398 old-name")
    before = sorted(checkout.rglob("*"))
    assert new_rule.main([*args, "--root", str(checkout)]) == 2
    printed = capsys.readouterr().err
    assert reason in printed
    assert printed.count("\n") == 1
    assert sorted(checkout.rglob("*")) == before


# --- the distribution


@pytest.mark.slow
def test_the_wheel_works_outside_of_the_checkout(tmp_path: Path) -> None:
    dist, venv, work = tmp_path / "dist", tmp_path / "venv", tmp_path / "work"
    work.mkdir()

    def run(*command: object, code: int = 0) -> str:
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=work,
            env={**env, "PYTHONUTF8": "1"},
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    # The sdist, and from it the wheel.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, ROOT)
    run(sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir())
    (wheel,) = dist.glob("*.whl")

    # A fresh environment that sees the dependencies installed here, but not this checkout.
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    windows = os.name == "nt"
    python = venv / ("Scripts/python.exe" if windows else "bin/python")
    program = python.with_name("dropout-lint.exe" if windows else "dropout-lint")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    here = Path(importlib.util.find_spec("click").origin).parent.parent  # type: ignore[union-attr, arg-type]
    (site / "dependencies.pth").write_text(f"{here}\n")
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel)
    installed = site / "dropout_lint"
    assert str(installed) in run(python, "-c", "import dropout_lint; print(dropout_lint.__file__)")
    assert (installed / "py.typed").is_file()
    assert {page.name for page in (installed / "rules").glob("DRP*.md")} == {rule.page for rule in rules().values()}

    assert run(program, "--version") == f"dropout-lint {__version__}\n"
    page = run(program, "rule", "DRP101")
    assert page == rules()["DRP101"].text
    shutil.copy(ROOT / "examples" / "six_mistakes.py", work / "a.py")
    assert "Found 6 problems" in run(program, "a.py", code=1)
    assert "+++ a.py" in run(program, "a.py", "--diff", code=1)
    assert "Fixed 5 problems." in run(program, "a.py", "--fix", "--unsafe-fixes", code=1)
    assert "Found 1 problem" in run(program, "a.py", code=1)


def test_the_distribution_says_what_it_needs() -> None:
    project = PYPROJECT["project"]
    assert project["requires-python"] == ">=3.11"
    assert not any("torch" in dependency for dependency in project["dependencies"])
    assert "torch==2.13.0" in project["optional-dependencies"]["dev"]
