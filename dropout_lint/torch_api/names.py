"""Canonical spellings of torch names, and the names that a star import binds."""

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

_SHORTER = (
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
_LONG = tuple(long for long, _ in _SHORTER)


def canonical(name: str) -> str:
    """The spelling of a dotted name in these tables. An unknown name is returned unchanged."""
    if not name.startswith(_LONG):
        return name
    for long, short in _SHORTER:
        if name.startswith(long):
            return short + name[len(long) :]
    return name


def star_names(module: str) -> frozenset[str]:
    """The names in these tables that ``from module import *`` binds."""
    prefix = module + "."
    tables = (DROPOUT_MODULES, FUNCTIONALS, ATTENTION, RNNS, MULTIHEAD, CONTAINERS, MODULE_BASES, SAVES_ITS_OUTPUT)
    return frozenset(
        name[len(prefix) :]
        for table in tables
        for name in table
        if name.startswith(prefix) and "." not in name[len(prefix) :]
    ) | (frozenset({"functional"}) if module == "torch.nn" else frozenset())
