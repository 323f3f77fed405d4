"""`Engine`: parameters in, results out, on one market or several symbols of one portfolio. The same interface over the native and the reference engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from sweep.arrow import read_all
from sweep.errors import SweepError, error
from sweep.json_text import json_text
from sweep.market.market import Market
from sweep.strategies import natives

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.strategies import Code, UserStrategy
    from sweep.strategies.natives import Native

Backend = Literal["rust", "python"]
CACHE_BYTES = 512 * 2**20
"""Default bound of the indicator series that an engine retains, bytes."""


@dataclass(frozen=True)
class Backtest:
    """One backtest in full. Times are UTC, money is in the account's currency."""

    metrics: Mapping[str, float | None]
    """In catalogue order; None = undefined."""
    summary: Mapping[str, float | int]
    """The fifteen figures of the summary, rounded."""
    trades: pa.Table
    equity: pa.Table
    """Row 0 is the initial balance, then one row per traded bar."""
    daily: pa.Table
    identity: str | None
    """SHA-256 of the identity document; None for a table of signals."""
    identity_document: str | None
    """Canonical JSON of everything that determines the trial."""
    digests: Mapping[str, str]
    """trades, daily, metrics, result and equity."""
    rejections: Mapping[str, int]
    rejection_details: tuple[Mapping[str, Any], ...]
    """The first hundred."""
    blocked_bars: Mapping[str, int]
    open_positions: tuple[Mapping[str, Any], ...]
    pending_orders: tuple[Mapping[str, Any], ...]
    """Live orders left at the end of the data."""
    ended_orders: tuple[Mapping[str, Any], ...]
    """Orders that ended without a fill, with `ended` (us) and `reason`."""
    invalid_modify: int
    outside_window: int
    sizes_raised: int
    sizes_capped: int
    ruined_at: int | None
    """Label of the first equity sample at or below zero, us."""
    stopped: Mapping[str, Any] | None
    """Of a backtest that `early_stop` gave up: kind, reason, at (label of the bar, us); everything is as of its close."""
    warnings: tuple[str, ...]
    """What is odd about the options on this market, but legal."""
    markets: tuple[Market, ...] = field(default=(), repr=False, compare=False)
    """What it ran on, one market per symbol; for `plot`."""

    @property
    def digest(self) -> str:
        """Result digest: trades, daily equity and metrics."""
        return self.digests["result"]

    def plot(self, path: str | Path | None = None) -> Any:
        """A Plotly figure: prices with entries, exits, stops and targets, below them equity and drawdown.

        Many bars are drawn as a line with the range of prices around it, so that the figure stays usable.

        Args:
            path: Also writes the figure there: a page that needs no network (.html), or an image (.png).

        Example:
            `backtest.plot().show()`; `backtest.plot("trades.png")`

        Raises:
            SweepError: [1001] for another ending, [1007] without a market, [3000] if the file cannot be written.
        """
        from sweep.chart import plot

        return plot(self, path)

    @property
    def equity_digest(self) -> str:
        """Digest of the equity of every bar."""
        return self.digests["equity"]


class _Runner(Protocol):
    """What a backend does."""

    def run(self, params: Mapping[str, Any], level: int | None) -> Backtest: ...

    def run_batch(self, params: pa.Table, returns: bool, threads: int, level: int | None) -> pa.Table: ...

    def signals(self, params: Mapping[str, Any]) -> pa.Table: ...


class Engine:
    """Runs one strategy on one market, or on several symbols of one portfolio, under one set of options.

    A table given to an engine, or to a market of it, must never be written again: its memory is shared.
    """

    def __init__(
        self,
        market: Market | Sequence[Market],
        strategy: str | Code | Any,
        *,
        execution: str | Mapping[str, Any] = "realistic",
        costs: Mapping[str, Any] | None = None,
        account: Mapping[str, Any] | None = None,
        rates: Mapping[str, Any] | None = None,
        gates: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        early_stop: Mapping[str, Any] | None = None,
        levels: Mapping[int, Sequence[tuple[int, int]]] | None = None,
        backend: Backend = "rust",
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        """Resolves options (partial ones take the preset's and the defaults) and every conversion rate.

        Args:
            market: Bars or ticks; the window says which are traded. Or one such market of bars per symbol, all of one
                timeframe, in the order in which the symbols trade.
            strategy: Name of a native strategy, of sweep or of a plug-in; a function that `sweep.signals` declares; or a class derived from
                `sweep.PythonStrategy`, which runs bar by bar on the reference engine.
            execution: Preset name, or a mapping of options with `preset` among them.
            costs, account, metrics: Sections as in a config.
            rates: `static` (pair: price of its first currency in the second), `series` (pair: a `Market` whose mid
                closes are the rate, each from its bar's end on) and `max_rate_age_hours` [96]; static ones win.
            gates: Entry gates as in a config, asked in this order; times of news events may be `datetime` or µs.
            early_stop: `ruin_pct`, `max_drawdown_pct`, `min_trades_by_midpoint` (a fraction of `min_trades`, which is given
                with it): limits, judged at every bar's close, at which a backtest is given up.
            levels: Pruning levels by number: parts of the window in the order of time, each [from, until) in labels, us.
                Every part is a run of its own from a flat start; their trades and daily returns are pooled.
            backend: `rust`, or `python` for the plain reference engine (slow).
            cache_bytes: Bound of the retained indicator series; 0 retains none.

        Raises:
            SweepError: [1001] unknown name, empty window, or markets that do not go together, [1003] [1004] bad value,
                [1008] missing rate, [4001] not built, ticks of several symbols. A trial that finds no rate in a series
                when it needs one fails with [2008].
        """
        from sweep import _core

        self.markets = _markets(market)
        """One per symbol, in the order in which they trade."""
        self.user: UserStrategy | None = None if isinstance(strategy, str) else user_strategy(strategy)
        """The strategy, if it is written in Python."""
        self.native: Native | None = natives.find(strategy) if isinstance(strategy, str) else None
        """The strategy, if it is a native one."""
        numbers = _section("rates", rates)
        self.rate_markets = _rate_markets(numbers.pop("series", None))
        options: dict[str, Any] = {
            "execution": execution,
            "costs": _section("costs", costs),
            "account": _section("account", account),
            "rates": numbers,
            "gates": _gate_pairs(gates),
            "metrics": _section("metrics", metrics),
            "early_stop": _section("early_stop", early_stop),
            "levels": [[level, [list(part) for part in parts]] for level, parts in (levels or {}).items()],
            "cache_bytes": cache_bytes,
        }
        self.levels = {level: tuple(parts) for level, parts in (levels or {}).items()}
        """Parts of the window by pruning level."""
        if backend not in ("rust", "python"):
            raise error(1001, f"unknown backend {backend!r}", where="backend", remedy="use rust or python")
        if self.user is None:
            options["strategy"] = strategy
        else:
            _ = self.user.declared
            options["declaration"] = json.loads(self.user.declaration)
        self.strategy = str(strategy) if self.user is None else self.user.id
        """Its id."""
        self.commission = options["costs"].get("commission")
        """As it was given, for all symbols; `options` has that of the first one."""
        self.backend: Backend = backend
        module = _core if self.native is None else self.native.core
        series = {pair: rate.core_in(module) for pair, rate in self.rate_markets.items()}
        self.core: _core.Engine = module.Engine(
            [market.core_in(module) for market in self.markets], json_text(options), series
        )

    def run(self, params: Mapping[str, Any] | None = None, *, level: int | None = None) -> Backtest:
        """One backtest of partial parameters, with the equity of every bar; of the whole window, or at a pruning level.

        Raises:
            SweepError: [1001] [1003] [1004] [1006] for the parameters; what the engine raises.
        """
        return replace(self._runner.run(_parameters(params), level), markets=self.markets)

    def run_batch(
        self, params: pa.Table, *, returns: bool = False, threads: int = 1, level: int | None = None
    ) -> pa.Table:
        """One result row per row of parameters, in their order; two calls of the native module, whatever the size.

        Args:
            params: One column per parameter (int64, float64, bool, string), null = not given.
            returns: Adds the column `returns` (list<float64>): the daily returns of each trial.
            threads: Trials run at a time within the call.
            level: A pruning level instead of the whole window.

        Returns:
            status (COMPLETE, FAILED, or PRUNED for what `early_stop` gave up), kind, reason, params (canonical JSON),
            identity, digests, seconds, `metrics.<name>` … (PRUNED: as of the bar at which it stopped)

        Raises:
            SweepError: [1004] if `params` is no table.
        """
        if not hasattr(params, "__arrow_c_stream__"):
            remedy = "write pyarrow.table({'fast_period': [5, 10]})"
            raise _needed("a pyarrow.Table of parameters", params, where="params", remedy=remedy)
        return self._runner.run_batch(params, returns, threads, level)

    def signals(self, params: Mapping[str, Any] | None = None) -> pa.Table:
        """What the strategy would say at every bar from its warm-up on, ignoring open positions."""
        return self._runner.signals(_parameters(params))

    def identity_document(self, params: Mapping[str, Any] | None = None, *, level: int | None = None) -> str:
        """Canonical JSON of everything that determines the trial of these parameters."""
        return self.core.identity(json_text(_parameters(params), "params"), level)

    def cache_stats(self) -> dict[str, Any]:
        """Counters of the series cache: hits, misses, evictions, bytes, peak_bytes, and by_id."""
        return cast("dict[str, Any]", json.loads(self.core.cache_stats()))

    @property
    def info(self) -> dict[str, Any]:
        """options, dataset (digest), dates (us), calendar, bars (traded), cache (counters)."""
        info = cast("dict[str, Any]", json.loads(self.core.info()))
        info["options"]["gates"] = dict(info["options"]["gates"])
        return info

    @cached_property
    def options(self) -> dict[str, Any]:
        """The complete options: execution, costs, account, rates, gates, metrics; early_stop if a limit is set."""
        return cast("dict[str, Any]", self.info["options"])

    @cached_property
    def dates(self) -> list[int]:
        """Trading days of the daily series, 00:00 UTC in us; the same for every trial."""
        return list(self.info["dates"])

    @cached_property
    def _runner(self) -> _Runner:
        if self.user is not None and self.user.kind == "signals" and self.backend == "rust":
            from sweep.engine_user import SignalsRunner

            return SignalsRunner(self, self.user)
        if self.backend == "rust" and self.user is None:
            return _Native(self.core)
        from sweep.engine_python import ReferenceRunner

        return ReferenceRunner(self)


class _Native:
    """The native engine."""

    def __init__(self, core: Any) -> None:
        self._core = core

    def run(self, params: Mapping[str, Any], level: int | None) -> Backtest:
        return native_backtest(self._core.run(json_text(params, "params"), level))

    def run_batch(self, params: pa.Table, returns: bool, threads: int, level: int | None) -> pa.Table:
        return read_all(self._core.run_batch(params, threads, level).to_table(returns))

    def signals(self, params: Mapping[str, Any]) -> pa.Table:
        return read_all(self._core.signals(json_text(params, "params")))


def user_strategy(given: Any) -> UserStrategy:
    """The strategy behind what a user gave in the place of a name.

    Raises:
        SweepError: [1004] for anything else; what `Code.load` raises.
    """
    from sweep.strategies import Code, UserStrategy

    if isinstance(given, Code):
        return given.load()
    if isinstance(given, UserStrategy):
        return given
    declared = getattr(given, "strategy", None)
    if isinstance(declared, UserStrategy):
        return declared
    if isinstance(given, type):
        from sweep.strategies.bar import PythonStrategy, strategy_of

        if issubclass(given, PythonStrategy):
            return strategy_of(given)
    remedy = (
        "write 'ma_cross', or give a function declared with @sweep.signals or a class of sweep.PythonStrategy"
    )
    raise _needed("a strategy", given, where="strategy", remedy=remedy)


def _needed(what: str, given: object, *, where: str, remedy: str) -> SweepError:
    return error(1004, f"{what} is needed, not {type(given).__name__}", where=where, remedy=remedy)


def _parameters(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters as a mapping."""
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise _needed("a mapping of parameters", params, where="params", remedy="write {'fast_period': 10}")
    return dict(params)


def _section(name: str, given: object) -> dict[str, Any]:
    """A section of options as a mapping."""
    if given is not None and not isinstance(given, Mapping):
        raise _needed(f"a mapping of {name}", given, where=name, remedy="see docs/execution.md")
    return dict(given or {})


def _markets(given: object) -> tuple[Market, ...]:
    """One market or a sequence of them as a tuple.

    Raises [1004] for anything else, [1001] for trading days or staleness in which they differ: an identity names one.
    """
    markets = tuple(given) if isinstance(given, list | tuple) else (given,)
    for market in markets:
        if not isinstance(market, Market):
            remedy = "load it: Market.read(...)"
            raise _needed("a Market, or a list of them,", market, where="market", remedy=remedy)
    for market in markets[1:]:
        for key in ("day", "stale_after"):
            if market.meta.get(key) != markets[0].meta.get(key):
                what = f"{market.symbol} has another {key} than {markets[0].symbol}"
                raise error(1001, what, where="market", remedy="all symbols share it")
    return markets


def _gate_pairs(gates: object) -> list[tuple[str, Any]]:
    """Gates by name, in their order, which a mapping would lose on the way; events as the engine has them."""
    if not gates:
        return []
    from sweep.config.gates import with_events

    if not isinstance(gates, Mapping):
        remedy = "write {'cooldown': {'after_exit_bars': 1}}"
        raise _needed("a mapping of gates", gates, where="gates", remedy=remedy)
    return list(with_events(gates).items())


def _rate_markets(series: Mapping[str, Any] | None) -> dict[str, Market]:
    """The markets of `rates.series`, checked to be markets."""
    markets = dict(series or {})
    for pair, market in markets.items():
        if not isinstance(market, Market):
            where = f"rates.series.{pair}"
            raise _needed("a Market", market, where=where, remedy="load it: Market.read(...)")
    return markets


def native_backtest(core: Any) -> Backtest:
    """A `Backtest` of the native module's."""
    rest = json.loads(core.summary())
    return Backtest(
        metrics=dict(rest["metrics"]),
        summary=dict(rest["summary"]),
        trades=read_all(core.trades()),
        equity=read_all(core.equity()),
        daily=read_all(core.daily()),
        identity=rest["identity"],
        identity_document=rest["identity_document"],
        digests=rest["digests"],
        rejections=rest["rejections"],
        rejection_details=tuple(rest["rejection_details"]),
        blocked_bars=dict(rest["blocked_bars"]),
        open_positions=tuple(rest["open_positions"]),
        pending_orders=tuple(rest["pending_orders"]),
        ended_orders=tuple(rest["ended_orders"]),
        invalid_modify=rest["invalid_modify"],
        outside_window=rest["outside_window"],
        sizes_raised=rest["sizes_raised"],
        sizes_capped=rest["sizes_capped"],
        ruined_at=rest["ruined_at"],
        stopped=rest["stopped"],
        warnings=tuple(rest["warnings"]),
    )


def build_info() -> dict[str, Any]:
    """Version, semantics and build of the native engine."""
    from sweep import _core

    return cast("dict[str, Any]", json.loads(_core.build_info()))
