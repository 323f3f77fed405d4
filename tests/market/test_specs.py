"""Symbol specifications: the built-in table, and a user's YAML over it, field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep.errors import SweepError
from sweep.market.specs import symbol_spec

FX = "EURUSD GBPUSD AUDUSD NZDUSD USDCHF USDCAD EURGBP EURCHF AUDNZD GBPAUD"
YEN = "USDJPY EURJPY GBPJPY AUDJPY"
TABLE: dict[str, tuple[Any, ...]] = {
    # contract, pip, tick, smallest volume, step, largest volume, base, quote
    **{s: (100_000, 0.0001, 0.00001, 0.01, 0.01, 200, s[:3], s[3:]) for s in FX.split()},
    **{s: (100_000, 0.01, 0.001, 0.01, 0.01, 200, s[:3], s[3:]) for s in YEN.split()},
    "XAUUSD": (100, 0.01, 0.01, 0.01, 0.01, 100, "XAU", "USD"),
    "XAGUSD": (5000, 0.01, 0.001, 0.01, 0.01, 50, "XAG", "USD"),
    "DE40": (1, 1.0, 0.5, 0.1, 0.1, 50, "DE40", "EUR"),
    "US500": (1, 1.0, 0.1, 0.1, 0.1, 100, "US500", "USD"),
    "BTCUSD": (1, 1.0, 0.01, 0.001, 0.001, 100, "BTC", "USD"),
    "BTCPERP": (1, 1.0, 0.01, 0.001, 0.001, 100, "BTC", "USD"),
    "GOOG": (1, 0.01, 0.01, 1, 1, 1_000_000, "GOOG", "USD"),
}
FIELDS = (
    "contract_size",
    "pip_size",
    "tick_size",
    "volume_min",
    "volume_step",
    "volume_max",
    "base_currency",
    "quote_currency",
)
COCOA = dict(zip(FIELDS, (10, 0.1, 0.025, 1, 1, 5, "COCOA", "GBP"), strict=True))


@pytest.mark.parametrize("symbol", TABLE)
def test_the_built_in_table(symbol: str) -> None:
    spec = symbol_spec(symbol)
    assert tuple(spec[name] for name in FIELDS) == TABLE[symbol]
    assert (spec["symbol"], spec["tick_value"]) == (symbol, None)
    assert set(spec) == {"symbol", "tick_value", *FIELDS}


@pytest.mark.parametrize("field", [*FIELDS, "tick_value"])
def test_one_field_of_a_file_replaces_one_field_of_the_table(tmp_path: Path, field: str) -> None:
    value = "CHF" if field.endswith("currency") else 0.25
    file = tmp_path / "specs.yaml"
    file.write_text(f"EURUSD: {{{field}: {value}}}\nGBPUSD: {{volume_max: 3}}\n")
    assert symbol_spec("EURUSD", file) == {**symbol_spec("EURUSD"), field: value}
    assert symbol_spec("USDJPY", file) == symbol_spec("USDJPY"), "a symbol that the file does not name"


def test_a_new_symbol_needs_every_field_and_nothing_is_guessed_from_its_name(tmp_path: Path) -> None:
    file = tmp_path / "specs.yaml"
    file.write_text("COCOA:\n" + "".join(f"  {k}: {v}\n" for k, v in COCOA.items()))
    assert symbol_spec("COCOA", str(file)) == {**COCOA, "symbol": "COCOA", "tick_value": None}
    for field in FIELDS:
        for rest in ({k: v for k, v in COCOA.items() if k != field}, {**COCOA, field: None}):
            with pytest.raises(SweepError, match=f"lacks {field};") as caught:
                symbol_spec("COCOA", {"COCOA": rest})
            assert (caught.value.code, caught.value.stage) == (1008, "config")
    with pytest.raises(SweepError, match="lacks") as caught:
        symbol_spec("EURSEK", {"EURSEK": {"pip_size": 0.0001}})
    assert caught.value.code == 1008


@pytest.mark.parametrize(
    ("symbol", "text", "code", "words"),
    [
        ("EURUSX", "EURUSD: {pip_size: 1}", 1001, "EURUSD"),
        ("eurusd", "EURUSD: {pip_size: 1}", 1001, "EURUSD"),
        ("EURSEK", "EURSEK: {}", 1001, "unknown symbol"),
        ("EURUSD", "EURUSD: {pipsize: 1}", 1001, "did you mean pip_size?"),
        ("EURUSD", "EURUSD: 5", 1004, "a mapping"),
        ("EURUSD", "EURUSD: 0", 1004, "a mapping"),
        ("EURUSD", "EURUSD: [pip_size, 1]", 1004, "a mapping"),
        ("EURUSD", "EURUSD: {pip_size: '1'}", 1004, "pip_size"),
        ("EURUSD", "EURUSD: {pip_size: true}", 1004, "pip_size"),
        ("EURUSD", "EURUSD: {pip_size: 2020-01-01}", 1004, "pip_size"),
        ("EURUSD", "EURUSD: {pip_size: .inf}", 1003, "pip_size"),
        ("EURUSD", "EURUSD: {pip_size: .nan}", 1003, "pip_size"),
        ("EURUSD", "EURUSD: {pip_size: -1}", 1003, "pip_size"),
        ("EURUSD", "EURUSD: {volume_min: 300}", 1003, "volume_min"),
        ("EURUSD", "- EURUSD", 1009, "mapping"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, symbol: str, text: str, code: int, words: str) -> None:
    file = tmp_path / "specs.yaml"
    file.write_text(text)
    with pytest.raises(SweepError) as caught:
        symbol_spec(symbol, file)
    assert (caught.value.code, caught.value.stage) == (code, "config"), caught.value
    assert words in str(caught.value)


def test_an_absent_file_is_no_empty_file(tmp_path: Path) -> None:
    with pytest.raises(SweepError) as caught:
        symbol_spec("EURUSD", tmp_path / "none.yaml")
    assert caught.value.code == 3001
