"""Scenario 6 of mean_reversion_z_score: an overlay of other timeframes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sweep import Engine, Market
from sweep.errors import SweepError
from tests.engine.support import market_of_golden
from tests.vectors.strategies import OVERLAY_H1, OVERLAY_H4, mean_reversion

STRATEGY = "mean_reversion_z_score"
BACKENDS = ["rust", "python"]


def signals(backend: str = "rust", **changes: Any) -> list[dict[str, Any]]:
    """Signals on dataset G with the parameters of the golden tables."""
    engine = Engine(market_of_golden(), STRATEGY, backend=backend)
    rows: list[dict[str, Any]] = engine.signals(mean_reversion(**changes)).to_pylist()
    return rows


def untagged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "tag"} for row in rows]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_scenarios_of_all_six(backend: str) -> None:
    found = Counter(row["tag"] for row in signals(backend))
    assert found == {"long_1": 113, "short_1": 113, "long_2": 24, "short_2": 23, "short_4": 5}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["PRIMARY", "M15"])
def test_the_own_timeframe_with_the_own_parameters_adds_nothing_to_scenario_2(
    backend: str, name: str
) -> None:
    """Its conditions are then those of scenario 2, so are the signals and the trades, exits by the mean included."""
    overlay = {"scenario": 6, "scenario6_timeframes": name}
    assert untagged(signals(backend, **overlay)) == untagged(signals(backend, scenario=2))
    engine = Engine(market_of_golden(), STRATEGY, backend=backend)
    for managed, reason in (({"z_exit": 0.0}, "signal"), ({"tp_mode": "dynamic"}, "take_profit")):
        with_overlay, plain = (
            engine.run(mean_reversion(**managed, max_holding_minutes=0, **which)).trades
            for which in (overlay, {"scenario": 2})
        )
        assert plain["reason"].to_pylist().count(reason) > 3
        assert set(with_overlay["meta"].to_pylist()) == {'{"tag":"long_6"}', '{"tag":"short_6"}'}
        assert with_overlay.drop_columns("meta") == plain.drop_columns("meta")


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_asks_for_more_than_any(backend: str) -> None:
    params = {"scenario6_params": {"H1": OVERLAY_H1, "H4": OVERLAY_H4}}

    def of(timeframes: str, mode: str = "all") -> set[int]:
        chosen = {"scenario": 6, "scenario6_timeframes": timeframes, "scenario6_mode": mode}
        return {row["bar_index"] for row in signals(backend, **chosen, **params)}

    one, other = of("H1"), of("H4")
    assert of("H1+H4") == one & other
    assert of("H1+H4", "any") == one | other


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_timeframes_scenario_6_never_fires(backend: str) -> None:
    assert signals(backend, enabled_scenarios="1+6") == signals(backend, scenario=1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_direction_has_its_own_values(backend: str) -> None:
    """A threshold that no long reaches takes the longs away and leaves the shorts."""
    chosen = {"scenario": 6, "scenario6_timeframes": "H1", "scenario6_params": {"H1": OVERLAY_H1}}
    both = signals(backend, **chosen)
    shorts = signals(backend, **chosen, scenario6_H1_long_z_score=-50.0)
    assert shorts == [row for row in both if row["direction"] == "short"] != both


def test_the_map_may_be_a_mapping_or_its_text() -> None:
    engine = Engine(market_of_golden(), STRATEGY)
    base = {"scenario": 6, "scenario6_timeframes": ["H1"], "window_length": 60, "z_score_long": -1.0}
    given = engine.run({**base, "scenario6_params": {"H1": {"std_factor": 1}}})
    text = engine.run({**base, "scenario6_params": '{"H1": {"std_factor": 1.0}}'})
    flat = engine.run({**base, **{f"scenario6_H1_{d}_std_factor": 1 for d in ("long", "short")}})
    assert given.identity == text.identity == flat.identity


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_timeframe_that_the_primary_one_does_not_divide_is_refused(backend: str) -> None:
    """H1 bars cannot be made of M45 ones; the parameter set alone does not say so."""
    market = Market.synthetic(bars=500, seed=1, timeframe="M10")
    with pytest.raises(SweepError) as caught:
        Engine(market, STRATEGY, backend=backend).run({"scenario": 6, "scenario6_timeframes": "M15"})
    assert caught.value.code == 1001
