"""What code of a file may notice of a fix."""

from __future__ import annotations

from dataclasses import dataclass

ANY = "*"
"""An attribute whose name is computed."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """Reasons why a fix may be told apart from the code before it. A fix is not safe where one of them holds.

    Attributes are those that classes of the file bind on their instances.
    """

    dynamic: bool = False
    """Names of the file are bound by ``exec`` or through ``globals()``."""
    methods: frozenset[str] = frozenset()
    """Methods whose first parameter may be no instance, as ``Net.noise``."""
    modes: frozenset[str] = frozenset()
    """Classes whose ``training`` may not be what ``train()`` and ``eval()`` set it to."""
    loose: frozenset[str] = frozenset()
    """Attributes that are passed on, indexed, named by a string, bound by another class or from outside."""
    opened: frozenset[str] = frozenset()
    """Attributes whose own attributes are read, as in ``self.drop.p``."""
    called_elsewhere: frozenset[str] = frozenset()
    """Attributes of other objects than the instance that are called."""
    walked: frozenset[str] = frozenset()
    """Settings, as ``dropout``, that are read from each layer of a model; "" if positions of layers may be read so."""
    tests_result: bool = False
    """A test asks what ``train()`` or ``eval()`` returned."""

    def may_touch(self, attribute: str) -> bool:
        """Whether the file may see or change what an attribute holds, otherwise than by a call on the instance."""
        held = self.loose | self.opened
        return attribute in held or ANY in self.loose or attribute in self.called_elsewhere


NO_DOUBTS = Doubts()
