"""One object for all questions that need other files than the one that is checked; one module a kind of question.

Files are found on disk beside the file that asks, so an answer does not depend on which files were passed to a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dropout_lint.disk import Disk
from dropout_lint.project.calls import Calls
from dropout_lint.project.classes import Classes
from dropout_lint.project.contents import Contents
from dropout_lint.project.files import Files
from dropout_lint.project.functions import Functions
from dropout_lint.project.modules import Modules
from dropout_lint.project.names import Names
from dropout_lint.project.usages import Usages


class Project:
    """The files around a run, and the questions about them.

    - ``modules``: which file does an import name?
    - ``names``: where is a name defined, through imports?
    - ``calls``: what do the calls of a function pass for a parameter?
    - ``classes``: what are its bases; is it an nn.Module?
    - ``contents``: does a class or function make a module with a dropout in it?
    - ``functions``: which parameters reach a dropout?
    - ``usages``: who reads or sets an attribute? Searches the packages of the ``named`` files: those passed to a run.
    """

    def __init__(self, files: Files, named: Sequence[Path] = ()) -> None:
        self.files = files
        self.modules = Modules(files.disk)
        self.names = Names(files, self.modules)
        self.classes = Classes(self.names)
        self.contents = Contents(self.names, self.classes)
        self.functions = Functions(self.names)
        self.usages = Usages(files, self.names, self.classes, named)
        self.calls = Calls(files, self.usages)

    @property
    def disk(self) -> Disk:
        """The file system that all answers are read from."""
        return self.files.disk
