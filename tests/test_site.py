"""The documentation site, built as it is published."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag

import click
import numpy as np
import pytest
import torch

from dropout_lint.cli import cli
from dropout_lint.rulebook import rules
from dropout_lint.torch_api.activations import BIAS
from tools.figures import FIGURES, THEMES, drawn
from tools.readme import ROOT

SITE_URL = "https://dropout-lint.github.io/dropout-lint/"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the site was built, with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_rule_has_its_page_where_reports_link_to(site: Path) -> None:
    for rule in rules().values():
        assert rule.url.startswith(SITE_URL)
        page = (site / rule.url.removeprefix(SITE_URL) / "index.html").read_text()
        assert f"{rule.code} {rule.name}" in page
        assert "severity =" not in page


def test_all_local_links_lead_somewhere(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.read_text()):
            target = unquote(urldefrag(link)[0])
            if target and not re.match(r"[a-z]+:", target):
                path = Path(os.path.normpath(page.parent / target))
                if not (path.is_file() or (path / "index.html").is_file()):
                    broken.append((str(page.relative_to(site)), link))
    assert broken == []


def test_every_option_of_the_help_is_documented(site: Path) -> None:
    page = (site / "command-line" / "index.html").read_text()
    missing = [option for option in options(cli) if not re.search(rf"<code>[^<]*{option}\b", page)]
    assert missing == []


def options(command: click.Command) -> Iterator[str]:
    """The long options of a command and of those below it."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield from (name for name in parameter.opts if name.startswith("--"))
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from options(below)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_the_same_each_time_and_fit_their_theme(name: str) -> None:
    pictures = {theme: drawn(name, theme) for theme in THEMES}
    assert all(ink in pictures[theme] for theme, ink in THEMES.items())
    assert drawn(name, "light") == pictures["light"]


def test_the_shift_in_the_figure_is_that_of_torch() -> None:
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm1d(1, affine=False, momentum=None)
    net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Dropout(0.5), norm)
    x = torch.randn(400_000, 1)
    net(x)
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    FIGURES["batch-norm-shift"](axes)
    (line,) = (line for line in axes.lines if line.get_label() == "behind a ReLU")
    x_data, y_data = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    (at_half,) = y_data[np.isclose(x_data, 0.5, atol=0.005)]
    assert float(net.eval()(x).std()) == pytest.approx(at_half, abs=0.01)


def test_the_page_of_numbers_shows_every_measured_activation(site: Path) -> None:
    page = (site / "numbers" / "index.html").read_text()
    for name, values in BIAS.items():
        assert re.search(rf"<code>{name.removeprefix('torch.')}</code></td>\s*<td>no</td>\s*<td>{values[3]:.4f}", page)
