"""The broken and the real files beside the project: each gets the reaction of the data contract.

Counterparts on generated files: `test_contract`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sweep import _core
from sweep.arrow import read_all
from sweep.errors import SweepError
from sweep.market import Market
from sweep.market.contract import Reading, to_ticks
from sweep.market.source import read
from sweep.market.specs import symbol_spec

pytestmark = pytest.mark.shared

REFUSED = {
    "01_unsorted": 1006,
    "02_shuffled": 1006,
    "03_dup_identical": 1006,
    "04_dup_conflicting": 1006,
    "05_nan_close": 1005,  # the file holds nulls where its README says NaN
    "06_nan_last_row": 1005,  # likewise
    "07_null_close": 1005,
    "08_null_timestamp": 1005,
    "09_inf_high": 1006,
    "10_neginf_low": 1006,
    "11_high_lt_low": 1006,
    "12_close_above_high": 1006,
    "13_open_below_low": 1006,
    "14_negative_price": 1006,
    "15_zero_price": 1006,
    "16_negative_volume": 1006,
    "17_missing_close": 1008,
    "19_missing_timestamp": 1008,
    "20_string_close": 1004,
    "21_float32_close": 1004,
    "22_int_scaled_prices": 1004,
    "23_string_timestamp": 1004,
    "24_epoch_ms_timestamp": 1004,
    "25_tz_naive": 1009,
    "28_zero_rows": 1010,
    "29_empty_file": 3004,
    "30_truncated": 3004,
    "31a_corrupt_uncompressed_silent": 1006,
    "31b_corrupt_page_crc": 3004,
    "32_not_parquet": 3004,
    "60_ticks_clean": 1008,
    "61_ticks_crossed": 1008,
    "62_ticks_unsorted": 1008,
    "63_ticks_equal_stamps": 1008,
    "64_ticks_nan_bid": 1008,
}
CSV_REFUSED = {
    "52_semicolon_decimal_comma": (1008, "one column `timestamp;open;high;low;close;volume`"),
    "53_decimal_comma_quoted": (1004, "open; write numbers without quotes"),
    "54_short_row": (3004, "line 78 has 4 of 6 cells"),
    "55_no_trailing_newline_nul": (3004, "NUL byte in line 201"),
    "56_utf16": (3004, "UTF-16"),
    "57_european_dates": (1004, "time is text '01.02.2012 16:43'"),
}
CSV_ACCEPTED: dict[str, dict[str, Any]] = {
    "50_clean": {},
    "51_bom": {},
    "52_semicolon_decimal_comma": {"csv": {"separator": ";", "decimal": ","}},
    "57_european_dates": {"time_format": "%d.%m.%Y %H:%M", "assume_utc": True},
}
TICKS_REFUSED = {"62_ticks_unsorted": 1006, "64_ticks_nan_bid": 1005}  # 64 holds a null, as 05 does
TICKS_ACCEPTED = ("60_ticks_clean", "61_ticks_crossed", "63_ticks_equal_stamps")
ACCEPTED = {
    "18_missing_volume": ("import", "volume_absent_bid", True),
    "26_tz_berlin": ("gaps", "count", 0),
    "27_timestamp_ns": ("gaps", "count", 0),
    "37_mixed_frequency": ("mixed_spacing", "bars", 19),
    "38_large_gap": ("gaps", "count", 1),
    "39_off_grid": ("off_grid", "bars", 100),
    "40_spike_x10": ("jumps", "bars", 2),
    "41_before_1970": ("gaps", "count", 0),
    "42_capitalised_columns": ("gaps", "count", 0),
    "43_reordered_extra": ("gaps", "count", 0),
}
SAME_AS_CLEAN = ("26_tz_berlin", "27_timestamp_ns", "42_capitalised_columns", "43_reordered_extra")


def one(path: Path) -> Market:
    return Market.read(symbol="GBPUSD", timeframe="M1", file=str(path), spread_pips=0)


def pair(folder: Path, name: str, **keys: Any) -> Market:
    sides = {side: str(folder / f"{name}_{side}.parquet") for side in ("bid", "ask")}
    return Market.read(**{"symbol": "GBPUSD", "timeframe": "M1", **sides, **keys})


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_file_is_refused(name: str, shared_data: Path) -> None:
    with pytest.raises(SweepError) as caught:
        one(shared_data / "bad" / f"{name}.parquet")
    assert caught.value.code == REFUSED[name], caught.value
    assert caught.value.stage == "data"
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_odd_file_is_accepted_and_reported(name: str, shared_data: Path) -> None:
    section, key, expected = ACCEPTED[name]
    assert one(shared_data / "bad" / f"{name}.parquet").report[section][key] == expected


@pytest.mark.parametrize("name", SAME_AS_CLEAN)
def test_other_spellings_of_the_clean_bars_have_their_digest(name: str, shared_data: Path) -> None:
    bad = shared_data / "bad"
    assert one(bad / f"{name}.parquet").digest == one(bad / "00_clean_bid.parquet").digest


def test_extra_columns_are_reported(shared_data: Path) -> None:
    report = one(shared_data / "bad" / "43_reordered_extra.parquet").report
    assert report["sources"][0]["extra_columns"] == ["close2"]


@pytest.mark.parametrize(
    ("name", "bars", "code"),
    [
        ("00_clean", 200, None),
        ("33_misaligned", 0, 1011),
        ("34_offset", 199, None),
        ("35_hole", 198, None),
        ("36_crossed", 200, None),
    ],
)
def test_pairs_are_joined_by_label(name: str, bars: int, code: int | None, shared_data: Path) -> None:
    if code is None:
        assert pair(shared_data / "bad", name).bars == bars
        return
    with pytest.raises(SweepError) as caught:
        pair(shared_data / "bad", name)
    assert (caught.value.code, caught.value.stage) == (code, "data")


def test_crossed_quotes_follow_the_policy(shared_data: Path) -> None:
    bad = shared_data / "bad"
    assert pair(bad, "36_crossed").report["crossed"]["bars"] == 5
    assert pair(bad, "36_crossed", crossed="clamp").report["crossed"]["bars"] == 0
    with pytest.raises(SweepError, match=r"\[1006\]"):
        pair(bad, "36_crossed", crossed="reject")


def ticks(path: Path, **options: Any) -> _core.Market:
    checked = to_ticks(read(path), str(path), Reading(kind="ticks"))
    spec = symbol_spec("USDJPY")
    given = {"spec": spec, "timeframe": "M1", "name": str(path), "crossed": "count", **options}
    return _core.Market.from_ticks(checked.table, json.dumps(given))


@pytest.mark.parametrize("name", CSV_REFUSED)
def test_a_broken_csv_file_is_refused(name: str, shared_data: Path) -> None:
    code, words = CSV_REFUSED[name]
    with pytest.raises(SweepError) as caught:
        one(shared_data / "bad" / f"{name}.csv")
    assert (caught.value.code, caught.value.stage) == (code, "data"), caught.value
    assert words in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", CSV_ACCEPTED)
def test_csv_files_that_say_the_clean_bars_have_their_digest(name: str, shared_data: Path) -> None:
    bad = shared_data / "bad"
    file = str(bad / f"{name}.csv")
    market = Market.read(symbol="GBPUSD", timeframe="M1", file=file, spread_pips=0, **CSV_ACCEPTED[name])
    assert market.digest == one(bad / "00_clean_bid.parquet").digest


@pytest.mark.parametrize("name", [*TICKS_REFUSED, *TICKS_ACCEPTED])
def test_ticks_are_refused_or_kept_in_their_order(name: str, shared_data: Path) -> None:
    path = shared_data / "bad" / f"{name}.parquet"
    if name in TICKS_REFUSED:
        with pytest.raises(SweepError) as caught:
            ticks(path)
        assert (caught.value.code, caught.value.stage) == (TICKS_REFUSED[name], "data"), caught.value
        assert name in str(caught.value)
        return
    raw = pq.read_table(path)
    held = read_all(ticks(path).ticks_table())
    for column in ("timestamp", "bid", "ask"):
        assert held[column].to_pylist() == raw[column].to_pylist(), column


def test_locked_ticks_are_reported(shared_data: Path) -> None:
    # The file's README says crossed; its bid and ask of row 100 are equal.
    report = json.loads(ticks(shared_data / "bad" / "61_ticks_crossed.parquet", crossed="reject").report())
    assert (report["ticks"]["crossed"], report["ticks"]["locked"]) == (0, 1)


def test_every_file_has_an_entry_here(shared_data: Path) -> None:
    pairs = {
        f"{name}_{side}.parquet"
        for name in ("00_clean", "33_misaligned", "34_offset", "35_hole", "36_crossed")
        for side in ("bid", "ask")
    }
    bars = {f"{name}.parquet" for name in REFUSED.keys() | ACCEPTED.keys()}
    texts = {f"{name}.csv" for name in CSV_REFUSED.keys() | CSV_ACCEPTED.keys()}
    found = {path.name for path in (shared_data / "bad").iterdir()}
    assert found - {"README.md"} == pairs | bars | texts
    as_ticks = {name for name in found if "_ticks_" in name}
    assert as_ticks == {f"{name}.parquet" for name in {*TICKS_REFUSED, *TICKS_ACCEPTED}}


@pytest.mark.parametrize(
    ("timeframe", "bars"), [("M1", 15_776), ("M5", 3_168), ("M15", 1_056), ("H1", 264), ("D1", 13)]
)
def test_gbpusd_loads_on_every_timeframe(timeframe: str, bars: int, shared_data: Path) -> None:
    market = pair(shared_data, f"GBPUSD_{timeframe}", timeframe=timeframe)
    assert market.bars == bars
    assert market.spec["quote_currency"] == "USD"


def test_gbpusd_reports_its_gaps_and_crossed_bars(shared_data: Path) -> None:
    report = pair(shared_data, "GBPUSD_M1").report
    assert report["gaps"]["count"] + report["weekend_gaps"]["count"] == 55
    assert round(100 * report["crossed"]["bars"] / report["rows"], 1) == 5.3


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "bars"),
    [
        ("EURUSD_H1", "EURUSD", "H1", 3_000),
        ("GOOG_D1", "GOOG", "D1", 2_148),
        ("BTCPERP_M1", "BTCPERP", "M1", 22_500),
    ],
)
def test_one_sided_files_load(name: str, symbol: str, timeframe: str, bars: int, shared_data: Path) -> None:
    file = str(shared_data / f"{name}.parquet")
    assert Market.read(symbol=symbol, timeframe=timeframe, file=file, spread_pips=1).bars == bars
