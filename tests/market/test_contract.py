"""The data contract on generated files: each defect alone, with the code that it must give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import SweepError
from sweep.market import Market
from tests.market.support import MINUTE, START, UTC, bars, poke, replaced, write


def read(path: str, **keys: Any) -> Market:
    return Market.read(symbol="GBPUSD", timeframe="M1", file=path, spread_pips=0, **keys)


def swapped(table: pa.Table, row: int) -> pa.Table:
    order = list(range(table.num_rows))
    order[row], order[row + 1] = order[row + 1], order[row]
    return table.take(order)


def repeated(table: pa.Table, row: int) -> pa.Table:
    return pa.concat_tables([table.slice(0, row + 1), table.slice(row)])


def retyped(table: pa.Table, column: str, kind: pa.DataType) -> pa.Table:
    return replaced(table, column, table[column].cast(kind).combine_chunks())


def null_at(table: pa.Table, column: str, row: int) -> pa.Table:
    mask = pa.array([index == row for index in range(table.num_rows)])
    return replaced(table, column, pc.if_else(mask, None, table[column]).combine_chunks())


def naive(table: pa.Table) -> pa.Table:
    return retyped(table, "timestamp", pa.timestamp("us"))


DEFECTS: dict[str, tuple[Callable[[pa.Table], pa.Table], int, str]] = {
    "unsorted": (lambda t: swapped(t, 50), 1006, "51"),
    "reversed": (lambda t: t.take(list(range(t.num_rows))[::-1]), 1006, "sort"),
    "repeated": (lambda t: repeated(t, 80), 1006, "drop_identical"),
    "conflicting": (lambda t: poke(repeated(t, 80), "close", 81, 1.58), 1006, "81"),
    "nan": (lambda t: poke(t, "close", 20, np.nan), 1006, "20"),
    "nan in the last row": (lambda t: poke(t, "close", 199, np.nan), 1006, "199"),
    "nan volume": (lambda t: poke(t, "volume", 3, np.nan), 1006, "3"),
    "null": (lambda t: null_at(t, "close", 33), 1005, "row 33"),
    "null time": (lambda t: null_at(t, "timestamp", 34), 1005, "row 34"),
    "null volume": (lambda t: null_at(t, "volume", 35), 1005, "row 35"),
    "infinite": (lambda t: poke(t, "high", 60, np.inf), 1006, "60"),
    "minus infinite": (lambda t: poke(t, "low", 61, -np.inf), 1006, "61"),
    "high below low": (lambda t: poke(t, "high", 70, 1.0), 1006, "70"),
    "close above high": (lambda t: poke(t, "close", 71, 2.0), 1006, "71"),
    "open below low": (lambda t: poke(t, "open", 72, 1.0), 1006, "72"),
    "negative price": (lambda t: poke(t, "low", 90, -1.0), 1006, "90"),
    "zero price": (lambda t: poke(t, "low", 91, 0.0), 1006, "91"),
    "huge price": (lambda t: poke(t, "high", 92, 1e12), 1006, "92"),
    "negative volume": (lambda t: poke(t, "volume", 93, -5.0), 1006, "93"),
    "no close": (lambda t: t.drop_columns(["close"]), 1008, "close"),
    "no time": (lambda t: t.drop_columns(["timestamp"]), 1008, "timestamp"),
    "text prices": (lambda t: retyped(t, "close", pa.string()), 1004, "text is never"),
    "float32": (lambda t: retyped(t, "close", pa.float32()), 1004, "cast: true"),
    "int prices": (lambda t: replaced(t, "volume", pa.array([1] * 200)), 1004, "cast: true"),
    "bool volume": (lambda t: replaced(t, "volume", pa.array([True] * 200)), 1004, "bool"),
    "text times": (lambda t: retyped(t, "timestamp", pa.string()), 1004, "timestamp"),
    "bare integers": (lambda t: retyped(t, "timestamp", pa.int64()), 1004, "epoch_unit"),
    "no zone": (naive, 1009, "assume_utc"),
    "dates": (lambda t: retyped(naive(t), "timestamp", pa.date32()), 1009, "assume_utc"),
    "no rows": (lambda t: t.slice(0, 0), 1010, "no rows"),
    "two times": (lambda t: t.append_column("Date", t["timestamp"]), 1005, "market.columns"),
    "two closes": (lambda t: t.append_column("CLOSE", t["close"]), 1005, "close"),
    "wrong timeframe": (
        lambda t: replaced(t, "timestamp", bars(step=MINUTE // 2)["timestamp"].combine_chunks()),
        1006,
        "",
    ),
    "year 2201": (lambda t: bars(start=7_290_000_000_000_000), 1003, "epoch unit"),
    "year 1899": (lambda t: bars(start=-2_240_000_000_000_000), 1003, ""),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_refused_with_its_code_and_place(name: str, tmp_path: Path) -> None:
    spoil, code, words = DEFECTS[name]
    path = write(tmp_path, spoil(bars()))
    with pytest.raises(SweepError) as caught:
        read(path)
    problem = caught.value
    assert problem.code == code, problem
    assert problem.stage == "data"
    assert path in str(problem)
    assert words in str(problem)


def test_broken_microseconds_are_refused_and_whole_ones_are_not(tmp_path: Path) -> None:
    stamps = bars()["timestamp"].cast(pa.int64()).to_numpy() * 1000
    whole = replaced(bars(), "timestamp", pa.array(stamps).cast(pa.timestamp("ns", tz="UTC")))
    assert read(write(tmp_path, whole)).digest == read(write(tmp_path, bars(), "us.parquet")).digest
    stamps[17] += 1
    broken = replaced(bars(), "timestamp", pa.array(stamps).cast(pa.timestamp("ns", tz="UTC")))
    with pytest.raises(SweepError, match=r"\[1009\].*row 17"):
        read(write(tmp_path, broken, "broken.parquet"))


def test_the_first_five_rows_are_named_and_the_rest_counted() -> None:
    table = bars()
    for row in (3, 50, 51, 90, 120, 150, 199):
        table = null_at(table, "open", row)
    with pytest.raises(SweepError) as caught:
        Market.from_arrow(table, symbol="GBPUSD", timeframe="M1", spread_pips=0)
    assert "7 null values, rows 3, 50, 51, 90, 120;" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (lambda t: t.rename_columns(["Timestamp", "Open", "HIGH", "low", "Close", "Volume"]), {}),
        (lambda t: t.rename_columns(["UTC time", "open", "high", "low", "close", "volume"]), {}),
        (lambda t: t.select(["close", "volume", "timestamp", "low", "open", "high"]), {}),
        (lambda t: t.append_column("close2", t["open"]), {}),
        (lambda t: retyped(t, "timestamp", pa.timestamp("us", tz="Europe/Berlin")), {}),
        (lambda t: retyped(t, "timestamp", pa.timestamp("ms", tz="UTC")), {}),
        (naive, {"assume_utc": True}),
        (lambda t: retyped(t, "timestamp", pa.int64()), {"epoch_unit": "us"}),
        (
            lambda t: t.rename_columns(["t", "open", "high", "low", "Last", "volume"]),
            {"columns": {"timestamp": "t", "close": "last"}},
        ),
        (
            lambda t: t.append_column("date", t["timestamp"]),
            {"columns": {"timestamp": "timestamp"}},
        ),
    ],
)
def test_ways_to_say_the_same_bars(
    change: Callable[[pa.Table], pa.Table], keys: dict[str, Any], tmp_path: Path
) -> None:
    expected = read(write(tmp_path, bars(), "clean.parquet"))
    got = read(write(tmp_path, change(bars())), **keys)
    assert got.digest == expected.digest
    assert got.to_table().equals(expected.to_table())


def test_local_times_are_converted_by_their_zone(tmp_path: Path) -> None:
    berlin = replaced(
        bars(),
        "timestamp",
        pc.local_timestamp(
            retyped(bars(), "timestamp", pa.timestamp("us", tz="Europe/Berlin"))["timestamp"]
        ).combine_chunks(),
    )
    assert (
        read(write(tmp_path, berlin), time_zone="Europe/Berlin").digest
        == read(write(tmp_path, bars(), "u.parquet")).digest
    )
    with pytest.raises(SweepError, match=r"\[1001\].*unknown time zone"):
        read(write(tmp_path, berlin), time_zone="Europe/Berln")


def test_a_local_hour_that_exists_twice_is_refused(tmp_path: Path) -> None:
    autumn = np.datetime64("2012-10-28T01:50", "us").astype(np.int64)
    table = naive(bars(start=int(autumn)))
    with pytest.raises(SweepError, match=r"\[1009\].*twice"):
        read(write(tmp_path, table), time_zone="Europe/Berlin")


def test_stamps_at_the_close_are_moved_to_the_open(tmp_path: Path) -> None:
    closing = bars(start=int(START) + MINUTE)
    assert (
        read(write(tmp_path, closing), stamp="close").digest
        == read(write(tmp_path, bars(), "o.parquet")).digest
    )


def test_cast_widens_exactly_and_never_rescales(tmp_path: Path) -> None:
    narrow = retyped(bars(), "volume", pa.float32())
    market = read(write(tmp_path, narrow), cast=True)
    assert market.to_table()["bid_volume"].to_pylist() == bars()["volume"].to_pylist()
    assert market.report["sources"][0]["widened"] == ["volume"]
    huge = replaced(bars(), "volume", pa.array([2**53 + 1] * 200))
    with pytest.raises(SweepError, match=r"\[1004\].*too large"):
        read(write(tmp_path, huge, "huge.parquet"), cast=True)
    text = retyped(bars(), "close", pa.string())
    with pytest.raises(SweepError, match=r"\[1004\]"):
        read(write(tmp_path, text, "text.parquet"), cast=True)


def test_identical_rows_are_dropped_on_request_and_reported(tmp_path: Path) -> None:
    market = read(write(tmp_path, repeated(bars(), 80)), duplicates="drop_identical")
    assert market.bars == 200
    assert market.report["import"]["duplicates_dropped_bid"] == 1


def test_absent_volume_is_zero_and_reported(tmp_path: Path) -> None:
    market = read(write(tmp_path, bars().drop_columns(["volume"])))
    assert set(market.to_table()["bid_volume"].to_pylist()) == {0.0}
    assert market.report["import"]["volume_absent_bid"]


def test_a_column_named_in_the_config_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"\[1008\].*no column Last for close"):
        read(write(tmp_path, bars()), columns={"close": "Last"})


def test_one_sided_bars_get_the_spread_in_pips(tmp_path: Path) -> None:
    path = write(tmp_path, bars())
    table = Market.read(symbol="GBPUSD", timeframe="M1", file=path, spread_pips=1.5).to_table()
    bid, ask = table["bid_close"].to_numpy(), table["ask_close"].to_numpy()
    assert (ask == bid + 1.5 * 0.0001).all()


@pytest.mark.parametrize(("lost", "code"), [(2, None), (3, 1011)])
def test_sides_are_joined_by_label_within_the_allowed_loss(
    lost: int, code: int | None, tmp_path: Path
) -> None:
    paths = {
        "bid": write(tmp_path, bars(), "b.parquet"),
        "ask": write(tmp_path, bars(offset=0.0002).slice(lost), "a.parquet"),
    }
    if code is None:
        market = Market.read(symbol="GBPUSD", timeframe="M1", **paths)
        assert market.bars == 198
        assert market.report["import"]["labels_only_bid"] == 2
        table = market.to_table()
        assert np.allclose(table["ask_open"].to_numpy() - table["bid_open"].to_numpy(), 0.0002, atol=1e-12)
    else:
        with pytest.raises(SweepError, match=r"\[1011\].*max_alignment_loss"):
            Market.read(symbol="GBPUSD", timeframe="M1", **paths)


@pytest.mark.parametrize(("policy", "crossed"), [("count", True), ("clamp", False)])
def test_crossed_quotes_are_counted_or_clamped(policy: str, crossed: bool) -> None:
    market = Market.from_arrow(
        bars(), poke(bars(), "low", 7, 1.5), symbol="GBPUSD", timeframe="M1", crossed=policy
    )
    assert market.report["crossed"]["bars"] == (1 if crossed else 0)
    low = market.to_table()
    assert (low["ask_low"][7].as_py() < low["bid_low"][7].as_py()) is crossed
    with pytest.raises(SweepError, match=r"\[1006\]"):
        Market.from_arrow(
            bars(), poke(bars(), "low", 7, 1.5), symbol="GBPUSD", timeframe="M1", crossed="reject"
        )


@settings(max_examples=30)
@given(row=st.integers(0, 199), kind=st.sampled_from(["nan", "null", "swap", "repeat", "scale"]))
def test_one_spoilt_row_anywhere_is_found(row: int, kind: str) -> None:
    spoil = {
        "nan": lambda t: poke(t, "close", row, np.nan),
        "null": lambda t: null_at(t, "low", row),
        "swap": lambda t: swapped(t, min(row, 198)),
        "repeat": lambda t: repeated(t, row),
        "scale": lambda t: poke(t, "close", row, 158.0),
    }[kind]
    with pytest.raises(SweepError) as caught:
        Market.from_arrow(spoil(bars()), symbol="GBPUSD", timeframe="M1", spread_pips=0)
    assert caught.value.stage == "data"
    assert caught.value.code in (1005, 1006)


def test_files_that_are_no_parquet(tmp_path: Path) -> None:
    whole = Path(write(tmp_path, bars()))
    cases = {
        "empty.parquet": b"",
        "text.parquet": b"timestamp,open\n2012,1\n",
        "cut.parquet": whole.read_bytes()[: whole.stat().st_size * 2 // 3],
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SweepError) as caught:
            read(str(tmp_path / name))
        assert (caught.value.code, caught.value.stage) == (3004, "data"), name
        assert "\n" not in str(caught.value)
    (tmp_path / "bars.xlsx").write_text("a\n")
    for name, code in (("absent.parquet", 3001), (".", 3001), ("bars.xlsx", 1009), ("absent.csv", 3001)):
        with pytest.raises(SweepError) as caught:
            read(str(tmp_path / name))
        assert caught.value.code == code, name


def test_a_flipped_byte_in_a_page_with_a_checksum_is_found(tmp_path: Path) -> None:
    path = Path(write(tmp_path, bars(), write_page_checksum=True, compression="none", use_dictionary=False))
    content = bytearray(path.read_bytes())
    group = pq.ParquetFile(path).metadata.row_group(0).column(4)
    content[group.data_page_offset + group.total_compressed_size // 2] ^= 0x01
    path.write_bytes(bytes(content))
    with pytest.raises(SweepError, match=r"\[3004\].*CRC"):
        read(str(path))


def test_a_frame_that_does_not_speak_arrow_is_refused() -> None:
    with pytest.raises(SweepError, match=r"\[1004\].*dict"):
        Market.from_arrow({"close": [1.0]}, symbol="GBPUSD", timeframe="M1", spread_pips=0)


def test_a_pandas_frame_gives_the_same_market(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    market = Market.from_arrow(bars().to_pandas(), symbol="GBPUSD", timeframe="M1", spread_pips=0)
    assert market.digest == read(write(tmp_path, bars())).digest
    assert bars().schema.field("timestamp").type == UTC
