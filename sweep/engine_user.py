"""Strategies that are written in Python, behind the interface of `Engine`: a vectorised function on the native engine."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.arrow import read_all
from sweep.engine import Backtest, Engine, native_backtest
from sweep.errors import SweepError
from sweep.json_text import json_text
from sweep.strategies.arrays import IndicatorsOf, MarketArrays, MarketOfTrial
from sweep.strategies.failure import failed
from sweep.strategies.tables import Tables, checked

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep import _core
    from sweep.strategies.declaration import UserStrategy


class SignalsRunner:
    """Calls the function for its tables, and has the native engine run them: two calls per trial."""

    def __init__(self, engine: Engine, strategy: UserStrategy) -> None:
        self._core = engine.core
        self._strategy = strategy
        self._inputs = [
            (MarketArrays(self._core.market(k)), IndicatorsOf(self._core, k))
            for k in range(len(engine.markets))
        ]

    def run(self, params: Mapping[str, Any], level: int | None) -> Backtest:
        """One backtest; its `digests` have `signals`, that of the tables."""
        from sweep import _core

        key = self._key(params)
        tables = self.tables(key)
        played = _core.play(self._core, key, _given(tables), True, level)
        backtest = native_backtest(_core.backtest_of(self._core, played, level))
        return replace(backtest, digests={**backtest.digests, "signals": str(played.signals_digest)})

    def run_batch(self, params: pa.Table, returns: bool, threads: int, level: int | None) -> pa.Table:
        """One row per parameter set; the function is called once for each that differs. `threads` does not matter."""
        from sweep import _core

        rows: list[tuple[str | None, str]] = json.loads(self._core.canonical_rows(params))
        # All tables first: the function and the engine would drive each other's data out of the processor's caches.
        known: dict[str, list[Tables] | SweepError] = {}
        seconds = []
        for key, _ in rows:
            start = time.perf_counter()
            if key is not None and key not in known:
                known[key] = self._tried(key)
            seconds.append(time.perf_counter() - start)
        played = [
            self._played(key, refused, None if key is None else known[key], level) for key, refused in rows
        ]
        digests = [one.signals_digest for one in played]
        table = read_all(_core.gather(played, seconds).to_table(returns))
        return _with_column(table, "signals_digest", digests)

    def signals(self, params: Mapping[str, Any]) -> pa.Table:
        """The entries, in the directions that are traded."""
        from sweep import _core

        key = self._key(params)
        return read_all(_core.said(self._core, key, _given(self.tables(key))))

    def tables(self, key: str) -> list[Tables]:
        """What the function returns for a canonical parameter set, symbol by symbol.

        Raises:
            SweepError: [2000] the function failed; the codes of `checked`; with file and line.
        """
        strategy = self._strategy
        params = strategy.typed(json.loads(key))
        tables = []
        for arrays, indicators in self._inputs:
            market = MarketOfTrial(arrays, params.get("round_digits"))
            try:
                returned = strategy.made(market, indicators, dict(params))
            except (Exception, SystemExit) as problem:
                raise failed(problem, strategy.path, strategy.name) from problem
            tables.append(checked(returned, arrays, where=strategy.place))
        return tables

    def _played(
        self, key: str | None, refused: str, tables: list[Tables] | SweepError | None, level: int | None
    ) -> Any:
        from sweep import _core

        if key is None or tables is None:
            return _core.unplayed(self._core, None, 1006, refused, level)
        if isinstance(tables, SweepError):
            return _core.unplayed(self._core, key, tables.code, _reason(tables), level)
        return _core.play(self._core, key, _given(tables), False, level)

    def _tried(self, key: str) -> list[Tables] | SweepError:
        try:
            return self.tables(key)
        except SweepError as problem:
            return problem

    def _key(self, params: Mapping[str, Any]) -> str:
        document = json.loads(self._core.identity(json_text(params, "params")))
        return json.dumps(document["params"])


def _given(tables: list[Tables]) -> list[tuple[_core.SignalRows, _core.SignalRows]]:
    return [(one.entries, one.exits) for one in tables]


def _reason(problem: SweepError) -> str:
    """What failed, and the traceback, which the code that the engine writes before it does not repeat."""
    told = problem.message.removeprefix(f"[{problem.code}] ")
    trace = problem.context.get("traceback")
    return f"{told}\n{trace}" if trace else told


def _with_column(table: pa.Table, name: str, values: list[str | None]) -> pa.Table:
    import pyarrow as pa

    return table.append_column(name, pa.array(values, pa.string()))
