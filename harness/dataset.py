"""``Dataset``: what a plugin says of a dataset without loading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset: ``load`` is ``"module:function"``, imported when a cell or ``fetch`` needs it."""

    name: str
    summary: str
    load: str
    inputs: int
    outputs: int
    licence: str
