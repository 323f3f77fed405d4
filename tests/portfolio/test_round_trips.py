"""Many small round trips: what the account holds in the end is what exact arithmetic says."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from sweep import Portfolio
from tests.portfolio.support import MINUTE, NOON

LOTS, FEE = Fraction("0.01"), Fraction("0.03")
CONTRACT = 100_000


def round_trips(count: int, entry: np.ndarray, exit: np.ndarray) -> pa.Table:
    """An entry and an exit in turn, longs of 0.01 lots, a fee of 0.03 on each side."""
    rows = 2 * count
    price, stop = np.empty(rows), np.full(rows, 0.5)
    price[0::2], price[1::2] = entry, exit
    return pa.table(
        {
            "op": pa.array(["register_entry", "register_exit"] * count).dictionary_encode(),
            "position_id": np.repeat(np.arange(1, count + 1, dtype=np.uint64), 2),
            "symbol": pa.array(["EURUSD"] * rows).dictionary_encode(),
            "direction": pa.array(["long"] * rows).dictionary_encode(),
            "price": price,
            "stop_loss": stop,
            "size": np.full(rows, float(LOTS)),
            "fee": np.full(rows, float(FEE)),
            "time": NOON + MINUTE * np.arange(rows, dtype=np.int64),
        }
    )


def exact_balance(start: int, entry: np.ndarray, exit: np.ndarray) -> Fraction:
    """Balance by fractions of the decimal prices (five places)."""
    ticks = (np.rint(exit * 100_000) - np.rint(entry * 100_000)).astype(np.int64)
    return start + Fraction(int(ticks.sum()), 100_000) * LOTS * CONTRACT - 2 * len(entry) * FEE


def test_ten_thousand_give_the_exact_balance() -> None:
    """One pip up, one pip down: of a balance of 1,000 the fees are missing, to the cent and to 1e-8."""
    count = 10_000
    entry = np.full(count, 1.1)
    exit = np.where(np.arange(count) % 2 == 0, 1.1001, 1.0999)
    portfolio = Portfolio(1000.0)
    done = portfolio.batch(round_trips(count, entry, exit))
    assert (done["entries"], done["exits"], done["fees"], done["errors"]) == (count, count, 2 * count, [])
    expected = exact_balance(1000, entry, exit)
    assert expected == 400
    assert portfolio.get_summary()["Final Balance"] == float(expected)
    assert portfolio.cash == pytest.approx(float(expected), abs=1e-8)
    assert portfolio.get_summary()["Total Fees"] == 600.0
    assert portfolio.get_summary()["Total Lots"] == 100.0


def test_binary_amounts_are_exact() -> None:
    """Where every amount is a sum of powers of two, nothing is lost at all."""
    count = 10_000
    table = round_trips(count, np.full(count, 1.0), np.full(count, 1.5))
    table = table.set_column(6, "size", pa.array(np.full(2 * count, 0.125)))
    table = table.set_column(7, "fee", pa.array(np.full(2 * count, 0.0625)))
    portfolio = Portfolio(1000.0)
    portfolio.batch(table)
    assert portfolio.cash == 1000 + count * (0.5 * 0.125 * CONTRACT - 0.125)


def test_a_million_drift_by_less_than_a_cent() -> None:
    """Random ticks up and down."""
    count, chunk = 1_000_000, 250_000
    rng = np.random.default_rng(7)
    entry = np.round(rng.uniform(1.05, 1.15, count), 5)
    exit = np.round(entry + rng.integers(-20, 21, count) / 100_000, 5)
    portfolio = Portfolio(100_000.0)
    for start in range(0, count, chunk):
        part = slice(start, start + chunk)
        table = round_trips(chunk, entry[part], exit[part])
        ids = np.repeat(np.arange(start + 1, start + chunk + 1, dtype=np.uint64), 2)
        assert portfolio.batch(table.set_column(1, "position_id", pa.array(ids)))["errors"] == []
    assert abs(Fraction(portfolio.cash) - exact_balance(100_000, entry, exit)) <= Fraction("0.01")
    assert portfolio.get_state()["position_count"][0].as_py() == 0
    assert portfolio.get_trades().num_rows == count
