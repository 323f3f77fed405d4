"""The strategy does what it says. `python -m pytest` in this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from my_strategy import MyStrategy

import sweep

HERE = Path(__file__).parent
MARKET = sweep.Market.synthetic(bars=2_000, seed=3, timeframe="M15")


def test_it_enters_where_the_close_crosses_its_average() -> None:
    entries = sweep.Engine(MARKET, MyStrategy).signals({"period": 30})
    label, close = (MARKET.to_table()[name].to_numpy() for name in ("timestamp", "bid_close"))
    average = sweep.indicator(MARKET, "sma", period=30)
    bar = np.searchsorted(label, entries["timestamp"].to_numpy())
    long = np.array(entries["direction"].to_pylist()) == "long"
    assert len(bar) > 20
    assert np.array_equal(close[bar] > average[bar], long)
    assert not np.any((close[bar - 1] > average[bar - 1]) == long)


def test_a_stop_further_away_is_hit_less_often() -> None:
    hit = []
    for sl_atr in (1.0, 4.0):
        trades = sweep.Engine(MARKET, MyStrategy).run({"sl_atr": sl_atr, "tp_r": 1.0}).trades
        hit.append(trades["reason"].to_pylist().count("stop_loss"))
    assert hit[0] > hit[1] > 0


def test_the_study_runs(tmp_path: Path) -> None:
    study = sweep.Study.run(HERE / "study.yaml", home=tmp_path)
    assert "COMPLETE" in study.trials()["status"].to_pylist()
