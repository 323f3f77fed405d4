"""The dataset cache: what is read once is the same ever after, and what is damaged is noticed."""

from __future__ import annotations

import json
import multiprocessing
import os
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
