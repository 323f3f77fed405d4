"""Indicators of higher timeframes: the worked example, both implementations alike, and nothing from the future."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sweep
from sweep import Market
from sweep.errors import SweepError
from sweep.reference.indicators import CATALOGUE, indicator
from sweep.reference.market import ReferenceMarket
from tests.indicators.support import columns

MINUTE = 60_000_000
START = 1_704_067_200_000_000
REQUIRED: dict[str, dict[str, Any]] = {
    "ema": {"period": 5},
    "ema_stepwise": {"period": 5},
    "sma": {"period": 4},
    "dema": {"period": 3},
    "tema": {"period": 3},
    "momentum": {"period": 3},
    "rolling_std": {"period": 4},
    "vol_cluster_series": {"idx": 7, "feature": "atr_points", "atr_length": 3},
}


def market(labels: Any, close: Any, timeframe: str = "M5", **keys: Any) -> Market:
    """One side of the given closes, no spread."""
    close = np.asarray(close, dtype=np.float64)
    columns = {
        "timestamp": pa.array(np.asarray(labels, dtype=np.int64)).cast(pa.timestamp("us", "UTC")),
        "open": close,
        "high": close + 0.25,
        "low": close - 0.25,
        "close": close,
        "volume": np.ones(len(close)),
    }
    return Market.from_arrow(pa.table(columns), symbol="US500", timeframe=timeframe, spread_pips=0, **keys)


def plain(market: Market) -> ReferenceMarket:
    higher = {bars.timeframe: plain(bars) for bars in market.given_higher()}
    return ReferenceMarket.from_table(market.to_table(), market.meta, higher)


def short(id: str) -> dict[str, Any]:
    """Parameters with which a few dozen bars are enough."""
    given = dict(REQUIRED.get(id, {}))
    if "garch" in id:
        given |= {"min_periods": 2}
    if id.endswith("_local"):
        given |= {"lookback": 6}
    if "zscore" in id and "garch" not in id:
        given |= {"window": 4}
    if id in ("rsi", "dmi", "bollinger", "bollinger_stepwise", "atr", "choppiness", "roc"):
        given |= {"period": 3}
    return given


def worked() -> Market:
    """M20 bars whose H1 bars close at 10, 12, 11, 14."""
    closes = [9, 9.5, 10, 10.5, 11, 12, 12, 11.5, 11, 12, 13, 14]
    return market([START + 20 * MINUTE * i for i in range(12)], closes, "M20")


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("bars", [np.nan, np.nan, 10, 10, 10, 11, 11, 11, 11, 11, 11, 12.5]),
        ("raster", [np.nan, np.nan, 10, 10, 10, 11, 11.5, 11.75, 11.375, 11.1875, 11.09375, 12.546875]),
    ],
)
def test_the_worked_example(on: str, expected: list[float]) -> None:
    found = sweep.indicator(worked(), "ema", timeframe="H1", on=on, period=3)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        indicator(plain(worked()), "ema", timeframe="H1", on=on, period=3), expected
    )


def test_stepwise_ids_run_over_bars_and_stale_values_are_hidden() -> None:
    base = sweep.indicator(worked(), "ema", timeframe="H1", on="bars", period=3)
    np.testing.assert_array_equal(sweep.indicator(worked(), "ema_stepwise", timeframe="h1 ", period=3), base)
    table = worked().to_table()
    stale = market(
        table["timestamp"].cast("int64").to_numpy(), table["bid_close"].to_numpy(), "M20", stale_after=1
    )
    for found in (
        sweep.indicator(stale, "ema_stepwise", timeframe="H1", period=3),
        indicator(plain(stale), "ema_stepwise", timeframe="H1", period=3),
    ):
        np.testing.assert_array_equal(
            found, [np.nan, np.nan, 10, 10, np.nan, 11, 11, np.nan, 11, 11, np.nan, 12.5]
        )


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """M5 bars with holes, on a tick grid."""
    count = draw(st.integers(30, 90))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 7]), min_size=count, max_size=count))
    moves = draw(st.lists(st.integers(-9, 9), min_size=count, max_size=count))
    labels = START + 5 * MINUTE * np.cumsum(steps)
    return market(labels, 4000 + 0.1 * np.cumsum(moves), stale_after=draw(st.sampled_from([None, 2, 5])))


def outcome(call: Callable[[], Any]) -> Any:
    """Outputs by name, or the code of the error."""
    try:
        return columns(call())
    except SweepError as problem:
        return problem.code


def same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert list(found) == list(wanted)
    for name, values in found.items():
        np.testing.assert_allclose(values, wanted[name], rtol=1e-9, atol=1e-9, equal_nan=True, err_msg=name)


@pytest.mark.parametrize("id", CATALOGUE)
@settings(max_examples=30)
@given(data=st.data())
def test_both_implementations_agree(id: str, data: st.DataObject) -> None:
    bars = data.draw(markets())
    timeframe = data.draw(st.sampled_from(["M10", "M15", "M30", "H1"]))
    on, side = (
        data.draw(st.sampled_from([None, "bars", "raster"])),
        data.draw(st.sampled_from(["bid", "ask"])),
    )
    params = short(id)
    wanted = outcome(lambda: indicator(plain(bars), id, side, timeframe, on, **params))
    found = outcome(lambda: sweep.indicator(bars, id, side, timeframe, on=on, **params))
    if isinstance(wanted, int) or isinstance(found, int):
        assert found == wanted
    else:
        same(found, wanted)


@pytest.mark.parametrize("id", [id for id in CATALOGUE if id != "vol_cluster_series"])
@settings(max_examples=30)
@given(data=st.data())
def test_later_bars_change_nothing(id: str, data: st.DataObject) -> None:
    bars = data.draw(markets())
    kept = data.draw(st.integers(1, bars.bars))
    timeframe, on = data.draw(st.sampled_from(["M15", "H1"])), data.draw(st.sampled_from(["bars", "raster"]))
    table = bars.to_table()
    labels, close = table["timestamp"].cast("int64").to_numpy(), table["bid_close"].to_numpy()
    stale = bars.meta.get("stale_after")
    cut = market(labels[:kept], close[:kept], stale_after=stale)
    whole = columns(sweep.indicator(bars, id, timeframe=timeframe, on=on, **short(id)))
    for name, values in columns(sweep.indicator(cut, id, timeframe=timeframe, on=on, **short(id))).items():
        np.testing.assert_array_equal(values, whole[name][:kept])


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"timeframe": "M7"}, 1001),
        ({"timeframe": "M1"}, 1001),
        ({"timeframe": "soon"}, 1009),
        ({"timeframe": "H1", "on": "ticks"}, 1001),
        ({"side": "mid"}, 1001),
    ],
)
def test_mistakes_have_their_codes(keys: dict[str, Any], code: int) -> None:
    bars = worked() if keys.get("timeframe") != "M7" else market([START, START + 5 * MINUTE], [1.0, 2.0])
    for call in (
        lambda: sweep.indicator(bars, "ema", period=3, **keys),
        lambda: indicator(plain(bars), "ema", period=3, **keys),
    ):
        with pytest.raises(SweepError) as caught:
            call()
        assert caught.value.code == code


# ----------------------------------------------------------------------------------------------------------------------
# Every timeframe, side and kind of bars, on days of New York over weekends and gaps.

CUTS = (1, 60, 777, 1599)
CALLS = {
    **{id: (short(id),) for id in CATALOGUE if id != "vol_cluster_series"},
    "vol_cluster_series": tuple(
        {"idx": 7, "feature": feature, "atr_length": 3, "garch_lookback": 6, "min_periods": 2}
        for feature in ("atr_points", "garch_forecast")
    ),
}


@pytest.fixture(scope="module")
def long_market() -> Callable[[int], Market]:
    """The first bars of an M30 market of eleven weeks."""
    rng = np.random.default_rng(5)
    labels = START + 30 * MINUTE * np.cumsum(rng.choice([1] * 8 + [2, 16], 1600))
    close = 4000 + 0.1 * np.cumsum(rng.integers(-9, 10, 1600))
    made: dict[int, Market] = {}

    def first(count: int) -> Market:
        if count not in made:
            day = {"zone": "America/New_York", "start_hour": 17}
            made[count] = market(labels[:count], close[:count], "M30", day=day)
        return made[count]

    return first


@pytest.mark.parametrize("timeframe", ["H1", "H2", "H3", "H4", "H6", "H8", "H12", "D1", "W1"])
def test_no_timeframe_knows_later_bars(timeframe: str, long_market: Callable[[int], Market]) -> None:
    finite = 0
    for id, calls in CALLS.items():
        for side, on, params in product(("bid", "ask"), ("bars", "raster"), calls):
            whole = columns(sweep.indicator(long_market(1600), id, side, timeframe, on=on, **params))
            finite += sum(int(np.isfinite(values).any()) for values in whole.values())
            # A window at the bar 7 is not there before that bar is.
            for count in CUTS[2 if id == "vol_cluster_series" else 0 :]:
                cut = outcome(
                    partial(sweep.indicator, long_market(count), id, side, timeframe, on=on, **params)
                )
                if isinstance(cut, int):
                    assert (id, cut) == ("vol_cluster_series", 1003)
                    continue
                for name, values in cut.items():
                    assert values.tobytes() == whole[name][: len(values)].tobytes(), (
                        id,
                        side,
                        on,
                        count,
                        name,
                    )
    outputs = sum(len(entry["outputs"]) for entry in sweep.indicators.catalogue())
    assert finite >= 4 * outputs * 0.9


@pytest.mark.parametrize("timeframe", ["H4", "D1", "W1"])
def test_both_implementations_agree_on_days_of_new_york(
    timeframe: str, long_market: Callable[[int], Market]
) -> None:
    bars = long_market(1600)
    reference = plain(bars)
    for id, calls in CALLS.items():
        for on, params in product(("bars", "raster"), calls):
            wanted = outcome(partial(indicator, reference, id, "ask", timeframe, on, **params))
            found = outcome(partial(sweep.indicator, bars, id, "ask", timeframe, on=on, **params))
            if isinstance(wanted, int) or isinstance(found, int):
                assert found == wanted, (id, on)
            else:
                same(found, wanted)
