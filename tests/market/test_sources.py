"""CSV, Arrow IPC, frames and ticks: the same bars from every source, and what each of them refuses."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from sweep.config.load import section
from sweep.config.market import MarketConfig
from sweep.errors import SweepError
from sweep.market import Market
from sweep.market.contract import Reading, to_bars, to_ticks
from sweep.market.source import read
from sweep.market.times import text
from tests.market.support import UTC, bars, poke, replaced, write

SUMMER = int(np.datetime64("2012-07-02T21:50", "us").astype(np.int64))
HEADER = "timestamp,open,high,low,close,volume"


def market(file: object, **keys: Any) -> Market:
    return Market.read(**{"symbol": "GBPUSD", "timeframe": "M1", "file": str(file), "spread_pips": 0, **keys})


def refused(file: object, **keys: Any) -> SweepError:
    with pytest.raises(SweepError) as caught:
        market(file, **keys)
    assert caught.value.stage == "data"
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def iso(stamp: Any) -> str:
    return str(pc.strftime(stamp.cast(pa.timestamp("s", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ").as_py())


def told(format: str, zone: str = "UTC") -> Callable[[Any], str]:
    """Writes a stamp in a format and a zone."""
    return lambda stamp: stamp.cast(pa.timestamp("us", tz=zone)).as_py().strftime(format)


def lines(
    table: pa.Table, *, header: str | None = HEADER, separator: str = ",", time: Any = iso, number: Any = repr
) -> list[str]:
    """A table as lines of CSV, its numbers in their shortest exact form."""
    out = [] if header is None else [header]
    for row in range(table.num_rows):
        numbers = [number(table[name][row].as_py()) for name in table.column_names[1:]]
        out.append(separator.join([time(table["timestamp"][row]), *numbers]))
    return out


def save(folder: Path, content: list[str] | str | bytes, name: str = "bars.csv") -> Path:
    path = folder / name
    data = "\n".join(content) + "\n" if isinstance(content, list) else content
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


ROWS = lines(bars())


@pytest.fixture(scope="module")
def clean() -> Market:
    return Market.from_arrow(bars(), symbol="GBPUSD", timeframe="M1", spread_pips=0)


# One-liners of the documentation


def test_metatrader_5_exports(tmp_path: Path) -> None:
    table = bars(start=SUMMER)
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>"
    content = lines(table, header=header, separator="\t", time=told("%Y.%m.%d\t%H:%M:%S", "Europe/Athens"))
    content = [f"{line}\t{'<VOL>' if index == 0 else 0}" for index, line in enumerate(content)]
    got = market(
        save(tmp_path, content),
        csv={"separator": "tab"},
        columns={"timestamp": ["<DATE>", "<TIME>"], "open": "<OPEN>", "high": "<HIGH>", "low": "<LOW>",
                 "close": "<CLOSE>", "volume": "<TICKVOL>"},
        time_format="%Y.%m.%d %H:%M:%S",
        time_zone="Europe/Athens",
    )  # fmt: skip
    assert got.digest == Market.from_arrow(table, symbol="GBPUSD", timeframe="M1", spread_pips=0).digest
    assert got.report["sources"][0]["extra_columns"] == ["<VOL>"]


def test_metatrader_4_exports(tmp_path: Path, clean: Market) -> None:
    content = lines(bars(), header=None, time=told("%Y.%m.%d,%H:%M"))
    got = market(
        save(tmp_path, content),
        csv={"header": ["date", "time", "open", "high", "low", "close", "volume"]},
        columns={"timestamp": ["date", "time"]},
        time_format="%Y.%m.%d %H:%M",
        assume_utc=True,
    )
    assert got.digest == clean.digest


def test_dukascopy_bars(tmp_path: Path, clean: Market) -> None:
    content = lines(bars(), header="Gmt time,Open,High,Low,Close,Volume", time=told("%d.%m.%Y %H:%M:%S.000"))
    got = market(
        save(tmp_path, content),
        columns={"timestamp": "Gmt time"},
        time_format="%d.%m.%Y %H:%M:%S.%f",
        assume_utc=True,
    )
    assert got.digest == clean.digest


def test_dukascopy_ticks(tmp_path: Path) -> None:
    content = ["Gmt time,Ask,Bid,AskVolume,BidVolume"]
    content += ["01.02.2012 00:00:00.123,1.5761,1.576,1.5,2.25", "01.02.2012 00:00:00.123,1.5762,1.576,1,2"]
    path = save(tmp_path, content)
    config = section(
        MarketConfig,
        {
            "symbol": "GBPUSD",
            "timeframe": "M1",
            "ticks": str(path),
            "columns": {"timestamp": "Gmt time"},
            "time_format": "%d.%m.%Y %H:%M:%S.%f",
            "assume_utc": True,
        },
        "market",
    )
    reading = Reading.of(config)
    ticks = to_ticks(read(path, reading), "t", reading)
    assert ticks.table.column_names == ["timestamp", "bid", "ask", "bid_size", "ask_size"]
    assert ticks.table["timestamp"].type == UTC
    assert ticks.table["timestamp"].cast(pa.int64()).to_pylist() == [1_328_054_400_123_000] * 2
    assert [column.to_pylist() for column in ticks.table.columns[1:]] == [
        [1.576, 1.576],
        [1.5761, 1.5762],
        [2.25, 2.0],
        [1.5, 1.0],
    ]


# The same bars from every source


def ipc(folder: Path, table: pa.Table, compression: str | None = None, stream: bool = False) -> Path:
    path = folder / "bars.arrow"
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as file, make(file, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=64)
    return path


def pandas_csv(folder: Path) -> Path:
    path = folder / "bars.csv"
    bars().to_pandas().to_csv(path, index=False)
    return path


def polars_file(folder: Path, kind: str) -> Path:
    polars = pytest.importorskip("polars")
    path = folder / f"bars.{kind}"
    frame = polars.from_arrow(bars())
    {"arrow": frame.write_ipc, "parquet": frame.write_parquet, "csv": frame.write_csv}[kind](path)
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "csv": lambda f: save(f, ROWS),
    "tsv": lambda f: save(f, [row.replace(",", "\t") for row in ROWS], "bars.tsv"),
    "txt with CRLF": lambda f: save(f, "\r\n".join(ROWS), "bars.TXT"),
    "csv with CR": lambda f: save(f, "\r".join(ROWS)),
    "csv with BOM": lambda f: save(f, b"\xef\xbb\xbf" + "\n".join(ROWS).encode()),
    "csv with empty lines": lambda f: save(f, ["", "", ROWS[0], "", *ROWS[1:], ""]),
    "gzip": lambda f: save(f, gzip.compress("\n".join(ROWS).encode()), "bars.csv.gz"),
    "gzip of two members": lambda f: save(
        f,
        gzip.compress(("\n".join(ROWS[:9]) + "\n").encode()) + gzip.compress("\n".join(ROWS[9:]).encode()),
        "bars.csv.gz",
    ),
    "parquet": lambda f: Path(write(f, bars())),
    "ipc": lambda f: ipc(f, bars()),
    "ipc lz4": lambda f: ipc(f, bars(), "lz4"),
    "ipc stream zstd": lambda f: ipc(f, bars(), "zstd", stream=True),
    "pandas csv": pandas_csv,
    "polars ipc": lambda f: polars_file(f, "arrow"),
    "polars parquet": lambda f: polars_file(f, "parquet"),
    "polars csv": lambda f: polars_file(f, "csv"),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_source_gives_the_same_bits(kind: str, tmp_path: Path, clean: Market) -> None:
    keys: dict[str, Any] = {"csv": {"separator": "tab"}} if kind == "tsv" else {}
    got = market(FILES[kind](tmp_path), **keys)
    assert got.digest == clean.digest
    assert got.to_table().equals(clean.to_table())


def frame(kind: str) -> Any:
    if kind.startswith("polars"):
        polars = pytest.importorskip("polars")
        return polars.from_arrow(bars())
    pandas = pytest.importorskip("pandas")
    table = bars().to_pandas()
    if kind == "pandas ns":
        table["timestamp"] = table["timestamp"].astype("datetime64[ns, UTC]")
    elif kind == "pandas index":
        table = table.set_index("timestamp")
    elif kind == "pandas category":
        table["volume"] = table["volume"].astype("category")
    assert isinstance(table, pandas.DataFrame)
    return table


@pytest.mark.parametrize("kind", ["polars", "pandas", "pandas ns", "pandas index", "pandas category"])
def test_frames_give_the_same_bits(kind: str, clean: Market) -> None:
    got = Market.from_arrow(frame(kind), symbol="GBPUSD", timeframe="M1", spread_pips=0)
    assert got.digest == clean.digest
    assert got.to_table().equals(clean.to_table())


def test_an_index_without_a_name_is_not_taken_for_the_time() -> None:
    table = frame("pandas index").rename_axis(None)
    with pytest.raises(SweepError, match=r"\[1008\].*rename_axis"):
        Market.from_arrow(table, symbol="GBPUSD", timeframe="M1", spread_pips=0)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_text_times_of_a_frame_need_their_format(kind: pa.DataType, clean: Market) -> None:
    stamps = pa.array([iso(stamp) for stamp in bars()["timestamp"]], kind)
    for column in (stamps, stamps.cast(pa.string()).dictionary_encode()):
        table = replaced(bars(), "timestamp", column)
        with pytest.raises(SweepError, match=r"\[1004\].*time is text '2012-02-01T16:43:00Z'.*time_format"):
            Market.from_arrow(table, symbol="GBPUSD", timeframe="M1", spread_pips=0)
        keys = {"symbol": "GBPUSD", "timeframe": "M1", "spread_pips": 0}
        got = Market.from_arrow(table, **keys, time_format="%Y-%m-%dT%H:%M:%S%z")
        assert got.digest == clean.digest


def test_decimals_are_refused() -> None:
    table = replaced(bars(), "close", pc.round(bars()["close"], 5).cast(pa.decimal128(9, 5)).combine_chunks())
    for keys in ({}, {"cast": True}):
        with pytest.raises(SweepError, match=r"\[1004\].*decimal128\(9, 5\).*not every decimal"):
            Market.from_arrow(table, symbol="GBPUSD", timeframe="M1", spread_pips=0, **keys)


# CSV: what is told, and what is refused


def test_decimal_commas_and_semicolons_when_told(tmp_path: Path, clean: Market) -> None:
    comma = lines(
        bars(), header=HEADER.replace(",", ";"), separator=";", number=lambda v: repr(v).replace(".", ",")
    )
    path = save(tmp_path, comma)
    assert market(path, csv={"separator": ";", "decimal": ","}).digest == clean.digest
    problem = refused(path)
    assert problem.code == 1008
    assert f"one column `{HEADER.replace(',', ';')}`" in str(problem)
    assert "set market.csv.separator: ';'" in str(problem)
    problem = refused(path, csv={"separator": ";"})
    assert problem.code == 1004
    assert ": open;" in str(problem)
    assert "row 0 '1,58'" in str(problem)
    assert "market.csv.decimal: ','" in str(problem)
    points = save(tmp_path, [row.replace(",", ";") for row in ROWS], "points.csv")
    assert refused(points, csv={"separator": ";", "decimal": ","}).code == 1004


@pytest.mark.parametrize("char", ["\t", "|", ";"])
def test_a_wrong_separator_is_named_without_header_too(char: str, tmp_path: Path) -> None:
    path = save(tmp_path, [row.replace(",", char) for row in ROWS[1:]])
    problem = refused(path, csv={"header": HEADER.split(",")})
    assert problem.code == 1008
    assert "set market.csv.separator: " + ("tab" if char == "\t" else repr(char)) in str(problem)


def test_a_file_without_header_is_not_read_by_position(tmp_path: Path, clean: Market) -> None:
    path = save(tmp_path, ROWS[1:])
    problem = refused(path)
    assert problem.code == 1008
    assert "no header, the first line is `2012-02-01T16:43:00Z,1.58," in str(problem)
    assert market(path, csv={"header": HEADER.split(",")}).digest == clean.digest
    other = ["timestamp", "low", "high", "open", "close", "volume"]
    assert market(path, csv={"header": other}, columns={"low": "open", "open": "low"}).digest == clean.digest


def changed(row: int, cell: int, value: str) -> list[str]:
    """The lines with one other cell; row 0 is the first of data."""
    cells = ROWS[row + 1].split(",")
    cells[cell] = value
    return [*ROWS[: row + 1], ",".join(cells), *ROWS[row + 2 :]]


SPOILT: dict[str, tuple[list[str] | str | bytes, int, str]] = {
    "empty": ("", 3004, "empty file"),
    "blank": ("\n\n \n", 3004, "no line with text"),
    "header only": (HEADER, 1010, "no rows"),
    "header only, line ended": (HEADER + "\n\n", 1010, "no rows"),
    "utf-16": ("\n".join(ROWS).encode("utf-16"), 3004, "UTF-16"),
    "utf-16 without mark": ("\n".join(ROWS).encode("utf-16-le"), 3004, "NUL byte in line 1"),
    "another column, in UTF-8": ([f"größe,{HEADER}", *(f"größe,{row}" for row in ROWS[1:])], 0, ""),
    "not utf-8": ("\n".join([f"größe,{HEADER}"]).encode("latin-1"), 3004, "line 1 is not UTF-8"),
    "late not utf-8": ("\n".join(changed(150, 0, "2012é")).encode("latin-1"), 3004, "line 152 is not UTF-8"),
    "nul": (changed(90, 4, "1.58\0"), 3004, "NUL byte in line 92"),
    "nul at the end": ("\n".join(ROWS) + "\n\0\0", 3004, "NUL byte in line 202"),
    "short row": ([*ROWS[:50], ROWS[50].rsplit(",", 2)[0], *ROWS[51:]], 3004, "line 51 has 4 of 6 cells"),
    "long row": ([*ROWS[:50], ROWS[50] + ",1", *ROWS[51:]], 3004, "line 51 has 7 cells, 6 are named"),
    "cut in the last row": ("\n".join(ROWS)[:-40], 3004, "line 201 has"),
    "first row short": ([ROWS[0], "2012-02-01T16:43:00Z,1.58", *ROWS[2:]], 3004, "line 2 has 2 of 6 cells"),
    "quoted numbers": (
        [ROWS[0], *(row.replace(",1.58", ',"1.58"', 1) for row in ROWS[1:])],
        1004,
        "numbers in quotes",
    ),
    "quoted decimal commas": (
        [ROWS[0], '2012-02-01T16:43:00Z,"1,58","1,59","1,57","1,58",1'],
        1004,
        "row 0 '\"1,58\"'",
    ),
    "one quoted number": (changed(70, 4, '"1.58"'), 1004, "row 70"),
    "text number": (changed(60, 3, "n/a"), 1004, "low; text is never"),
    "two text numbers": (
        [*changed(60, 3, "x")[:100], *changed(99, 3, "y")[100:]],
        1004,
        "row 60 'x', row 99 'y'",
    ),
    "thousands": (changed(61, 5, "1 000"), 1004, "row 61 '1 000'"),
    "empty number": (changed(62, 2, ""), 1005, "row 62"),
    "empty time": (changed(63, 0, ""), 1005, "row 63"),
    "empty first time": (changed(0, 0, ""), 1005, "1 null value, row 0"),
    "nan": (changed(64, 4, "nan"), 1006, "64"),
    "no such day": (changed(65, 0, "2012-02-30T00:00:00Z"), 1004, "row 65 '2012-02-30T00:00:00Z'"),
    "other time": (changed(66, 0, "01.02.2012 16:43"), 1004, "row 66 '01.02.2012 16:43'"),
    "one time without zone": (changed(67, 0, "2012-02-01T16:43:00"), 1009, "some times have a zone"),
    "nanoseconds": (changed(0, 0, "2012-02-01T16:43:00.000000001Z"), 1009, "row 0"),
    "two closes": ([f"{HEADER},Close", *(f"{row},1" for row in ROWS[1:])], 1005, "close and Close both"),
    "no time": ([f"moment{HEADER[9:]}", *ROWS[1:]], 1008, "no column for timestamp"),
    "open quotes": (
        [f"{HEADER},note", *(f"{row},{chr(34) if n in (7, 9) else ''}" for n, row in enumerate(ROWS[1:]))],
        3004,
        "200 lines make 198 rows",
    ),
    "no zone": ([row.replace("Z,", ",") for row in ROWS], 1009, "assume_utc"),
    "day first": (
        [ROWS[0], *(f"01.02.2012 {row[11:16]}{row[20:]}" for row in ROWS[1:])],
        1004,
        "time_format",
    ),
    "month first": (
        [ROWS[0], *(f"02/01/2012 {row[11:16]}{row[20:]}" for row in ROWS[1:])],
        1004,
        "time_format",
    ),
    "slashes": ([row.replace("-", "/") for row in ROWS], 1004, "time is text '2012/02/01T16:43:00Z'"),
    "epoch": (
        [ROWS[0], *(f"{1328114580 + 60 * i}{row[20:]}" for i, row in enumerate(ROWS[1:]))],
        1004,
        "epoch_unit",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_defect_of_a_csv_file_is_refused(name: str, tmp_path: Path) -> None:
    content, code, words = SPOILT[name]
    path = save(tmp_path, content)
    if code == 0:
        assert market(path).bars == 200
        return
    problem = refused(path)
    assert problem.code == code, problem
    assert words in str(problem)
    data = path.read_bytes()
    if data:
        zipped = refused(save(tmp_path, gzip.compress(data), "bars.csv.gz"))
        assert str(zipped).replace(".csv.gz", ".csv") == str(problem)


def many_rows() -> list[str]:
    """60,000 sound lines, far more than what is looked at before a file is parsed."""
    stamps = bars(60_000)["timestamp"].cast(pa.timestamp("s", tz="UTC"))
    written = pc.strftime(stamps, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
    return [f"{stamp},1.5,1.6,1.4,1.5,1" for stamp in written]


def test_a_defect_far_into_a_large_file_is_found_by_line(tmp_path: Path) -> None:
    rows = many_rows()
    path = save(tmp_path, [HEADER, *rows])
    assert market(path).bars == 60_000
    rows[55_000] = rows[55_000].replace("1.6", "1.6O")
    assert "high; text is never" in str(refused(save(tmp_path, [HEADER, *rows])))
    assert "row 55000 '1.6O'" in str(refused(path))
    rows[55_000] = rows[55_000].rsplit(",", 1)[0]
    assert "line 55002 has 5 of 6 cells" in str(refused(save(tmp_path, [HEADER, *rows])))


def test_quoted_text_beside_the_numbers(tmp_path: Path, clean: Market) -> None:
    rows = [f'"{HEADER.replace(",", chr(34) + "," + chr(34))}","a ""note"""']
    rows += [f'"{row[:20]}"{row[20:]},"one, two"' for row in ROWS[1:]]
    got = market(save(tmp_path, rows))
    assert got.digest == clean.digest
    assert got.report["sources"][0]["extra_columns"] == ['a "note"']


@pytest.mark.parametrize("quoted_from", [0, 50_000])
def test_quotes_that_begin_far_down_are_quotes(quoted_from: int, tmp_path: Path) -> None:
    rows, header = many_rows(), f"{HEADER},note"
    plain = market(save(tmp_path, [HEADER, *rows]))
    noted = [f"{row},none" for row in rows[:quoted_from]] + [
        f'{row},"one, two"' for row in rows[quoted_from:]
    ]
    assert market(save(tmp_path, [header, *noted])).digest == plain.digest
    noted[55_000] = noted[55_000].replace("1.6", '"1.6"')
    problem = refused(save(tmp_path, [header, *noted]))
    assert problem.code == 1004
    assert "bars.csv: high" in str(problem)
    assert "numbers in quotes, row 55000 '\"1.6\"'" in str(problem)
    noted[55_000] = rows[55_000] + ',"not closed'
    problem = refused(save(tmp_path, [header, *noted]))
    assert problem.code == 3004
    assert "#55002" in str(problem)


@pytest.mark.parametrize(
    ("wrong", "words"), [(1, "1 cell,"), (999, "999 cells,"), (1001, "1000 cells or more,")]
)
def test_cells_that_cannot_be_read_are_counted_up_to_a_thousand(
    wrong: int, words: str, tmp_path: Path
) -> None:
    rows = many_rows()
    for row in range(20_000, 20_000 + wrong):
        rows[row] = rows[row].replace("1.4", "x")
    problem = refused(save(tmp_path, [HEADER, *rows]))
    assert problem.code == 1004
    assert f"no number in {words} row 20000 'x'" in str(problem)


def test_a_gzip_file_under_a_plain_name_is_refused_by_its_right_name(tmp_path: Path) -> None:
    problem = refused(save(tmp_path, gzip.compress("\n".join(ROWS).encode())))
    assert problem.code == 3004
    assert "compressed with gzip" in str(problem)
    assert "name it bars.csv.gz" in str(problem)


def test_a_cut_gzip_file_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join(ROWS).encode())
    for content in (whole[: len(whole) // 2], whole[:-6], b"\x1f\x8b", b"plain text", b""):
        problem = refused(save(tmp_path, content, "bars.csv.gz"))
        assert problem.code == 3004, (content[:10], problem)


def test_bars_of_a_broken_gzip_checksum_are_refused(tmp_path: Path) -> None:
    content = bytearray(gzip.compress("\n".join(ROWS).encode()))
    content[-8] ^= 1
    assert refused(save(tmp_path, bytes(content), "bars.csv.gz")).code == 3004


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_epoch_integers_need_their_unit(unit: str, factor: int, tmp_path: Path, clean: Market) -> None:
    def count(stamp: Any) -> str:
        return str(stamp.value // 1_000_000 * factor)

    path = save(tmp_path, lines(bars(), time=count))
    assert market(path, epoch_unit=unit).digest == clean.digest
    problem = refused(path)
    assert problem.code == 1004
    assert "epoch_unit" in str(problem)
    problem = refused(save(tmp_path, ROWS), epoch_unit=unit)
    assert problem.code == 1004
    assert "no whole number in 200 cells, row 0 '2012-02-01T16:43:00Z'" in str(problem)


def test_a_wrong_epoch_unit_is_out_of_range(tmp_path: Path) -> None:
    path = save(tmp_path, lines(bars(), time=lambda stamp: str(stamp.value)))
    assert refused(path, epoch_unit="s").code == 1003
    assert refused(path, epoch_unit="ms").code == 1003


# Zones


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_local_times_by_zone_and_by_offset(zone: str, tmp_path: Path, clean: Market) -> None:
    local = save(tmp_path, lines(bars(), time=told("%Y-%m-%d %H:%M:%S", zone)))
    assert market(local, time_zone=zone).digest == clean.digest
    assert refused(local).code == 1009
    for form in ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S.000%z"):
        offset = save(tmp_path, lines(bars(), time=told(form, zone)))
        assert market(offset).digest == clean.digest


@pytest.mark.parametrize("start", ["2012-10-28T00:50", "2012-10-28T01:10"])
def test_a_local_hour_that_exists_twice_is_refused_without_offset(start: str, tmp_path: Path) -> None:
    table = bars(start=int(np.datetime64(start, "us").astype(np.int64)))
    for form, keys in (("%Y-%m-%dT%H:%M:%S", {}), ("%d.%m.%Y %H:%M", {"time_format": "%d.%m.%Y %H:%M"})):
        path = save(tmp_path, lines(table, time=told(form, "Europe/Berlin")))
        problem = refused(path, time_zone="Europe/Berlin", **keys)
        assert problem.code == 1009
        assert "twice" in str(problem)
    offset = save(tmp_path, lines(table, time=told("%Y-%m-%dT%H:%M:%S%z", "Europe/Berlin")))
    expected = Market.from_arrow(table, symbol="GBPUSD", timeframe="M1", spread_pips=0)
    assert market(offset).digest == expected.digest


def test_a_local_hour_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    table = bars(start=int(np.datetime64("2012-03-25T01:50", "us").astype(np.int64)))
    path = save(tmp_path, lines(table, time=told("%Y-%m-%dT%H:%M:%S")))
    assert refused(path, time_zone="Europe/Berlin").code == 1009
    assert market(path, assume_utc=True).bars == 200


# time_format


def parsed(values: list[str], form: str) -> pa.ChunkedArray:
    return text(pa.chunked_array([pa.array(values, pa.large_string())]), form, "t")


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("01.02.2012 16:43", "%d.%m.%Y %H:%M", "2012-02-01T16:43:00"),
        ("1.2.2012 6:43", "%d.%m.%Y %H:%M", "2012-02-01T06:43:00"),
        ("02/01/2012", "%m/%d/%Y", "2012-02-01T00:00:00"),
        ("20120201 164359", "%Y%m%d %H%M%S", "2012-02-01T16:43:59"),
        ("20120201164359123", "%Y%m%d%H%M%S%f", "2012-02-01T16:43:59.123"),
        ("2012-02-01 16:43:59,5", "%Y-%m-%d %H:%M:%S,%f", "2012-02-01T16:43:59.5"),
        ("2012-02-01 16:43:59.123456", "%Y-%m-%d %H:%M:%S.%f", "2012-02-01T16:43:59.123456"),
        ("2012-02-01 16:43:59.1234560", "%Y-%m-%d %H:%M:%S.%f", "2012-02-01T16:43:59.123456"),
        ("2012-02-01T16:43:00.250+0130", "%Y-%m-%dT%H:%M:%S.%f%z", "2012-02-01T15:13:00.250"),
        ("2012-02-01T16:43:00-05:00", "%Y-%m-%dT%H:%M:%S%z", "2012-02-01T21:43:00"),
        ("2012-02-01T16:43:00Z", "%Y-%m-%dT%H:%M:%S%z", "2012-02-01T16:43:00"),
        ("01 Feb 2012 12:05 AM", "%d %b %Y %I:%M %p", "2012-02-01T00:05:00"),
        ("01 february 12 12:05pm", "%d %B %y %I:%M%p", "2012-02-01T12:05:00"),
        ("01.02.69", "%d.%m.%y", "1969-02-01T00:00:00"),
        ("29.02.2012", "%d.%m.%Y", "2012-02-29T00:00:00"),
        ("01.02.2012 16:43:00.000 GMT+0100", "%d.%m.%Y %H:%M:%S.%f GMT%z", "2012-02-01T15:43:00"),
        ("31.12.1899 23:59:59.999999", "%d.%m.%Y %H:%M:%S.%f", "1899-12-31T23:59:59.999999"),
        ("100% 2012-02-01", "100%% %Y-%m-%d", "2012-02-01T00:00:00"),
        ("2012-02-01T00:00:00 (UTC)", "%Y-%m-%dT%H:%M:%S (UTC)", "2012-02-01T00:00:00"),
    ],
)
def test_a_time_format_reads_exactly(value: str, form: str, expected: str) -> None:
    got = parsed([value, value], form)
    assert got.type == (UTC if "%z" in form else pa.timestamp("us"))
    assert got.cast(pa.int64()).to_pylist() == [np.datetime64(expected, "us").astype(np.int64)] * 2


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("01.02.2012 16:43x", "%d.%m.%Y %H:%M"),
        ("01.02.2012 16:43 ", "%d.%m.%Y %H:%M"),
        (" 01.02.2012 16:43", "%d.%m.%Y %H:%M"),
        ("01.02.2012  16:43", "%d.%m.%Y %H:%M"),
        ("01.02.2012 16:43\n", "%d.%m.%Y %H:%M"),
        ("01.02.2012 16:43:00", "%d.%m.%Y %H:%M"),
        ("31.02.2012 16:43", "%d.%m.%Y %H:%M"),
        ("29.02.2011 16:43", "%d.%m.%Y %H:%M"),
        ("00.02.2012 16:43", "%d.%m.%Y %H:%M"),
        ("01.13.2012 16:43", "%d.%m.%Y %H:%M"),
        ("01.02.2012 24:00", "%d.%m.%Y %H:%M"),
        ("01.02.2012 16:60", "%d.%m.%Y %H:%M"),
        ("01.02.2012 16:43:60", "%d.%m.%Y %H:%M:%S"),
        ("01-02-2012 16:43", "%d.%m.%Y %H:%M"),
        ("01.02.12 16:43", "%d.%m.%Y %H:%M"),
        ("01.02.2012 16:43:00.", "%d.%m.%Y %H:%M:%S.%f"),
        ("01.02.2012 16:43:00", "%d.%m.%Y %H:%M:%S.%f"),
        ("01.02.2012 16:43:00.-1", "%d.%m.%Y %H:%M:%S.%f"),
        ("٠١.02.2012 16:43", "%d.%m.%Y %H:%M"),
        ("2012-02-01T16:43:00+25:00", "%Y-%m-%dT%H:%M:%S%z"),
        ("2012-02-01T16:43:00", "%Y-%m-%dT%H:%M:%S%z"),
        ("01 Fev 2012", "%d %b %Y"),
        ("01 Feb 2012 00:05 AM", "%d %b %Y %I:%M %p"),
        ("01 Feb 2012 13:05 PM", "%d %b %Y %I:%M %p"),
        ("2012021", "%Y%m%d"),
        ("", "%Y%m%d"),
    ],
)
def test_a_time_format_is_strict(value: str, form: str) -> None:
    good = np.datetime64("2012-02-01T03:04:05", "us").item().strftime(form.replace("%z", "+0000"))
    for before, after in ((2, 1), (0, 0), (300_000, 0)):
        with pytest.raises(SweepError) as caught:
            parsed([good] * before + [value] + [good] * after, form)
        assert caught.value.code == 1004
        assert f"1 times do not match time_format {form!r}, row {before} {value!r}; t;" in str(caught.value)


def test_digits_beyond_the_microsecond_are_refused() -> None:
    form = "%Y-%m-%d %H:%M:%S.%f"
    with pytest.raises(SweepError, match=r"\[1009\] 1 times have broken microseconds, row 1 "):
        parsed(["2012-02-01 16:43:59.1234560", "2012-02-01 16:43:59.1234561"], form)


def test_the_first_five_times_that_do_not_match_are_named(tmp_path: Path) -> None:
    path = save(tmp_path, [ROWS[0], *(f"{row % 32}.02.2012 00:00,1,1,1,1,1" for row in range(96))])
    problem = refused(path, time_format="%d.%m.%Y %H:%M", assume_utc=True)
    assert problem.code == 1004
    assert "9 times do not match" in str(problem)
    assert "row 0 '0.02.2012 00:00', row 30 '30.02.2012 00:00', row 31" in str(problem)
    assert "row 32 '0.02.2012 00:00', row 62 '30.02.2012 00:00'; " in str(problem)


@settings(max_examples=60)
@given(
    moments=st.lists(st.integers(-2_208_988_800_000_000, 7_258_118_399_000_000), min_size=1, max_size=30),
    form=st.sampled_from(
        ["%d.%m.%Y %H:%M:%S.%f", "%Y%m%d%H%M%S%f", "%b %d %Y %I:%M:%S.%f %p", "%Y-%m-%dT%H:%M:%S.%f+00:00"]
    ),
)
def test_what_python_writes_is_read_back(moments: list[int], form: str) -> None:
    stamps = np.array(moments, "M8[us]")
    values = [stamp.item().strftime(form) for stamp in stamps]
    got = parsed(values, form.replace("+00:00", "%z"))
    assert got.cast(pa.int64()).to_pylist() == stamps.astype(np.int64).tolist()


def test_two_columns_of_time_must_be_text_of_a_format(tmp_path: Path) -> None:
    rows = ["date,time," + HEADER[10:], *(row.replace("T", ",", 1).replace("Z", "", 1) for row in ROWS[1:])]
    path = save(tmp_path, rows)
    problem = refused(path)
    assert problem.code == 1005
    assert "or both: [date, time]" in str(problem)
    both = {"timestamp": ["date", "time"]}
    assert refused(path, columns=both).code == 1004
    assert refused(path, columns=both, time_format="%Y-%m-%d %H:%M:%S").code == 1009
    assert market(path, columns=both, time_format="%Y-%m-%d %H:%M:%S", assume_utc=True).bars == 200
    table = bars().append_column("time", pa.array(["00:00"] * 200))
    with pytest.raises(SweepError, match=r"\[1004\].*both must be text"):
        to_bars(table, "t", Reading(columns={"timestamp": ("timestamp", "time")}, time_format="%Y%m%d %H:%M"))


# Arrow IPC and ticks


def test_files_that_are_no_arrow(tmp_path: Path) -> None:
    whole = ipc(tmp_path, bars()).read_bytes()
    stream = ipc(tmp_path, bars(), stream=True).read_bytes()
    spoilt = (
        b"",
        b"ARROW1",
        b"timestamp,open\n",
        whole[: len(whole) * 2 // 3],
        stream[:600],
        b"FEA1" + whole[4:],
    )
    for content in spoilt:
        problem = refused(save(tmp_path, content, "bars.feather"))
        assert problem.code == 3004, content[:10]
    assert "Feather version 1" in str(problem)
    assert str(problem).count("[3004]") == 1


@pytest.mark.parametrize("compression", ["uncompressed", "zstd"])
def test_a_market_does_not_change_with_the_file_it_came_from(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "bars.feather"
    feather.write_feather(bars(), str(path), compression=compression)
    found = market(path)
    before = found.to_table().to_pydict()
    feather.write_feather(bars(offset=0.5), str(tmp_path / "other.feather"), compression=compression)
    with path.open("r+b") as file:
        file.write((tmp_path / "other.feather").read_bytes())
    assert found.to_table().to_pydict() == before
    assert found.hashed() == found.digest
    path.write_bytes(b"")  # a map of it would end the process
    assert found.to_table().to_pydict() == before


def test_a_line_end_inside_quotes_is_told_once(tmp_path: Path) -> None:
    text = f'{HEADER},note\n2024-01-02T00:00:00Z,1.1,1.2,1.0,1.15,5,"a\n2024-01-02T00:01:00Z,1.1,1.2,1.0,1.15,5,b"\n'
    problem = refused(save(tmp_path, text, "bars.csv"))
    assert (problem.code, str(problem).count("[3004]")) == (3004, 1)
    assert "line end inside quotes" in problem.what


def test_the_formats_are_told_by_suffix(tmp_path: Path) -> None:
    for name in ("bars.xlsx", "bars", "bars.gz", "bars.parquet.gz"):
        with pytest.raises(SweepError, match=r"\[1009\].*unknown file format.*\.csv\.gz"):
            market(save(tmp_path, "x", name))


@pytest.mark.parametrize(
    "names",
    [
        ["timestamp", "bid", "ask", "bid_size", "ask_size"],
        ["Time", "BID", "Ask", "Bid Volume", "AskVolume"],
        ["UTC time", "bid", "ask", "bid_vol", "askqty"],
    ],
)
def test_ticks_are_read_by_name(names: list[str]) -> None:
    stamps = bars(3)["timestamp"]
    raw = pa.table([stamps, *(pa.array([float(n)] * 3) for n in range(1, 5))], names=names)
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]):
        got = to_ticks(raw.select(order), "t", Reading())
        assert got.table.to_pydict() == dict(
            zip(
                ["timestamp", "bid", "ask", "bid_size", "ask_size"],
                [stamps.to_pylist(), *([float(n)] * 3 for n in range(1, 5))],
                strict=True,
            )
        )
    short = to_ticks(raw.select([0, 1, 2]), "t", Reading())
    assert short.table.column_names == ["timestamp", "bid", "ask"]


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda t: t.drop_columns(["ask"]), 1008, "ask"),
        (lambda t: t.append_column("Bid", t["ask"]), 1005, "bid and Bid"),
        (
            lambda t: t.append_column("bidvolume", t["ask"]).append_column("bid_size", t["ask"]),
            1005,
            "bid_size",
        ),
        (lambda t: t.slice(0, 0), 1010, "give a file with ticks"),
        (lambda t: t.set_column(1, "bid", t["bid"].cast(pa.string())), 1004, "text is never"),
        (lambda t: t.set_column(1, "bid", pa.array([1.0, None, 1.0])), 1005, "row 1"),
    ],
)
def test_a_defect_of_ticks_is_refused(spoil: Any, code: int, words: str) -> None:
    table = pa.table({"timestamp": bars(3)["timestamp"], "bid": [1.0] * 3, "ask": [2.0] * 3})
    with pytest.raises(SweepError) as caught:
        to_ticks(spoil(table), "t", Reading())
    assert caught.value.code == code, caught.value
    assert words in str(caught.value)


def test_a_reading_of_higher_bars_beside_ticks() -> None:
    keys = {"ticks": "t.csv", "higher": {"H1": {"file": "h.csv", "spread_pips": 1}}}
    columns = {"close": "Last", "bid": "B"}
    config = section(
        MarketConfig, {"symbol": "EURUSD", "timeframe": "M1", **keys, "columns": columns}, "market"
    )
    assert (Reading.of(config).kind, Reading.of(config).columns) == ("ticks", {"bid": "B"})
    higher = Reading.of(config, "H1")
    assert (higher.kind, higher.columns, higher.timeframe) == ("bars", {"close": "Last"}, "H1")


# What to do


def test_dates_as_whole_numbers_are_read_by_their_format(tmp_path: Path) -> None:
    rows = [f"{day},1.1,1.2,1.0,1.15,5" for day in (20240102, 20240103)]
    file = save(tmp_path, "\n".join([HEADER, *rows, ""]), "days.csv")
    problem = refused(file, timeframe="D1", assume_utc=True)
    assert problem.code == 1004
    assert "time_format: '%Y%m%d'" in problem.remedy
    keys = {"timeframe": "D1", "assume_utc": True, "time_format": "%Y%m%d"}
    text = market(file, **keys)
    assert iso(text.to_table()["timestamp"][1]) == "2024-01-03T00:00:00Z"
    table = pa.table(
        {
            "timestamp": pa.array([20240102, 20240103], pa.int32()),
            **{
                name: pa.array([value] * 2)
                for name, value in zip(HEADER.split(",")[1:], (1.1, 1.2, 1.0, 1.15, 5.0), strict=True)
            },
        }
    )
    pq.write_table(table, tmp_path / "days.parquet")
    assert market(tmp_path / "days.parquet", **keys).digest == text.digest


def test_two_columns_of_one_name_are_a_matter_of_the_source(tmp_path: Path) -> None:
    text = "timestamp,open,high,low,close,close\n2024-01-02T00:00:00Z,1.1,1.2,1.0,1.15,1.15\n"
    problem = refused(save(tmp_path, text, "bars.csv"))
    assert (problem.code, "rename" in problem.remedy, "market.columns" in problem.remedy) == (
        1005,
        True,
        False,
    )


# Both sides in one file


def two_sided() -> Market:
    ask = poke(bars(offset=0.0002), "volume", 7, 40.0)
    return Market.from_arrow(bars(), ask, symbol="GBPUSD", timeframe="M1")


@pytest.mark.parametrize("style", ["bid_open", "Bid Open", "BidOpen", "ask.open", "bid-open", "bid:open"])
def test_a_file_of_both_sides_needs_no_spread(style: str, tmp_path: Path) -> None:
    """Its market is that of the two tables, whatever stands between side and price."""
    found = two_sided()
    middle = style[3:-4]
    names = [
        name if name == "timestamp" else middle.join(name.split("_"))
        for name in found.to_table().column_names
    ]
    if style[0] == "B":
        names = [middle.join(part.title() for part in name.split(middle or "_")) for name in names]
    table = found.to_table().rename_columns(names)
    keys = {"symbol": "GBPUSD", "timeframe": "M1"}
    assert Market.from_arrow(table, **keys).digest == found.digest
    pq.write_table(table, tmp_path / "both.parquet")
    pcsv.write_csv(table, tmp_path / "both.csv")
    for name in ("both.parquet", "both.csv"):
        assert Market.read(file=str(tmp_path / name), **keys).digest == found.digest


def test_sides_in_one_file_are_as_strictly_read(tmp_path: Path) -> None:
    table = two_sided().to_table()
    keys = {"symbol": "GBPUSD", "timeframe": "M1"}
    with pytest.raises(SweepError, match=r"\[1006\].*bids and asks.*market.spread_pips"):
        Market.from_arrow(table, **keys, spread_pips=1)
    with pytest.raises(SweepError, match=r"\[1008\].*market.spread_pips"):
        Market.from_arrow(bars(), **keys)
    bid, ask = write(tmp_path, bars(), "b.parquet"), write(tmp_path, bars(offset=0.0002), "a.parquet")
    for own, place in (({"file": bid}, "market"), ({"bid": bid, "ask": ask}, "market.higher.H1")):
        given = {} if place == "market" else {"higher": {"H1": {"file": bid}}}
        with pytest.raises(SweepError, match=rf"\[1008\].*; {place}.spread_pips; one-sided"):
            Market.read(**own, **given, **keys)
    with pytest.raises(SweepError, match=r"\[1008\].*no column for open"):
        Market.from_arrow(table.drop_columns(["ask_low"]), **keys)
    with pytest.raises(SweepError, match=r"\[1006\].*\(ask\)"):
        Market.from_arrow(poke(table, "ask_close", 20, float("nan")), **keys)
    closes = Market.from_arrow(table, **keys, stamp="close").to_table()["timestamp"][1]
    assert closes == table["timestamp"][0]
