"""Numbers of a market against pandas, small pictures, and files that read back to the same bars."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweep.errors import SweepError
from sweep.market import Market, charts, export
from sweep.market.describe import Description, describe


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.synthetic(bars=30_000, seed=5, gap_rate=0.01)


@pytest.fixture(scope="module")
def frame(market: Market) -> pd.DataFrame:
    return market.to_table().to_pandas().set_index("timestamp")


@pytest.fixture(scope="module")
def about(market: Market) -> Description:
    return describe(market)


def test_span_and_traded_hours(market: Market, frame: pd.DataFrame, about: Description) -> None:
    assert (about.symbol, about.timeframe, about.bars) == ("EURUSD", "M5", 30_000)
    assert about.digest == market.digest
    told = about.to_dict()
    assert pd.Timestamp(told["first"]) == frame.index[0]
    assert pd.Timestamp(told["last"]) == frame.index[-1]
    assert "days" not in told
    assert about.traded_hours == pytest.approx(30_000 / 12)
    span = (frame.index[-1] - frame.index[0]).total_seconds() / 3600 + 1 / 12
    assert about.traded_share == pytest.approx(30_000 / 12 / span)
    assert about.gaps == market.report["gaps"]
    assert about.gaps["count"] > 100


def test_spread_over_all_bars_and_by_hour(frame: pd.DataFrame, about: Description) -> None:
    spread = (frame.ask_close - frame.bid_close) / 0.0001
    groups = {-1: spread, **dict(iter(spread.groupby(frame.index.hour)))}
    found = {-1: about.spread, **{item.hour: item.spread for item in about.by_hour}}
    assert found.keys() == groups.keys()
    assert {item.hour: item.bars for item in about.by_hour} == {
        hour: len(group) for hour, group in groups.items() if hour >= 0
    }
    for hour, group in groups.items():
        told = found[hour]
        assert told is not None
        wanted = (group.min(), group.median(), group.mean(), group.quantile(0.95), group.max())
        assert tuple(vars(told).values()) == pytest.approx(wanted), hour


def test_daily_ranges_volatility_and_volume(frame: pd.DataFrame, about: Description) -> None:
    days = frame.groupby(frame.index.floor("D"))
    ranges = (days.bid_high.max() - days.bid_low.min()) / 0.0001
    wanted = {"median": ranges.median(), "mean": ranges.mean(), "max": ranges.max()}
    assert about.daily_range == pytest.approx(wanted)
    assert about.days_traded == len(ranges)
    assert about.days.bars.tolist() == days.size().tolist()
    assert about.days.close.tolist() == days.bid_close.last().tolist()
    per_day = np.log(days.bid_close.last()).diff().std() * 100
    assert about.volatility_per_day_pct == pytest.approx(per_day)
    assert about.volatility_per_bar_pct == pytest.approx(np.log(frame.bid_close).diff().std() * 100)
    assert about.volume["total"] == frame.bid_volume.sum()
    assert about.volume["mean"] == pytest.approx(frame.bid_volume.mean())
    assert (about.price_min, about.price_max) == (frame.bid_low.min(), frame.bid_high.max())


def test_one_bar_and_what_was_left_open() -> None:
    one = describe(Market.synthetic(bars=1), left_open={"spread_pips"})
    assert (one.bars, one.days_traded, one.volatility_per_day_pct) == (1, 1, None)
    assert (one.spread, one.digest, one.by_hour[0].spread) == (None, None, None)


def test_times_before_1970() -> None:
    early = describe(Market.synthetic(bars=600, start="1969-12-31T12:00:00Z", weekends="open"))
    assert early.to_dict()["first"] == "1969-12-31T12:00:00Z"
    assert [item.hour for item in early.by_hour] == list(range(24))
    assert early.days_traded == 3


@pytest.mark.parametrize("plain", [False, True])
def test_a_sparkline_is_as_wide_as_asked(plain: bool) -> None:
    marks = "_.-~=+*#" if plain else "▁▂▃▄▅▆▇█"
    assert charts.sparkline(range(8), 80, plain=plain) == marks
    assert charts.sparkline(range(8), 4, plain=plain) == charts.sparkline([1, 3, 5, 7], 4, plain=plain)
    assert charts.sparkline([0, float("nan"), 7], 80, plain=plain) == f"{marks[0]} {marks[-1]}"
    assert len(charts.sparkline(np.arange(1000.0), 72, plain=plain)) == 72
    assert len(set(charts.sparkline([2.0, 2.0, 2.0], 9, plain=plain))) == 1
    assert charts.sparkline([float("nan")] * 3, 9, plain=plain) == "   "


def test_the_page_holds_its_script_and_its_data(market: Market, about: Description) -> None:
    page = charts.page(market, about)
    assert page.startswith("<!doctype html>")
    assert 'src="http' not in page
    assert "Plotly.newPlot" in page
    for text in ("EURUSD M5", "Gaps in hours", "Spread in pips by UTC hour", "Bars per UTC day"):
        assert text in page


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".feather"])
def test_written_bars_read_back_to_the_same_market(suffix: str, tmp_path: Path) -> None:
    market = Market.synthetic(bars=2000, seed=9, symbol="USDJPY")
    files = export.targets(tmp_path / f"jpy{suffix}", ("bid", "ask"), force=False)
    export.write(export.sides(market.to_table()), files)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"jpy_ask{suffix}", f"jpy_bid{suffix}"]
    keys = {side: str(path) for side, path in files.items()}
    assert Market.read(**keys, symbol="USDJPY", timeframe="M5").digest == market.digest


def test_files_are_written_whole_and_never_over_others(tmp_path: Path) -> None:
    with pytest.raises(SweepError) as refused:
        export.targets(tmp_path / "bars.xlsx", ("file",), force=False)
    assert refused.value.code == 1001
    path = tmp_path / "bars.parquet"
    path.write_text("mine")
    with pytest.raises(SweepError) as refused:
        export.targets(path, ("file",), force=False)
    assert (refused.value.code, "--force" in refused.value.remedy) == (1006, True)
    assert export.targets(tmp_path / "bars", ("file",), force=True) == {"file": path}

    def broken(unfinished: Path) -> None:
        unfinished.write_text("half")
        raise OSError("no space left")

    with pytest.raises(SweepError) as refused:
        export.whole(path, broken)
    assert refused.value.code == 3000
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("bars.parquet", "mine")]
    with pytest.raises(SweepError) as refused:
        export.whole(tmp_path / "absent" / "x.csv", broken)
    assert refused.value.code == 3001
