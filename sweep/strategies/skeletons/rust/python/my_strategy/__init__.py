"""A strategy for sweep, which finds it by the entry point in `pyproject.toml`."""

from __future__ import annotations

from my_strategy import _core
from my_strategy.reference import MyStrategy

TWINS = {"my_strategy": MyStrategy}
"""Classes by strategy, for the reference engine; a strategy may be left out."""

__all__ = ["TWINS", "_core"]
