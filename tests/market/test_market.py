"""`Market`: windows, copies, the generator, symbol specs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sweep.config import load as load_config
from sweep.errors import SweepError
from sweep.market import Market, load

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.synthetic(bars=1000, seed=7)


def test_the_synthetic_market_has_the_published_digests(market: Market) -> None:
    assert market.digest == "8b045335c3f22ccaf1118cebd411bf4a88a38b99001ad79de689d88daea48696"
    other = Market.synthetic(
        symbol="USDJPY",
        timeframe="H1",
        bars=1000,
        seed=7,
        correlation=0.5,
        jump_rate=0.01,
        gap_rate=0.02,
        weekends="open",
    )
    assert other.digest == "4c283360ca8acef710bf6b705001a4e63f3be8c799978cc34457585ea637f65a"
    assert (other.symbol, other.timeframe, other.bars) == ("USDJPY", "H1", 1000)


def test_the_start_of_the_generator_is_a_time(market: Market) -> None:
    later = Market.synthetic(bars=10, seed=7, start="2021-03-01T06:00:00Z")
    assert later.to_table()["timestamp"][0].as_py() == datetime(2021, 3, 1, 6, tzinfo=UTC)
    assert Market.synthetic(bars=1000, seed=7, start=date(2020, 1, 2)).digest == market.digest


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"bars": 0}, 1003),
        ({"bars": True}, 1004),
        ({}, 1008),
        ({"bars": 10, "volatility": 3}, 1003),
        ({"bars": 10, "seeds": 1}, 1001),
        ({"bars": 10, "timeframe": "M7"}, 1001),
        ({"bars": 10, "symbol": "EURUSDX"}, 1001),
        ({"bars": 10, "start": "2020-01-02T00:01:00Z"}, 1001),
    ],
)
def test_bad_keys_of_the_generator(keys: dict[str, object], code: int) -> None:
    with pytest.raises(SweepError) as caught:
        Market.synthetic(**keys)
    assert caught.value.code == code, caught.value
    assert caught.value.stage == "config"


def test_a_window_is_half_open_and_brings_its_warm_up(market: Market) -> None:
    cut = market.window(date(2020, 1, 3), datetime(2020, 1, 3, 6), 20)
    assert cut.bars == 20 + 72
    labels = cut.to_table()["timestamp"]
    assert labels[20].as_py() == datetime(2020, 1, 3, tzinfo=UTC)
    assert labels[-1].as_py() == datetime(2020, 1, 3, 5, 55, tzinfo=UTC)
    assert cut.meta["trade_from"] == labels[20].value
    assert cut.meta["history_from"] == labels[0].value
    assert cut.digest != market.digest
    assert market.window(None, None, 0).digest == market.digest
    with pytest.raises(SweepError) as caught:
        market.window(date(2031, 1, 1), None, 0)
    assert caught.value.code == 1010


def test_a_market_survives_its_table_and_meta(market: Market) -> None:
    cut = market.window(date(2020, 1, 3), None, 100)
    again = Market.from_table(cut.to_table(), cut.meta)
    assert (again.digest, again.meta, again.bars) == (cut.digest, cut.meta, cut.bars)
    assert again.to_table().equals(cut.to_table())


def test_a_config_names_a_market(tmp_path: Path) -> None:
    config = load_config(
        {
            "study": "s",
            "market": {
                "synthetic": {"bars": 1000, "seed": 7},
                "window": ["2020-01-03", "2020-01-04"],
                "warmup_bars": 5,
            },
            "strategy": {"name": "ma_cross"},
            "search": {"trials": 1},
        }
    )
    market = load(config.market, config.symbol_specs)
    assert market.bars == 5 + 264
    assert market.meta["trade_until"] <= 1578009600000000 + DAY


def test_symbol_specs_lie_over_the_built_in_table(tmp_path: Path) -> None:
    file = tmp_path / "specs.yaml"
    file.write_text("EURUSD: {volume_max: 7}\nNEW: {contract_size: 1}\n")
    assert Market.synthetic(bars=5, symbol_specs=file).spec["volume_max"] == 7
    assert Market.synthetic(bars=5, symbol_specs={"EURUSD": {"volume_max": 8}}).spec["volume_max"] == 8
    assert Market.synthetic(bars=5).spec["volume_max"] == 200
    with pytest.raises(SweepError) as caught:
        Market.synthetic(bars=5, symbol="NEW", symbol_specs=file)
    assert caught.value.code == 1008


def test_keys_are_checked_like_those_of_a_config() -> None:
    with pytest.raises(SweepError, match=r"\[1001\].*did you mean spread_pips"):
        Market.read(symbol="GBPUSD", timeframe="M1", file="x.parquet", spread_pip=1)
    with pytest.raises(SweepError, match=r"\[1009\].*higher"):
        Market.read(symbol="GBPUSD", timeframe="M1", file="x.parquet", spread_pips=1, higher=["1H"])
    with pytest.raises(SweepError, match=r"\[1004\]"):
        Market.read(symbol="GBPUSD", timeframe="M1", file="x.parquet", spread_pips=True)
