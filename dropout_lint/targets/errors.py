"""Why a model that the user named cannot be checked."""

from __future__ import annotations


class TargetError(Exception):
    """A model cannot be checked; the message is one sentence for the user."""
