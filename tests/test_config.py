"""[tool.dropout-lint]: which file holds for which path, what it may say, and what a mistake is told."""

import pickle
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner

from dropout_lint.cli import cli
from dropout_lint.config.resolver import Options, SettingsResolver
from dropout_lint.config.tables import ConfigError
from dropout_lint.diagnostic import Severity


class Configure(Protocol):
    """Writes a configuration; returns the folder of the project."""

    def __call__(self, text: str, folder: str = ".", name: str = "pyproject.toml") -> Path: ...


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    monkeypatch.chdir(tmp_path)

    def configure(text: str, folder: str = ".", name: str = "pyproject.toml") -> Path:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / name).write_text(text)
        return tmp_path

    return configure


def test_the_nearest_file_with_a_table_holds(project: Configure) -> None:
    root = project("[tool.dropout-lint]\nselect = ['DRP101']\n")
    project("[tool.dropout-lint]\nfail-level = 'error'\n", "inner")
    project("[project]\nname = 'x'\n", "inner/deeper")
    resolver = SettingsResolver()
    assert resolver(Path("a.py")).source == root / "pyproject.toml"
    assert "DRP102" not in resolver(Path("a.py")).enabled
    deeper = resolver(root / "inner" / "deeper" / "a.py")
    assert deeper.root == root / "inner"
    assert deeper.fail_level is Severity.ERROR
    assert "DRP102" in deeper.enabled


def test_defaults_hold_where_there_is_no_table(project: Configure) -> None:
    root = project("")
    settings = SettingsResolver()(Path("a.py"))
    assert (settings.root, settings.source, settings.fail_level) == (root, None, Severity.WARNING)
    assert "DRP101" in settings.enabled
    assert "DRP309" not in settings.enabled


def test_isolated_and_config_override_the_search(project: Configure) -> None:
    project("[tool.dropout-lint]\npreview = true\n")
    project("[tool.dropout-lint]\noutput-format = 'json'\nexclude = ['gen/*']\n", "ci", "lint.toml")
    assert not SettingsResolver(isolated=True)(Path("a.py")).preview
    given = SettingsResolver(config=Path("ci/lint.toml"))(Path("ci/a.py"))
    assert (given.output_format, given.preview) == ("json", False)
    assert given.exclude == (f"{Path.cwd()}/gen/*",)


def test_the_command_line_wins(project: Configure) -> None:
    project(
        "[tool.dropout-lint]\nselect = ['DRP1']\nignore = ['DRP102']\nunsafe-fixes = true\nextend-exclude = ['gen']\n"
    )
    plain = SettingsResolver()(Path("a.py"))
    assert "DRP102" not in plain.enabled
    assert "gen" in plain.exclude
    assert ".git" in plain.exclude
    over = SettingsResolver(
        Options(select=("DRP102",), unsafe_fixes=False, exclude=("mine/",), extend_exclude=("more/*.py",))
    )(Path("a.py"))
    assert "DRP102" in over.enabled
    assert "DRP101" not in over.enabled
    assert not over.unsafe_fixes
    assert over.exclude == ("mine", "gen", f"{Path.cwd()}/more/*.py")


def test_per_file_ignores_match_names_paths_and_negations(project: Configure) -> None:
    root = project(
        "[tool.dropout-lint.per-file-ignores]\n'conftest.py' = ['DRP101']\n'tests/**/*.py' = ['DRP102']\n"
        "'!src/*' = ['DRP103']\n'**/{a,b}/*' = ['DRP104']\n"
    )
    settings = SettingsResolver()(root / "x.py")
    off = {name: settings.enabled - settings.enabled_for(Path(name)) for name in (
        "src/x.py", "deep/conftest.py", "tests/x.py", "tests/u/x.py", "mytests/x.py", "src/b/x.py"
    )}  # fmt: skip
    assert off == {
        "src/x.py": set(),
        "deep/conftest.py": {"DRP101", "DRP103"},
        "tests/x.py": {"DRP102", "DRP103"},
        "tests/u/x.py": {"DRP102", "DRP103"},
        "mytests/x.py": {"DRP103"},
        "src/b/x.py": {"DRP104"},
    }


def test_a_folder_with_glob_characters_is_taken_literally(project: Configure) -> None:
    root = project("[tool.dropout-lint.per-file-ignores]\n'sub/*.py' = ['DRP101']\n", "odd [x] {y}")
    settings = SettingsResolver()(root / "odd [x] {y}" / "z.py")
    assert "DRP101" not in settings.enabled_for(root / "odd [x] {y}" / "sub" / "z.py")
    assert "DRP101" in settings.enabled_for(root / "odd x y" / "sub" / "z.py")


def test_unfixable_takes_rules_off_and_settings_pickle(project: Configure) -> None:
    project("[tool.dropout-lint]\nunfixable = ['DRP1']\nrates = {conv = [0, 0.1]}\n")
    settings = SettingsResolver()(Path("a.py"))
    assert "DRP101" not in settings.fixable
    assert "DRP404" in settings.fixable
    assert settings.rates["conv"] == (0.0, 0.1)
    assert settings.rates["linear"] == (0.1, 0.5)
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("selct = []", "unknown key 'selct' in [tool.dropout-lint]; did you mean 'select'?"),
        ("extend_select = []", "did you mean 'extend-select'?"),
        ("colour = 1", "valid keys are select, ignore"),
        ("preview = 'yes'", "'preview' in [tool.dropout-lint] must be true or false, not the string \"yes\""),
        ("select = 'DRP1'", "'select' in [tool.dropout-lint] must be a list of strings, not the string \"DRP1\""),
        ("fail-level = 'err'", '"error", "warning", "info"'),
        ("confidence = 'sure'", '"proven", "likely", "possible"'),
        ("ignore = ['DRP10l']", "'ignore' in [tool.dropout-lint]: Unknown rule 'DRP10l'. Did you mean DRP101?"),
        ("per-file-ignores = {'a.py' = ['nope']}", "'per-file-ignores' in [tool.dropout-lint]: Unknown rule 'nope'"),
        ("per-file-ignores = {'a.py' = 'DRP101'}", "must be a table from file patterns to lists of rules"),
        ("rates = {lineer = [0, 1]}", "did you mean 'linear'?"),
        ("rates = {linear = [0.5, 0.1]}", "linear is [lowest, highest]"),
        ("preview = tru", "not valid TOML"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_file_and_key(project: Configure, table: str, said: str) -> None:
    file = project(f"[tool.dropout-lint]\n{table}\n") / "pyproject.toml"
    with pytest.raises(ConfigError) as raised:
        SettingsResolver()(Path("a.py"))
    assert str(raised.value).startswith(f"{file}: ")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("line", ["target-torch = 2.13", "dropout-modules = ['a.B']", "keep-probability-modules = 1"])
def test_a_removed_key_is_ignored_with_a_warning(project: Configure, line: str) -> None:
    file = project(f"[tool.dropout-lint]\n{line}\npreview = true\n") / "pyproject.toml"
    resolver = SettingsResolver()
    assert resolver(Path("a.py")).preview
    key = line.split()[0]
    warning = f"{file}: '{key}' in [tool.dropout-lint] never had an effect and was removed; delete it."
    assert resolver.warnings == [warning]
    Path("a.py").write_text("")
    result = CliRunner().invoke(cli, ["check", "a.py"])
    assert (result.exit_code, result.stderr) == (0, f"warning: {warning}\n")


def test_a_misspelt_table_is_not_silently_ignored(project: Configure) -> None:
    project("[tool.dropout_lint]\nselect = []\n")
    with pytest.raises(ConfigError, match=r"must be called \[tool.dropout-lint\]"):
        SettingsResolver()(Path("a.py"))


def test_config_must_exist_and_hold_the_table(project: Configure) -> None:
    root = project("[tool.ruff]\n", name="x.toml")
    with pytest.raises(ConfigError, match=r"x.toml: has no \[tool.dropout-lint\] table"):
        SettingsResolver(config=root / "x.toml")
    with pytest.raises(ConfigError, match=r"nope.toml: cannot be read: No such file"):
        SettingsResolver(config=Path("nope.toml"))


def test_a_wrong_selector_of_the_command_line_names_the_option() -> None:
    with pytest.raises(ConfigError, match=r"--select: Unknown rule 'DRP10l'. Did you mean DRP101\?"):
        SettingsResolver(Options(select=("DRP10l",)), isolated=True)


def test_an_exact_preview_rule_without_preview_warns_once(project: Configure) -> None:
    project("[tool.dropout-lint]\nselect = ['DRP309']\n")
    resolver = SettingsResolver()
    assert resolver(Path("a.py")).enabled.isdisjoint({"DRP309"})
    resolver(Path("sub/a.py"))
    assert resolver.warnings == ["Selection 'DRP309' has no effect because preview is not enabled; add --preview."]
