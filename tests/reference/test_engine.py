"""Rules of the bar loop, one by one, on small markets."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sweep.errors import SweepError
from sweep.reference.engine import run
from sweep.reference.market import ReferenceMarket, SymbolSpec, timeframe_micros
from sweep.reference.options import Options, resolve
from sweep.reference.result import ReferenceResult
from sweep.reference.schema import REGISTRY
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.reference.support import bars, market_of
from tests.vectors.engine import FIELDS, L1, MINUTE_US, R1, SPECS, START_US, label, order


def play(
    prices: list[str],
    signals: list[dict[str, Any]],
    execution: Any = "realistic",
    *,
    spread: float = 0.0,
    rules: Rules | None = None,
    exits: list[dict[str, Any]] | None = None,
    **options: Any,
) -> ReferenceResult:
    return run(
        bars(prices, spread),
        {"execution": execution, **options},
        SignalTable(signals, exits or (), rules),
        {},
    )


def flat(n: int) -> dict[str, list[float]]:
    """One side of a market that stays at 1.1."""
    return {name: [1.1] * n for name in FIELDS}


class TestSlots:
    """engine 7.4."""

    def test_excess_signals_of_a_list_are_rejected(self) -> None:
        result = play(["1.1"] * 3, [R1, R1, {**R1, "stop_loss": 2.0}], {"max_positions": 1})
        assert result.rejections == {"invalid_side": 1, "max_positions": 1}
        assert [d["code"] for d in result.rejection_details] == [6004, 1006]
        assert result.rejection_details[0]["timestamp"] == label(0)

    @pytest.mark.parametrize(
        ("execution", "count"), [({"max_positions": None}, 3), ({"max_positions": 2}, 2)]
    )
    def test_several_positions_coexist(self, execution: dict[str, Any], count: int) -> None:
        result = play(["1.1"] * 4, [{**R1, "bar_index": k} for k in range(3)], execution)
        assert [t["position_id"] for t in result.trades] == list(range(1, count + 1))

    def test_the_portfolio_limit_holds_too(self) -> None:
        execution = {"max_positions": None, "max_total_positions": 1}
        assert len(play(["1.1"] * 4, [{**R1, "bar_index": k} for k in range(3)], execution).trades) == 1

    @pytest.mark.parametrize("preset", ["realistic", "reference"])
    @pytest.mark.parametrize("same_bar_reentry", [True, False])
    @pytest.mark.parametrize("reentry", [True, False])
    def test_a_position_closed_by_management_frees_its_slot(
        self, preset: str, same_bar_reentry: bool, reentry: bool
    ) -> None:
        signals = [R1, order("short", 1.2, None, bar=2)]
        exits = [{"bar_index": 2, "direction": "long", "action": "close"}]
        execution = {"preset": preset, "reentry_on_exit_bar": reentry}
        result = play(
            ["1.1"] * 5, signals, execution, exits=exits, rules=Rules(same_bar_reentry=same_bar_reentry)
        )
        entered = len(result.trades) + len(result.open_positions)
        assert entered == (2 if reentry and same_bar_reentry else 1)

    def test_same_bar_reentry_does_not_concern_stops(self) -> None:
        prices = ["1.1", "1.1/1.1/1.094/1.1", "1.1", "1.1"]
        result = play(prices, [R1, {**R1, "bar_index": 1}], rules=Rules(same_bar_reentry=False))
        assert len(result.trades) == 2

    def test_an_order_rejected_at_the_fill_uses_up_its_id(self) -> None:
        result = play(["1.1", "1.094", "1.1", "1.1"], [R1, {**R1, "bar_index": 2}])
        assert [t["position_id"] for t in result.trades] == [2]
        assert result.rejections == {"stop_passed_at_fill": 1}


class TestEnd:
    """engine 7.6."""

    @pytest.mark.parametrize(
        ("execution", "rejected", "trades", "still_open"),
        [
            ({"end_of_data": "close"}, True, 0, 0),
            ({"end_of_data": "leave_open"}, True, 0, 0),
            ({"end_of_data": "close", "market_fill": "signal_close"}, True, 0, 0),
            ({"end_of_data": "leave_open", "market_fill": "signal_close"}, False, 0, 1),
        ],
    )
    def test_entries_of_the_last_bar(
        self, execution: dict[str, Any], rejected: bool, trades: int, still_open: int
    ) -> None:
        result = play(["1.1"] * 3, [{**R1, "bar_index": 2}], execution)
        assert result.rejections == ({"end_of_data": 1} if rejected else {})
        assert (len(result.trades), len(result.open_positions)) == (trades, still_open)

    def test_a_queued_close_becomes_end_of_data(self) -> None:
        exits = [{"bar_index": 2, "direction": "long", "action": "close"}]
        assert play(["1.1"] * 3, [R1], exits=exits).trades[0]["reason"] == "end_of_data"
        left = play(["1.1"] * 3, [R1], {"end_of_data": "leave_open"}, exits=exits)
        assert [p["status"] for p in left.open_positions] == ["open"]


class TestExits:
    """engine 9."""

    @pytest.mark.parametrize(
        ("direction", "stop", "target", "bar", "price", "reason"),
        [
            ("long", 1.095, 1.11, "1.094/1.1/1.093/1.1", 1.094, "stop_loss"),
            ("long", 1.095, 1.11, "1.096/1.1/1.093/1.1", 1.095, "stop_loss"),
            ("long", 1.095, 1.11, "1.112/1.12/1.1/1.1", 1.112, "take_profit"),
            ("long", 1.095, 1.11, "1.109/1.12/1.1/1.1", 1.11, "take_profit"),
            ("short", 1.105, 1.09, "1.106/1.107/1.1/1.1", 1.106, "stop_loss"),
            ("short", 1.105, 1.09, "1.104/1.107/1.1/1.1", 1.105, "stop_loss"),
            ("short", 1.105, 1.09, "1.088/1.1/1.08/1.1", 1.088, "take_profit"),
            ("short", 1.105, 1.09, "1.091/1.1/1.08/1.1", 1.09, "take_profit"),
        ],
    )
    def test_a_gap_fills_at_the_open(
        self, direction: str, stop: float, target: float, bar: str, price: float, reason: str
    ) -> None:
        signal = order(direction, stop, target)
        (trade,) = play(["1.1", "1.1", bar], [signal]).trades
        assert (trade["exit_price"], trade["reason"]) == (price, reason)
        (ideal,) = play(["1.1", "1.1", bar], [signal], {"gap_fills": False}).trades
        assert ideal["exit_price"] == (stop if reason == "stop_loss" else target)

    def test_a_target_passed_at_the_open_of_the_entry_bar_is_no_gap(self) -> None:
        """A market order filled at the open is not held from an earlier bar: the stop counts first."""
        prices = ["1.1", "1.1/1.112/1.094/1.1"]
        (trade,) = play(prices, [R1]).trades
        assert (trade["reason"], trade["same_bar_ambiguous"]) == ("stop_loss", True)

    def test_the_exit_side_is_the_other_side(self) -> None:
        long = play(["1.1", "1.1", "1.1/1.1/1.0951/1.1"], [L1], spread=0.001)
        assert long.trades[0]["reason"] == "stop_loss", "bid low"
        short = play(["1.1", "1.1", "1.1/1.1041/1.1/1.1"], [order("short", 1.105, None)], spread=0.001)
        assert short.trades[0]["reason"] == "stop_loss", "ask high"
        kept = play(["1.1", "1.1", "1.1/1.1039/1.1/1.1"], [order("short", 1.105, None)], spread=0.001)
        assert kept.trades[0]["reason"] == "end_of_data"

    def test_a_stop_slips_and_a_target_does_not(self) -> None:
        costs = {"slippage": {"fixed_pips": 1, "random_pips": 0}}
        stop = play(["1.1", "1.1", "1.1/1.1/1.094/1.1"], [R1], costs=costs).trades[0]
        assert stop["exit_price"] == 1.095 - 1 * 0.0001
        target = play(["1.1", "1.1", "1.1/1.111/1.1/1.1"], [R1], costs=costs).trades[0]
        assert target["exit_price"] == 1.11

    def test_random_slippage_is_the_same_for_the_same_fill(self) -> None:
        costs = {"slippage": {"fixed_pips": 0, "random_pips": 3}}
        one = play(["1.1"] * 6, [{**R1, "bar_index": 3}], costs=costs).trades[0]
        two = play(["1.1"] * 6, [{**R1, "bar_index": 1, "stop_loss": 1.09}, {**R1, "bar_index": 3}],
                   {"max_positions": 2}, costs=costs).trades[1]  # fmt: skip
        assert one["entry_price"] == two["entry_price"]
        assert play(["1.1"] * 6, [{**R1, "bar_index": 3}], {"seed": 7}, costs=costs).trades[0] != one


class TestMoney:
    """engine 12 to 15."""

    def test_the_mark_is_the_exit_side_close(self) -> None:
        result = play(["1.1", "1.1", "1.102"], [L1], {"end_of_data": "leave_open"}, spread=0.0001)
        assert result.equity[-1]["equity"] == pytest.approx(10000 + (1.102 - 1.1001) * 0.2 * 100_000)
        assert result.equity[-1]["balance"] == 10000
        realised = play(["1.1", "1.1", "1.102"], [L1], {"equity": "realised", "end_of_data": "leave_open"})
        assert [row["equity"] for row in realised.equity] == [10000] * 4

    def test_results_in_r_do_not_depend_on_the_lots(self) -> None:
        prices = ["1.1", "1.1", "1.1/1.1/1.094/1.1"]
        tiny = play(prices, [{**R1, "size": 0.01}], {"pnl": "r_multiple"}).trades[0]
        assert tiny["size"] == 0.01
        assert tiny["result"] == pytest.approx(-5.0), "own lots carry their own money at risk"

    def test_ruin_ends_the_entries_and_nothing_else(self) -> None:
        prices = ["1.1", "1.1", "0.6", "0.7", "1.1", "1.1"]
        signals = [order("long", 0.5, None), order("long", 0.5, None, bar=1), order("long", 1.0, None, bar=4)]
        account = {"sizing": {"mode": "fixed_lots", "lots": 1.0}}
        result = play(prices, signals, {"max_positions": None}, account=account)
        assert result.ruined_at == label(2)
        assert result.blocked_bars["ruined"] == 3
        assert len(result.trades) == 2
        again = play(prices, signals, {"max_positions": None, "stop_on_ruin": False}, account=account)
        assert (again.ruined_at, len(again.trades)) == (label(2), 3)

    def test_sizes_at_the_limits_are_counted(self) -> None:
        near = play(["1.1"] * 3, [order("long", 1.09998, None)])
        assert (near.sizes_capped, near.trades[0]["size"]) == (0, 49.99)
        capped = play(["1.1"] * 3, [order("long", 1.09998, None, size=1e9)])
        assert (capped.sizes_capped, capped.trades[0]["size"]) == (1, 200.0)
        raised = play(["1.1"] * 3, [order("long", 0.09, None)], {"below_min_volume": "raise_to_min"})
        assert (raised.sizes_raised, raised.trades[0]["size"]) == (1, 0.01)

    def test_the_spread_multiplier_widens_the_ask_only_where_it_is_above_the_bid(self) -> None:
        side = {"open": [1.0, 1.0], "high": [1.2, 1.2], "low": [0.9, 0.9], "close": [1.1, 1.1]}
        ask = {"open": [1.1, 0.99], "high": [1.3, 1.2], "low": [0.95, 0.9], "close": [1.15, 1.1]}
        market = market_of([START_US, label(1)], side, ask)
        wide = market.with_spread(2.0).ask
        assert wide.open.tolist() == [1.0 + (1.1 - 1.0) * 2.0, 0.99]
        assert wide.close.tolist() == [1.1 + (1.15 - 1.1) * 2.0, 1.1]
        assert wide.high[0] == 1.2 + (1.3 - 1.2) * 2.0
        assert wide.low.tolist() == [0.9 + (0.95 - 0.9) * 2.0, 0.9]
        assert market.with_spread(1) is market
        costs = {"spread_multiplier": 2}
        (trade,) = play(["1.1"] * 3, [L1], costs=costs, spread=0.001).trades
        assert trade["entry_price"] == 1.1 + (1.1 + 0.001 - 1.1) * 2

    def test_a_missing_rate_is_refused_before_the_first_bar(self) -> None:
        with pytest.raises(SweepError, match="USD to EUR") as caught:
            play(["1.1"] * 2, [], account={"currency": "EUR"})
        assert caught.value.code == 1008

    def test_a_contradicting_tick_value_is_a_warning(self) -> None:
        side = flat(2)
        for value, count in ((1.0, 0), (2.0, 1)):
            spec = {**SPECS["EURUSD"], "tick_value": value}
            market = market_of([START_US, label(1)], side, side, spec=spec)
            assert len(run(market, {}, SignalTable([]), {}).warnings) == count


class TestResult:
    """engine 17 and 19."""

    def test_meta_is_canonical_json(self) -> None:
        signal = {
            **R1,
            "tag": "long_2",
            "scenario": "s",
            "reason": "why",
            "meta": {"ü": 1, "b": True, "a": "x"},
        }
        (trade,) = play(["1.1"] * 3, [signal]).trades
        assert trade["meta"] == '{"a":"x","b":true,"scenario":"s","signal_reason":"why","tag":"long_2","ü":1}'
        assert json.loads(trade["meta"])["tag"] == "long_2"

    def test_the_summary_has_its_keys_in_order(self) -> None:
        result = play(["1.1", "1.1/1.1105/1.0950/1.1", "1.1"], [L1], costs={"commission": {"schema": "per_lot", "per_lot": 2.5}}, spread=0.0001)  # fmt: skip
        assert result.summary == {
            "Initial Balance": 10000, "Final Balance": 9899.0, "Equity": 9899.0, "Max Drawdown": 101.0,
            "Drawdown Initial Balance": 101.0, "Total Fees": 1.0, "Total Lots": 0.2, "Total Trades": 1,
            "Expired Orders": 0, "Partial Closed Orders": 0, "Orders closed at Break Even": 0,
            "Avg R-Multiple": -1.0, "Winrate": 0.0, "Wins": 0, "Losses": 1,
        }  # fmt: skip
        assert list(result.summary)[-3:] == ["Winrate", "Wins", "Losses"]

    def test_the_tables_have_the_registered_types(self) -> None:
        tables = play(["1.1"] * 3, [R1]).tables()
        for name, table in tables.items():
            assert table.schema.names == [f.name for f in REGISTRY[name].fields]
            assert [f.nullable for f in table.schema] == [f.nullable for f in REGISTRY[name].fields]
        assert tables["trades"].schema.field("reason").type == pa.dictionary(pa.int32(), pa.utf8())
        assert tables["equity"]["timestamp"].cast(pa.int64()).to_pylist() == [
            label(0),
            label(0),
            label(1),
            label(2),
        ]
        assert tables["daily"].num_rows == 1

    def test_a_warm_up_bar_is_neither_traded_nor_sampled(self) -> None:
        side = flat(5)
        labels = [label(k) for k in range(5)]
        market = market_of(labels, side, side, first=2, last=3)
        rows = [{**R1, "bar_index": k} for k in range(5)]
        result = run(market, {}, SignalTable(rows), {})
        assert [row["timestamp"] for row in result.equity] == [label(2), label(2), label(3)]
        assert result.outside_window == 3
        assert [t["order_time"] for t in result.trades] == [label(2)]
        assert result.metrics["span_years"] == 2 * MINUTE_US / 31_557_600_000_000

    def test_blocked_bars_count_the_warm_up_first(self) -> None:
        class Late(SignalTable):
            def warmup(self, params: Any) -> int:
                return 3

        result = run(bars(["1.1"] * 5), {}, Late([{**R1, "bar_index": k} for k in range(5)]), {})
        assert result.blocked_bars == {"warmup": 3, "ruined": 0, "no_slot": 1}
        assert [t["order_time"] for t in result.trades] == [label(3)]

    def test_a_market_without_traded_bars_is_refused(self) -> None:
        side = flat(1)
        market = ReferenceMarket(**{**{f: getattr(market_of([0], side, side), f) for f in ReferenceMarket.__slots__}, "trade_from": 1})  # fmt: skip
        with pytest.raises(SweepError, match="1010"):
            run(market, {}, SignalTable([]), {})

    def test_a_market_comes_from_the_table_of_another_engine(self) -> None:
        market = bars(["1.1", "1.1/1.2/1.0/1.1"], 0.0001)
        sides = {
            f"{s}_{f}": getattr(getattr(market, s), f)
            for s in ("bid", "ask")
            for f in ("open", "high", "low", "close", "volume")
        }
        stamps = pa.array(market.label).cast(pa.timestamp("us", "UTC"))
        meta = {
            "spec": market.spec,
            "timeframe": "M1",
            "trade_from": label(0),
            "trade_until": label(2),
            "history_from": 0,
        }
        again = ReferenceMarket.from_table(pa.table({"timestamp": stamps, **sides}), meta)
        assert again.label.tolist() == market.label.tolist()
        np.testing.assert_array_equal(again.ask.high, market.ask.high)
        assert (again.timeframe_us, again.trade_until) == (MINUTE_US, label(2))


class TestSignalTable:
    """engine 23.4."""

    @pytest.mark.parametrize(
        ("row", "code"),
        [
            ({"timestamp": label(0) + 1}, 1001),
            ({"bar_index": 0, "timestamp": label(1)}, 1006),
            ({"bar_index": 9}, 1003),
            ({"bar_index": -1}, 1003),
            ({}, 1008),
            ({"bar_index": 0, "tagg": "x"}, 1001),
        ],
    )
    def test_a_row_must_name_a_bar(self, row: dict[str, Any], code: int) -> None:
        with pytest.raises(SweepError) as caught:
            play(["1.1"] * 3, [{"direction": "long", "stop_loss": 1.0, **row}])
        assert caught.value.code == code

    @pytest.mark.parametrize(
        "row", [{"direction": "up", "action": "close"}, {"direction": 1, "action": "end"}]
    )
    def test_a_bad_exit_is_refused(self, row: dict[str, Any]) -> None:
        with pytest.raises(SweepError, match="1001"):
            play(["1.1"] * 3, [], exits=[{"bar_index": 0, **row}])

    @pytest.mark.parametrize("direction", ["Buy", "LONG", 1])
    def test_directions_are_matched_without_case(self, direction: Any) -> None:
        rows = [{**R1, "bar_index": None, "timestamp": label(0), "direction": direction}]
        assert play(["1.1"] * 3, rows).trades[0]["direction"] == "long"

    @pytest.mark.parametrize(
        "changes", [{"direction": 0}, {"direction": "flat"}, {"size": 0.0}, {"order_type": "iceberg"}]
    )
    def test_a_signal_with_a_bad_argument_is_rejected(self, changes: dict[str, Any]) -> None:
        assert play(["1.1"] * 3, [{**R1, **changes}]).rejections == {"invalid_argument": 1}

    def test_the_first_hundred_rejections_are_kept(self) -> None:
        result = play(["1.1"] * 2, [{**R1, "stop_loss": 2.0}] * 120)
        assert result.rejections == {"invalid_side": 120}
        assert len(result.rejection_details) == 100
        assert result.metrics["rejected_signals"] == 120.0


class TestOptions:
    """engine 4."""

    def test_every_option_has_its_preset_value(self) -> None:
        realistic, reference = resolve({}), resolve({"execution": "reference"})
        assert realistic["execution"]["market_fill"] == "next_open"
        assert reference["execution"]["trigger_buffer_pips"] == 0.5
        assert realistic["account"]["initial_balance"] == 10000
        assert resolve(realistic) == realistic, "complete options stay as they are"
        assert resolve({"execution": {"max_positions": None}})["execution"]["max_positions"] is None
        assert Options.of(reference).end_of_data == "leave_open"

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({"execution": "perfect"}, 1001),
            ({"execution": {"gap_fill": True}}, 1001),
            ({"execution": {"market_fill": "now"}}, 1001),
            ({"execution": {"gap_fills": 1}}, 1004),
            ({"execution": {"max_positions": 0}}, 1003),
            ({"execution": {"max_positions": 1.5}}, 1004),
            ({"execution": {"seed": -1}}, 1003),
            ({"execution": {"seed": 1.5}}, 1004),
            ({"execution": {"min_stop_pips": float("nan")}}, 1003),
            ({"costs": {"slippage": {"fixed_pips": -1}}}, 1003),
            ({"costs": {"slippage": {"fixed": 1}}}, 1001),
            ({"account": {"initial_balance": 0}}, 1003),
            ({"account": {"initial_balance": "many"}}, 1004),
            ({"account": {"sizing": {"mode": "risk_percent"}}}, 1008),
            ({"account": {"sizing": {"mode": "kelly"}}}, 1001),
            ({"rates": {"static": {"eurusd": 1.0}}}, 1001),
            ({"rates": {"static": {"EURUSD": 0.0}}}, 1003),
            ({"rates": {"series": {"EURUSD": "file"}}}, 1001),
            ({"metrics": {"calendar": "lunar"}}, 1001),
            ({"gates": {}}, 1001),
        ],
    )
    def test_a_bad_option_is_refused(self, options: dict[str, Any], code: int) -> None:
        with pytest.raises(SweepError) as caught:
            Options.of(options)
        assert caught.value.code == code

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"pip_size": 0.0}, 1003),
            ({"volume_min": 300.0}, 1003),
            ({"pip_size": None}, 1008),
            ({"pips": 1}, 1001),
        ],
    )
    def test_a_bad_specification_is_refused(self, changes: dict[str, Any], code: int) -> None:
        with pytest.raises(SweepError) as caught:
            SymbolSpec.of({**SPECS["EURUSD"], **changes})
        assert caught.value.code == code

    @pytest.mark.parametrize(
        ("text", "micros"), [("M5", 300_000_000), ("W1", 604_800_000_000), ("H12", 43_200_000_000)]
    )
    def test_a_timeframe(self, text: str, micros: int) -> None:
        assert timeframe_micros(text) == micros

    @pytest.mark.parametrize("text", ["5M", "M0", "S5", "M", "m5"])
    def test_what_is_no_timeframe_is_refused(self, text: str) -> None:
        with pytest.raises(SweepError, match="1009"):
            timeframe_micros(text)
