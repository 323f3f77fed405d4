"""The keys of `market` that say how data are read: what they take, refuse, and become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sweep.config.document import Mark, parse
from sweep.config.dump import dump
from sweep.config.load import load
from sweep.config.market import MarketConfig
from sweep.config.model import Config
from sweep.config.schema import json_schema
from sweep.errors import SweepError
from tests.config.support import minimal, write

TICKS = {"symbol": "EURUSD", "timeframe": "M1", "ticks": "t.parquet"}
BARS = {"symbol": "EURUSD", "timeframe": "M1", "file": "b.csv", "spread_pips": 1}


def market(**keys: Any) -> MarketConfig:
    return load({**minimal(), "market": keys}).market


GOOD: list[dict[str, Any]] = [
    {"csv": {"separator": "tab", "decimal": ",", "header": ["date", "time", "open"]}},
    {"csv": {"separator": ";"}},
    {"time_format": "%d.%m.%Y %H:%M:%S.%f"},
    {"time_format": "%b %d %y %I:%M %p %z"},
    {"time_format": "100%% %Y%m%d"},
    {"columns": {"timestamp": ["<DATE>", "<TIME>"], "close": "<CLOSE>"}},
    {"higher": ["H1", "H4"]},
    {"higher": {"H1": None, "D1": {"file": "d.csv", "spread_pips": 0.5}, "H4": {"bid": "b", "ask": "a"}}},
    {"filter": "fx_week"},
    {"day": {"zone": "America/New_York", "start_hour": 17}},
    {"stale_after": 3},
    {"stale_after": "off"},
]


@pytest.mark.parametrize("keys", GOOD)
def test_a_key_survives_the_dump_and_the_schema(keys: dict[str, Any]) -> None:
    data = {**minimal(), "market": {**BARS, **keys}}
    assert not list(Draft202012Validator(json_schema()).iter_errors(data))
    config = load(data)
    again = Config.model_validate(parse(dump(config), Mark("dump")).tree)
    assert again == config
    assert dump(again) == dump(config)


def test_spellings_become_one() -> None:
    assert market(**BARS, csv={"separator": "tab"}) == market(**BARS, csv={"separator": "\t"})
    assert market(**BARS, csv={"separator": "\\t"}).csv.separator == "\t"
    assert market(**BARS, higher=["H1", "H4"]) == market(**BARS, higher={"H1": None, "H4": None})
    assert market(**BARS, stale_after="off") == market(**BARS) == market(**BARS, stale_after=None)
    assert market(**TICKS).higher == {}
    given = market(**BARS, columns={"timestamp": ["d", "t"]}, csv={"header": ["d", "t"]})
    assert (given.columns["timestamp"], given.csv.header) == (("d", "t"), ("d", "t"))


@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        ({**TICKS, "bid": "b", "ask": "a"}, 1006, "bid and ticks together"),
        ({**TICKS, "file": "b", "spread_pips": 1}, 1006, "file and ticks together"),
        ({**TICKS, "synthetic": {"bars": 10}}, 1006, "ticks and synthetic together"),
        ({**TICKS, "spread_pips": 1}, 1006, "market.spread_pips goes with file only"),
        ({**TICKS, "stamp": "close"}, 1006, "stamp"),
        ({"symbol": "EURUSD", "ticks": "t.parquet"}, 1008, "market.timeframe"),
        ({**TICKS, "columns": {"close": "Last"}}, 1006, "market.columns.close is no column of ticks"),
        ({**BARS, "columns": {"bid": "Bid"}}, 1006, "market.columns.bid is no column of bars"),
        ({**BARS, "columns": {"clos": "Last"}}, 1001, "did you mean close?"),
        ({**BARS, "columns": {"close": ["a", "b"]}}, 1004, "only timestamp takes two"),
        ({**BARS, "columns": {"timestamp": ["a", "b", "c"]}}, 1004, "[DATE, TIME]"),
        ({**BARS, "columns": {"close": 4}}, 1004, "market.columns.close"),
        ({**BARS, "columns": ["close"]}, 1004, "got a list"),
        ({**BARS, "csv": {"separator": ";;"}}, 1009, "';;' cannot separate"),
        ({**BARS, "csv": {"separator": '"'}}, 1009, "cannot separate"),
        ({**BARS, "csv": {"separator": "."}}, 1009, "cannot separate"),
        ({**BARS, "csv": {"decimal": ","}}, 1006, "are both ','"),
        ({**BARS, "csv": {"decimal": "'"}}, 1001, "market.csv.decimal"),
        ({**BARS, "csv": {"header": False}}, 1004, "write [date, time,"),
        ({**BARS, "csv": {"header": []}}, 1004, "list of column names"),
        ({**BARS, "csv": {"separater": ";"}}, 1001, "did you mean separator?"),
        ({**BARS, "time_format": "%Y-%m-%d %T"}, 1009, "unknown directive %T in market.time_format"),
        ({**BARS, "time_format": "%d.%m."}, 1009, "has no %Y"),
        ({**BARS, "time_format": "%d.%m.%Y %M"}, 1009, "has no %H"),
        ({**BARS, "time_format": "%d.%m.%Y %m"}, 1009, "says %m twice"),
        ({**BARS, "time_format": "%d.%m.%Y %y"}, 1009, "says %Y twice"),
        ({**BARS, "time_format": "%d.%m.%Y %I:%M"}, 1009, "%I and %p"),
        ({**BARS, "time_format": "%d.%m.%Y %"}, 1009, "unknown directive %"),
        ({**BARS, "time_format": ""}, 1009, "market.time_format is empty"),
        ({**BARS, "time_format": "%Y%m%d", "epoch_unit": "s"}, 1006, "together"),
        ({**BARS, "higher": ["H1", "1H"]}, 1009, "not a timeframe"),
        ({**BARS, "higher": ["H1", "H1"]}, 1006, "twice"),
        ({**BARS, "higher": ["M1"]}, 1006, "the primary timeframe"),
        ({**BARS, "higher": ["M7"]}, 1001, "M7 is no higher timeframe of M1"),
        ({**BARS, "timeframe": "M5", "higher": ["M1"]}, 1001, "higher ones are M10, M15,"),
        ({**BARS, "timeframe": "M5", "higher": {"H5": {"bid": "b", "ask": "a"}}}, 1001, "market.higher"),
        ({**BARS, "timeframe": "M7", "higher": ["D1"]}, 1001, "D1 is no higher timeframe of M7"),
        ({**BARS, "higher": [1]}, 1004, "list of timeframes"),
        ({**BARS, "higher": "H1"}, 1004, "market.higher"),
        ({**BARS, "higher": {"H1": {}}}, 1008, "no data in market.higher.H1"),
        ({**BARS, "higher": {"H1": {"bid": "b"}}}, 1008, "market.higher.H1.bid without"),
        ({**BARS, "higher": {"H1": {"bid": "b", "ask": "a", "file": "f"}}}, 1006, "together"),
        ({**BARS, "higher": {"H1": {"fil": "b"}}}, 1001, "did you mean file?"),
        ({**BARS, "filter": "fxweek"}, 1001, "did you mean fx_week?"),
        ({**BARS, "day": {"zone": "America/NewYork"}}, 1001, "unknown time zone"),
        ({**BARS, "day": {"start_hour": 24}}, 1003, "start_hour"),
        ({**BARS, "day": {"start_hour": True}}, 1004, "start_hour"),
        ({**BARS, "stale_after": 0}, 1003, "stale_after"),
        ({**BARS, "stale_after": "never"}, 1004, "stale_after"),
    ],
)
def test_a_mistake_is_named(keys: dict[str, Any], code: int, words: str) -> None:
    with pytest.raises(SweepError) as caught:
        market(**keys)
    assert caught.value.code == code, caught.value
    assert words in str(caught.value)
    assert caught.value.stage == "config"


def test_bars_of_a_higher_timeframe_beside_ticks_may_name_their_columns() -> None:
    given = market(
        **TICKS, higher={"H1": {"file": "h", "spread_pips": 1}}, columns={"close": "Last", "bid": "B"}
    )
    assert given.columns == {"close": "Last", "bid": "B"}


def test_every_path_is_made_absolute(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
        market:
          symbol: EURUSD
          timeframe: M1
          ticks: t.csv
          higher: {H1: {bid: b.csv, ask: /abs/a.csv}, D1: {file: ../d.csv, spread_pips: 1}, H4: null}
        strategy: {name: ma_cross}
        search: {sampler: random, trials: 10}
        """,
    )
    found = load(path).market
    assert found.ticks == str(tmp_path / "t.csv")
    assert found.higher["H1"] is not None
    assert (found.higher["H1"].bid, found.higher["H1"].ask) == (str(tmp_path / "b.csv"), "/abs/a.csv")
    assert found.higher["D1"] is not None
    assert found.higher["D1"].file == str(tmp_path.parent / "d.csv")
    assert found.higher["H4"] is None
