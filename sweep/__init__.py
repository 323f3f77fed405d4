"""Backtest parameter sweeps that are fast, reproducible and honest.

The public names are loaded when they are first used: `import sweep` imports neither Ray, Optuna nor MLflow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.engine import Backtest as Backtest
    from sweep.engine import Engine as Engine
    from sweep.indicators import indicator as indicator
    from sweep.market.market import Market as Market
    from sweep.portfolio import Portfolio as Portfolio
    from sweep.reference.strategy import Cancel as Cancel
    from sweep.reference.strategy import Close as Close
    from sweep.reference.strategy import ModifyStop as ModifyStop
    from sweep.reference.strategy import ModifyTarget as ModifyTarget
    from sweep.reference.strategy import PartialClose as PartialClose
    from sweep.reference.strategy import Rules as Rules
    from sweep.reference.strategy import Signal as Signal
    from sweep.strategies.bar import PythonStrategy as PythonStrategy
    from sweep.strategies.declaration import Param as Param
    from sweep.strategies.function import signals as signals
    from sweep.study import Study as Study

__all__ = [
    "Backtest",
    "Cancel",
    "Close",
    "Engine",
    "Market",
    "ModifyStop",
    "ModifyTarget",
    "Param",
    "PartialClose",
    "Portfolio",
    "PythonStrategy",
    "Rules",
    "Signal",
    "Study",
    "__version__",
    "indicator",
    "metrics",
    "signals",
]

_DECISIONS = ("Cancel", "Close", "ModifyStop", "ModifyTarget", "PartialClose", "Rules", "Signal")
_HOMES = {
    "Backtest": "sweep.engine",
    "Engine": "sweep.engine",
    "indicator": "sweep.indicators",
    "Market": "sweep.market.market",
    "Param": "sweep.strategies.declaration",
    "Portfolio": "sweep.portfolio",
    "PythonStrategy": "sweep.strategies.bar",
    "Study": "sweep.study",
    "signals": "sweep.strategies.function",
    **dict.fromkeys(_DECISIONS, "sweep.reference.strategy"),
}
_PLANNED = frozenset({"testing"})
"""Names of the interface that this version lacks."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in ("metrics", "samplers"):
        return import_module(f"sweep.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("sweep-backtest")
    if name in _PLANNED:
        from sweep.errors import not_built_name

        raise not_built_name(f"sweep.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
