"""A torch of twenty lines, for tests of what happens around a model: children that import it start in no time."""

from __future__ import annotations

from pathlib import Path

_FILES = {
    "torch/__init__.py": "from torch import nn\n__version__ = '0'\ndef manual_seed(seed): pass\n",
    "torch/nn/functional.py": "def dropout(x, p=0.5, training=True):\n    return x\n",
    "torch/nn/__init__.py": (
        "class Module:\n"
        "    training = True\n"
        "    def __call__(self, *args, **kwargs):\n        return self.forward(*args, **kwargs)\n"
        "    def forward(self):\n        return None\n"
    ),
    "answering.py": (
        "def job(loaded, options):\n"
        "    answer = loaded.model.answer(options) if hasattr(loaded.model, 'answer') else {'how': 'looking'}\n"
        "    return answer if isinstance(answer, str) else text(**answer)\n\n"
        "def text(finding=(), refuted=(), not_seen=(), how=''):\n"
        "    from dropout_lint.cache.codec import encode\n"
        "    from dropout_lint.diagnostic import Diagnostic, Severity, Span\n"
        "    from dropout_lint.linting.merging import Refutation\n"
        "    from dropout_lint.model_linting.model_findings import ModelFindings\n"
        "    found, against = (), ()\n"
        "    if finding:\n"
        "        code, path, line, module = finding\n"
        "        span = Span(line, 16, line, 33)\n"
        "        found = (Diagnostic(code, path, span, 'measured', Severity.ERROR, modules=(module,)),)\n"
        "    if refuted:\n"
        "        against = (Refutation(('DRP101',), *refuted),)\n"
        "    return encode(ModelFindings(found, against, (), tuple(not_seen), how))\n"
    ),
}
JOB = "answering:job"
"""Answers as an engine does, with what the model's ``answer(options)`` returns: plain data, or the text itself."""


def write_stubs(folder: Path) -> Path:
    """Write the packages; the folder is to be put on the path of child processes."""
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
