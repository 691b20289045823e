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
        "    answer = getattr(loaded.model, 'answer', None)\n"
        "    return answer(options) if answer else {'how': 'looking', 'diagnostics': []}\n"
    ),
}
JOB = "answering:job"
"""Answers with what the model's ``answer(options)`` returns."""


def write_stubs(folder: Path) -> Path:
    """Write the packages; the folder is to be put on the path of child processes."""
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
