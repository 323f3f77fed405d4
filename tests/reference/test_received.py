"""What a strategy receives at each bar is what `sweep.indicator` gives for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import sweep
from sweep import Market
from sweep.reference.context import Context, Indicators, MarketView, Series
from sweep.reference.engine import run
from sweep.reference.indicators import CATALOGUE
from sweep.reference.market import ReferenceMarket
from sweep.reference.strategy import ReferenceStrategy, Rules, Signal
from tests.indicators.test_agreement import EVERYDAY

SERIES = [id for id in CATALOGUE if id != "vol_cluster_series"]


class Listener(ReferenceStrategy):
    """Notes every output of every indicator at every bar; never trades."""

    def __init__(self, side: str, timeframe: str | None) -> None:
        self.side, self.timeframe = side, timeframe
        self.heard: dict[tuple[str, str], list[float]] = {}

    def warmup(self, params: Mapping[str, Any]) -> int:
        return 0

    def prepare(self, market: MarketView, ind: Indicators, params: Mapping[str, Any]) -> Rules:
        self.handles: dict[tuple[str, str], Series] = {}
        for id in SERIES:
            output = ind(id, self.side, self.timeframe, **EVERYDAY[id])
            for name, handle in (output if isinstance(output, dict) else {"value": output}).items():
                self.handles[id, name] = handle
        return Rules()

    def evaluate(self, ctx: Context) -> Sequence[Signal]:
        for key, handle in self.handles.items():
            self.heard.setdefault(key, []).append(ctx.value(handle))
        return ()


@pytest.mark.parametrize("timeframe", [None, "M15", "H1"])
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_strategy_receives_every_indicator(side: str, timeframe: str | None) -> None:
    market = Market.synthetic(bars=300, seed=4)
    strategy = Listener(side, timeframe)
    run(ReferenceMarket.from_table(market.to_table(), market.meta), {}, strategy, {})
    assert {id for id, _ in strategy.heard} == set(SERIES)
    for id in SERIES:
        given = sweep.indicator(market, id, side, timeframe, **EVERYDAY[id])
        for name, values in (given if isinstance(given, dict) else {"value": given}).items():
            heard = np.array(strategy.heard[id, name])
            # The last bar closes the window: nothing is decided there.
            np.testing.assert_allclose(
                heard, values[: len(heard)], rtol=1e-9, atol=1e-9, err_msg=f"{id} {name}"
            )
            assert len(heard) >= len(values) - 1
            assert np.isfinite(heard).any()
