"""A place where a model may be evaluated in train mode, with the evidence for and against."""

from __future__ import annotations

from dataclasses import dataclass

from dropout_lint.diagnostic import Span
from dropout_lint.facts.mode_runs import Location

SIGNS = {
    "weights-loaded": "weights are loaded into the model, also by a helper",
    "trained-before": "a backward pass runs before the call",
    "ready": "weights are loaded, or a backward pass runs before the call",
    "train-called-last": "the last mode call on the way is `train()`",
    "escaped": "a function that cannot be followed got the model",
    "other-paths-call-eval": "some callers call `eval()`, this one does not",
    "eval-by-condition": "some callers call `eval()` under a condition",
    "made-in-sight": "what makes the model is seen",
    "no-caller": "nothing in the project calls the function",
    "no-instance": "nothing in the project makes the object that holds the model",
    "origin-unknown": "where the model comes from is not seen",
    "function-passed-on": "the function is passed on as a value",
    "pickled": "the model is a pickled module",
    "library-model": "the model is made by a library",
    "generative-name": "the name is that of a generator, a policy or a target network",
    "own-method": "a module runs itself, in a method that nothing in the project calls",
    "live-yes": "with the defaults of its constructor, a layer differs between the modes",
    "live-rate": "a layer differs between the modes at a rate that is not 0, and the default is 0",
    "live-unknown": "the class of the model is not known",
    "no-grad": "gradients are off",
    "grad-by-value": "a value decides whether gradients are on",
    "caller-no-grad": "gradients are off in a caller",
    "function-evaluates": "the function is named as one that evaluates: `validate`, `predict`",
    "function-uses": "the function is named as one that uses a model: `translate`, `plot_samples`",
    "function-trains": "the function is named as one that trains",
    "function-acts": "the function is named as one in which an agent acts",
    "function-not-evaluation": "the function is named as a warm-up, a benchmark or a recalibration",
    "method-evaluates": "a method of the model is called that only evaluates: `model.generate(x)`",
    "caller-evaluates": "a caller is named as one that evaluates",
    "caller-trains": "a caller is named as one that trains",
    "class-evaluates": "the class is named as one that evaluates",
    "class-trains": "a method of the class runs a backward pass",
    "file-evaluates": "the file is named as one that evaluates: `test.py`",
    "file-uses": "the file is named as one that uses a model: `demo.py`",
    "file-trains": "the file is named as one that trains",
    "held-out-data": "a loop around it runs over test or validation data",
    "held-out-input": "an argument is named as test or validation data",
    "training-data": "a loop around it runs over training data",
    "random-input": "the input is drawn at random",
    "condition-on-phase": "a condition around it asks for the phase",
    "result-metric": "the result is measured",
    "result-prediction": "the result becomes a prediction: `argmax`, `topk`, `softmax`",
    "result-output": "the result is shown or saved",
    "result-plain": "the result leaves the graph: `item`, `numpy`, `print`",
    "result-loss": "the result goes to a loss",
    "result-reaches-backward": "the result goes to a backward pass",
    "caller-trains-with-result": "a caller passes the result to a backward pass",
    "monte-carlo": "the call is repeated on the same input, and the spread of the results is used",
    "result-shape": "only the shape of the result is asked for",
    "result-kept": "the result is kept in an attribute",
    "returned": "the function returns the result",
    "unused": "nothing uses the result",
    "eval-in-function": "the function calls `eval()` on something",
    "eval-in-class": "the class calls `eval()` on something",
    "eval-in-file": "the file calls `eval()` on something",
    "eval-in-program": "a file on the way calls `eval()` on something",
    "eval-of-same-name": "the project calls `eval()` on something of this name",
    "no-eval-in-program": "no file on the way calls `eval()`",
    "no-eval-in-project": "no file of the project calls `eval()`",
    "train-in-program": "a file on the way calls `train()`",
    "file-has-backward": "the file runs a backward pass",
    "function-has-backward": "the function runs a backward pass",
    "program-never-trains": "no file on the way runs a backward pass",
}
"""What each sign is. Their weights are in ``checks/support/evidence_weights.py``."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece of evidence: its name in the table of weights, and where it is seen."""

    name: str
    location: Location | None = None
    text: str = ""
    """For a message: "the weights are loaded here"."""


@dataclass(frozen=True, slots=True)
class EvaluationSite:
    """A call of a model that may be an evaluation, on a path without ``eval()``.

    The signs are in the order of a message: how the model came there, what is missing, what becomes of the result.
    """

    location: Location
    """The call to report: of the model, or of the function that runs it."""
    forward: Location
    """The call of the model."""
    function: str
    """The qualified name of the function of ``location``."""
    model: str
    """The expression that names the model there, such as ``self.net``."""
    layer: str
    """The class of a layer of it that differs between the modes, "" if unknown."""
    signs: tuple[Sign, ...]
    names: tuple[str, ...] = ()
    """The functions and classes on the path to it."""
    insert: Span | None = None
    """The statement before which an ``eval()`` helps and does no harm."""

    def sign(self, name: str) -> Sign | None:
        """The sign of a name."""
        return next((s for s in self.signs if s.name == name), None)
