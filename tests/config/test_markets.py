"""The section `market` as a list: one mapping per symbol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sweep.config.dump import dump, resolved
from sweep.config.files import data_paths
from sweep.config.load import load
from sweep.config.schema import json_schema
from sweep.errors import SweepError
from tests.config.support import minimal, write

EUR: dict[str, Any] = {"symbol": "EURUSD", "timeframe": "M5", "file": "e.parquet", "spread_pips": 1}
GBP: dict[str, Any] = {"symbol": "GBPUSD", "timeframe": "M5", "bid": "b.parquet", "ask": "a.parquet"}
TICKS: dict[str, Any] = {"symbol": "USDJPY", "timeframe": "M5", "ticks": "t.parquet"}


def with_markets(*markets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**minimal(), "market": list(markets), **more}


def test_every_symbol_has_its_section_in_the_order_written() -> None:
    config = load(with_markets(GBP, {**EUR, "window": ["2020-01-01", None], "warmup_bars": 7}))
    assert [market.symbol for market in config.markets] == ["GBPUSD", "EURUSD"]
    assert [market.warmup_bars for market in config.markets] == [500, 7]
    assert config.markets[1].window[0] is not None


def test_a_list_survives_the_dump_and_the_schema(tmp_path: Path) -> None:
    data = with_markets(EUR, {**GBP, "higher": {"H1": {"file": "h.csv", "spread_pips": 1}}})
    Draft202012Validator(json_schema()).validate(data)
    config = resolved(load(data))
    assert load(write(tmp_path, dump(config))) == config
    assert resolved(config) == config


def test_one_symbol_is_written_as_a_mapping_either_way() -> None:
    one, listed = load({**minimal(), "market": EUR}), load(with_markets(EUR))
    assert dump(one) == dump(listed)
    assert listed.market == one.market
    assert listed.markets == (one.market,)
    Draft202012Validator(json_schema()).validate({**minimal(), "market": EUR})


def test_paths_are_relative_to_the_file_and_to_where_an_override_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, here = tmp_path / "configs", tmp_path / "here"
    folder.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    text = """
        market:
          - {symbol: EURUSD, timeframe: M5, bid: b.parquet, ask: a.parquet}
          - symbol: GBPUSD
            timeframe: M5
            file: g.parquet
            spread_pips: 1
            higher: {H1: {file: h.parquet, spread_pips: 1}}
        strategy: {name: ma_cross}
        search: {sampler: random, trials: 10}
    """
    config = load(write(folder, text), ["market.0.ask=x.parquet"])
    found = {".".join(map(str, path)): value for path, value in data_paths(config.model_dump())}
    assert found == {
        "market.0.bid": str(folder / "b.parquet"),
        "market.0.ask": str(here / "x.parquet"),
        "market.1.file": str(folder / "g.parquet"),
        "market.1.higher.H1.file": str(folder / "h.parquet"),
    }
    assert config.locate("market.1.spread_pips") == f"{folder / 'study.yaml'}:7: market.1.spread_pips"


WRONG: list[tuple[list[Any], int, str]] = [
    ([], 1008, "no market in market; config; name one, or one per symbol"),
    ([EUR, {**EUR, "spread_pips": 2}], 1001, "market names EURUSD twice; config: market.1.symbol"),
    ([EUR, {**GBP, "timeframe": "H1"}], 1001, "market.1.timeframe is H1, market.0.timeframe M5"),
    ([EUR, {**GBP, "stale_after": 3}], 1001, "market.1.stale_after is 3, market.0.stale_after off"),
    (
        [EUR, {**GBP, "day": {"zone": "America/New_York"}}],
        1001,
        "market.1.day is {'zone': 'America/New_York', 'start_hour': 0}, market.0.day {'zone': 'UTC', 'start_hour': 0}",
    ),
    ([EUR, TICKS], 4001, "ticks of several symbols (market); config: market.1.ticks"),
    (
        [TICKS, {**TICKS, "symbol": "EURUSD"}],
        4001,
        "ticks of several symbols (market); config: market.0.ticks",
    ),
    ([EUR, {**GBP, "ask": None}], 1008, "market.1.bid without market.1.ask"),
    ([EUR, {**GBP, "bidd": "x"}], 1001, "unknown key market.1.bidd; config; did you mean bid?"),
    ([EUR, 5], 1004, "market.1 must be a mapping, got 5"),
    ([{"timeframe": "M5", **TICKS, "symbol": None}], 1008, "market.0.symbol is missing"),
]


@pytest.mark.parametrize(("markets", "code", "what"), WRONG, ids=[what[:40] for _, _, what in WRONG])
def test_a_list_that_is_wrong_is_refused_with_its_place(markets: list[Any], code: int, what: str) -> None:
    with pytest.raises(SweepError) as caught:
        load(with_markets(*markets))
    assert (caught.value.code, caught.value.stage) == (code, "config")
    assert what in caught.value.message


@pytest.mark.parametrize("value", [5, "EURUSD", True])
def test_what_is_neither_a_mapping_nor_a_list_is_refused(value: Any) -> None:
    with pytest.raises(SweepError, match=r"\[1004\] market must be a mapping"):
        load({**minimal(), "market": value})


def test_a_key_of_all_symbols_is_named_by_number() -> None:
    with pytest.raises(SweepError) as caught:
        load(with_markets(EUR, GBP), ["market.bid=x.parquet"])
    assert "market is a list of 2, it has no bid" in caught.value.message


def test_a_rate_is_of_one_market() -> None:
    rates = {"series": {"EURUSD": [{"timeframe": "H1", "file": "r.parquet", "spread_pips": 0}]}}
    with pytest.raises(SweepError, match=r"rates.series.EURUSD must be a mapping"):
        load({**minimal(), "rates": rates})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"schema": "per_lot", "per_lot": 2}, {"GBPUSD": 2, "EURUSD": 2}),
        (
            {"defaults": {"schema": "per_lot", "per_lot": 2}, "per_symbol": {"GBPUSD": {"per_lot": 3}}},
            {"GBPUSD": 3, "EURUSD": 2},
        ),
    ],
)
def test_the_commission_of_every_symbol_is_kept(given: dict[str, Any], wanted: dict[str, float]) -> None:
    config = resolved(load(with_markets(EUR, GBP, costs={"commission": given})))
    kept = config.costs["commission"]
    found = {symbol: kept.get("per_symbol", {}).get(symbol, kept)["per_lot"] for symbol in wanted}
    assert found == wanted
    one = resolved(load({**minimal(), "market": GBP, "costs": {"commission": given}}))
    assert one.costs["commission"]["per_lot"] == wanted["GBPUSD"]
    assert "per_symbol" not in one.costs["commission"]


def test_ticks_are_a_market_of_their_own() -> None:
    config = load({**minimal(), "market": TICKS})
    assert config.markets[0].ticks == str(Path.cwd() / "t.parquet")
