"""Samplers: `base` is the contract, each other module one of them or what surrounds them."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "TpeSampler":
        from sweep.errors import not_built_name

        raise not_built_name("sweep.samplers.TpeSampler")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
