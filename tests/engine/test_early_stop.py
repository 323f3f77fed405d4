"""Backtests that are given up early: at the bar that the whole run says, in both engines, and not otherwise."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sweep import Engine, Market
from sweep.engine import Backtest
from sweep.errors import SweepError
from tests.engine import cases

CASES = 400


def limits_of(seed: int) -> dict[str, Any]:
    """Limits that some of the random cases reach."""
    rng = np.random.default_rng([seed, 1])
    drawn = {
        "ruin_pct": float(rng.uniform(50, 99.99)),
        "max_drawdown_pct": float(rng.exponential(2.0)) + 1e-3,
        "min_trades_by_midpoint": float(rng.uniform(0.01, 1)),
    }
    kept = {name: value for name, value in drawn.items() if rng.random() < 0.5}
    return kept | ({"min_trades": int(rng.integers(0, 12))} if "min_trades_by_midpoint" in kept else {})


def expected(case: cases.Case, whole: Backtest, limits: dict[str, Any]) -> tuple[str, int] | None:
    """Kind and label of the stop, from the equity and the trades of the whole run."""
    initial = whole.equity["equity"][0].as_py()
    labels = whole.equity["timestamp"].cast(pa.int64()).to_pylist()[1:]
    start = min(m.meta["trade_from"] for m in case.markets)
    end = max(m.meta["trade_until"] for m in case.markets)
    ids = whole.trades.filter(pc.not_equal(whole.trades["reason"].cast(pa.string()), "partial_exit"))
    exits = ids["exit_time"].cast(pa.int64()).to_pylist()
    micros = _timeframe(case.markets[0])
    peak, deepest, middle_seen = initial, 0.0, False
    for k, label in enumerate(labels):
        equity = whole.equity["equity"][k + 1].as_py()
        peak = max(peak, equity)
        deepest = max(deepest, 100 * (peak - equity) / peak)
        if equity <= limits.get("ruin_pct", -np.inf) / 100 * initial:
            return "RUIN", label
        if deepest > limits.get("max_drawdown_pct", np.inf):
            return "MAX_DRAWDOWN", label
        if not middle_seen and 2 * label >= start + end:
            middle_seen = True
            # An exit carries the label of its bar, or the time of its tick, and so lies within the bar.
            closed = sum(time < label + micros for time in exits)
            if "min_trades_by_midpoint" in limits:
                needed = np.ceil(round(limits["min_trades_by_midpoint"] * limits["min_trades"], 6))
                if closed < needed:
                    return "TOO_FEW_BY_MIDPOINT", label
    return None


def _timeframe(market: Market) -> int:
    units = {"M": 60, "H": 3600, "D": 86400}
    text = market.timeframe
    return units[text[0]] * int(text[1:]) * 1_000_000


def test_both_engines_stop_where_the_whole_run_says() -> None:
    seen: Counter[str] = Counter()
    for seed in range(CASES):
        case = cases.make(seed)
        limits = limits_of(seed)
        limited = replace(case, options={**case.options, "early_stop": limits})
        whole, ours, theirs = cases.native(case), cases.native(limited), cases.reference(limited)
        cases.assert_same(ours, theirs)
        assert ours.stopped == theirs.stopped, seed
        found = None if ours.stopped is None else (ours.stopped["kind"], ours.stopped["at"])
        assert found == expected(case, whole, limits), seed
        assert ours.equity.equals(whole.equity.slice(0, ours.equity.num_rows)), seed
        if found is None:
            assert ours.digests == whole.digests
        else:
            assert ours.equity["timestamp"][-1].as_py() == _stamp(found[1])
        seen[found[0] if found else "none"] += 1
    assert min(seen[kind] for kind in ("RUIN", "MAX_DRAWDOWN", "TOO_FEW_BY_MIDPOINT", "none")) >= CASES // 40


def _stamp(micros: int) -> Any:
    return pa.scalar(micros, pa.timestamp("us", tz="UTC")).as_py()


@pytest.fixture(scope="module")
def market() -> Market:
    return Market.synthetic(symbol="EURUSD", timeframe="M5", bars=3000, seed=4)


def test_a_row_of_a_batch_is_pruned_and_says_when(market: Market) -> None:
    params = {"fast_period": [5, 8], "slow_period": [40, 60]}
    engine = Engine(market, "ma_cross", early_stop={"max_drawdown_pct": 0.5})
    rows = engine.run_batch(pa.table(params), returns=True).to_pylist()
    for row, (fast, slow) in zip(rows, zip(*params.values(), strict=True), strict=True):
        alone = engine.run({"fast_period": fast, "slow_period": slow})
        assert alone.stopped is not None
        assert (row["status"], row["kind"]) == ("PRUNED", "MAX_DRAWDOWN")
        assert row["reason"] == alone.stopped["reason"]
        label = _stamp(alone.stopped["at"]).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert row["reason"] == f"drawdown above 0.5 % on the bar {label}"
        assert row["result_digest"] == alone.digest
        assert row["returns"] is None
        assert row["metrics.max_drawdown_pct"] > 0.5
    twin = Engine(market, "ma_cross", early_stop={"max_drawdown_pct": 0.5}, backend="python")
    theirs = twin.run_batch(pa.table(params), returns=True).to_pylist()
    names = ("status", "kind", "reason", "identity", "result_digest", "returns")
    assert [[row[n] for n in names] for row in theirs] == [[row[n] for n in names] for row in rows]


def test_limits_enter_the_identity_only_if_set(market: Market) -> None:
    def document(**options: Any) -> dict[str, Any]:
        return dict(json.loads(Engine(market, "ma_cross", **options).identity_document()))

    plain = document()
    assert "early_stop" not in plain
    assert document(early_stop={}) == plain
    assert document(early_stop={"ruin_pct": None, "min_trades": 30}) == plain
    limited = document(early_stop={"ruin_pct": 20})
    assert limited.pop("early_stop") == {
        "ruin_pct": 20,
        "max_drawdown_pct": None,
        "min_trades_by_midpoint": None,
        "min_trades": None,
    }
    assert limited == plain


@pytest.mark.parametrize("backend", ["rust", "python"])
@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"ruin_pct": 100}, 1003),
        ({"ruin_pct": 0}, 1003),
        ({"max_drawdown_pct": -1}, 1003),
        ({"min_trades_by_midpoint": 1.01, "min_trades": 30}, 1003),
        ({"min_trades_by_midpoint": 0.5}, 1008),
        ({"ruin": 20}, 1001),
        ({"ruin_pct": "20"}, 1004),
    ],
)
def test_limits_that_make_no_sense_are_refused(
    market: Market, limits: dict[str, Any], code: int, backend: str
) -> None:
    with pytest.raises(SweepError) as refused:
        Engine(market, "ma_cross", early_stop=limits)
    assert refused.value.code == code
    from sweep.reference.options import Options

    if backend == "python":
        with pytest.raises(SweepError) as also:
            Options.of({"early_stop": limits})
        assert also.value.code == code
