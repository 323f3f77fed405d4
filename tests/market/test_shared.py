"""The broken and the real files beside the project: each gets the reaction of the data contract.

Counterparts on generated files: `test_contract`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep.errors import SweepError
from sweep.market import Market

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


def test_every_parquet_file_of_bars_is_in_a_table_here(shared_data: Path) -> None:
    names = {path.stem for path in (shared_data / "bad").glob("*.parquet")}
    pairs = {
        f"{name}_{side}"
        for name in ("00_clean", "33_misaligned", "34_offset", "35_hole", "36_crossed")
        for side in ("bid", "ask")
    }
    assert names == REFUSED.keys() | ACCEPTED.keys() | pairs


def test_csv_is_refused_by_name(shared_data: Path) -> None:
    with pytest.raises(SweepError, match=r"\[4001\].*CSV"):
        one(shared_data / "bad" / "50_clean.csv")


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
