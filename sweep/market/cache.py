"""The dataset cache: imported data, stored once and read by memory map.

    datasets/<digest>.arrow   the rows, uncompressed Arrow IPC; columns that both sides share are stored once
    datasets/<digest>.json    columns, size and time of that file, digests of windows
    datasets/index/<key>.json which files, read how, gave them: sizes and times of the files, the description, notes

A dataset is named by the market digest of all its rows. What is recorded is trusted as long as sizes and times are as
recorded; `verify` hashes the rows again. Rows are not forced to the disk, which would take most of the time of an
import: they are trusted until the machine starts anew, then hashed once, and from then on trusted again.

Deleting any of these files loses nothing but time.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sweep.config.market import micros
from sweep.errors import SweepError, error
from sweep.market.market import Market, dataset_of

if TYPE_CHECKING:
    from io import FileIO

    import pyarrow as pa

    from sweep.config.market import MarketConfig

FOLDER: Final = "datasets"
_FORMAT: Final = 1
_MOST_COMBINATIONS: Final = 100_000
"""Of datasets that are tried for a digest of several markets."""
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_CODES: Final = {errno.EACCES: 3002, errno.EROFS: 3002, errno.ENOSPC: 3007, errno.EDQUOT: 3007}
_DAMAGED: Final = (OSError, AttributeError, LookupError, TypeError, ValueError, SweepError)
"""What files raise that are cut short or hold something else."""
_ABANDONED: Final = 3600.0
"""Seconds after which a half-written file has no writer any more."""


@dataclass(frozen=True)
class Request:
    """What is asked for: files by role, and every option that decides which rows they give."""

    files: Mapping[str, Path]
    options: Mapping[str, Any]

    @property
    def key(self) -> str:
        """SHA-256 of the question, sizes and times apart."""
        named = {role: str(path) for role, path in self.files.items()}
        text = json.dumps(
            {"format": _FORMAT, "files": named, "options": self.options}, sort_keys=True, default=str
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def stamps(self) -> dict[str, list[int]] | None:
        """Size and times of change of every file; None if one is not there.

        Its content's time can be set at will, the time of its entry cannot.
        """
        try:
            stats = {role: path.stat() for role, path in self.files.items()}
        except OSError:
            return None
        return {role: [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns] for role, stat in stats.items()}


@dataclass(frozen=True)
class DatasetCache:
    """The datasets of one home."""

    home: Path
    verify: bool = False
    """Whether rows are hashed again before they are trusted."""
    frozen: bool = False
    """Whether nothing is written."""
    orphans: bool = False
    """Whether a dataset may be used although its files are gone: for who knows the digest that must come out."""
    warnings: list[str] = field(default_factory=list, compare=False)
    """What could not be stored, and why."""
    failures: list[SweepError] = field(default_factory=list, compare=False)
    """Markets that could not be stored: [3000] [3007], and sources that changed while they were read."""

    @property
    def folder(self) -> Path:
        """`datasets/` of the home."""
        return self.home / FOLDER

    def get(self, request: Request) -> Market | None:
        """The market that these files gave before, if neither they nor it have changed since.

        Raises:
            SweepError: [3008] the rows are not those that were recorded (with `verify`, or if the file was touched).
        """
        entry = _read(self.folder / "index" / f"{request.key}.json")
        stamps = request.stamps()
        if entry is None or (entry.get("files") != stamps if stamps is not None else not self.orphans):
            return None
        return self.open(str(entry.get("digest")), _mapping(entry.get("about")))

    def open(self, digest: str, about: Mapping[str, Any]) -> Market | None:
        """The dataset of this digest, mapped into memory; None if it is not here, not whole, or its record is damaged.

        Args:
            digest: market digest of all rows.
            about: kind, meta (`Market.meta`), notes and sources for the report.

        Raises:
            SweepError: [3008] the rows are not those that were recorded.
        """
        record = _read(self._about(digest))
        if record is None or record.get("format") != _FORMAT:
            return None
        path = self._rows(digest)
        try:
            stat = path.stat()
            stamp = [stat.st_size, stat.st_mtime_ns]
            touched = record["file"] != stamp or record["boot"] not in (None, _boot())
            meta = about["meta"] if touched or self.verify else {**about["meta"], "digest": digest}
            market = _market(_with_aliases(_mapped(path), record["columns"]), {**about, "meta": meta})
        except _DAMAGED:
            return None
        if market.digest != digest:
            raise error(
                3008,
                f"the rows have digest {market.digest}, recorded is {digest}",
                where=str(path),
                remedy="delete this file; it is made again from its source",
                stage="data",
            )
        if touched:
            self._write(self._about(digest), {**record, "file": stamp, "boot": None})
        return market

    def put(self, request: Request, market: Market, stamps: Mapping[str, Sequence[int]] | None) -> Market:
        """Store a market and give it back mapped into memory; the market itself, with a warning, if that fails.

        Args:
            request: what was asked for.
            market: what its files gave.
            stamps: of the files, from before they were read.
        """
        if self.frozen:
            return market
        if stamps is None or stamps != request.stamps():
            self._fail(_changed(request))
            return market
        about = _description(market)
        try:
            stored = self._stored(request.key, market, about)
        except (OSError, SweepError) as problem:
            self._fail(_not_cached(problem, self.folder))
            return market
        named = {role: str(path) for role, path in request.files.items()}
        entry = {"digest": stored.digest, "paths": named, "files": stamps, "about": about}
        self._write(self.folder / "index" / f"{request.key}.json", entry)
        return stored

    def _fail(self, problem: SweepError) -> None:
        self.failures.append(problem)
        self.warnings.append(str(problem))

    def windowed(self, market: Market, start: int | None, end: int | None, warmup_bars: int) -> Market:
        """A window of a dataset that is here; its digest is taken from the record or recorded.

        Raises:
            SweepError: [1010] no bar in the window.
        """
        window = market.window(start, end, warmup_bars)
        path = self._about(market.digest)
        about = _read(path)
        if about is None:
            return window
        key, windows = _extent(window), _windows(about)
        if key in windows and not self.verify:
            return window.with_digest(windows[key])
        about["windows"] = {**windows, key: window.digest}
        self._write(path, about)
        return window

    def find(
        self, dataset: str, sections: Sequence[MarketConfig], specs: Sequence[Mapping[str, Any]]
    ) -> tuple[Market, ...] | None:
        """The markets of sections whose rows, or the rows of their windows, have this digest; None if not all are here.

        Only markets of files alone are searched for, not generated ones nor those with given higher timeframes.

        Args:
            dataset: as identities name it: of several markets the digest of their digests.
            sections: of the markets, whose rows may have been elsewhere.
            specs: specification of each symbol.
        """
        if any(section.synthetic is not None or any(section.higher.values()) for section in sections):
            return None
        symbols = [str(section.symbol) for section in sections]
        choices = [self._candidates(section) for section in sections]
        for chosen in islice(product(*(item.items() for item in choices)), _MOST_COMBINATIONS):
            digests = [digest for digest, _ in chosen]
            if dataset_of(dict(zip(symbols, digests, strict=True))) != dataset:
                continue
            found = [
                self._found(stem, section, spec)
                for (_, stem), section, spec in zip(chosen, sections, specs, strict=True)
            ]
            markets = tuple(market for market in found if market is not None)
            if len(markets) == len(sections):
                return markets
        return None

    def _candidates(self, section: MarketConfig) -> dict[str, str]:
        """Digests of datasets, and of windows of such, that a section may mean, with the dataset of each."""
        found: dict[str, str] = {}
        for path in sorted(self.folder.glob("*.json")):
            record = _read(path) or {}
            spec = _mapping(_mapping(_mapping(record.get("about")).get("meta")).get("spec"))
            if spec.get("symbol") == section.symbol:
                found |= dict.fromkeys([path.stem, *_windows(record).values()], path.stem)
        return found

    def _found(self, stem: str, section: MarketConfig, spec: Mapping[str, Any]) -> Market | None:
        about = dict(_mapping((_read(self._about(stem)) or {}).get("about")))
        about["meta"] = {**_mapping(about.get("meta")), "spec": dict(spec)}
        market = self.open(stem, about)
        start, end = (None if bound is None else micros(bound) for bound in section.window)
        if market is None or (start, end) == (None, None):
            return market
        return self.windowed(market, start, end, section.warmup_bars)

    def path(self, digest: str) -> Path:
        """Where the rows of a dataset are."""
        return self._rows(digest)

    def _rows(self, digest: str) -> Path:
        return self.folder / f"{digest}.arrow"

    def _about(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"

    def _stored(self, key: str, market: Market, about: Mapping[str, Any]) -> Market:
        (self.folder / "index").mkdir(parents=True, exist_ok=True)
        self._sweep_up()
        partial = self.folder / f".{key}.{os.getpid()}.partial"
        try:
            columns = _write_rows(partial, market)
            digest = market.digest
            found = None if self.verify else self._sound(digest, about)
            if found is not None:
                return found
            partial.replace(self._rows(digest))
        finally:
            partial.unlink(missing_ok=True)
        stat = self._rows(digest).stat()
        record = {
            "format": _FORMAT,
            "columns": columns,
            "file": [stat.st_size, stat.st_mtime_ns],
            "boot": _boot(),
            "windows": {},
            "about": about,
        }
        self._write(self._about(digest), record)
        stored = self.open(digest, about)
        if stored is None:
            raise error(
                3000, "the dataset vanished while it was stored", where=str(self.folder), stage="data"
            )
        return stored

    def _sound(self, digest: str, about: Mapping[str, Any]) -> Market | None:
        """The dataset, if its rows are not damaged; else they are to be written anew."""
        try:
            return self.open(digest, about)
        except SweepError:
            return None

    def _sweep_up(self) -> None:
        """Remove what killed processes left half-written."""
        for partial in self.folder.glob(".*.partial"):
            with suppress(OSError):
                if time.time() - partial.stat().st_mtime > _ABANDONED:
                    partial.unlink()

    def _write(self, path: Path, value: Mapping[str, Any]) -> None:
        """Write JSON whole or not at all; a record that cannot be written is a warning."""
        if self.frozen:
            return
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(value, indent=1), encoding="utf-8")
            partial.replace(path)
        except OSError as problem:
            with suppress(OSError):  # where nothing can be written, nothing can be removed
                partial.unlink(missing_ok=True)
            self.warnings.append(f"cannot write {path}: {problem.strerror or problem}")


def _changed(request: Request) -> SweepError:
    return error(
        3000,
        "a file changed while it was read: what was read is not cached",
        where=", ".join(str(path) for path in request.files.values()),
        remedy="read it again when it is complete",
        stage="data",
    )


def _not_cached(problem: OSError | SweepError, folder: Path) -> SweepError:
    if isinstance(problem, SweepError):
        code, why = problem.code, problem.what
    else:
        code, why = _CODES.get(problem.errno or 0, 3000), problem.strerror or str(problem)
    remedy = "free space, or choose another home" if code == 3007 else "check the folder"
    what = f"the dataset is not cached: {why}"
    return error(code, what, where=str(folder), remedy=remedy, stage="infrastructure")


def _mapping(value: Any) -> Mapping[str, Any]:
    """Part of a record, empty if it is damaged."""
    return value if isinstance(value, Mapping) else {}


def _windows(record: Mapping[str, Any]) -> dict[str, str]:
    """Digests of windows that are recorded and are digests."""
    found = _mapping(record.get("windows")).items()
    return {key: digest for key, digest in found if _DIGEST.fullmatch(str(digest))}


def _extent(window: Market) -> str:
    """Tells the windows of one dataset apart: the first bar, the number of bars, and of ticks the end.

    Of two windows of ticks with the same bars one may hold more ticks of the bar that is still forming.
    """
    extent = f"{window.meta['history_from']}:{window.bars}"
    return extent if window.kind == "bars" else f"{extent}:{window.meta['trade_until']}"


def _read(path: Path) -> dict[str, Any] | None:
    """A record; None if there is none that can be read."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


@cache
def _boot() -> str | None:
    """Names the time since the machine started; None where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


def _mapped(path: Path) -> pa.Table:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def _with_aliases(table: pa.Table, columns: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    return pa.table({name: table.column(str(stored)) for name, stored in columns.items()})


def _write_rows(path: Path, market: Market) -> dict[str, str]:
    """Write a market as Arrow IPC in one batch. Returns for every column the one that is stored for it."""
    import pyarrow as pa

    ticks = market.ticks_table()
    with path.open("wb", buffering=0) as file:
        if ticks is None:
            columns = _write_bars(file, market)
        else:
            columns = {name: name for name in ticks.column_names}
            with pa.ipc.new_file(file, ticks.schema) as writer:
                writer.write_table(ticks)
        if _boot() is None:
            os.fsync(file.fileno())
    return columns


def _write_bars(file: FileIO, market: Market) -> dict[str, str]:
    """The frame is written by PyArrow, the columns by the native module, which hashes them meanwhile.

    The ask columns of one-sided data are computed on the way into the file and never take memory.
    """
    import pyarrow as pa

    columns = dict(market.core.columns())
    names = list(dict.fromkeys(columns.values()))
    types = [pa.timestamp("us", tz="UTC") if name == "timestamp" else pa.float64() for name in names]
    schema = pa.schema([pa.field(name, kind, False) for name, kind in zip(names, types, strict=True)])
    blank = pa.allocate_buffer(8 * market.bars)
    arrays = [pa.Array.from_buffers(kind, market.bars, [None, blank]) for kind in types]
    frame = _Frame(file, blank)
    with pa.ipc.new_file(frame, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    with suppress(AttributeError, OSError):
        # Where it can be had: space in one piece is found faster than page by page.
        os.posix_fallocate(file.fileno(), 0, file.tell())
    market.core.write_columns(Path(file.name), list(zip(names, frame.places, strict=True)))
    return columns


class _Frame(io.RawIOBase):
    """Takes an Arrow file, but of its columns, all of which are the same blank memory, only the places."""

    def __init__(self, file: FileIO, blank: pa.Buffer) -> None:
        self.file, self.blank, self.places = file, blank, list[int]()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.file.tell()

    def write(self, data: Any) -> int:
        if getattr(data, "address", None) == self.blank.address:
            self.places.append(self.file.tell())
            self.file.seek(len(data), os.SEEK_CUR)
        else:
            self.file.write(data)
        return len(data)


def _description(market: Market) -> dict[str, Any]:
    """What a market is beside its rows."""
    return {"kind": market.kind, "meta": market.meta, "notes": market.notes, "sources": market.sources}


def _market(table: pa.Table, about: Mapping[str, Any]) -> Market:
    market = Market.from_table(table, about["meta"], sources=about["sources"], notes=about["notes"])
    if about["notes"].keys() != json.loads(market.core.notes()).keys():
        raise LookupError("the notes of an import are not whole")
    return market
