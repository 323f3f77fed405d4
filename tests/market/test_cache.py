"""The dataset cache: what is read once is the same ever after, and what is damaged is noticed."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep.config.load import section
from sweep.config.market import MarketConfig
from sweep.errors import SweepError
from sweep.market import Market, load
from sweep.market.cache import DatasetCache

FIELDS = ("open", "high", "low", "close", "volume")


def source(folder: Path, bars: int = 2_000, seed: int = 7) -> Path:
    """A Parquet file of one side."""
    rows = Market.synthetic(bars=bars, seed=seed).to_table()
    path = folder / "bars.parquet"
    pq.write_table(pa.table({"timestamp": rows["timestamp"], **{f: rows[f"bid_{f}"] for f in FIELDS}}), path)
    return path


def config(path: Path, **keys: Any) -> MarketConfig:
    """The section of a market of one file."""
    given = {"symbol": "EURUSD", "timeframe": "M5", "file": str(path), "spread_pips": 0.8, **keys}
    return section(MarketConfig, given, "market")


def rows_file(cache: DatasetCache, market: Market) -> Path:
    return cache.path(market.digest)


def test_every_bit_survives_the_way_through_the_cache(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    plain, first = load(config(path)), load(config(path), cache=cache)
    again = load(config(path), cache=DatasetCache(tmp_path / "home"))
    written = tmp_path / "again.parquet"
    table = again.to_table()
    pq.write_table(
        pa.table({"timestamp": table["timestamp"], **{f: table[f"bid_{f}"] for f in FIELDS}}), written
    )
    for market in (first, again, load(config(written))):
        assert market.to_table().equals(plain.to_table())
        assert market.digest == plain.digest
    assert again.report == first.report == {**plain.report, "sources": first.report["sources"]}
    assert cache.warnings == []


def test_columns_that_both_sides_share_are_stored_once(tmp_path: Path) -> None:
    cache = DatasetCache(tmp_path / "home")
    market = load(config(source(tmp_path), spread_pips=0), cache=cache)
    with pa.memory_map(str(rows_file(cache, market))) as file:
        stored = pa.ipc.open_file(file).schema.names
    assert stored == ["timestamp", *(f"bid_{f}" for f in FIELDS)]
    assert load(config(tmp_path / "bars.parquet", spread_pips=0), cache=cache).to_table().num_columns == 11


def test_a_second_load_reads_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    first = load(config(path), cache=cache)

    def refuse(*_: object) -> None:
        raise AssertionError("the source was read")

    monkeypatch.setattr(import_module("sweep.market.load"), "read", refuse)
    assert load(config(path), cache=cache).digest == first.digest
    with pytest.raises(AssertionError, match="was read"):
        load(config(path, spread_pips=0.9), cache=cache)


def test_a_changed_source_is_read_again(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    before = load(config(path), cache=cache).digest
    source(tmp_path, seed=8)
    after = load(config(path), cache=cache)
    assert after.digest != before
    assert after.digest == load(config(path)).digest


def test_a_source_of_the_same_size_and_time_is_read_again(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    table = pq.read_table(path)
    pq.write_table(table, path, compression="none", use_dictionary=False)
    before, stat = load(config(path), cache=cache).digest, path.stat()
    closes, highs = table["close"].to_numpy().copy(), table["high"].to_numpy()
    at = int((closes != highs).argmax())
    closes[at] = highs[at]
    table = table.set_column(table.schema.get_field_index("close"), "close", pa.array(closes))
    pq.write_table(table, path, compression="none", use_dictionary=False)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert load(config(path), cache=cache).digest != before


def test_damaged_rows_are_noticed(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    market = load(config(path), cache=cache)
    rows = rows_file(cache, market)
    stat, content = rows.stat(), bytearray(rows.read_bytes())
    del market
    content[len(content) // 2] ^= 1
    rows.write_bytes(content)
    with pytest.raises(SweepError) as touched:
        load(config(path), cache=cache)
    os.utime(rows, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    load(config(path), cache=cache)  # size and time are as recorded: trusted
    with pytest.raises(SweepError) as verified:
        load(config(path), cache=DatasetCache(tmp_path / "home", verify=True))
    for caught in (touched, verified):
        assert (caught.value.code, caught.value.stage) == (3008, "data")
        assert str(rows) in str(caught.value)
    rows.unlink()
    assert load(config(path), cache=cache).digest == load(config(path)).digest


def test_a_touched_file_with_the_right_rows_is_trusted_again(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    market = load(config(path), cache=cache)
    os.utime(rows_file(cache, market))
    assert load(config(path), cache=cache).digest == market.digest
    about = json.loads(rows_file(cache, market).with_suffix(".json").read_text())
    assert about["file"][1] == rows_file(cache, market).stat().st_mtime_ns


def test_rows_of_another_start_of_the_machine_are_hashed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    market = load(config(path), cache=cache)
    monkeypatch.setattr("sweep.market.cache._boot", lambda: "another start")
    assert load(config(path), cache=cache).digest == market.digest
    assert json.loads(rows_file(cache, market).with_suffix(".json").read_text())["boot"] is None


def test_half_written_files_and_garbage_are_passed_over(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    market = load(config(path), cache=cache)
    rows = rows_file(cache, market)
    digest, whole = market.digest, rows.read_bytes()
    del market
    (cache.folder / "garbage.json").write_text("{")
    (cache.folder / f".{rows.name}.1.partial").write_bytes(whole[:1000])
    rows.write_bytes(whole[: len(whole) // 2])
    assert load(config(path), cache=cache).digest == digest
    for entry in (cache.folder / "index").iterdir():
        entry.write_text("[1]")
    assert load(config(path), cache=cache).digest == digest
    assert cache.find(digest, [config(path)], [load(config(path)).spec]) is not None


def _import(path: str, home: str) -> str:
    return load(config(Path(path)), cache=DatasetCache(Path(home))).digest


def test_four_processes_may_import_the_same_file(tmp_path: Path) -> None:
    path = source(tmp_path, bars=30_000)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        digests = pool.starmap(_import, [(str(path), str(tmp_path / "home"))] * 4)
    assert set(digests) == {load(config(path)).digest}
    names = [entry.name for entry in (tmp_path / "home" / "datasets").iterdir() if entry.is_file()]
    assert sorted(names) == [f"{digests[0]}.arrow", f"{digests[0]}.json"]


def test_a_home_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    blocked = tmp_path / "home"
    blocked.write_text("a file where the folder would be")
    cache = DatasetCache(blocked)
    assert load(config(source(tmp_path)), cache=cache).bars == 2_000
    assert "not cached" in cache.warnings[0]
    assert cache.failures[0].stage == "infrastructure"


def test_a_home_that_cannot_be_written_any_more_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be written, nothing can be removed either."""
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    digest = load(config(path), cache=cache).digest

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("write_text", "unlink", "replace", "mkdir"):
        monkeypatch.setattr(Path, name, refuse)
    window = config(path, window=["2020-01-03", "2020-01-07"])
    assert load(window, cache=cache).bars == load(window).bars
    assert load(config(path), cache=cache).digest == digest
    assert len(cache.warnings) == 1
    assert "Read-only" in cache.warnings[0]
    assert load(config(path, spread_pips=0.9), cache=cache).bars == 2_000
    assert [problem.code for problem in cache.failures] == [3002]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sweep.market.cache._write_rows", full)
    cache = DatasetCache(tmp_path / "home")
    assert load(config(source(tmp_path)), cache=cache).bars == 2_000
    assert cache.failures[0].code == 3007
    assert cache.warnings[0].startswith("[3007] the dataset is not cached: No space left")
    assert list(cache.folder.glob("*.arrow")) == []


def test_columns_on_a_full_disk_are_3007(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    market = load(config(source(tmp_path)))
    with pytest.raises(SweepError) as caught:
        market.core.write_columns(Path("/dev/full"), [("bid_open", 0)])
    assert caught.value.code == 3007


def test_a_source_that_changes_while_it_is_read_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    module = import_module("sweep.market.load")
    read = module.read

    def growing(*args: Any) -> pa.Table:
        table = read(*args)
        source(tmp_path, bars=2_001)
        return table

    with monkeypatch.context() as patch:
        patch.setattr(module, "read", growing)
        assert load(config(path), cache=cache).bars == 2_000
    assert "changed while it was read" in cache.warnings[0]
    assert cache.failures[0].stage == "data"
    assert load(config(path), cache=cache).bars == 2_001
    assert len(cache.warnings) == 1


def test_damaged_rows_are_made_anew_by_an_import_of_the_same_rows(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    market = load(config(path), cache=cache)
    rows, digest = rows_file(cache, market), market.digest
    del market
    content = bytearray(rows.read_bytes())
    content[len(content) // 2] ^= 1
    rows.write_bytes(content)
    copy = path.rename(tmp_path / "copy.parquet")
    assert load(config(copy), cache=cache).digest == digest
    assert (cache.warnings, cache.failures) == ([], [])
    verifying = DatasetCache(tmp_path / "home", verify=True)
    assert load(config(copy), cache=verifying).to_table().equals(load(config(copy)).to_table())


_RECORDS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no file": lambda record: record.pop("file"),
    "no boot": lambda record: record.pop("boot"),
    "no columns": lambda record: record.pop("columns"),
    "a column less": lambda record: record["columns"].pop("bid_open"),
    "a column of another": lambda record: record["columns"].update(bid_open="none"),
    "columns are a list": lambda record: record.update(columns=[1]),
    "columns are numbers": lambda record: record["columns"].update(bid_open=3),
    "windows are a list": lambda record: record.update(windows=["x"]),
    "windows are no digests": lambda record: record.update(windows=dict.fromkeys(record["windows"], "x")),
}
_ENTRIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no digest": lambda entry: entry.pop("digest"),
    "another digest": lambda entry: entry.update(digest="../x"),
    "no about": lambda entry: entry.pop("about"),
    "about is text": lambda entry: entry.update(about="x"),
    "no meta": lambda entry: entry["about"].pop("meta"),
    "meta is a number": lambda entry: entry["about"].update(meta=1),
    "meta without a timeframe": lambda entry: entry["about"]["meta"].pop("timeframe"),
    "no notes": lambda entry: entry["about"].pop("notes"),
    "notes are null": lambda entry: entry["about"].update(notes=None),
    "a note less": lambda entry: entry["about"]["notes"].pop("labels_only_bid"),
    "sources are numbers": lambda entry: entry["about"].update(sources=[1]),
}


@pytest.mark.parametrize("damage", _RECORDS)
def test_a_damaged_record_is_as_good_as_none(damage: str, tmp_path: Path) -> None:
    check_healing(tmp_path, "*.json", _RECORDS[damage])


@pytest.mark.parametrize("damage", _ENTRIES)
def test_a_damaged_index_is_as_good_as_none(damage: str, tmp_path: Path) -> None:
    check_healing(tmp_path, "index/*.json", _ENTRIES[damage])


def check_healing(tmp_path: Path, pattern: str, damage: Callable[[dict[str, Any]], object]) -> None:
    """After damage the data are read from their source, and the record is whole again."""
    window = {"window": ["2020-01-03", "2020-01-07"]}
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    digest = load(config(path, **window), cache=cache).digest
    (file,) = cache.folder.glob(pattern)
    whole = json.loads(file.read_text())
    record = json.loads(file.read_text())
    damage(record)
    assert record != whole
    file.write_text(json.dumps(record))
    market = load(config(path, **window), cache=cache)
    assert (market.digest, cache.warnings) == (digest, [])
    assert market.report == {**load(config(path, **window)).report, "sources": market.report["sources"]}
    healed = json.loads(file.read_text())
    assert {**healed, "file": 0} == {**whole, "file": 0}


def test_a_file_that_holds_no_rows_is_as_good_as_none(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    market = load(config(path), cache=cache)
    rows, digest = rows_file(cache, market), market.digest
    del market
    for content in (b"", b"ARROW1\0\0", b"x" * 1000, b"ARROW1\0\0" + b"\xff" * 900 + b"ARROW1"):
        rows.write_bytes(content)
        assert load(config(path), cache=cache).digest == digest
        assert rows.stat().st_size > 1000


def test_the_digest_of_a_window_is_recorded(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    window = config(path, window=["2020-01-03", "2020-01-07"], warmup_bars=50)
    market = load(window, cache=cache)
    plain = load(window)
    assert (market.digest, market.bars) == (plain.digest, plain.bars)
    about = json.loads(next(cache.folder.glob("*.json")).read_text())
    assert list(about["windows"].values()) == [plain.digest]
    again = load(window, cache=cache)
    assert again.digest == again.hashed() == plain.digest
    assert again.meta == plain.meta
    found = cache.find(plain.digest, [window], [plain.spec])
    assert found is not None
    assert [market.meta for market in found] == [plain.meta]
    assert cache.find("0" * 64, [window], [plain.spec]) is None


def test_a_mapped_dataset_takes_no_memory_of_its_own(tmp_path: Path) -> None:
    path, home = source(tmp_path, bars=300_000), tmp_path / "home"
    size = load(config(path), cache=DatasetCache(home)).to_table().nbytes
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        grown = pool.apply(_grown, (str(path), str(home)))
    assert grown < 10 * 2**20 < size


def _grown(path: str, home: str) -> int:
    """Private bytes that a mapped dataset adds to a process that has loaded a small one before."""
    small = Market.synthetic(bars=10)
    load(config(Path(path)), cache=DatasetCache(Path(home)))
    before = _private()
    market = load(config(Path(path)), cache=DatasetCache(Path(home)))
    _ = market.digest, market.report, market.to_table(), small
    return _private() - before


def _private() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Anonymous:", "Swap:")))


def test_a_dataset_has_the_specification_that_is_asked_for(tmp_path: Path) -> None:
    path, cache = source(tmp_path), DatasetCache(tmp_path / "home")
    specs = [{"EURUSD": {"volume_max": volume}} for volume in (7.0, 9.0, 7.0)]
    markets = [load(config(path), spec, cache=cache) for spec in specs]
    assert [market.spec["volume_max"] for market in markets] == [7.0, 9.0, 7.0]
    assert len({market.digest for market in markets}) == 1
    with_days = load(config(path, day={"zone": "America/New_York", "start_hour": 17}), cache=cache)
    assert with_days.meta["day"] == {"zone": "America/New_York", "start_hour": 17}


def test_files_that_are_gone_are_missed_unless_their_digest_is_known(tmp_path: Path) -> None:
    path, home = source(tmp_path), tmp_path / "home"
    digest = load(config(path), cache=DatasetCache(home)).digest
    path.unlink()
    with pytest.raises(SweepError) as caught:
        load(config(path), cache=DatasetCache(home))
    assert caught.value.code == 3001
    assert load(config(path), cache=DatasetCache(home, orphans=True)).digest == digest
