"""Slippage, commission, sizing and conversion against their vectors."""

from __future__ import annotations

from typing import Any

import pytest

from sweep.errors import SweepError
from sweep.reference.commission import Commission
from sweep.reference.convert import RateSeries, conversion
from sweep.reference.margin import Margin
from sweep.reference.market import SymbolSpec
from sweep.reference.options import Options, Slippage
from sweep.reference.rng import block, first_u64, first_uniform
from sweep.reference.sizing import Lots, Sizing, on_grid
from sweep.reference.slippage import Slippage as Slipping
from sweep.reference.slippage import draw_seed
from sweep.reference.valuation import Valuation
from tests.reference.support import market_of, rates_of
from tests.vectors.engine import FIELDS, SPECS

EURUSD, USDJPY = SymbolSpec.of(SPECS["EURUSD"]), SymbolSpec.of(SPECS["USDJPY"])
T = 1_704_110_400_000_000
HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("seed", "word", "u"),
    [
        (0, 0xB585F767A79A3B6C, 0.7090754154265618),
        (42, 0xAE90BFB5395D5BA1, 0.6818961923066714),
        (43, 0x1472566859D4BFF5, 0.07986965224866338),
        (12345, 0x12DE4745AB5953D3, 0.07370419932280936),
        (0x85F547A0DF4A7C33, None, 0.6047854176846454),
        (0xF05276E4B270D3DD, None, 0.9479050869608032),
    ],
)
def test_the_generator(seed: int, word: int | None, u: float) -> None:
    assert word in (None, first_u64(seed))
    assert first_uniform(seed) == u


def test_blocks_of_the_generator_differ_by_their_counter() -> None:
    assert block(7, 0) != block(7, 1)
    assert block(7, 2**32) != block(7, 0)


@pytest.mark.parametrize(
    ("base", "symbol", "time", "side", "index", "seed", "u", "price"),
    [
        (42, "EURUSD", T, "buy", 0, 0x5B62FB853C56C3FE, 0.7667994290076918, 1.1000430039828704),
        (42, "EURUSD", T, "buy", 1, 0xCD49A07866AA43ED, 0.2792878834164346, 1.1000283786365026),
        (42, "EURUSD", T, "sell", 0, 0xC4C45BD878BD31AB, 0.6398779443925359, 1.0999608036616684),
        (42, "USDJPY", T, "buy", 0, 0xECDC18468CEFB275, 0.3957289916908584, 1.1000318718697508),
        (7, "EURUSD", T, "buy", 0, 0x9EB1E9D0F5DC4D35, 0.11203456563425218, 1.1000233610369692),
        (42, "EURUSD", -1, "buy", 0, 0x260FD89FBC63F14B, 0.08130569093974638, 1.1000224391707283),
    ],
)
def test_slippage_is_a_function_of_the_fill(
    base: int, symbol: str, time: int, side: str, index: int, seed: int, u: float, price: float
) -> None:
    assert draw_seed(base, symbol, time, side == "buy", index) == seed
    assert first_uniform(seed) == u
    slipping = Slipping(Slippage(0.2, 0.3), 1, seed=base, symbol=symbol, pip_size=0.0001)
    prices = [slipping.slip(1.1, buy=side == "buy", time=time) for _ in range(index + 1)]
    assert prices[-1] == price
    assert slipping.slip(1.1, buy=side != "buy", time=time) != price, "the sides count their draws apart"


def test_a_multiplier_scales_slippage_and_zero_switches_it_off() -> None:
    double = Slipping(Slippage(0.2, 0), 2, seed=1, symbol="EURUSD", pip_size=0.0001)
    assert double.slip(1.1, buy=True, time=0) == 1.1 + 0.4 * 0.0001
    none = Slipping(Slippage(0.2, 0.3), 0, seed=1, symbol="EURUSD", pip_size=0.0001)
    assert none.slip(1.1, buy=False, time=0) == 1.1


@pytest.mark.parametrize(
    ("raw", "lots"),
    [(0.0199999999999, 0.02), (0.105, 0.10), (0.07, 0.07), (0.57, 0.57), (250, 200), (0.009, None)],
)
def test_lots_lie_on_the_grid(raw: float, lots: float | None) -> None:
    size = on_grid(raw, EURUSD, raise_to_min=False)
    assert (size and size.lots) == lots
    assert (size is not None and size.capped) == (raw > 200)


def test_lots_below_the_smallest_volume_can_be_raised() -> None:
    assert on_grid(0.009, EURUSD, raise_to_min=True) == Lots(0.01, raised=True)
    coarse = SymbolSpec.of({**SPECS["EURUSD"], "volume_min": 0.15, "volume_step": 0.1})
    grid = on_grid(0.3, coarse, raise_to_min=False)
    assert grid == Lots(0.25), "the grid starts at volume_min, not at 0"


def sized(account: dict[str, Any], spec: SymbolSpec, distance: float, **rates: float) -> tuple[float, float]:
    fixed = Options.of({"account": account, "rates": {"static": rates}})
    series = Options.of({"account": account}, rates_of(**rates))
    sizes = [Sizing(o, spec, Valuation(spec, o)).size(distance, None, 8000.0, T) for o in (fixed, series)]
    assert sizes[0] is not None
    assert sizes[0] == sizes[1], "a series that holds the rate is the rate"
    return sizes[0].size.lots, sizes[0].risk


@pytest.mark.parametrize(
    ("spec", "currency", "rates", "distance", "lots"),
    [
        (EURUSD, "EUR", {"EURUSD": 1.25}, 0.0050, 0.25),
        (EURUSD, "EUR", {"EURUSD": 1.25}, 0.00502, 0.24),
        (USDJPY, "USD", {"USDJPY": 150.0}, 1.002, 0.14),
    ],
)
def test_lots_follow_from_the_risk(
    spec: SymbolSpec, currency: str, rates: dict[str, float], distance: float, lots: float
) -> None:
    assert sized({"currency": currency}, spec, distance, **rates) == (lots, 100.0)


def test_the_other_sizing_modes() -> None:
    percent = {"sizing": {"mode": "risk_percent", "percent": 2}}
    assert sized(percent, EURUSD, 0.005) == (0.32, 160.0), "two percent of the last equity sample"
    fixed = {"sizing": {"mode": "fixed_lots", "lots": 0.3}}
    lots, risk = sized(fixed, EURUSD, 0.005)
    assert lots == 0.3
    assert risk == pytest.approx(150.0), "the money at risk of the lots"
    tick = SymbolSpec.of({**SPECS["USDJPY"], "tick_value": 0.7})
    in_ticks = {"sizing": {"mode": "risk_amount", "unit_value": "tick"}}
    assert sized(in_ticks, tick, 1.0) == (0.14, 100.0), (
        "700 acct units per lot and 1.0 of price, no rate needed"
    )


def commission_of(
    commission: Any, *, symbol: str = "EURUSD", account: str = "USD", series: bool = False, **more: Any
) -> Commission:
    """The commission on an account, with EURUSD 1.25 and USDJPY 150 as numbers or as series."""
    rates = {"EURUSD": 1.25, "USDJPY": 150.0}
    options = {"costs": {"commission": commission, **more.pop("costs", {})}, "account": {"currency": account}}
    if not series:
        options["rates"] = {"static": rates}
    known = Options.of(options, rates_of(**rates) if series else None)
    return Commission(known, SymbolSpec.of({**SPECS[symbol], **more}))


PER_LOT = {"schema": "per_lot"}
PER_MILLION = {"schema": "per_million_notional"}


@pytest.mark.parametrize("series", [False, True])
@pytest.mark.parametrize(
    ("block", "symbol", "currency", "lots", "price", "fee"),
    [
        ({**PER_LOT, "per_lot": 2.5}, "EURUSD", "EUR", 0.25, 1.1, 0.62),
        ({**PER_LOT, "per_lot": 2.5, "fee_ccy": "USD"}, "EURUSD", "EUR", 0.5, 1.1, 1.0),
        ({**PER_LOT, "per_lot": 2.5, "min_fee": 1.0}, "EURUSD", "USD", 0.01, 1.1, 1.0),
        ({**PER_LOT, "per_lot": 0.0, "min_fee": 1.0}, "EURUSD", "USD", 0.01, 1.1, 1.0),
        ({**PER_LOT, "per_lot": 2.5, "decimals": None}, "EURUSD", "USD", 0.003, 1.1, 0.0075),
        ({**PER_LOT, "per_lot": 2.5, "decimals": 0}, "EURUSD", "USD", 1.0, 1.1, 2.0),
        (
            {**PER_MILLION, "rate_per_million": 6, "fee_ccy": "USD", "min_fee": 1},
            "USDJPY",
            "EUR",
            0.5,
            150.0,
            0.80,
        ),
        (
            {**PER_MILLION, "rate_per_million": 6, "fee_ccy": "USD", "min_fee": 1},
            "USDJPY",
            "EUR",
            0.01,
            150.0,
            0.80,
        ),
        (
            {"schema": "percent_of_notional", "pct": 0.00015, "fee_ccy": "EUR", "min_fee": 1},
            "EURUSD",
            "EUR",
            0.2,
            1.1,
            2.64,
        ),
        ({**PER_MILLION, "rate_per_million": 25, "decimals": None}, "EURUSD", "USD", 0.2, 1.1, 0.55),
        (
            {**PER_MILLION, "rate_per_million": 30, "decimals": None},
            "EURUSD",
            "USD",
            1.0,
            1.1,
            3.3000000000000003,
        ),
    ],
)
def test_the_fee_of_a_fill(
    block: dict[str, Any], symbol: str, currency: str, lots: float, price: float, fee: float, series: bool
) -> None:
    commission = commission_of(block, symbol=symbol, account=currency, series=series)
    assert commission.fee("entry", lots, price, T) == commission.fee("exit", lots, price, T) == fee


def test_a_symbol_overlays_the_defaults_and_a_side_limits_the_fee() -> None:
    own = {"EURUSD": {"per_lot": 3.0, "side": "exit", "min_fee": None}}
    defaults = {**PER_LOT, "per_lot": 2.0, "min_fee": 0.5}
    for tree in ({"defaults": defaults, "per_symbol": own}, {**defaults, "per_symbol": own}):
        double = commission_of(tree, costs={"fee_multiplier": 2})
        assert (double.fee("entry", 1.0, 1.1, T), double.fee("exit", 1.0, 1.1, T)) == (0.0, 6.0)
        assert double.fee("exit", 0.001, 1.1, T) == 1.0, "the minimum of the defaults, doubled too"
        assert commission_of(tree, symbol="USDJPY").fee("entry", 1.0, 150.0, T) == 2.0
    assert commission_of(None).fee("entry", 1.0, 1.1, T) == 0.0


def test_under_ticks_the_notional_arises_in_the_account_currency() -> None:
    block = {**PER_MILLION, "rate_per_million": 1000, "fee_ccy": "USD", "decimals": None}
    options = Options.of(
        {
            "costs": {"commission": block},
            "account": {"currency": "EUR", "sizing": {"unit_value": "tick"}},
            "rates": {"static": {"EURUSD": 1.25}},
        }
    )
    spec = SymbolSpec.of({**SPECS["USDJPY"], "tick_value": 0.5, "tick_size": 0.001})
    assert Commission(options, spec).fee("entry", 2.0, 150.0, T) == pytest.approx(150.0)
    assert Margin(options, spec).of(2.0, 150.0, T) == pytest.approx(1500.0)


@pytest.mark.parametrize(
    ("commission", "code"),
    [
        ({"schema": "per_trade"}, 1001),
        ({"schema": "per_million_notional", "per_lot": 6}, 1008),
        ({"schema": "percent_of_notional", "per_lot": 6}, 1008),
        ({"schema": "percent_of_notional", "pct": -0.1}, 1001),
        ({"schema": "per_lot"}, 1008),
        ({"per_lot": 2.5}, 1008),
        ({"schema": "per_lot", "per_lot": -1}, 1001),
        ({"schema": "per_lot", "per_lot": 1, "min_fee": -1}, 1001),
        ({"schema": "per_lot", "per_lot": 1, "side": "left"}, 1001),
        ({"schema": "per_lot", "per_lot": 1, "per_lott": 1}, 1001),
        ({"schema": "per_lot", "per_lot": 1, "defaults": {"schema": "per_lot", "per_lot": 1}}, 1001),
        ({"per_symbol": {"USDJPY": {"schema": "per_lot", "per_lot": 1}}}, 1008),
        ({"schema": "per_lot", "per_lot": 1, "fee_ccy": "CHF"}, 1008),
    ],
)
def test_a_bad_commission_is_refused(commission: dict[str, Any], code: int) -> None:
    with pytest.raises(SweepError) as caught:
        commission_of(commission)
    assert caught.value.code == code
    assert "costs.commission" in caught.value.message or "CHF" in caught.value.message


@pytest.mark.parametrize(("currency", "margin"), [("USD", 733.3333333333334), ("EUR", 586.6666666666667)])
def test_the_margin_of_a_position(currency: str, margin: float) -> None:
    account = {"currency": currency, "leverage": 30}
    fixed = Options.of({"account": account, "rates": {"static": {"EURUSD": 1.25}}})
    series = Options.of({"account": account}, rates_of(EURUSD=1.25))
    assert [Margin(o, EURUSD).of(0.2, 1.1, T) for o in (fixed, series)] == [margin, margin]


def test_conversion_is_direct_inverse_or_through_usd() -> None:
    rates = {"EURUSD": 1.25, "AUDUSD": 0.65, "USDJPY": 150.0}
    for known in (rates, Options.of({}, rates_of(**rates)).rates):
        assert conversion("AUD", "EUR", known)(1.0, T) == 0.52
        assert conversion("JPY", "EUR", known)(1000.0, T) == 5.333333333333334
        assert conversion("EUR", "USD", known)(4.0, T) == 5.0
    assert conversion("EUR", "EUR", {})(3.0, T) == 3.0
    with pytest.raises(SweepError, match="CHF to EUR") as caught:
        conversion("CHF", "EUR", rates)
    assert caught.value.code == 1008


def hourly(labels: list[int], closes: list[float], spread: float = 0.0) -> RateSeries:
    bid = dict.fromkeys(FIELDS, closes)
    ask = {name: [x + spread for x in closes] for name in FIELDS}
    return RateSeries("EURUSD", market_of(labels, bid, ask, timeframe="H1"), 96)


def test_the_rate_is_the_mid_close_of_the_last_complete_bar() -> None:
    ten = T - 2 * HOUR
    series = hourly([ten, ten + HOUR], [1.1, 1.2], spread=0.5)
    assert series.at(ten + HOUR) == series.at(T - 60_000_000) == 0.5 * (1.1 + 1.6), "at 11:59 that of 10:00"
    assert series.at(T) == 0.5 * (1.2 + 1.7), "at 12:00 that of 11:00"
    assert series.at(T + 96 * HOUR) == series.at(T)
    for moment in (ten + HOUR - 1, T + 96 * HOUR + 1):
        with pytest.raises(SweepError, match="EURUSD") as caught:
            series.at(moment)
        assert caught.value.code == 2008


def test_a_number_wins_over_a_series_of_the_same_pair() -> None:
    options = Options.of({"rates": {"static": {"EURUSD": 1.25}}}, rates_of(EURUSD=2.0, USDJPY=150.0))
    assert conversion("EUR", "USD", options.rates)(1.0, T) == 1.25
    assert conversion("USD", "JPY", options.rates)(1.0, T) == 150.0


@pytest.mark.parametrize(
    ("rates", "markets", "code"),
    [
        ({"max_rate_age_hours": 0}, (), 1003),
        ({"max_rate_age_hours": "a"}, (), 1004),
        ({"serie": {}}, (), 1001),
        ({}, ("EUR",), 1001),
        ({}, ("ÄÖÜUSD",), 1001),
    ],
)
def test_bad_rates_are_refused(rates: dict[str, Any], markets: tuple[str, ...], code: int) -> None:
    with pytest.raises(SweepError) as caught:
        Options.of({"rates": rates}, rates_of(**dict.fromkeys(markets, 1.0)))
    assert caught.value.code == code
