"""Samplers: `base` is the contract, each other module one of them or what surrounds them."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "TpeSampler":
        from sweep.samplers.for_optuna import TpeSampler

        return TpeSampler
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
