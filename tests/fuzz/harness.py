"""Byte-mutated inputs at the native boundary: Arrow tables, option sets, parameters and scripts.

    python -m tests.fuzz.harness --inputs 1000000 [--first SEED] [--processes 2] [--only try_bars,try_ticks]

Every input is a sound one with a few bytes changed (or columns, names, types), made from its seed alone. The native module
may accept it or raise a `SweepError`; anything else is a finding: another exception, [5005] (a panic that was caught), a
crash, or a call of more than `SLOW` seconds. A finding names its seed; `--first SEED --inputs 1` runs it again, with the
same `--only`.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from sweep import _core
from sweep.errors import SweepError
from tests.fuzz.mutations import EXTREME, RefusedError, bytes_of, table_of, text_of, value_of

SLOW = 20.0
BARS = 48
START = 1_704_067_200_000_000
SPEC = {
    "symbol": "EURUSD",
    "contract_size": 100000.0,
    "tick_size": 1e-05,
    "pip_size": 0.0001,
    "volume_min": 0.01,
    "volume_step": 0.01,
    "volume_max": 200.0,
    "base_currency": "EUR",
    "quote_currency": "USD",
}
MARKET = {"spec": SPEC, "timeframe": "M5", "spread_pips": None}
OPTIONS = {
    "strategy": "ma_cross",
    "execution": {"preset": "realistic", "max_positions": 2, "check_margin": True, "seed": 7},
    "costs": {
        "slippage": {"fixed_pips": 0.2, "random_pips": 0.3},
        "commission": {"schema": "per_lot", "per_lot": 2.5},
    },
    "account": {"currency": "USD", "initial_balance": 1000.0, "risk_per_trade": 10.0},
    "gates": [
        ["sessions", [{"start": "00:00", "end": "18:00", "zone": "Europe/London", "days": ["mon"]}]],
        ["anchored", [{"anchor": "london", "from": "-09:00", "to": "+02:00"}]],
        ["news", {"events": [{"time": START, "currency": "USD", "impact": "high"}], "before_minutes": 5}],
        ["cooldown", {"after_exit_bars": 1}],
    ],
}
PARAMS = [
    ("ma_cross", {"fast_period": 3, "slow_period": 9, "ma_type": "sma", "adx_min": 5.0, "reverse": True}),
    (
        "mean_reversion_z_score",
        {
            "enabled_scenarios": "1+2+4+5",
            "window_length": 8,
            "b_b_length": 5,
            "garch_min_periods": 5,
            "intraday_vol_min_points": 8,
            "intraday_vol_cluster_window": 12,
            "local_z_lookback": 20,
        },
    ),
    ("donchian_breakout", {"entry_lookback": 5, "exit_lookback": 4, "trail_atr": 2.0, "atr_period": 5}),
    ("rsi_reversal_limit", {"rsi_period": 4, "oversold": 45.0, "tp_mode": "r", "atr_period": 5}),
    ("mtf_trend_pullback", {"htf": "M15", "htf_ema": 2, "ltf_ema": 4}),
]
SIGNALS = [
    {"time": START + 300_000_000 * 3, "direction": "long", "stop_loss": 1.09, "take_profit": 1.12},
    {
        "time": START + 300_000_000 * 9,
        "direction": "short",
        "order_type": "limit",
        "entry": 1.101,
        "stop_loss": 1.11,
        "valid_bars": 5,
        "oco_group": "a",
        "meta": {"k": 1},
    },
]
TICK_SIGNALS = [
    {**SIGNALS[0], "time": START + 60_000_000 * 4, "size": 0.2},
    {**SIGNALS[1], "time": START + 60_000_000 * 11},
    {**SIGNALS[0], "time": START + 60_000_000 * 20, "order_type": "stop", "entry": 1.104, "size": 0.1},
]
TICK_EXITS = [
    {"time": START + 60_000_000 * 8, "direction": "long", "action": "partial_close", "fraction": 0.5},
    {"time": START + 60_000_000 * 15, "direction": "short", "action": "modify_stop", "price": 1.2},
]
EXITS = [{"time": START + 300_000_000 * 12, "direction": "long", "action": "close"}]
RULES = {"timeout_bars": 9, "be_r": 1.0, "trail_start_r": 0.5, "trail_distance": 0.002}
OPERATIONS: list[dict[str, Any]] = [
    {
        "op": "register_entry",
        "symbol": "EURUSD",
        "direction": "long",
        "price": 1.1,
        "stop_loss": 1.09,
        "size": 0.2,
        "time": START,
        "fee": 0.5,
    },
    {"op": "partial_exit", "position_id": 1, "size": 0.1, "price": 1.101, "time": START + 1, "fee": 0.1},
    {"op": "modify_position", "position_id": 1, "stop_loss": 1.095, "stop_kind": "trailing"},
    {"op": "update", "time": START + 2},
    {"op": "register_fee", "amount": 1.0, "kind": "swap", "time": START + 3},
    {"op": "register_exit", "position_id": 1, "price": 1.102, "time": START + 4, "reason": "signal"},
]


@cache
def bars(shift: float) -> pa.Table:
    """A sound side of a small market."""
    rng = np.random.default_rng(1)
    close = 1.1 + np.cumsum(rng.normal(0, 5e-4, BARS)) + shift
    opens = np.r_[close[0], close[:-1]]
    times = START + 300_000_000 * np.arange(BARS)
    return pa.table(
        {
            "timestamp": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "open": opens,
            "high": np.maximum(opens, close) + 1e-4,
            "low": np.minimum(opens, close) - 1e-4,
            "close": close,
            "volume": np.full(BARS, 10.0),
        }
    )


@cache
def ticks() -> pa.Table:
    """Sound ticks of some minutes."""
    rng = np.random.default_rng(2)
    times = START + np.cumsum(rng.integers(0, 30_000_000, 200))
    bid = 1.1 + np.cumsum(rng.normal(0, 1e-4, 200))
    stamps = pa.array(times).cast(pa.timestamp("us", tz="UTC"))
    return pa.table({"timestamp": stamps, "bid": bid, "ask": bid + 1e-4, "bid_size": np.ones(200)})


@cache
def market() -> Any:
    """The sound market."""
    return _core.Market.from_bars(bars(0.0), bars(1e-4), json.dumps(MARKET))


@cache
def engine(strategy: str) -> Any:
    """The sound engine of a strategy."""
    return _core.Engine(market(), json.dumps({**OPTIONS, "strategy": strategy}))


def read(result: Any) -> None:
    """Takes results out again, too: they may be what is broken."""
    pa.RecordBatchReader.from_stream(result).read_all()


def try_bars(rng: random.Random) -> None:
    """One side or both of a market, then a backtest on it."""
    bid, ask = table_of(rng, bars(0.0)), bars(1e-4)
    if rng.random() < 0.3:
        bid, ask = bars(0.0), table_of(rng, ask)
    options = {**MARKET, "crossed": rng.choice(("count", "count", "reject", "clamp"))}
    made = _core.Market.from_bars(bid, ask, json.dumps(options))
    read(made.to_table())
    name, params = rng.choice(PARAMS)
    tried = _core.Engine(made, json.dumps({**OPTIONS, "strategy": name})).run(json.dumps(params))
    read(tried.trades())
    read(tried.equity())


def try_market_options(rng: random.Random) -> None:
    """The options of a market."""
    _core.Market.from_bars(bars(0.0), bars(1e-4), text_of(rng, MARKET)).meta()


def try_ticks(rng: random.Random) -> None:
    """A market of ticks."""
    table = table_of(rng, ticks())
    made = _core.Market.from_ticks(table, json.dumps({"spec": SPEC, "timeframe": "M1"}))
    name, params = rng.choice(PARAMS)
    read(_core.Engine(made, json.dumps({**OPTIONS, "strategy": name})).run(json.dumps(params)).trades())


def try_check(rng: random.Random) -> None:
    """The report on tables."""
    table = table_of(rng, bars(0.0))
    _core.check_bars(table, json.dumps({"timeframe": "M5", "name": "x"}))


def try_options(rng: random.Random) -> None:
    """The options of an engine."""
    name, params = rng.choice(PARAMS)
    read(_core.Engine(market(), text_of(rng, {**OPTIONS, "strategy": name})).run(json.dumps(params)).daily())


def try_params(rng: random.Random) -> None:
    """One parameter set."""
    name, params = rng.choice(PARAMS)
    read(engine(name).run(text_of(rng, params)).trades())


def try_batch(rng: random.Random) -> None:
    """A table of parameter sets."""
    name, params = rng.choice(PARAMS)
    rows = [
        {k: rng.choice(EXTREME[:9]) if rng.random() < 0.1 else v for k, v in params.items()} for _ in range(3)
    ]
    try:
        table = table_of(rng, pa.Table.from_pylist(rows if rng.random() < 0.3 else [params] * 3))
    except (pa.ArrowException, OverflowError) as problem:
        raise RefusedError from problem
    read(engine(name).run_batch(table, 1).to_table(rng.random() < 0.5))


def try_script(rng: random.Random) -> None:
    """A table of signals as rows."""
    rows: list[Any] = [OPTIONS, SIGNALS, EXITS, RULES]
    texts = [json.dumps({k: v for k, v in OPTIONS.items() if k != "strategy"}), *map(json.dumps, rows[1:])]
    place = rng.choice((1, 1, 1, 2, 3))
    texts[place] = text_of(rng, rows[place])
    read(_core.run_signals(market(), *texts, {}).trades())


def try_tick_script(rng: random.Random) -> None:
    """A table of signals as rows, on ticks; the rows or the ticks are changed."""
    rows: list[Any] = [TICK_SIGNALS, TICK_EXITS, RULES]
    options = {k: v for k, v in OPTIONS.items() if k not in ("strategy", "gates")}
    texts = [json.dumps(options), *map(json.dumps, rows)]
    table = ticks()
    if rng.random() < 0.4:
        table = table_of(rng, table)
    else:
        place = rng.randrange(3)
        texts[place + 1] = text_of(rng, rows[place])
    made = _core.Market.from_ticks(table, json.dumps({"spec": SPEC, "timeframe": "M1"}))
    result = _core.run_signals(made, *texts, {})
    read(result.trades())
    read(result.equity())


def try_rates(rng: random.Random) -> None:
    """An account in another currency: a series of rates with changed bars, or changed options of rates."""
    table, rates = bars(0.0), {"static": {"USDJPY": 150.0}, "max_rate_age_hours": 1}
    options: dict[str, Any] = {
        **OPTIONS,
        "account": {**OPTIONS["account"], "currency": "GBP"},
        "rates": rates,
    }
    if rng.random() < 0.6:
        table = table_of(rng, table)
    else:
        options["rates"] = value_of(rng, rates)
    name, params = rng.choice(PARAMS)
    spec = {**SPEC, "symbol": "GBPUSD", "base_currency": "GBP"}
    series = _core.Market.from_bars(table, None, json.dumps({**MARKET, "spec": spec, "spread_pips": 1.0}))
    pair = rng.choice(("GBPUSD",) * 8 + ("USDGBP", "EURGBP", "", "gbpusd"))
    tried = _core.Engine(market(), json.dumps({**options, "strategy": name}), {pair: series})
    read(tried.run(json.dumps(params)).trades())


def try_markets(rng: random.Random) -> None:
    """Two or three markets on one account, one of them with changed bars or options."""
    spec = {**SPEC, "symbol": rng.choice(("GBPUSD", "GBPUSD", "GBPUSD", "EURUSD")), "base_currency": "GBP"}
    text, table = json.dumps({**MARKET, "spec": spec}), bars(1e-4)
    if rng.random() < 0.6:
        table = table_of(rng, table)
    else:
        text = text_of(rng, json.loads(text))
    others = [_core.Market.from_bars(bars(0.0), table, text)]
    if rng.random() < 0.1:
        others.append(_core.Market.from_ticks(ticks(), json.dumps({"spec": SPEC, "timeframe": "M5"})))
    markets = [market(), *others]
    rng.shuffle(markets)
    name, params = rng.choice(PARAMS)
    tried = _core.Engine(markets, json.dumps({**OPTIONS, "strategy": name}))
    result = tried.run(json.dumps(params))
    read(result.trades())
    read(result.equity())
    read(tried.signals(json.dumps(params)))


@cache
def returned() -> tuple[tuple[str, pa.Table], ...]:
    """Tables as the engine returns them, with the names of their schemas."""
    name, params = PARAMS[0]
    result = engine(name).run(json.dumps(params))
    portfolio = _core.Portfolio(
        json.dumps({"account": {}, "execution": {}}), json.dumps({"EURUSD": SPEC}), {}, None
    )
    portfolio.batch_rows([dict(row) for row in OPERATIONS[:-1]])
    made = (
        ("trades", result.trades()),
        ("equity", result.equity()),
        ("daily", result.daily()),
        ("execution_position", portfolio.positions(False)),
        ("portfolio_state", portfolio.state()),
        ("trade_signal", engine(name).signals(json.dumps(params))),
    )
    return tuple((name, pa.RecordBatchReader.from_stream(table).read_all()) for name, table in made)


def try_digests(rng: random.Random) -> None:
    """The digest of a returned table, of what it is or of what it is not; and a digest of digests."""
    name, table = rng.choice(returned())
    schema = rng.choice((name, name, name, "metrics", "x", rng.choice(returned())[0]))
    digest = _core.table_digest(schema, table_of(rng, table))
    if rng.random() < 0.3:
        changed = bytes_of(rng, digest.encode()).decode(errors="replace")
        _core.result_digest(*rng.sample((digest, digest, changed), 3))


def try_canonicalise(rng: random.Random) -> None:
    """Parameters, unresolved."""
    name, params = rng.choice(PARAMS)
    timeframe = rng.choice(("M5", "D1", "H5", "", "m5"))
    _core.canonicalise(name, timeframe, text_of(rng, [params]))
    changed = value_of(rng, params)
    if isinstance(changed, dict):
        _core.canonical_rows(name, timeframe, [changed])


def try_indicator(rng: random.Random) -> None:
    """An indicator on a table of bars."""
    table = table_of(rng, bars(0.0)) if rng.random() < 0.5 else bars(0.0)
    id, params = rng.choice((("ema", {"period": 5}), ("bollinger", {"period": 5}), ("garch_volatility", {})))
    changed = value_of(rng, params) if rng.random() < 0.8 else params
    if not isinstance(changed, dict):
        raise RefusedError
    side, on = rng.choice(("bid", "bid", "mid")), rng.choice((None, None, "bars", "x"))
    timeframe = rng.choice((None, None, "H1", "H5"))
    _core.indicator_on(table, id, side, timeframe, on, changed, rng.choice((None, (1, 100_000))))


def try_portfolio(rng: random.Random) -> None:
    """Operations of a portfolio, as mappings and as a table."""
    options = {"account": {"initial_balance": 1000.0, "currency": "USD", "leverage": 30.0}, "execution": {}}
    portfolio = _core.Portfolio(json.dumps(options), json.dumps({"EURUSD": SPEC}), {}, None)
    rows: list[Any] = [dict(row) for row in OPERATIONS]
    if rng.random() < 0.4:
        names = dict.fromkeys(name for row in OPERATIONS for name in row)
        table = table_of(rng, pa.table({name: [row.get(name) for row in OPERATIONS] for name in names}))
        portfolio.batch_table(table)
    else:
        for _ in range(rng.choice((1, 1, 2, 4))):
            rows = value_of(rng, rows)
            if not isinstance(rows, list):
                raise RefusedError
        portfolio.batch_rows(rows)
    for made in (portfolio.state(), portfolio.positions(False), portfolio.trades(), portfolio.curve(False)):
        read(made)
    portfolio.summary(None)
    portfolio.metrics()


TARGETS: tuple[Callable[[random.Random], None], ...] = (
    *(try_bars, try_market_options, try_ticks, try_check, try_options, try_params),
    *(try_batch, try_script, try_canonicalise, try_indicator, try_portfolio),
    *(try_tick_script, try_rates, try_markets, try_digests),
)


def one(seed: int, only: Sequence[str] = ()) -> str:
    """Runs one input: `accepted`, the code of its error, or that it got nowhere. Anything else raises."""
    rng = random.Random(seed)
    targets = [target for target in TARGETS if not only or target.__name__ in only]
    target = targets[seed % len(targets)]
    began = time.monotonic()
    try:
        target(rng)
        outcome = "accepted"
    except RefusedError:
        outcome = "refused by PyArrow"
    except SweepError as expected:
        outcome = f"[{expected.code}]"
        if expected.code == 5005:
            raise AssertionError(f"seed {seed} ({target.__name__}): {expected}") from expected
    except BaseException as found:
        raise AssertionError(f"seed {seed} ({target.__name__}): {found!r}") from found
    if time.monotonic() - began > SLOW:
        raise AssertionError(f"seed {seed} ({target.__name__}): more than {SLOW} s")
    return outcome


def run(first: int, count: int, only: Sequence[str] = ()) -> Counter[str]:
    """Outcomes of seeds; a crash or a hang ends the process with a traceback of all threads."""
    faulthandler.enable()
    outcomes: Counter[str] = Counter()
    for seed in range(first, first + count):
        faulthandler.dump_traceback_later(3 * SLOW, exit=True)
        outcomes[one(seed, only)] += 1
    faulthandler.cancel_dump_traceback_later()
    return outcomes


def main() -> int:
    """Shares the seeds out to processes of their own and adds up their outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", default="", help="names of targets, with commas between them")
    chosen = parser.parse_args()
    if chosen.processes == 1:
        only = [name for name in chosen.only.split(",") if name]
        sys.stdout.write(json.dumps(run(chosen.first, chosen.inputs, only)) + "\n")
        return 0
    share = -(-chosen.inputs // chosen.processes)
    starts = range(chosen.first, chosen.first + chosen.inputs, share)
    command = [sys.executable, "-m", "tests.fuzz.harness", "--inputs", str(share), "--only", chosen.only]
    command.append("--first")
    children = [
        subprocess.Popen([*command, str(start)], stdout=subprocess.PIPE, text=True) for start in starts
    ]
    outcomes: Counter[str] = Counter()
    failed = 0
    for child in children:
        answer, _ = child.communicate()
        failed += child.returncode != 0
        if child.returncode == 0:
            outcomes.update(json.loads(answer))
    sys.stdout.write(json.dumps(dict(sorted(outcomes.items()))) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
