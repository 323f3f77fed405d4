"""The `signals` kind: a vectorised function from parameters to a table of signals, which the engine executes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any

from sweep.errors import error
from sweep.strategies.code import text_being_loaded
from sweep.strategies.declaration import Param, UserStrategy, source_of


class SignalsFunction:
    """What the decorator makes of a function: callable as before, and a strategy for `Engine` and configs."""

    def __init__(self, function: Callable[..., Any], strategy: UserStrategy) -> None:
        self.strategy = strategy
        self.__wrapped__ = function
        update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function itself."""
        return self.__wrapped__(*args, **kwargs)


def signals(
    *,
    parameters: Sequence[Param] = (),
    constraints: Sequence[str | Mapping[str, Any]] = (),
    version: str = "1.0.0",
    same_bar_reentry: bool = True,
) -> Callable[[Callable[..., Any]], SignalsFunction]:
    """Declares a function `f(market, ind, params)` as a strategy.

    It is called once per parameter set and symbol, on all loaded bars, and returns the entries, or a pair (entries,
    exits): tables that speak Arrow (PyArrow, pandas, polars), or mappings of equal-length arrays. `market` has read-only
    arrays (`bid.close`, `label` …), `ind(id, side="bid", timeframe=None, **params)` any indicator, `params` the
    canonical parameter set. The function must be deterministic, and must not write to its inputs.

    Args:
        parameters: Beside these every strategy has the position rules (`be_r`, `trail_atr`, `max_holding_bars` …).
        constraints: Expressions over parameters; a set that breaks one is refused before any bar is run. Or mappings
            {expr, message, warning}.
        version: Raised by its author; the identity of a trial also holds the SHA-256 of the whole file.
        same_bar_reentry: Whether a position that is closed on a bar frees its slot for the entries of that bar.

    Example:
        See docs/own-strategy.md, and the file that `sweep strategies new NAME --kind signals` writes.
    """

    def declare(function: Callable[..., Any]) -> SignalsFunction:
        if not callable(function):
            raise error(1004, f"{function!r} is no function", where="@sweep.signals")
        path, text, line = text_being_loaded(function) or source_of(function)
        strategy = UserStrategy(
            kind="signals",
            name=function.__name__,
            made=function,
            version=version,
            parameters=tuple(parameters),
            constraints=constraints,
            path=path,
            text=text,
            line=line,
            same_bar_reentry=same_bar_reentry,
            title=next(iter((function.__doc__ or "").strip().splitlines()), ""),
        )
        return SignalsFunction(function, strategy)

    return declare
