"""Entry gates: worked examples on both engines, and the compiled ones against the rules evaluated at one moment."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep import Engine, Market, _core
from sweep.config.gates import with_events
from sweep.engine import Backtest
from sweep.engine_python import _plain
from sweep.errors import SweepError
from sweep.reference.engine import run as run_reference
from sweep.reference.gates import Gates
from sweep.reference.market import SymbolSpec
from sweep.reference.scripted import SignalTable
from sweep.reference.strategy import Rules
from tests.engine.support import bars_table, run_script
from tests.vectors.engine import FIELDS, MINUTE_US

HOUR_US = 60 * MINUTE_US
EVERY_BAR = {"preset": "reference", "max_positions": None}
"""Fills at the close, without a limit: every bar that is not blocked opens a position."""


def at(text: str) -> int:
    """µs of a time in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return moment.days * 24 * HOUR_US + moment.seconds * 1_000_000


def spec_of(symbol: str) -> SymbolSpec:
    """A built-in symbol."""
    return SymbolSpec.of(json.loads(_core.symbol_spec(symbol, "{}")))


def closing_at(moments: Sequence[int], symbol: str = "EURUSD") -> Market:
    """Bars of one minute at 1.5, a price of every symbol, that close at these moments."""
    side = {name: [1.5] * len(moments) for name in FIELDS}
    labels = [moment - MINUTE_US for moment in moments]
    table = bars_table(labels, side)
    return Market.from_arrow(table, table, symbol=symbol, timeframe="M1")


def always(market: Market) -> list[dict[str, Any]]:
    """A market order of a tenth of a lot on every bar."""
    order = {"direction": "long", "order_type": "market", "stop_loss": 0.5, "take_profit": 2.5, "size": 0.1}
    return [{"bar_index": i, **order} for i in range(len(market.to_table()))]


def played(market: Market, gates: Mapping[str, Any], **rules: Any) -> Backtest:
    """An order on every bar that the gates leave, on the native engine."""
    rates = {"static": {"EURUSD": 1.1, "USDJPY": 150.0, "NZDUSD": 0.6}}
    options = {"execution": EVERY_BAR, "rates": rates, "gates": list(with_events(gates).items())}
    return run_script(market, options, always(market), (), rules)


def gate_counts(result: Any) -> dict[str, int]:
    """Blocked bars by gate."""
    return {k: n for k, n in result.blocked_bars.items() if k not in ("warmup", "ruined", "no_slot")}


def open_at(gates: Mapping[str, Any], *times: str, symbol: str = "EURUSD") -> list[bool]:
    """Whether the decisions at these times are made, the same on both engines."""
    moments = [at(time) for time in times]
    market = closing_at(moments, symbol)
    result = played(market, gates)
    entered = {position["order_time"] + MINUTE_US for position in result.open_positions}
    twin = Gates.of(with_events(gates), spec_of(symbol))
    own = [twin.blocking(moment, i, None, None) is None for i, moment in enumerate(moments)]
    assert own == [moment in entered for moment in moments]
    return own


class TestExamples:
    """engine 22.2 to 22.4."""

    def test_a_session_over_midnight(self) -> None:
        gates = {"sessions": [{"start": "22:00", "end": "02:00"}]}
        times = ("2024-01-01 21:59", "2024-01-01 22:00", "2024-01-02 01:59", "2024-01-02 02:00")
        assert open_at(gates, *times) == [False, True, True, False]

    @pytest.mark.parametrize(
        ("window", "first", "last"),
        [
            (("london", "-03:00", "-01:00"), "2024-01-01 05:00", "2024-01-01 07:00"),
            (("europe", "-03:00", "-01:00"), "2024-07-01 04:00", "2024-07-01 06:00"),
            (("new_york", "00:00", "+06:30"), "2024-07-01 13:30", "2024-07-01 20:00"),
            (("sydney", "00:00", "+01:00"), "2024-06-30 22:00", "2024-06-30 23:00"),
            (("asia", "00:00", "+01:00"), "2024-06-30 00:00", "2024-06-30 01:00"),
        ],
    )
    def test_anchored_windows(self, window: tuple[str, str, str], first: str, last: str) -> None:
        gates = {"anchored": [dict(zip(("anchor", "from", "to"), window, strict=True))]}
        inside, outside = at(first), at(last)
        moments = [inside - MINUTE_US, inside, outside - MINUTE_US, outside]
        times = [str(datetime.fromtimestamp(m / 1e6, UTC).replace(tzinfo=None)) for m in moments]
        assert open_at(gates, *times) == [False, True, True, False]

    def test_news(self) -> None:
        event = {"time": datetime(2024, 3, 8, 13, 30, tzinfo=UTC), "currency": "USD"}
        times = ("2024-03-08 12:29", "2024-03-08 12:30", "2024-03-08 13:59", "2024-03-08 14:00")
        assert open_at({"news": {"events": [event]}}, *times) == [True, False, False, True]
        others = {"events": [{**event, "currency": "AUD"}]}
        assert open_at({"news": others}, *times) == [True] * 4
        every = {"news": {**others, "blocks": {"AUD": "*"}}}
        assert open_at(every, *times) == [True, False, False, True]

    def test_the_first_closed_gate_is_counted_and_the_order_is_the_configured_one(self) -> None:
        market = closing_at([at("2024-03-08 10:00") + k * HOUR_US for k in range(6)])
        news = {"events": [{"time": "2024-03-08T13:00:00Z", "currency": "EUR"}]}
        sessions = [{"start": "10:00", "end": "13:00"}]
        pause = {"after_signal_minutes": 90}
        orders = {
            ("news", "sessions", "cooldown"): {"news": 2, "sessions": 2, "cooldown": 1},
            ("sessions", "news", "cooldown"): {"sessions": 3, "news": 1, "cooldown": 1},
            ("cooldown", "sessions", "news"): {"cooldown": 1, "sessions": 3, "news": 1},
        }
        parts = {"news": news, "sessions": sessions, "cooldown": pause}
        for order, expected in orders.items():
            gates = {name: parts[name] for name in order}
            result = played(market, gates)
            assert gate_counts(result) == expected
            assert list(result.blocked_bars) == ["warmup", "ruined", "no_slot", *order]


class TestCooldown:
    """engine 22.5."""

    def entries(
        self, gates: Mapping[str, Any], execution: Mapping[str, Any], **rules: Any
    ) -> tuple[list[int], dict[str, int]]:
        """Bars of accepted orders and gate counts: an order is wanted on each of ten bars, each is closed on bar 3."""
        market = closing_at([at("2024-01-02 10:00") + k * MINUTE_US for k in range(10)])
        options = {"execution": execution, "gates": list(gates.items())}
        leave = [{"bar_index": 3, "direction": "long", "action": "close"}]
        native = run_script(market, options, always(market), leave, rules)
        script = SignalTable(always(market), leave, Rules(**rules))
        theirs = run_reference(_plain(market), {**options, "gates": gates}, script, {})
        assert native.digests == theirs.digests
        assert native.blocked_bars == theirs.blocked_bars
        times = [*native.trades["order_time"].to_pylist(), *(p["order_time"] for p in native.open_positions)]
        first = at("2024-01-02 10:00") - MINUTE_US
        micros = [t if isinstance(t, int) else int(t.timestamp() * 1e6) for t in times]
        return sorted((t - first) // MINUTE_US for t in micros), gate_counts(native)

    @pytest.mark.parametrize(
        ("cooldown", "second"),
        [
            ({}, 3),
            ({"after_exit_bars": 1}, 4),
            ({"after_exit_bars": 2}, 5),
            ({"after_exit_minutes": 1}, 4),
            ({"after_exit_minutes": 3}, 6),
            ({"after_signal_bars": 4}, 4),
            ({"after_signal_bars": 6}, 6),
            ({"after_signal_minutes": 5}, 5),
        ],
    )
    def test_bars_and_minutes_from_the_last_event(self, cooldown: dict[str, int], second: int) -> None:
        """Filled at the close of bar 0, closed at that of bar 3."""
        execution = {"preset": "reference", "reentry_on_exit_bar": True}
        bars, counts = self.entries({"cooldown": cooldown}, execution)
        assert bars == [0, second]
        assert counts == ({} if not cooldown else {"cooldown": second - 3})

    def test_an_exit_at_the_open_counts_from_the_open(self) -> None:
        """Closed at the open of bar 4, whose close is one minute later."""
        execution = {"preset": "realistic"}
        assert self.entries({"cooldown": {"after_exit_minutes": 1}}, execution)[0][1] == 3
        blocked = {"cooldown": {"after_exit_minutes": 2, "after_signal_minutes": 5}}
        assert self.entries(blocked, execution) == ([0, 5], {"cooldown": 2})

    @pytest.mark.parametrize(("own", "configured", "second"), [(2, 0, 5), (2, 1, 5), (1, 3, 6)])
    def test_the_strategys_own_or_the_configured_one_whichever_is_longer(
        self, own: int, configured: int, second: int
    ) -> None:
        gates = {"cooldown": {"after_exit_bars": configured}}
        execution = {"preset": "reference", "reentry_on_exit_bar": True}
        for given_gates in [gates] if configured else [gates, {}]:
            bars, counts = self.entries(given_gates, execution, cooldown_bars=own)
            assert bars == [0, second]
            assert counts == {"cooldown": second - 3}

    def test_rejected_signals_start_no_pause(self) -> None:
        market = closing_at([at("2024-01-02 10:00") + k * MINUTE_US for k in range(4)])
        wrong = [{**row, "stop_loss": 1.9} for row in always(market)]
        options = {"execution": EVERY_BAR, "gates": [("cooldown", {"after_signal_bars": 3})]}
        result = run_script(market, options, wrong)
        assert result.rejections["invalid_side"] == 4
        assert gate_counts(result) == {"cooldown": 0}


# ---- random gates at random moments

ZONES = (
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Africa/Cairo",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SYMBOLS = ("EURUSD", "USDJPY", "AUDNZD", "XAUUSD", "DE40")
CURRENCIES = ("USD", "EUR", "JPY", "AUD", "NZD", "XAU", "DE40")
QUARTER = 15 * MINUTE_US
clocks = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.sampled_from([0, 0, 1, 15, 30, 59]))
impacts = st.sampled_from(["low", "medium", "high"])
currencies = st.sampled_from(CURRENCIES)

session_windows = st.fixed_dictionaries(
    {"start": clocks, "end": clocks | st.just("24:00")},
    optional={
        "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
        "zone": st.sampled_from(ZONES),
    },
).filter(lambda window: window["start"] != window["end"])


@st.composite
def anchored_windows(draw: st.DrawFn) -> dict[str, str]:
    """A window that starts and ends up to 66 hours from an opening."""
    start = draw(st.integers(-4000, 3999))
    end = draw(st.integers(start + 1, 4000))
    offsets = [f"{'-' if m < 0 else '+'}{abs(m) // 60:02}:{abs(m) % 60:02}" for m in (start, end)]
    names = ["london", "new_york", "tokyo", "sydney", "frankfurt", "europe", "asia"]
    return {"anchor": draw(st.sampled_from(names)), "from": offsets[0], "to": offsets[1]}


@cache
def changes(zone: str) -> tuple[int, ...]:
    """Moments, µs, at which the clocks of a zone change from 1995 to 2026, by bisection of days."""

    def offset(second: int) -> timedelta | None:
        return datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()

    found = []
    for day in range(at("1995-01-01") // 10**6, at("2026-06-01") // 10**6, 86_400):
        low, high = day, day + 86_400
        if offset(low) == offset(high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append(high * 10**6)
    return tuple(found)


@st.composite
def configurations(draw: st.DrawFn) -> tuple[dict[str, Any], list[int]]:
    """Gates in some order, and moments of decision: around a change of clocks, at edges of events, and anywhere."""
    zone = draw(st.sampled_from([name for name in ZONES if changes(name)]))
    centre = draw(st.sampled_from([*changes(zone), at("2024-01-01"), at("2024-02-29")]))
    near = st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda minute: centre + minute * MINUTE_US)
    event = st.fixed_dictionaries({"time": near, "currency": currencies}, optional={"impact": impacts})
    window = session_windows.map(lambda drawn: drawn if "zone" in drawn else {**drawn, "zone": zone})
    parts = {
        "sessions": st.lists(window, min_size=1, max_size=3),
        "anchored": st.lists(anchored_windows(), min_size=1, max_size=3),
        "news": st.fixed_dictionaries(
            {"events": st.lists(event, max_size=12)},
            optional={
                "before_minutes": st.integers(0, 600),
                "after_minutes": st.integers(0, 600),
                "min_impact": impacts,
                "blocks": st.dictionaries(
                    currencies, st.just("*") | st.lists(currencies, max_size=2), max_size=2
                ),
            },
        ),
        "cooldown": st.fixed_dictionaries(
            {}, optional={"after_signal_minutes": st.integers(0, 200), "after_signal_bars": st.integers(0, 3)}
        ),
    }
    names = draw(st.permutations(list(parts)))[: draw(st.integers(1, 4))]
    gates = {name: draw(parts[name]) for name in names}
    moments = set(draw(st.lists(near, min_size=5, max_size=40)))
    moments |= {centre + quarter * QUARTER - ahead for quarter in range(-12, 13) for ahead in (0, MINUTE_US)}
    news = gates.get("news", {})
    for event in news.get("events", []):
        for shift in (-news.get("before_minutes", 60), 0, news.get("after_minutes", 30)):
            moments |= {event["time"] + (shift - ahead) * MINUTE_US for ahead in (0, 1)}
    return gates, sorted(moments)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=configurations(), symbol=st.sampled_from(SYMBOLS), own=st.integers(0, 2))
def test_compiled_gates_are_what_the_rules_say_at_every_moment(
    case: tuple[dict[str, Any], list[int]], symbol: str, own: int
) -> None:
    gates, moments = case
    market = closing_at(moments, symbol)
    result = played(market, gates, cooldown_bars=own)
    twin = Gates.of(gates, spec_of(symbol), own)
    expected: Counter[str] = Counter(dict.fromkeys(twin.names, 0))
    last, entered = None, []
    for i, moment in enumerate(moments):
        closed = twin.blocking(moment, i, None, last)
        if closed is None:
            entered.append(moment - MINUTE_US)
            last = (moment, i)
        else:
            expected[closed] += 1
    assert [p["order_time"] for p in result.open_positions] == entered
    assert gate_counts(result) == expected
    assert list(gate_counts(result)) == list(twin.names)


# ---- options, identity, files


def engine(gates: Mapping[str, Any] | None, backend: Any = "rust") -> Engine:
    market = Market.synthetic(symbol="EURUSD", timeframe="M5", bars=3000)
    return Engine(market, "ma_cross", gates=gates, backend=backend)


def test_a_native_strategy_is_blocked_alike_on_both_engines() -> None:
    """The strategy's own pause comes after the configured gates."""
    gates = {
        "news": {"events": [{"time": "2020-01-06T15:00:00Z", "currency": "USD"}], "before_minutes": 600},
        "sessions": [{"start": "06:00", "end": "21:00", "zone": "Europe/London"}],
    }
    params = {"cooldown_bars": 6}
    native, reference = engine(gates).run(params), engine(gates, "python").run(params)
    assert native.digests == reference.digests
    assert dict(native.blocked_bars) == dict(reference.blocked_bars)
    assert list(native.blocked_bars)[3:] == ["news", "sessions", "cooldown"]
    assert all(native.blocked_bars[name] > 0 for name in ("news", "sessions", "cooldown"))
    assert native.digests != engine(None).run(params).digests
    assert list(engine(gates).options["gates"]) == list(gates)


STRATEGIES: list[tuple[str, dict[str, Any]]] = [
    ("ma_cross", {"fast_period": 5, "slow_period": 15}),
    ("mean_reversion_z_score", {"enabled_scenarios": [2], "window_length": 60}),
    (
        "mean_reversion_z_score",
        {"enabled_scenarios": [2], "window_length": 60, "use_position_manager": False},
    ),
    ("donchian_breakout", {}),
    ("rsi_reversal_limit", {}),
    ("mtf_trend_pullback", {}),
]


@pytest.mark.parametrize(("strategy", "params"), STRATEGIES, ids=str)
def test_cooldown_bars_of_every_strategy_keep_their_distance_from_exits(
    strategy: str, params: dict[str, Any]
) -> None:
    """With pending orders that were accepted before, only decisions keep it, not fills."""
    market = Market.synthetic(symbol="EURUSD", timeframe="M5", bars=6000, seed=4)
    place = {label: i for i, label in enumerate(market.to_table()["timestamp"].to_pylist())}

    def short(trades: Any, bars: int) -> int:
        """Decisions less than some bars after an exit."""
        exits = [place[label] for label in trades["exit_time"].to_pylist()]
        decisions = [place[label] for label in trades["order_time"].to_pylist()]
        return sum(any(0 <= i - e < bars for e in exits) for i in decisions)

    found = {}
    for bars in (0, 40):
        wanted = {**params, "cooldown_bars": bars}
        native, reference = (Engine(market, strategy, backend=b).run(wanted) for b in ("rust", "python"))
        assert native.trades.num_rows == reference.trades.num_rows > 3
        assert native.trades["order_time"].equals(reference.trades["order_time"])
        assert native.trades["exit_time"].equals(reference.trades["exit_time"])
        assert dict(native.blocked_bars) == dict(reference.blocked_bars)
        found[bars] = native
    assert short(found[0].trades, 40) > 0
    assert short(found[40].trades, 40) == 0
    assert "cooldown" not in found[0].blocked_bars
    assert found[40].blocked_bars["cooldown"] > 0


def test_the_identity_names_gates_only_where_there_are_some() -> None:
    document = json.loads(engine(None).identity_document())
    assert "gates" not in document
    for nothing in ({}, {"cooldown": {}}, {"cooldown": {"after_exit_bars": 0}}, {"news": None}):
        assert json.loads(engine(nothing).identity_document()) == document
    events = [{"time": "2024-03-08T13:30:00Z", "currency": "USD"}]
    named = json.loads(engine({"news": {"events": events}}).identity_document())
    gates = named.pop("gates")
    assert named == document
    assert gates == [
        [
            "news",
            {"after_minutes": 30, "before_minutes": 60, "events": gates[0][1]["events"]},
        ]
    ]
    assert len(gates[0][1]["events"]) == 64


def test_a_file_of_events_is_the_same_as_a_list(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(
        "time,currency,name,impact\n"
        "2024-03-08T13:30:00Z,USD,Payrolls,High\n"
        '\n2024-03-07T14:15:00+01:00,EUR,"Rates, decision",\n'
    )
    listed = [
        {"time": "2024-03-07 13:15", "currency": "EUR"},
        {"time": at("2024-03-08 13:30"), "currency": "USD", "impact": "high"},
    ]
    documents = [engine({"news": {"events": e}}).identity_document() for e in (str(file), file, listed)]
    assert documents[0] == documents[1] == documents[2]
    assert engine({"news": {"events": listed[:1]}}).identity_document() != documents[0]


@pytest.mark.parametrize(
    ("text", "code", "mentions"),
    [
        ("time,impact\n", 1008, "currency"),
        ("2024-03-08T13:30:00Z,USD\n", 1008, "time"),
        ("time,currency\n2024-03-08T13:30:00Z,\n", 1008, "events.csv:2"),
        ("time,currency\n2024-03-08T13:30:00Z,USD\nnoon,USD\n", 1009, "events.csv:3"),
        ("time,currency\n2024-03-08T13:30:00Z,dollar\n", 1001, "dollar"),
        ("time,currency,impact\n2024-03-08T13:30:00Z,USD,huge\n", 1001, "huge"),
        (None, 3001, "events.csv"),
    ],
)
def test_a_file_with_mistakes_is_refused(tmp_path: Path, text: str | None, code: int, mentions: str) -> None:
    file = tmp_path / "events.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SweepError) as caught:
        engine({"news": {"events": str(file)}})
    assert caught.value.code == code, caught.value
    assert mentions in str(caught.value)


def test_bad_gates_are_refused() -> None:
    for gates, code in (({"session": []}, 1001), ({"news": {}}, 1008), ([1], 1004), ({"sessions": []}, 1001)):
        with pytest.raises(SweepError) as caught:
            engine(gates)  # type: ignore[arg-type]
        assert caught.value.code == code
