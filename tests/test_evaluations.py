"""The evidence for evaluations in train mode: which calls of models become sites, and with which signs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from dropout_lint.checks.support.evidence_weights import WEIGHTS
from dropout_lint.disk import Disk
from dropout_lint.evaluations.sites import Evaluations, evaluations
from dropout_lint.facts.evaluations import SIGNS, EvaluationSite
from dropout_lint.project.files import Files
from dropout_lint.project.project import Project
from tests.linting import write_files
from tools import fit_weights

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, rate=0.5):
        super().__init__()
        self.out = nn.Linear(8, 2)
        self.drop = nn.Dropout(rate)

    def forward(self, x):
        return self.out(self.drop(x))
"""


def sites(folder: Path, files: Mapping[str, str]) -> list[EvaluationSite]:
    """The sites in the last of some files."""
    paths = write_files(folder, {name: dedent(text) for name, text in files.items()})
    (folder / "pyproject.toml").touch()
    project = Project(Files(Disk()))
    facts = project.files.facts(paths[-1])
    assert facts is not None
    return list(Evaluations(project).of(facts))


def one(folder: Path, text: str, **others: str) -> set[str]:
    """The signs of the only site of a file beside ``net.py``."""
    found = sites(folder, {"net.py": NET, **{f"{n}.py": t for n, t in others.items()}, "program.py": text})
    assert len(found) == 1, found
    return {sign.name for sign in found[0].signs}


SILENT = {
    "eval() before": """
        from net import Net
        def predict(batches):
            net = Net()
            net.eval()
            return [net(x).argmax(1) for x in batches]
        """,
    "eval() in a chain": """
        from net import Net
        def predict(batches):
            net = Net().to("cuda").eval()
            return [net(x).argmax(1) for x in batches]
        """,
    "the builder calls eval()": """
        from net import Net
        def build(path):
            net = Net()
            net.load_state_dict(torch.load(path))
            net.eval()
            return net, path
        def predict(batches):
            net, _ = build("net.pt")
            return [net(x).argmax(1) for x in batches]
        """,
    "the caller calls eval()": """
        from net import Net
        def predict(net, batches):
            return [net(x).argmax(1) for x in batches]
        def main():
            net = Net()
            net.eval()
            predict(net, [])
        """,
    "a helper calls eval()": """
        from net import Net
        def freeze(model):
            model.eval()
        def predict(batches):
            net = Net()
            freeze(net)
            return [net(x).argmax(1) for x in batches]
        """,
    "the constructor of the class that holds it calls eval()": """
        from net import Net
        class Predictor:
            def __init__(self, path):
                self.net = Net()
                self.net.eval()
            def predict(self, x):
                return self.net(x).argmax(1)
        """,
    "another method calls eval() first": """
        from net import Net
        class Runner:
            def __init__(self):
                self.net = Net()
            def ready(self):
                self.net.eval()
            def predict(self, x):
                return self.net(x).argmax(1)
        runner = Runner()
        runner.ready()
        runner.predict(1)
        """,
    "what is passed to the constructor is in eval mode": """
        from net import Net
        class Predictor:
            def __init__(self, net):
                self.net = net
            def predict(self, x):
                return self.net(x).argmax(1)
        def main():
            net = Net()
            net.eval()
            Predictor(net).predict(1)
        """,
    "no layer depends on the mode": """
        from torch import nn
        def predict(batches):
            net = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            return [net(x).argmax(1) for x in batches]
        """,
    "the rate is 0": """
        from net import Net
        class Still(Net):
            def __init__(self):
                super().__init__(rate=0.0)
        def predict(batches):
            net = Still()
            return [net(x).argmax(1) for x in batches]
        """,
    "one branch trains, the other evaluates": """
        from net import Net
        def run_epoch(net, batches, training):
            if training:
                net.train()
            else:
                net.eval()
            for x in batches:
                net(x).argmax(1)
        def main():
            run_epoch(Net(), [], False)
        """,
    "a model of another library": """
        from sklearn.linear_model import LinearRegression
        def predict(x):
            model = LinearRegression()
            return model.predict(x)
        """,
    "a hook of a framework": """
        import lightning
        from net import Net
        class Module(lightning.LightningModule):
            def __init__(self):
                self.net = Net()
            def validation_step(self, batch):
                return self.net(batch).argmax(1)
        """,
    "a mode that a value decides": """
        from net import Net
        def predict(batches, training=False):
            net = Net()
            net.train(training)
            return [net(x).argmax(1) for x in batches]
        """,
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_no_site(text: str, tmp_path: Path) -> None:
    assert sites(tmp_path, {"net.py": NET, "program.py": "import torch\n" + dedent(text)}) == []


def test_weights_loaded_by_a_helper_of_another_file(tmp_path: Path) -> None:
    helper = """
        import torch
        def restore(path, model):
            model.load_state_dict(torch.load(path))
        """
    program = """
        from helper import restore
        from net import Net
        def predict(batches):
            net = Net()
            restore("net.pt", net)
            return [net(x).argmax(1) for x in batches]
        """
    found = one(tmp_path, program, helper=helper)
    assert found >= {"weights-loaded", "live-yes", "made-in-sight", "function-evaluates", "result-prediction"}
    assert found >= {"no-eval-in-program", "program-never-trains"}


def test_class_that_trains_and_evaluates_a_model_it_gets(tmp_path: Path) -> None:
    program = """
        class Trainer:
            def __init__(self, model, optimizer):
                self.model, self.optimizer = model, optimizer
            def fit(self, batches):
                for x, y in batches:
                    self.model(x).sum().backward()
                    self.optimizer.step()
            def evaluate(self, batches):
                return [self.model(x).argmax(1) for x in batches]
        """
    found = one(tmp_path, program)
    assert found >= {"class-trains", "no-eval-in-program", "function-evaluates", "live-unknown", "no-instance"}


def test_train_called_last(tmp_path: Path) -> None:
    program = """
        from net import Net
        def main(batches, test_batches):
            net = Net()
            for epoch in range(3):
                net.train()
                for x in batches:
                    net(x).sum().backward()
                for x in test_batches:
                    print(net(x).argmax(1))
        """
    found = one(tmp_path, program)
    assert found >= {"train-called-last", "trained-before", "held-out-data", "function-has-backward"}


def test_registry_of_classes(tmp_path: Path) -> None:
    program = """
        import torch
        from net import Net
        MODELS = {"net": Net}
        def predict(name, batches):
            model = MODELS[name]()
            model.load_state_dict(torch.load(name))
            return [model(x).argmax(1) for x in batches]
        """
    assert one(tmp_path, program) >= {"live-yes", "weights-loaded"}


def test_class_chosen_by_getattr(tmp_path: Path) -> None:
    program = """
        import net, torch
        def predict(name, batches):
            model = getattr(net, name)()
            return [model(x).argmax(1) for x in batches]
        """
    assert "live-yes" in one(tmp_path, program)


def test_lazy_property(tmp_path: Path) -> None:
    program = """
        from net import Net
        class Tagger:
            @property
            def model(self):
                if not hasattr(self, "_model"):
                    self._model = Net()
                return self._model
            def update(self, x):
                self.model(x).sum().backward()
            def predict(self, x):
                return self.model(x).argmax(1)
        """
    assert one(tmp_path, program) >= {"class-trains", "live-yes", "no-eval-in-program"}


def test_method_of_a_module(tmp_path: Path) -> None:
    module = """
        from torch import nn
        class Sampler(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1))
            def forward(self, x):
                return self.body(x)
            def roll_out(self, x):
                return self.body(x)
        """
    program = """
        from module import Sampler
        def evaluate(batches):
            model = Sampler()
            model.load_state_dict(1)
            return [model.roll_out(x) for x in batches]
        """
    assert one(tmp_path, program, module=module) >= {"live-yes", "weights-loaded"}


def test_some_callers_call_eval(tmp_path: Path) -> None:
    program = """
        from net import Net
        def predict(net, batches):
            return [net(x).argmax(1) for x in batches]
        def good():
            net = Net()
            net.eval()
            predict(net, [])
        def bad():
            net = Net()
            predict(net, [])
        """
    found = sites(tmp_path, {"net.py": NET, "program.py": program})
    assert [(s.location.span.line, s.function) for s in found] == [(11, "predict")]
    assert found[0].sign("other-paths-call-eval")


def test_default_rate_is_zero(tmp_path: Path) -> None:
    net = NET.replace("rate=0.5", "rate=0.0")
    program = """
        from net2 import Net
        def predict(batches):
            net = Net()
            net.load_state_dict(1)
            return [net(x).argmax(1) for x in batches]
        """
    assert "live-rate" in one(tmp_path, program, net2=net)


def test_every_sign_is_explained() -> None:
    folder = Path(__file__).parent.parent / "dropout_lint" / "evaluations"
    written = {name for path in folder.rglob("*.py") for name in re.findall(r'Sign\(f?"([\w-]+)"', path.read_text())}
    assert written <= set(SIGNS)
    assert {part for name in WEIGHTS for part in name.split(" & ")} <= set(SIGNS)


def test_weights_and_page_are_those_of_the_labels() -> None:
    assert fit_weights.main(["--check"]) == 0, "run 'python -m tools.fit_weights'"


def test_labels_are_of_many_repositories() -> None:
    sites = fit_weights.labelled_sites()
    assert len(sites) >= 250
    assert len({site.repository for site in sites}) >= 100


def test_models_of_the_top_level_in_a_function(tmp_path: Path) -> None:
    program = """
        import torch
        from net import Net
        net = Net()
        def train(batches):
            for x in batches:
                net(x).sum().backward()
        def evaluate(x):
            with torch.no_grad():
                return net(x).topk(1)
        train([])
        evaluate(1)
        """
    assert one(tmp_path, program) >= {"live-yes", "function-evaluates", "no-grad", "trained-before"}


def test_program_that_loads_and_never_trains(tmp_path: Path) -> None:
    program = """
        import torch
        from torchvision.utils import save_image
        from net import Net
        def picture(model, x):
            save_image(model(x), "out.png")
        net = Net()
        net.load_state_dict(torch.load("net.pt"))
        picture(net, 1)
        """
    assert one(tmp_path, program) >= {"live-yes", "weights-loaded", "program-never-trains", "result-output"}


def test_text_generated_after_training(tmp_path: Path) -> None:
    module = """
        from torch import nn
        class Language(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.1))
            def forward(self, x):
                return self.body(x)
            def generate(self, x):
                return self(x).multinomial(1)
        """
    program = """
        from module import Language
        model = Language()
        for x in []:
            model(x).sum().backward()
        print(model.generate(1).tolist())
        """
    assert one(tmp_path, program, module=module) >= {"live-yes", "trained-before", "method-evaluates"}


TRAINING = {
    "a helper runs each batch of training and of validation": """
        from net import Net
        class Experiment:
            def __init__(self):
                self.model = Net()
            def run(self, batches, optimizer):
                for epoch in range(3):
                    self.model.train()
                    for x in batches:
                        loss = self.process(x)
                        loss.backward()
                        optimizer.step()
                    self.model.eval()
                    for x in batches:
                        print(self.process(x).item())
            def process(self, x):
                return self.model(x).sum()
        Experiment().run([], None)
        """,
    "a helper makes the step": """
        from net import Net
        def step(loss, optimizer):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        def run_meta_test_learning(batches, optimizer):
            net = Net()
            net.train()
            for x in batches:
                step(net(x).sum(), optimizer)
        """,
    "the method that is called evaluates": """
        from torch import nn
        class Tagger(nn.Module):
            def __init__(model):
                super().__init__()
                model.body = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))
            def forward(model, x):
                return model.body(x)
            def predict(model, x):
                model.eval()
                return model(x).argmax(1)
        def test(path, batches):
            tagger = Tagger()
            tagger.load_state_dict(torch.load(path))
            return [tagger.predict(x) for x in batches]
        """,
    "a class that is no module switches the modes of its models": """
        from net import Net
        class Task:
            def __init__(self):
                self.models = {"rgb": Net()}
            def train(self, mode=True):
                for name in self.models:
                    self.models[name].train(mode)
            def predict(self, x):
                return self.models["rgb"](x).argmax(1)
        def test(x):
            task = Task()
            task.train(False)
            return task.predict(x)
        """,
}


@pytest.mark.parametrize("text", TRAINING.values(), ids=TRAINING)
def test_no_site_of_a_training_step_or_of_a_method_that_evaluates(text: str, tmp_path: Path) -> None:
    assert sites(tmp_path, {"net.py": NET, "program.py": "import torch\n" + dedent(text)}) == []


def test_call_in_an_imported_file_is_found_without_that_file(tmp_path: Path) -> None:
    """What is reported in a program does not depend on whether the file that it imports is checked as well."""
    helper = """
    import torch

    def evaluate(net, loader):
        with torch.no_grad():
            return [net(x) for x in loader]
    """
    program = """
    import torch
    from helper import evaluate
    from net import Net

    net = Net()
    net.load_state_dict(torch.load("net.pt"))
    evaluate(net, test_loader)
    evaluate(net.eval(), test_loader)
    """
    paths = write_files(tmp_path, {"net.py": NET, "helper.py": dedent(helper), "program.py": dedent(program)})
    (tmp_path / "pyproject.toml").touch()
    project = Project(Files(Disk()))
    known = [facts for facts in map(project.files.facts, paths) if facts is not None]
    here = {paths[-1], known[-1].path}
    alone, together = (
        [s for s in evaluations(project, given, []) if s.location.path in here] for given in (known[-1:], known)
    )
    assert [s.location.span.line for s in alone] == [8]
    assert alone == together


def test_functions_without_a_word_are_not_read(tmp_path: Path) -> None:
    text = """
    import torch

    def join(parts):
        return parts

    def evaluate(net, x):
        with torch.no_grad():
            return net(x)
    """
    [path] = write_files(tmp_path, {"helper.py": dedent(text)})
    project = Project(Files(Disk()))
    facts = project.files.facts(path)
    reader = project.files.flows(facts) if facts is not None else None
    assert reader is not None
    assert reader.mentioning(lambda name, _owner, _text: name == "join") == ("join",)
    assert reader.mentioning(lambda _name, _owner, text: "no_grad" in text) == ("evaluate",)
    assert reader.names() == ("join", "evaluate")
