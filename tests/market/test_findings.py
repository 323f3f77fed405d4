"""What is said of data that are accepted: each finding, and nothing where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sweep.market import Market
from sweep.market.findings import duration, of_market, summary
from tests.market.support import MINUTE, START, UTC, bars, poke, replaced

KEYS = {"symbol": "GBPUSD", "timeframe": "M1", "spread_pips": 1}
MIDNIGHT = int(START) // 86_400_000_000 * 86_400_000_000


def found(table: pa.Table, ask: pa.Table | None = None, **keys: Any) -> dict[str, str]:
    """Texts of the entries by name, `!` before those that are warnings."""
    sides = {**KEYS, **keys} if ask is None else {**KEYS, "spread_pips": None, **keys}
    return told(Market.from_arrow(table, ask, **sides))


def told(market: Market) -> dict[str, str]:
    return {("!" if entry.warning else "") + entry.name: entry.text for entry in of_market(market)}


def without_zero_volume(table: pa.Table) -> pa.Table:
    return replaced(table, "volume", pa.array(np.ones(table.num_rows)))


def test_nothing_is_said_of_clean_data() -> None:
    table = without_zero_volume(bars())
    assert found(table) == {}
    assert summary([Market.from_arrow(table, **KEYS)]) == ([], [])


@pytest.mark.parametrize(
    ("step", "text"), [(60, "100 % of the steps are H1"), (90, "100 % of the steps are M90")]
)
def test_bars_of_another_length_than_was_named_are_a_warning(step: int, text: str) -> None:
    table = without_zero_volume(bars(step=step * MINUTE, start=MIDNIGHT))
    entries = found(table, timeframe="M15")
    assert entries["!timeframe"] == f"{text}, the timeframe is M15"
    lines, warnings = summary([Market.from_arrow(table, **{**KEYS, "timeframe": "M15"})])
    assert warnings == [f"GBPUSD M15: timeframe: {text}, the timeframe is M15"]
    assert not any("timeframe" in line for line in lines)


def test_the_share_of_the_most_common_step_is_said() -> None:
    table = without_zero_volume(bars(501, step=60 * MINUTE, start=MIDNIGHT))
    rows = [*range(100), *range(104, 501)]  # 495 steps of one hour and one of five
    assert found(table.take(rows), timeframe="M15")["!timeframe"].startswith("99.8 % of the steps are H1")


def test_a_high_far_away_is_a_spike() -> None:
    table = poke(without_zero_volume(bars()), "high", 20, 15.8)
    assert found(table) == {"spikes": "1 bars, first 2012-02-01 17:03"}


def test_crossed_and_clamped_bars_are_said() -> None:
    bid = without_zero_volume(bars())
    ask = poke(without_zero_volume(bars(offset=0.0002)), "low", 10, 1.5790)
    assert found(bid, ask)["crossed quotes"].startswith("1 bars (0.5 %), left as they are, worst 16.9 pips")
    clamped = found(bid, ask, crossed="clamp")
    assert clamped == {"clamped": "1 bars, ask raised to the bid"}


def test_rows_dropped_by_the_filter_are_said() -> None:
    friday = MIDNIGHT + 2 * 86_400_000_000 + 21 * 3_600_000_000
    table = without_zero_volume(bars(60 * 60, start=friday))
    whole, kept = Market.from_arrow(table, **KEYS), Market.from_arrow(table, **KEYS, filter="fx_week")
    assert kept.bars < whole.bars
    assert told(kept)["filtered"].startswith(f"{whole.bars - kept.bars:,} rows outside")


def ticks(times: list[int]) -> pa.Table:
    bid = np.linspace(1.58, 1.581, len(times))
    return pa.table({"timestamp": pa.array(times, pa.int64()).cast(UTC), "bid": bid, "ask": bid + 0.0002})


def test_ticks_that_are_crossed_locked_together_or_in_no_bar_are_said() -> None:
    times = [MIDNIGHT + second * 1_000_000 for second in (0, 0, 20, 40, 60, 119, 125, 130)]
    table = ticks(times)
    ask = table["ask"].to_numpy().copy()
    ask[1] -= 0.0005
    ask[2] = table["bid"][2].as_py()
    table = replaced(table, "ask", pa.array(ask))
    keys = {"symbol": "GBPUSD", "timeframe": "M1"}
    entries = told(Market.from_arrow(ticks=table, **keys))
    assert entries["crossed ticks"].startswith("1 ticks (12 %), left as they are, worst 3 pips")
    assert entries["locked ticks"].startswith("1 ticks")
    assert entries["equal stamps"].startswith("1 ticks")
    assert entries["unfinished"] == "2 ticks at the end complete no bar"
    clamped = told(Market.from_arrow(ticks=table, **keys, crossed="clamp"))
    assert clamped["clamped"] == "1 ticks, ask raised to the bid"
    assert "crossed ticks" not in clamped


def hours(close_factor: float = 1.0) -> pa.Table:
    """The hours of 40 hours of minutes, with other closes."""
    hour = Market.from_arrow(without_zero_volume(minutes()), **KEYS).resample("H1")
    table = hour.select(
        ["timestamp", *(f"bid_{name}" for name in ("open", "high", "low", "close", "volume"))]
    )
    table = table.rename_columns(["timestamp", "open", "high", "low", "close", "volume"])
    close = table["close"].to_numpy() * close_factor
    high, low = np.maximum(table["high"].to_numpy(), close), np.minimum(table["low"].to_numpy(), close)
    for name, values in (("close", close), ("high", high), ("low", low)):
        table = replaced(table, name, pa.array(values))
    return table


def minutes() -> pa.Table:
    return without_zero_volume(bars(40 * 60, start=MIDNIGHT))


def test_given_bars_that_contradict_the_primary_ones_are_a_warning() -> None:
    market = Market.from_arrow(minutes(), **KEYS)
    good = Market.from_arrow(hours(), **{**KEYS, "timeframe": "H1"})
    assert told(market.with_higher([good])) == {}
    bad = market.with_higher([Market.from_arrow(hours(1.01), **{**KEYS, "timeframe": "H1"})])
    text = "40 of 40 ask closes differ from those of the bars, first 2012-02-01 00:00"
    assert told(bad)["!higher H1"] == text
    assert told(bad.window(None, MIDNIGHT + 39 * 60 * MINUTE))["!higher H1"] == text


@pytest.mark.parametrize(
    ("keys", "entry"),
    [
        ({"time_zone": "Europe/Athens"}, "time_zone: the times carry a zone (file)"),
        ({"assume_utc": True}, "assume_utc: the times carry a zone (file)"),
        ({"time_format": "%Y-%m-%d"}, "time_format: the times are timestamp[us, tz=UTC], not text (file)"),
        ({"epoch_unit": "s"}, "epoch_unit: the times are timestamp[us, tz=UTC], not numbers (file)"),
    ],
)
def test_an_option_without_effect_is_said(keys: dict[str, Any], entry: str) -> None:
    assert found(without_zero_volume(bars()), **keys) == {"no effect": entry}


def test_an_option_with_an_effect_is_not_said() -> None:
    table = without_zero_volume(bars())
    text = replaced(table, "timestamp", pa.array([str(at)[:19] for at in table["timestamp"].to_pylist()]))
    naive = replaced(table, "timestamp", table["timestamp"].cast(pa.timestamp("us")).combine_chunks())
    number = replaced(table, "timestamp", table["timestamp"].cast(pa.int64()).combine_chunks())
    assert found(naive, time_zone="Europe/Athens") == {}
    assert found(text, time_format="%Y-%m-%d %H:%M:%S", assume_utc=True) == {}
    assert found(number, epoch_unit="us") == {}
    assert list(found(number, epoch_unit="us", time_zone="Europe/Athens")) == ["no effect"]


def test_lengths_of_time_are_readable() -> None:
    assert [duration(us) for us in (5, 2_000_000, 125 * MINUTE, 49 * 60 * MINUTE)] == [
        "5 us",
        "2 s",
        "2 h 5 min",
        "2 d 1 h",
    ]
