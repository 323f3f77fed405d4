"""Rate series: which bar gives the rate of which amount, and both engines with series that fit no bar of the market."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep import Engine, Market
from sweep.engine import Backtest
from sweep.errors import SweepComputationError, SweepError
from sweep.executors.worker import table_of
from sweep.reference.engine import run as run_reference
from sweep.reference.market import ReferenceMarket
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.engine.support import bars_table, market_of_case, random_parameters, run_script
from tests.engine.test_agreement import BARS, scripts
from tests.vectors.engine import CASES, FIELDS, MINUTE_US, START_US, Case

HOUR_US = 60 * MINUTE_US
NO_RATE = "engine 2008"
UNITS = {"M1": MINUTE_US, "M7": 7 * MINUTE_US, "H1": HOUR_US}
LOT = {"account": {"currency": "EUR", "sizing": {"mode": "fixed_lots", "lots": 1.0}}}
DOLLAR_PER_LOT = {"commission": {"schema": "per_lot", "per_lot": 1.0, "fee_ccy": "USD", "decimals": None}}


def rate_market(
    labels: Sequence[int], closes: Sequence[float], timeframe: str = "M1", spread: float = 0.0
) -> Market:
    """Flat bars at these bids."""
    sides = [{name: [x + add for x in closes] for name in FIELDS} for add in (0.0, spread)]
    tables = [bars_table(labels, side) for side in sides]
    return Market.from_arrow(*tables, symbol="EURUSD", timeframe=timeframe)


def plain(market: Market) -> ReferenceMarket:
    """The same market for the reference engine."""
    return ReferenceMarket.from_table(market.to_table(), market.meta)


def both(
    market: Market,
    options: Mapping[str, Any],
    signals: Sequence[Mapping[str, Any]],
    exits: Sequence[Mapping[str, Any]],
    rules: Mapping[str, Any],
    rates: Mapping[str, Market],
) -> tuple[Any, Any]:
    """Results of both engines, or stage and code of their errors."""

    def outcome(run: Any) -> Any:
        try:
            return run()
        except SweepError as problem:
            return f"{problem.stage} {problem.code}"

    script = SignalTable(signals, [{**row, "action": "close"} for row in exits], Rules(**rules))
    native = outcome(lambda: run_script(market, options, signals, exits, rules, rates))
    series = {pair: plain(rate) for pair, rate in rates.items()}
    return native, outcome(lambda: run_reference(plain(market), options, script, {}, series))


# ---- worked examples


CONVERTED = [case for case in CASES if case.options.get("rates") and not case.others]


@pytest.mark.parametrize("case", CONVERTED, ids=lambda case: case.id)
def test_a_vector_with_numbers_is_the_same_with_series(case: Case) -> None:
    """Two hourly bars, the second of which has not ended: the first one's close holds the number."""
    numbers = case.options["rates"]["static"]
    ten = START_US - HOUR_US
    series = {pair: rate_market([ten, START_US], [x, 2 * x], "H1") for pair, x in numbers.items()}
    options = {**case.full_options(), "rates": {}}
    rules = case.rules
    fixed = run_script(market_of_case(case), case.full_options(), case.signals, case.exits, rules)
    assert fixed.trades.num_rows + len(fixed.open_positions) > 0
    for result in both(market_of_case(case), options, case.signals, case.exits, rules, series):
        assert result.digests == fixed.digests


def test_there_are_vectors_with_numbers() -> None:
    assert {"R2e", "R3", "L10"} <= {case.id for case in CONVERTED}


def flat(bars: int, prices: Mapping[int, str] | None = None) -> Case:
    """EURUSD bars at 1.1, some of them otherwise."""
    return Case("", [(prices or {}).get(k, "1.1") for k in range(bars)], [], {})


@pytest.mark.parametrize(("start", "index"), [(11 * 60 + 57, 0), (11 * 60 + 58, 1)])
def test_the_hour_that_has_ended_gives_the_rate(start: int, index: int) -> None:
    """A position is opened two minutes after `start`: at 11:59 the 10:00 bar's close applies, at 12:00 the 11:00 bar's."""
    midnight = START_US - 12 * HOUR_US
    labels = [midnight + start * MINUTE_US + k * MINUTE_US for k in range(4)]
    side = bars_table(labels, {name: [1.1] * 4 for name in FIELDS})
    market = Market.from_arrow(side, side, symbol="EURUSD", timeframe="M1")
    rates = rate_market([midnight + 10 * HOUR_US, midnight + 11 * HOUR_US], [1.25, 1.6], "H1", spread=0.5)
    signal = {"bar_index": 1, "direction": "long", "stop_loss": 1.05}
    for result in both(market, {**LOT, "costs": DOLLAR_PER_LOT}, [signal], [], {}, {"EURUSD": rates}):
        trade = result.trades.to_pylist()[0] if isinstance(result, Backtest) else result.trades[0]
        assert trade["entry_fee"] == 1.0 / (0.5 * ([1.25, 1.6][index] + [1.75, 2.1][index]))


TARGET = {"take_profit": 1.12}
MOMENTS = [
    # id, execution, rules, signal, exits, prices; entry and exit: the rate bar (number = market bar) that must apply
    ("at opens", {}, {}, {}, [3], {}, 1, 3),
    ("stop on a bar", {}, {}, {}, [], {4: "1.1/1.1/1.04/1.1"}, 1, 3),
    ("gap through the stop", {}, {}, {}, [], {4: "1.04"}, 1, 3),
    ("target on a bar", {}, {}, TARGET, [], {4: "1.1/1.13/1.1/1.1"}, 1, 3),
    ("stop on its entry bar", {}, {}, {}, [], {2: "1.1/1.1/1.04/1.1"}, 1, 1),
    ("timeout at an open", {}, {"timeout_bars": 2}, {}, [], {}, 1, 3),
    ("end of data", {}, {}, {}, [], {}, 1, 7),
    ("at closes", {"market_fill": "signal_close"}, {}, {}, [3], {}, 1, 3),
    ("timeout at a close", {"market_fill": "signal_close"}, {"timeout_bars": 3}, {}, [], {}, 1, 4),
    ("stop after a close", {"market_fill": "signal_close"}, {}, {}, [], {4: "1.1/1.1/1.04/1.1"}, 1, 3),
]


@pytest.mark.parametrize(
    ("execution", "rules", "signal", "closes", "prices", "entry", "exit"),
    [row[1:] for row in MOMENTS],
    ids=[row[0] for row in MOMENTS],
)
def test_every_amount_takes_the_rate_of_its_moment(
    execution: dict[str, Any],
    rules: dict[str, Any],
    signal: dict[str, Any],
    closes: list[int],
    prices: dict[int, str],
    entry: int,
    exit: int,
) -> None:
    """Rate bar k has the labels of market bar k and the close 1 + k/64: it applies from the close of bar k on."""
    case = flat(8, prices)
    labels = [START_US + k * MINUTE_US for k in range(-1, 8)]
    rates = {"EURUSD": rate_market(labels, [1 + k / 64 for k in range(-1, 8)])}
    signals = [{"bar_index": 1, "direction": "long", "stop_loss": 1.05, **signal}]
    exits = [{"bar_index": k, "direction": "long"} for k in closes]
    options = {**LOT, "execution": execution, "costs": DOLLAR_PER_LOT}
    native, reference = both(market_of_case(case), options, signals, exits, rules, rates)
    assert native.digests == reference.digests
    trade = native.trades.to_pylist()[0]
    first, last = 1 + entry / 64, 1 + exit / 64
    assert (trade["entry_fee"], trade["exit_fee"]) == (1 / first, 1 / last)
    bought, sold = trade["entry_price"], trade["exit_price"]
    assert trade["result"] == ((sold - bought) * 1.0) * 100_000.0 / last
    assert native.metrics["turnover"] == 100_000.0 * bought / first + 100_000.0 * sold / last
    risk = (abs(bought - 1.05) * 1.0) * 100_000.0 / last
    assert native.metrics["avg_net_r"] == (trade["result"] - 1 / first - 1 / last) / risk


def test_equity_is_marked_at_the_rate_of_the_close() -> None:
    case = flat(5, {3: "1.1/1.1/1.09/1.09", 4: "1.09"})
    labels = [START_US + k * MINUTE_US for k in range(-1, 5)]
    rates = {"EURUSD": rate_market(labels, [1 + k / 64 for k in range(-1, 5)])}
    signals = [{"bar_index": 1, "direction": "long", "stop_loss": 1.05}]
    native, reference = both(market_of_case(case), LOT, signals, [], {}, rates)
    assert native.digests == reference.digests
    equity = native.equity["equity"].to_pylist()
    assert equity[1:4] == [10_000.0] * 3
    assert equity[4] == 10_000.0 + ((1.09 - 1.1) * 1.0) * 100_000.0 / (1 + 3 / 64)


def test_ambiguous_exits_are_valued_at_the_rate_of_their_bar() -> None:
    case = flat(4, {2: "1.1/1.13/1.04/1.1"})
    labels = [START_US + k * MINUTE_US for k in range(-1, 4)]
    rates = {"EURUSD": rate_market(labels, [1 + k / 64 for k in range(-1, 4)])}
    signals = [{"bar_index": 0, "direction": "long", "stop_loss": 1.05, **TARGET}]
    native, reference = both(market_of_case(case), LOT, signals, [], {}, rates)
    assert native.digests == reference.digests
    spread = (native.metrics["net_profit_optimistic"] or 0.0) - (native.metrics["net_profit"] or 0.0)
    assert spread == pytest.approx((1.12 - 1.05) * 100_000.0 / (1 + 1 / 64), abs=1e-9)


def test_lots_are_sized_by_the_rate_of_the_fill() -> None:
    account = {"currency": "EUR"}
    for k, (rate, lots) in enumerate([(1.25, 0.25), (2.5, 0.5)]):
        rates = {"EURUSD": rate_market([START_US, START_US + MINUTE_US], [1.25, 2.5])}
        signal = {"bar_index": k, "direction": "long", "stop_loss": 1.095}
        for result in both(market_of_case(flat(4)), {"account": account}, [signal], [], {}, rates):
            trade = result.trades.to_pylist()[0] if isinstance(result, Backtest) else result.trades[0]
            assert trade["size"] == lots, rate


# ---- random scripts


@st.composite
def series(draw: st.DrawFn, middle: float) -> Market:
    """Bars of some timeframe on labels of their own, with holes; they start before or after the market's first bar."""
    timeframe = draw(st.sampled_from(sorted(UNITS)))
    unit = UNITS[timeframe]
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = BARS * MINUTE_US // unit + 6
    steps = rng.choice([1, 1, 1, 1, 5], count)
    offset = draw(st.sampled_from([0, 17_000_000, 1]))
    start = START_US - draw(st.integers(-3, 5)) * unit - offset
    labels = start + np.r_[0, np.cumsum(steps[1:])] * unit
    closes = middle * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    return rate_market(labels.tolist(), closes.tolist(), timeframe, spread=middle * 1e-3)


@st.composite
def converted(draw: st.DrawFn) -> dict[str, Any]:
    """A random script in which amounts are converted by series, by numbers, or by both."""
    case = draw(scripts())
    case["symbol"] = draw(st.sampled_from(["EURUSD", "USDJPY", "EURGBP"]))
    case["options"]["account"]["currency"] = draw(st.sampled_from(["EUR", "JPY", "GBP"]))
    commission = case["options"]["costs"]["commission"]
    if commission is not None:
        block = commission.get("defaults", commission)
        block |= {"fee_ccy": draw(st.sampled_from(["USD", "JPY", "EUR"])), "decimals": None}
    middles = {"EURUSD": 1.25, "GBPUSD": 1.5, "USDJPY": 150.0}
    numbers = {pair: x for pair, x in middles.items() if draw(st.sampled_from([True, False, False]))}
    age = draw(st.sampled_from([None, None, 96, 0.3]))
    case["options"]["rates"] = {"static": numbers, "max_rate_age_hours": age}
    case["rates"] = {
        pair: draw(series(x)) for pair, x in middles.items() if pair not in numbers or draw(st.booleans())
    }
    return case


def run_both(case: Mapping[str, Any], rates: Mapping[str, Market]) -> tuple[Any, Any]:
    """The outcomes of a converted script."""
    labels, bid, ask = case["bars"]
    market = Market.from_arrow(
        bars_table(labels, bid),
        bars_table(labels, ask),
        symbol=case["symbol"],
        timeframe="M1",
        symbol_specs={case["symbol"]: {"pip_size": 0.0001, "tick_size": 0.00001}},
    )
    return both(market, case["options"], case["signals"], case["exits"], case["rules"], rates)


@settings(max_examples=300)
@given(converted())
def test_both_engines_convert_alike(case: dict[str, Any]) -> None:
    native, reference = run_both(case, case["rates"])
    if isinstance(native, str) or isinstance(reference, str):
        assert native == reference == NO_RATE
        return
    assert native.digests == reference.digests
    assert native.summary == reference.summary
    assert native.rejections == reference.rejections
    assert native.ruined_at == reference.ruined_at


def test_the_random_rates_are_worth_running() -> None:
    """Most scripts trade with rates that move; some find none."""
    traded, failed = 0, 0

    @settings(max_examples=100)
    @given(converted())
    def count(case: dict[str, Any]) -> None:
        nonlocal traded, failed
        native, _ = run_both(case, case["rates"])
        failed += native == NO_RATE
        traded += not isinstance(native, str) and native.trades.num_rows > 0

    count()
    assert traded >= 30
    assert failed >= 10


def poisoned(market: Market, moment: int, unit: int) -> Market:
    """The rates with every bar that ends after `moment` made another."""
    table = market.to_table()
    labels = table["timestamp"].cast(pa.int64()).to_numpy()
    factor = np.where(labels + unit > moment, 7.0, 1.0)
    closes = table["bid_close"].to_numpy() * factor
    return rate_market(labels.tolist(), closes.tolist(), market.timeframe, spread=1e-3)


@settings(max_examples=150)
@given(converted(), st.integers(1, BARS - 1))
def test_rates_that_are_not_known_yet_change_nothing(case: dict[str, Any], bar: int) -> None:
    """Whatever the later rates are: fills, exits and equity up to the close of a bar are the same."""
    case["options"]["rates"]["max_rate_age_hours"] = 96
    moment = START_US + (bar + 1) * MINUTE_US
    before = {
        pair: poisoned(market, START_US + 10**15, UNITS[market.timeframe])
        for pair, market in case["rates"].items()
    }
    after = {
        pair: poisoned(market, moment, UNITS[market.timeframe]) for pair, market in case["rates"].items()
    }
    one, other = run_both(case, before)[0], run_both(case, after)[0]
    assert isinstance(one, str) == isinstance(other, str), (
        "whether there is a rate does not depend on its value"
    )
    if isinstance(one, str):
        return
    for kind, column, bound in (
        ("equity", "timestamp", moment - MINUTE_US),
        ("trades", "exit_time", moment - MINUTE_US),
    ):
        rows = [
            [row for row in getattr(result, kind).to_pylist() if _micros(row[column]) <= bound]
            for result in (one, other)
        ]
        if kind == "trades" and bar == BARS - 1:
            assert len(rows[0]) == one.trades.num_rows
        assert rows[0] == rows[1]


def _micros(moment: Any) -> int:
    return round(moment.timestamp() * 1_000_000)


# ---- failures


def test_a_missing_rate_fails_its_trial_alone() -> None:
    """A hole in the rates fails the trials that convert within it; the others are what they are without the hole."""
    market = Market.synthetic(bars=3000, seed=5)
    first = market.to_table()["timestamp"].cast(pa.int64()).to_pylist()[0]
    hours = list(range(-2, 24 * 18))
    closes = [1.2 + k % 7 / 100 for k in hours]
    closes[40] = closes[39]  # At its end the rate before it is one hour old, which still counts.
    whole, holed = (
        rate_market([first + hours[k] * HOUR_US for k in kept], [closes[k] for k in kept], "H1")
        for kept in (range(len(hours)), [k for k in range(len(hours)) if not 40 <= k < 46])
    )
    sets = random_parameters("mean_reversion_z_score", 30, seed=3, fixed={"enabled_scenarios": [2]})
    params = table_of([{**s, "enabled_scenarios": "2"} for s in sets])

    def rows(rate: Market) -> list[dict[str, Any]]:
        engine = Engine(
            market,
            "mean_reversion_z_score",
            account={"currency": "EUR"},
            rates={"series": {"EURUSD": rate}, "max_rate_age_hours": 1},
        )
        return engine.run_batch(params).to_pylist()

    sound, broken = rows(whole), rows(holed)
    assert {row["status"] for row in sound} == {"COMPLETE"}
    failed = [row for row in broken if row["status"] == "FAILED"]
    assert 0 < len(failed) < len(broken)
    for row in failed:
        assert row["kind"] == "ENGINE_ERROR"
        assert row["reason"].startswith("[2008] no rate EURUSD at 2020-")
        assert row["result_digest"] is None
        assert row["identity"] is not None
    for before, now in zip(sound, broken, strict=True):
        if now["status"] == "COMPLETE":
            assert now["result_digest"] == before["result_digest"]


@pytest.mark.parametrize("backend", ["rust", "python"])
def test_a_single_backtest_without_a_rate_raises(backend: Any) -> None:
    market = Market.synthetic(bars=1500, seed=5)
    late = rate_market([market.meta["trade_until"]], [1.2], "M5")
    engine = Engine(
        market, "ma_cross", account={"currency": "EUR"}, rates={"series": {"EURUSD": late}}, backend=backend
    )
    with pytest.raises(SweepComputationError, match="EURUSD") as caught:
        engine.run({})
    assert (caught.value.code, caught.value.stage) == (2008, "engine")
    row = engine.run_batch(table_of([{"fast_period": 10}])).to_pylist()[0]
    assert (row["status"], row["kind"], row["reason"][:6]) == ("FAILED", "ENGINE_ERROR", "[2008]")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"account": {"currency": "CHF"}}, 1008, "USDCHF"),
        ({"costs": {"commission": {"schema": "per_lot", "per_lot": 1, "fee_ccy": "CHF"}}}, 1008, "CHFUSD"),
        ({"rates": {"series": {"USDCHF": "usdchf.parquet"}}}, 1004, "rates.series.USDCHF"),
        ({"rates": {"series": {"CHF": None}}}, 1004, "rates.series.CHF"),
        ({"rates": {"max_rate_age_hours": -1}}, 1003, "max_rate_age_hours"),
        ({"rates": {"max_age": 1}}, 1001, "max_age"),
    ],
)
def test_what_no_backtest_can_do_without_is_refused_at_once(
    options: dict[str, Any], code: int, words: str
) -> None:
    with pytest.raises(SweepError) as caught:
        Engine(Market.synthetic(bars=100), "ma_cross", **options)
    assert (caught.value.code, caught.value.stage) == (code, "config")
    assert words in str(caught.value)


def test_a_series_of_no_pair_is_refused() -> None:
    rate = rate_market([START_US], [1.0])
    with pytest.raises(SweepError, match="six capital letters") as caught:
        Engine(Market.synthetic(bars=100), "ma_cross", rates={"series": {"chfusd": rate}})
    assert caught.value.code == 1001


def test_amounts_in_ticks_need_no_rate() -> None:
    spec = {"EURUSD": {"tick_value": 0.8}}
    market = Market.synthetic(bars=1500, seed=5, symbol_specs=spec)
    account = {"currency": "CHF", "sizing": {"mode": "risk_amount", "unit_value": "tick"}}
    results = [Engine(market, "ma_cross", account=account, backend=b).run({}) for b in ("rust", "python")]
    assert results[0].digests == results[1].digests
    assert results[0].trades.num_rows > 0


@pytest.mark.parametrize(
    ("tick_value", "currency", "warns"),
    [(0.9, "USD", True), (1.0, "USD", False), (0.9, "EUR", False), (None, "USD", False)],
)
def test_a_tick_value_that_contradicts_the_contract_is_a_warning(
    tick_value: float | None, currency: str, warns: bool
) -> None:
    specs = {"EURUSD": {"tick_value": tick_value}} if tick_value else {}
    market = Market.synthetic(bars=600, seed=5, symbol_specs=specs)
    options: dict[str, Any] = {"account": {"currency": currency}, "rates": {"static": {"EURUSD": 1.25}}}
    results = [Engine(market, "ma_cross", backend=b, **options).run({}) for b in ("rust", "python")]
    assert results[0].warnings == results[1].warnings
    assert [("tick_value" in text and "90000.0" in text) for text in results[0].warnings] == [True] * warns


# ---- identity


def test_numbers_alone_leave_identities_as_they_were() -> None:
    market = Market.synthetic(bars=600, seed=5)
    document = Engine(market, "ma_cross", rates={"static": {"EURUSD": 1.25}}).identity_document()
    assert '"rates":{"static":{"EURUSD":1.25}},"seed"' in document
    assert '"rates"' not in Engine(market, "ma_cross", rates={"max_rate_age_hours": 5}).identity_document()


def test_series_enter_an_identity_by_what_was_known_of_them() -> None:
    market = Market.synthetic(bars=600, seed=5)
    end = market.to_table()["timestamp"].cast(pa.int64()).to_pylist()[-1] + 5 * MINUTE_US
    labels = [end - k * HOUR_US for k in range(60, -3, -1)]
    closes = [1.2 + k / 1000 for k in range(len(labels))]

    def identity(count: int, first: float = 1.2, **rates: Any) -> dict[str, Any]:
        series = rate_market(labels[:count], [first, *closes[1:count]], "H1")
        document = Engine(
            market, "ma_cross", rates={"series": {"EURUSD": series}, **rates}
        ).identity_document()
        return dict(json.loads(document)["rates"])

    ended = 60
    digest = rate_market(labels[:ended], closes[:ended], "H1").digest
    assert identity(ended) == {"static": {}, "series": {"EURUSD": digest}, "max_rate_age_hours": 96}
    assert identity(ended + 3) == identity(ended + 1) == identity(ended), "appended bars change nothing"
    assert identity(ended - 1) != identity(ended)
    assert identity(ended, first=1.3) != identity(ended)
    assert identity(ended, max_rate_age_hours=5) != identity(ended)


def test_a_native_strategy_and_its_twin_agree_on_series() -> None:
    market = Market.synthetic(bars=3000, seed=5)
    rate = Market.synthetic(bars=20_000, seed=9, timeframe="M1", start="2020-01-01T00:03:00Z")
    options: dict[str, Any] = {
        "account": {"currency": "EUR"},
        "costs": {**DOLLAR_PER_LOT, "spread_multiplier": 2.0},
        "rates": {"series": {"EURUSD": rate}},
    }
    engines = [Engine(market, "ma_cross", backend=b, **options) for b in ("rust", "python")]
    native, reference = (engine.run({}) for engine in engines)
    assert native.trades.num_rows > 5
    assert native.digests == reference.digests
    assert native.identity == reference.identity
    params = table_of([{"fast_period": 10}, {"fast_period": 12}])
    one, other = (engine.run_batch(params).drop_columns(["seconds"]).to_pylist() for engine in engines)
    assert [row["result_digest"] for row in one] == [row["result_digest"] for row in other]
    numbers = Engine(market, "ma_cross", **{**options, "rates": {"static": {"EURUSD": 1.2}}}).run({})
    assert numbers.metrics["turnover"] != native.metrics["turnover"]
