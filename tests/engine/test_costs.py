"""Commission of whole backtests: each fee is that of its fill, and its terms are part of the identity."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pytest

from sweep import Engine, Market
from sweep.engine import Backtest
from sweep.errors import SweepError
from tests.engine.support import bars_table, run_script
from tests.vectors.engine import MINUTE_US, START_US

CONTRACT = 100_000
EURUSD = Fraction(5, 4)
SCHEMAS: dict[str, dict[str, Any]] = {
    "per_lot": {"per_lot": 2.5},
    "per_million_notional": {"rate_per_million": 30},
    "percent_of_notional": {"pct": 0.00015},
}


def scripted(commission: Any, multiplier: float = 1, unit_value: str = "contract") -> Backtest:
    """Six trades of both directions and several sizes on a rising and falling market; the account is in euros."""
    labels = [START_US + MINUTE_US * k for k in range(60)]
    close = [1.1 + 0.0007 * (k % 9) for k in range(60)]
    bid = {
        "open": close,
        "high": [x + 0.0002 for x in close],
        "low": [x - 0.0002 for x in close],
        "close": close,
    }
    ask = {name: [x + 0.0001 for x in column] for name, column in bid.items()}
    signals = [
        {
            "bar_index": 8 * k + 1,
            "direction": "long" if k % 2 else "short",
            "stop_loss": close[8 * k + 1] + (-0.003 if k % 2 else 0.003),
            "size": 0.01 * 7**k if k < 4 else None,
        }
        for k in range(6)
    ]
    options = {
        "costs": {"commission": commission, "fee_multiplier": multiplier},
        "account": {"currency": "EUR", "sizing": {"unit_value": unit_value}},
        "rates": {"static": {"EURUSD": float(EURUSD)}},
    }
    market = Market.from_arrow(
        bars_table(labels, bid), bars_table(labels, ask), symbol="EURUSD", timeframe="M1"
    )
    result = run_script(market, options, signals, rules={"timeout_bars": 3})
    assert result.trades.num_rows == 6
    return result


def fills(result: Backtest) -> list[tuple[str, Fraction, Fraction, float]]:
    """(side, lots, price, fee) of every fill."""
    rows = result.trades.to_pylist()
    return [
        (side, Fraction(row["size"]), Fraction(row[f"{side}_price"]), row[f"{side}_fee"])
        for row in rows
        for side in ("entry", "exit")
    ]


def base_fee(schema: str, lots: Fraction, price: Fraction, in_euros: bool) -> Fraction:
    """The fee before its minimum, in dollars or, with the notional converted, in euros."""
    (number,) = SCHEMAS[schema].values()
    if schema == "per_lot":
        return Fraction(number) * lots
    notional = price * CONTRACT * lots / (EURUSD if in_euros else 1)
    return Fraction(number) * notional / (10**6 if schema == "per_million_notional" else 1)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("currency", [None, "USD"])
@pytest.mark.parametrize("side", ["both", "entry", "exit"])
def test_each_fee_is_that_of_its_fill(schema: str, currency: str | None, side: str) -> None:
    """Exact rational arithmetic: base, minimum, multiplier, conversion, no rounding."""
    commission = {"schema": schema, **SCHEMAS[schema], "fee_ccy": currency, "side": side, "decimals": None}
    result = scripted({**commission, "min_fee": 0.4}, multiplier=1.5)
    raised = 0
    for paid, lots, price, fee in fills(result):
        base = base_fee(schema, lots, price, currency is None)
        raised += base < Fraction(0.4)
        expected = max(base, Fraction(0.4)) * Fraction(3, 2) / (EURUSD if currency else 1)
        assert fee == (pytest.approx(float(expected), rel=1e-12) if side in ("both", paid) else 0.0)
    assert 0 < raised < 12, "the minimum applies to some"
    paid_fees = sum(fee for *_, fee in fills(result))
    assert result.metrics["total_fees"] == pytest.approx(paid_fees, rel=1e-12)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("decimals", [0, 2, 3])
def test_a_rounded_fee_is_the_nearest_decimal_of_the_unrounded_one(schema: str, decimals: int) -> None:
    terms = {"schema": schema, **SCHEMAS[schema]}
    exact = fills(scripted({**terms, "decimals": None}))
    rounded = fills(scripted({**terms, "decimals": decimals}))
    for (*_, raw), (*_, fee) in zip(exact, rounded, strict=True):
        assert Decimal(repr(fee)) == Decimal(raw).quantize(Decimal(10) ** -decimals, ROUND_HALF_EVEN)
    if decimals == 2:
        assert rounded == fills(scripted(terms)), "two decimals unless said otherwise"


def test_tick_values_make_the_notional() -> None:
    """Without a tick value one lot is contract_size, already in euros: nothing is converted."""
    terms = {"schema": "percent_of_notional", "pct": 0.001, "decimals": None}
    for _, lots, price, fee in fills(scripted(terms, unit_value="tick")):
        assert fee == pytest.approx(float(lots * price * CONTRACT / 1000), rel=1e-12)


def test_the_terms_are_part_of_the_identity_and_unused_keys_are_not() -> None:
    market = Market.synthetic(bars=500, seed=1)
    terms = {"schema": "per_million_notional", "rate_per_million": 25}

    def identity(commission: Any) -> str:
        document = Engine(market, "ma_cross", costs={"commission": commission}).identity_document()
        assert json.loads(document)["costs"]["commission"] == {
            "schema": "per_million_notional",
            "rate_per_million": commission.get("rate_per_million", 25),
            "fee_ccy": "USD",
            "side": "both",
            "min_fee": 0.0,
            "decimals": 2,
        }
        return document

    same = identity(terms)
    assert same == identity(
        {"defaults": {"schema": "per_lot", "per_lot": 1}, "per_symbol": {"EURUSD": terms}}
    )
    assert same == identity({**terms, "pct": 0.1, "per_symbol": {"USDJPY": {"rate_per_million": 1}}})
    assert same != identity({**terms, "rate_per_million": 24})


@pytest.mark.parametrize(
    ("commission", "code", "words"),
    [
        ({"schema": "per_milion_notional"}, 1001, "per_million_notional"),
        ({"schema": "per_lot", "per_lot": -1}, 1001, "costs.commission.per_lot"),
        ({"schema": "percent_of_notional", "per_lot": 1}, 1008, "costs.commission.pct"),
        ({"schema": "per_lot", "per_lot": 1, "fee_ccy": "CHF"}, 1008, "CHF"),
    ],
)
def test_a_mistake_is_named(commission: Any, code: int, words: str) -> None:
    for backend in ("rust", "python"):
        with pytest.raises(SweepError, match=words) as caught:
            Engine(
                Market.synthetic(bars=500, seed=1),
                "ma_cross",
                costs={"commission": commission},
                backend=backend,
            ).run()
        assert caught.value.code == code
