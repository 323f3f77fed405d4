"""Whether a vectorised function reads the future: on a shorter dataset it must say the same of the bars that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sweep.arrow import read_all
from sweep.errors import SweepError, error
from sweep.strategies.arrays import IndicatorsOf, MarketArrays, MarketOfTrial
from sweep.strategies.failure import failed
from sweep.strategies.tables import Tables, checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from sweep.strategies.declaration import UserStrategy

CUTS: Final = (0.25, 0.5, 0.75)
"""Shares of the bars that the shorter datasets keep."""


def check(core: Any, symbols: int, strategy: UserStrategy, params: Mapping[str, Any]) -> None:
    """Calls the function on all bars of every symbol and on the first parts of them, and compares the rows.

    Args:
        core: the native engine.
        symbols: how many it trades.
        strategy: of the kind `signals`.
        params: a canonical parameter set.

    Raises:
        SweepError: [1006] naming the first bar and column that differ; what the function and its tables raise.
    """
    for symbol in range(symbols):
        market = core.market(symbol)
        whole = _tables(strategy, params, market)
        labels = read_all(market.to_table())["timestamp"].cast("int64").to_numpy()
        for bars in _cuts(whole, len(labels)):
            try:
                shorter = market.window(int(labels[0]), int(labels[bars]), 0)
            except SweepError:  # no bar of a given higher timeframe has ended by then
                continue
            _same(strategy, whole, _tables(strategy, params, shorter), bars)


def _cuts(whole: Tables, bars: int) -> list[int]:
    """Numbers of bars to keep: the shares, and for each of them up to the last bar before it that has a row, which a
    function that reads a single bar ahead cannot repeat.
    """
    cuts = set()
    for share in CUTS:
        cut = int(bars * share)
        last = [int(at[at < cut][-1]) + 1 for at in whole.bars() if (at < cut).any()]
        cuts |= {cut, *last}
    return sorted(cuts - {0})


def _tables(strategy: UserStrategy, params: Mapping[str, Any], market: Any) -> Tables:
    arrays = MarketArrays(market)
    typed = strategy.typed(params)
    try:
        returned = strategy.made(
            MarketOfTrial(arrays, typed.get("round_digits")), IndicatorsOf(market=market), dict(typed)
        )
    except (Exception, SystemExit) as problem:
        raise failed(problem, strategy.path, strategy.name) from problem
    return checked(returned, arrays, where=strategy.place)


def _same(strategy: UserStrategy, whole: Tables, cut: Tables, bars: int) -> None:
    for what, all_rows, rows in (
        ("entries", whole.signals(), cut.signals()),
        ("exits", whole.closes(), cut.closes()),
    ):
        kept = all_rows.slice(0, int((all_rows["bar_index"].to_numpy() < bars).sum()))
        found = _first_difference(kept, rows)
        if found is not None:
            bar, column = found
            raise error(
                1006,
                f"{strategy.name} looks ahead: with only the first {bars:,} bars its {what} differ at bar "
                f"{bar}, column {column}",
                where=strategy.place,
                remedy="use nothing after a bar for its row, or switch strategy.lookahead_check off",
                stage="engine",
                context={"bar": bar, "column": column, "table": what},
            )


def _first_difference(one: pa.Table, other: pa.Table) -> tuple[int, str] | None:
    """Bar and column of the first row that differs."""
    left, right = one.to_pylist(), other.to_pylist()
    for a, b in zip(left, right, strict=False):
        for column, value in a.items():
            # NaN is no difference to itself.
            if value != b[column] and not (value != value and b[column] != b[column]):
                return min(a["bar_index"], b["bar_index"]), column
    if len(left) != len(right):
        row = (left if len(left) > len(right) else right)[min(len(left), len(right))]
        return row["bar_index"], "bar_index"
    return None
