"""The reference engine behind the interface of `Engine`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sweep.engine import Backtest, Engine
from sweep.errors import SweepError, error
from sweep.reference import engine as reference
from sweep.reference.market import ReferenceMarket, TickRows
from sweep.reference.result import ReferenceResult, to_arrow
from sweep.reference.strategy import ReferenceStrategy

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.market import Market

_DIGESTS = ("trades", "daily", "metrics", "result")


class ReferenceRunner:
    """Runs a strategy's Python twin. Parameters are made canonical by the declaration, as everywhere."""

    def __init__(self, engine: Engine) -> None:
        """Raises [4001] where the twins of native strategies are not at hand."""
        self._engine = engine
        self._user = engine.user
        if engine.native is not None:
            engine.native.twin()
        self._markets = [_plain(market) for market in engine.markets]
        self._rates = {pair: _plain(market) for pair, market in engine.rate_markets.items()}

    def run(self, params: Mapping[str, Any], level: int | None) -> Backtest:
        """One backtest."""
        document = self._engine.identity_document(params, level=level)
        return backtest(self._run(json.loads(document)["params"], level), document)

    def run_batch(self, params: pa.Table, returns: bool, threads: int, level: int | None) -> pa.Table:
        """One row per parameter set, as the native engine gives them; `threads` does not matter."""
        import pyarrow as pa

        from sweep.metrics import names

        rows = [
            self._row({k: v for k, v in row.items() if v is not None}, level) for row in params.to_pylist()
        ]
        metrics = names()
        texts = ("status", "kind", "reason", "params", "identity", *(f"{d}_digest" for d in _DIGESTS))
        columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in texts}
        columns["seconds"] = pa.array([row["seconds"] for row in rows], pa.float64())
        for name in metrics:
            columns[f"metrics.{name}"] = pa.array([row["metrics"].get(name) for row in rows], pa.float64())
        if returns:
            columns["returns"] = pa.array([row.get("returns") for row in rows], pa.list_(pa.float64()))
        return pa.table(columns)

    def signals(self, params: Mapping[str, Any]) -> pa.Table:
        """Raw signals at every bar from warm-up on."""
        canonical = json.loads(self._engine.identity_document(params))["params"]
        multiplier = self._engine.options["costs"]["spread_multiplier"]
        rows = []
        for market, strategy in zip(self._markets, self._strategies(canonical), strict=True):
            rows += reference.signals(market, strategy, canonical, spread_multiplier=multiplier)
        return to_arrow("trade_signal", sorted(rows, key=lambda row: row["timestamp"]))

    def _run(self, canonical: Mapping[str, Any], level: int | None) -> ReferenceResult:
        costs = {**self._engine.options["costs"], "commission": self._engine.commission}
        options = {**self._engine.options, "costs": costs}
        if level is None:
            strategies = self._strategies(canonical)
            return reference.run(self._markets, options, strategies, canonical, self._rates)
        parts = self._engine.levels[level]

        def fresh() -> list[ReferenceStrategy]:
            return self._strategies(canonical)

        return reference.run_parts(self._markets, options, fresh, canonical, self._rates, parts)

    def _strategies(self, canonical: Mapping[str, Any]) -> list[ReferenceStrategy]:
        """New instances, one per symbol."""
        user, native = self._user, self._engine.native
        if native is not None:
            return [native.twin() for _ in self._markets]
        if user is None:
            raise error(4004, "an engine without a strategy", stage="engine")
        if user.kind == "python":
            from sweep.strategies.bar import Ruled

            return [Ruled(user) for _ in self._markets]
        from sweep.engine_user import SignalsRunner
        from sweep.strategies.played import PlayedTables

        tables = SignalsRunner(self._engine, user).tables(_canonical_json(canonical))
        return [PlayedTables(one, user) for one in tables]

    def _row(self, params: Mapping[str, Any], level: int | None) -> dict[str, Any]:
        start = time.perf_counter()
        row: dict[str, Any] = {"metrics": {}}
        try:
            document = self._engine.identity_document(params, level=level)
        except SweepError as problem:
            row |= {"status": "FAILED", "kind": "INVALID_PARAMS", "reason": problem.message}
            return row | {"seconds": time.perf_counter() - start}
        canonical = json.loads(document)["params"]
        row |= {"params": _canonical_json(canonical), "identity": _sha256(document)}
        try:
            result = self._run(canonical, level)
        except SweepError as problem:
            row |= {"status": "FAILED", "kind": "ENGINE_ERROR", "reason": problem.message}
        else:
            row |= {"status": "COMPLETE", "metrics": dict(result.metrics), "returns": _returns(result)}
            if result.stopped is not None:
                stopped = {"kind": result.stopped["kind"], "reason": result.stopped["reason"]}
                row |= {"status": "PRUNED", "returns": None, **stopped}
            row |= {f"{name}_digest": result.digests[name] for name in _DIGESTS}
        return row | {"seconds": time.perf_counter() - start}


def backtest(result: ReferenceResult, document: str | None) -> Backtest:
    """A reference result as a `Backtest`; `document` is the identity document, if there is one."""
    tables = result.tables()
    return Backtest(
        metrics=result.metrics,
        summary=result.summary,
        trades=tables["trades"],
        equity=tables["equity"],
        daily=tables["daily"],
        identity=None if document is None else _sha256(document),
        identity_document=document,
        digests=result.digests,
        rejections=result.rejections,
        rejection_details=tuple(result.rejection_details),
        blocked_bars=result.blocked_bars,
        open_positions=tuple(result.open_positions),
        pending_orders=tuple(result.pending_orders),
        ended_orders=tuple(result.ended_orders),
        invalid_modify=result.invalid_modify,
        outside_window=result.outside_window,
        sizes_raised=result.sizes_raised,
        sizes_capped=result.sizes_capped,
        ruined_at=result.ruined_at,
        stopped=result.stopped,
        warnings=tuple(result.warnings),
    )


def _plain(market: Market) -> ReferenceMarket:
    given = {bars.timeframe: _plain(bars) for bars in market.given_higher()}
    return ReferenceMarket.from_table(market.to_table(), market.meta, given, _ticks(market))


def _ticks(market: Market) -> TickRows | None:
    table = market.ticks_table()
    if table is None:
        return None
    time = table["timestamp"].cast("int64").to_pylist()
    return TickRows(time, table["bid"].to_pylist(), table["ask"].to_pylist())


def _returns(result: ReferenceResult) -> list[float]:
    levels = [result.equity[0]["equity"], *(row["equity"] for row in result.daily)]
    return [after / before - 1.0 for before, after in pairwise(levels)]


def _canonical_json(value: Mapping[str, Any]) -> str:
    import rfc8785

    return rfc8785.dumps(dict(value)).decode()


def _sha256(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()
