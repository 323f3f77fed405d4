"""The `python` kind: a class that decides bar by bar on the reference engine, for prototypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from sweep.errors import SweepError, error
from sweep.reference.context import Context, Indicators, MarketView
from sweep.reference.rules import position_rules
from sweep.reference.strategy import Action, PositionView, ReferenceStrategy, Rules, Signal
from sweep.strategies.code import text_being_loaded
from sweep.strategies.declaration import Param, UserStrategy, source_of
from sweep.strategies.failure import failed

Params = Mapping[str, Any]


class PythonStrategy(ReferenceStrategy):
    """Base of strategies that are written bar by bar in Python. An instance serves one backtest of one symbol.

    `warmup(params)` is the index of the first loaded bar at which `evaluate` is asked; `prepare(market, ind, params)`
    fetches series once and may return `sweep.Rules`; `evaluate(ctx)` gives entry signals at the close of bar ctx.i,
    `manage(position, ctx)` actions on an open position or a working order. evaluate and manage must be pure: attributes
    are set in prepare and not changed later. The position rules work without any code.

    Slow: every bar is Python. A strategy that is to be searched belongs into Rust, or into a vectorised function.
    """

    version: ClassVar[str] = "1.0.0"
    parameters: ClassVar[Sequence[Param]] = ()
    constraints: ClassVar[Sequence[str | Mapping[str, Any]]] = ()
    same_bar_reentry: ClassVar[bool] = True

    def warmup(self, params: Params) -> int:
        """From the first bar on."""
        return 0

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules | None:  # type: ignore[override]
        """Nothing to fetch."""
        return None


def strategy_of(made: type[PythonStrategy]) -> UserStrategy:
    """The strategy that a class declares."""
    path, text, line = text_being_loaded(made) or made.__dict__.get("_sweep_source") or source_of(made)
    return UserStrategy(
        kind="python",
        name=made.__name__,
        made=made,
        version=made.version,
        parameters=tuple(made.parameters),
        constraints=made.constraints,
        path=path,
        text=text,
        line=line,
        same_bar_reentry=made.same_bar_reentry,
        title=next(iter((made.__doc__ or "").strip().splitlines()), ""),
    )


class Ruled(ReferenceStrategy):
    """A user's instance under the position rules of its parameters; its exceptions name the user's line."""

    def __init__(self, strategy: UserStrategy) -> None:
        self._strategy = strategy
        self._own: PythonStrategy = self._guarded(strategy.made)

    def warmup(self, params: Params) -> int:
        """As the user says."""
        bars = self._guarded(self._own.warmup, self._strategy.typed(params))
        if isinstance(bars, bool) or not isinstance(bars, (int, np.integer)):
            raise self._wrong("warmup", bars, "the index of a bar, a whole number")
        return int(bars)

    def prepare(self, market: MarketView, ind: Indicators, params: Params) -> Rules:
        """The user's rules over those of the parameters."""
        period = params.get("trail_atr_period")
        atr = ind("atr", period=period) if period is not None else None
        rules = position_rules(params, atr, same_bar_reentry=self._strategy.same_bar_reentry)  # type: ignore[arg-type]
        given: Rules | None = self._guarded(self._own.prepare, market, ind, self._strategy.typed(params))
        if given is None:
            return rules
        if not isinstance(given, Rules):
            raise self._wrong("prepare", given, "sweep.Rules, or nothing")
        own = {
            name: getattr(given, name)
            for name in Rules.__slots__
            if getattr(given, name) != getattr(_OFF, name)
        }
        return replace(rules, **own)

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        """The user's signals in the directions that are traded."""
        signals = self._listed("evaluate", self._guarded(self._own.evaluate, ctx), Signal)
        allowed = ctx.params.get("direction_filter", "both")
        if allowed == "both":
            return signals
        return [
            signal
            for signal in signals
            if signal.direction in ((allowed, 1) if allowed == "long" else (allowed, -1))
        ]

    def manage(self, position: PositionView, ctx: Context) -> Sequence[Action]:
        """As the user says."""
        return self._listed("manage", self._guarded(self._own.manage, position, ctx), Action)

    def _listed(self, method: str, returned: Any, kind: Any) -> Sequence[Any]:
        """What a method returned, if it is a list of what it should be, or nothing."""
        if returned is None:
            return ()
        if not isinstance(returned, (list, tuple)) or not all(isinstance(each, kind) for each in returned):
            wanted = "sweep.Signal" if kind is Signal else "actions such as sweep.Close()"
            raise self._wrong(method, returned, f"a list of {wanted}, or nothing")
        return returned

    def _wrong(self, method: str, returned: Any, wanted: str) -> SweepError:
        code = getattr(getattr(type(self._own), method), "__code__", None)
        line = "" if code is None else f":{code.co_firstlineno}"
        members = [type(each).__name__ for each in returned] if isinstance(returned, (list, tuple)) else []
        holding = f" of {', '.join(dict.fromkeys(members))}" if members else ""
        return error(
            1004,
            f"{self._strategy.name}.{method} returned a {type(returned).__name__}{holding}",
            where=f"{self._strategy.path}{line}",
            remedy=f"return {wanted}",
            stage="engine",
        )

    def _guarded(self, call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except (Exception, SystemExit) as problem:
            raise failed(problem, self._strategy.path, f"{self._strategy.name}") from problem


_OFF = Rules()
