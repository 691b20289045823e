"""Maps spellings of torch names to the ones that ``signatures`` uses, and lists the names that a star import binds."""

from __future__ import annotations

from dropout_lint.torch_api.signatures import (
    ATTENTION,
    CONTAINERS,
    DROPOUT_MODULES,
    FUNCTIONALS,
    MODULE_BASES,
    MULTIHEAD,
    RNNS,
    SAVES_ITS_OUTPUT,
)

_LONG_TO_CANONICAL = (
    ("torch.nn.modules.dropout.", "torch.nn."),
    ("torch.nn.modules.activation.", "torch.nn."),
    ("torch.nn.modules.rnn.", "torch.nn."),
    ("torch.nn.modules.module.", "torch.nn."),
    ("torch.nn.modules.container.", "torch.nn."),
    ("torch.nn.modules.", "torch.nn."),
    ("torch.functional.F.", "torch.nn.functional."),
    ("flash_attn.flash_attn_interface.", "flash_attn."),
    ("flash_attn_interface.", "flash_attn."),
    ("xformers.ops.fmha.", "xformers.ops."),
)
"""Prefixes. The first that matches counts, so a longer one comes before a prefix of it."""
_LONG = tuple(long for long, _ in _LONG_TO_CANONICAL)


def canonical(name: str) -> str:
    """The spelling of a dotted name in ``signatures``: ``torch.nn.modules.dropout.Dropout`` gives ``torch.nn.Dropout``.

    An unknown name is returned unchanged.
    """
    if not name.startswith(_LONG):
        return name
    for long, short in _LONG_TO_CANONICAL:
        if name.startswith(long):
            return short + name[len(long) :]
    return name


def star_names(module: str) -> frozenset[str]:
    """The names of ``signatures`` that ``from module import *`` binds."""
    prefix = module + "."
    tables = (DROPOUT_MODULES, FUNCTIONALS, ATTENTION, RNNS, MULTIHEAD, CONTAINERS, MODULE_BASES, SAVES_ITS_OUTPUT)
    return frozenset(
        name[len(prefix) :]
        for table in tables
        for name in table
        if name.startswith(prefix) and "." not in name[len(prefix) :]
    ) | (frozenset({"functional"}) if module == "torch.nn" else frozenset())
