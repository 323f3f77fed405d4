"""The module is found, agrees with its twin, and can be searched. `python -m pytest`."""

from __future__ import annotations

from pathlib import Path

import pytest

import sweep
from sweep.errors import SweepError

HERE = Path(__file__).parents[1]
MARKET = sweep.Market.synthetic(bars=5_000, seed=3, timeframe="M15")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"period": 30, "sl_atr": 1.0, "tp_r": 1.5},
        {"period": 20, "direction_filter": "short", "trail_atr": 3.0, "be_r": 1.0, "cooldown_bars": 3},
        {"period": 20, "max_holding_bars": 24, "round_digits": 4},
    ],
)
def test_both_engines_agree(params: dict[str, object]) -> None:
    native, twin = (
        sweep.Engine(MARKET, "my_strategy", backend=backend).run(params) for backend in ("rust", "python")
    )
    assert native.trades.num_rows > 5
    assert native.digests == twin.digests


def test_a_value_outside_of_its_domain_is_refused() -> None:
    with pytest.raises(SweepError, match="period"):
        sweep.Engine(MARKET, "my_strategy").run({"period": 0})


def test_the_study_runs(tmp_path: Path) -> None:
    study = sweep.Study.run(HERE / "study.yaml", home=tmp_path)
    assert "COMPLETE" in study.trials()["status"].to_pylist()
