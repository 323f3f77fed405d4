"""What a vectorised function returned, checked before any bar is run, as the columns that the engine takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep import _core
from sweep.arrow import read_all
from sweep.errors import SweepError, error

if TYPE_CHECKING:
    from sweep.strategies.arrays import MarketArrays

DIRECTIONS: Final = ("long", "short")
ORDER_TYPES: Final = ("market", "limit", "stop")
ACTIONS: Final = ("close", "cancel")
_PRICES: Final = ("entry", "stop_loss", "take_profit", "size")
_TEXTS: Final = ("oco_group", "reason", "scenario", "tag")
_PLACES: Final = ("bar_index", "timestamp", "symbol")
ENTRY_COLUMNS: Final = (*_PLACES, "direction", "order_type", *_PRICES, "valid_bars", "good_till", *_TEXTS)
EXIT_COLUMNS: Final = (*_PLACES, "direction", "action")
_UTC: Final = pa.timestamp("us", tz="UTC")
_NO_EXITS: Final = _core.SignalRows(
    pa.table(
        {
            "bar": pa.array([], pa.int64()),
            "direction": pa.array([], pa.int8()),
            "cancel": pa.array([], pa.int8()),
        }
    )
)
_SHOWN: Final = 10


@dataclass(frozen=True)
class Tables:
    """Entries and exits of one symbol, rows sorted by bar, in memory of their own."""

    entries: _core.SignalRows
    exits: _core.SignalRows
    labels: Any
    """Labels of the market, µs."""
    symbol: str

    def signals(self) -> pa.Table:
        """The entries in the schema `trade_signal`, as they were returned."""
        return self._public(
            "trade_signal", read_all(self.entries.to_table()), ("order_type", ORDER_TYPES), _PRICES, _TEXTS
        )

    def closes(self) -> pa.Table:
        """The exits in the schema `signal_exit`."""
        exits = read_all(self.exits.to_table())
        return self._public(
            "signal_exit", exits.append_column("action", exits["cancel"]), ("action", ACTIONS), (), ()
        )

    def bars(self) -> tuple[Any, Any]:
        """Bars of the entries and of the exits, a row each."""
        entries, exits = (read_all(rows.to_table())["bar"].to_numpy() for rows in (self.entries, self.exits))
        return entries, exits

    def _public(
        self,
        schema: str,
        rows: pa.Table,
        named: tuple[str, tuple[str, ...]],
        prices: Sequence[str],
        texts: Sequence[str],
    ) -> pa.Table:
        from sweep.arrow import schema as registered

        bars = rows["bar"].to_numpy()
        word, words = named
        count, known = rows.num_rows, set(rows.column_names)

        def column(name: str, kind: Any) -> Any:
            return rows[name].cast(kind) if name in known else pa.nulls(count, kind)

        codes = rows[word].to_numpy() if word in known else np.zeros(count)
        columns: dict[str, Any] = {
            "bar_index": pa.array(bars, pa.int32()),
            "timestamp": pa.array(self.labels[bars], pa.int64()).cast(_UTC),
            "symbol": pa.array([self.symbol] * count, pa.string()),
            "direction": _words(rows["direction"].to_numpy() < 0, DIRECTIONS),
            word: _words(codes, words),
        }
        columns |= {name: column(name, pa.float64()) for name in prices}
        columns |= {name: column(name, pa.string()) for name in texts}
        if schema == "trade_signal":
            columns["valid_bars"] = column("valid_bars", pa.int32())
            columns["good_till"] = column("good_till", pa.int64()).cast(_UTC)
        return pa.table({field["name"]: columns[field["name"]] for field in registered(schema)["fields"]})


def checked(returned: Any, market: MarketArrays, *, where: str) -> Tables:
    """The tables that a function returned: the entries, or a pair of entries and exits.

    Raises:
        SweepError: [1001] an unknown direction, order type, action or label, [1003] a bar that does not exist, [1004]
            nothing that is a table, [1005] an unknown column, another type, a null where none may be, [1006] rows that
            are not sorted, or bar_index and timestamp that disagree, [1008] a column is absent, [1011] lengths differ;
            with the first rows, and `where`, the function's file and line.
    """
    entries, exits = returned if isinstance(returned, tuple) and len(returned) == 2 else (returned, None)
    try:
        # Common arrays are read at once; whatever else there is, and every mistake, is for the careful way.
        first, second = _core.SignalRows.of_arrays(entries, exits, market.n)
        first, second = first or _entries(entries, market), second or _exits(exits, market)
        return Tables(first, second, market.label, market.symbol)
    except SweepError as problem:
        place = f"{where}, {problem.where}" if problem.where else where
        raise error(
            problem.code,
            problem.what,
            where=place,
            remedy=problem.remedy,
            stage="engine",
            context=problem.context,
        ) from None


def _entries(table: Any, market: MarketArrays) -> _core.SignalRows:
    given = _Given("entries", table, ENTRY_COLUMNS, ("direction", "stop_loss"))
    columns: dict[str, Any] = {
        "bar": pa.array(given.bars(market)),
        "direction": pa.array(given.directions()),
    }
    if "order_type" in given.columns:
        columns["order_type"] = pa.array(given.words("order_type", ORDER_TYPES))
    for names, typed in (
        (_PRICES, given.floats),
        (("valid_bars",), given.whole),
        (("good_till",), given.times),
        (_TEXTS, given.texts),
    ):
        columns |= {name: typed(name) for name in names if name in given.columns}
    if "stop_loss" not in columns:
        columns["stop_loss"] = pa.nulls(0, pa.float64())
    given.without_nulls("stop_loss", columns["stop_loss"])
    return _core.SignalRows(pa.table(columns))


def _exits(table: Any, market: MarketArrays) -> _core.SignalRows:
    if table is None:
        return _NO_EXITS
    given = _Given("exits", table, EXIT_COLUMNS, ("direction", "action"))
    cancel = given.words("action", ACTIONS)  # 0 close, 1 cancel
    columns = {
        "bar": pa.array(given.bars(market)),
        "direction": pa.array(given.directions()),
        "cancel": pa.array(cancel),
    }
    return _core.SignalRows(pa.table(columns))


class _Given:
    """One table as the user gave it."""

    def __init__(self, what: str, table: Any, known: Sequence[str], needed: Sequence[str]) -> None:
        self.what = what
        self.columns = _columns(what, table)
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} {n}" for name, n in lengths.items())
            raise self.wrong(1011, f"columns of different length: {found}", "give one value per row in each")
        self.rows = next(iter(lengths.values()), 0)
        for name in self.columns:
            if name not in known:
                raise self.wrong(1005, f"unknown column {name!r}", f"the columns are {', '.join(known)}")
        if not self.rows:
            self.columns = {}
            return
        for name in needed:
            if name not in self.columns:
                raise self.wrong(1008, f"the column {name} is absent", "give it")
        if "bar_index" not in self.columns and "timestamp" not in self.columns:
            raise self.wrong(1008, "bar_index and timestamp are absent", "give one of them")

    def wrong(self, code: int, what: str, remedy: str = "", rows: Any = None) -> SweepError:
        """An error in this table, with the first of the rows it concerns."""
        if rows is None:
            return error(code, what, where=self.what, remedy=remedy)
        listed = [int(row) for row in rows[:_SHOWN]]
        more = "" if len(rows) <= _SHOWN else f" and {len(rows) - _SHOWN} more"
        where = f"{self.what}, {'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, listed))}{more}"
        return error(code, what, where=where, remedy=remedy, context={"rows": listed, "count": len(rows)})

    def bars(self, market: MarketArrays) -> Any:
        """Index of the bar of every row, from `bar_index`, `timestamp` or both."""
        index, times = self.columns.get("bar_index"), self.columns.get("timestamp")
        if "symbol" in self.columns:
            self._of(market.symbol)
        found = np.zeros(0, np.int64)
        if index is not None:
            self.typed("bar_index", pa.types.is_integer, "whole numbers")
            self.without_nulls("bar_index", index)
            found = self._indices(index, market.n)
        if times is not None:
            labelled = self.times("timestamp")
            self.without_nulls("timestamp", labelled)
            labels = labelled.to_numpy(zero_copy_only=False)
            at = np.minimum(np.searchsorted(market.label, labels), market.n - 1)
            absent = np.flatnonzero(market.label[at] != labels)
            if len(absent):
                raise self.wrong(1001, "timestamp is no label of a bar", "use open times of bars", absent)
            if index is not None:
                apart = np.flatnonzero(found != at)
                if len(apart):
                    raise self.wrong(1006, "bar_index and timestamp disagree", "give one of them", apart)
            found = at.astype(np.int64)
        falls = found[1:] < found[:-1]
        if falls.any():
            raise self.wrong(1006, "rows are not sorted by bar", "sort them", np.flatnonzero(falls) + 1)
        return found

    def _indices(self, index: Any, bars: int) -> Any:
        """bar_index as int64. Numbers beyond int64, which only uint64 has, become negative ones."""
        whole = index if index.type == pa.int64() else index.cast(pa.int64(), safe=False)
        found = whole.to_numpy(zero_copy_only=False)
        if len(found) and (found.min() < 0 or found.max() >= bars):
            beyond = np.flatnonzero((found < 0) | (found >= bars))
            raise self.wrong(1003, f"bar_index is outside 0 to {bars - 1}", "", beyond)
        return found

    def _of(self, symbol: str) -> None:
        """Refuses rows of another symbol than the one that the function was called for."""
        others = pc.fill_null(pc.not_equal(self.texts("symbol"), symbol), False)
        rows = np.flatnonzero(others.to_numpy(zero_copy_only=False))
        if len(rows):
            what = f"another symbol than {symbol}, which the function was called for"
            raise self.wrong(1001, what, "leave the column out", rows)

    def directions(self) -> Any:
        """1 and -1 of texts or whole numbers."""
        column = self.columns.get("direction")
        if column is None:
            return np.zeros(0, np.int8)
        self.without_nulls("direction", column)
        if not pa.types.is_integer(column.type):
            return (1 - 2 * self.words("direction", DIRECTIONS)).astype(np.int8)
        values = column.to_numpy(zero_copy_only=False)
        strange = (values != 1) & (values != -1)
        if strange.any():
            wrong = np.flatnonzero(strange)
            raise self.wrong(1001, "a direction that is neither 1 nor -1", "1 is long, -1 is short", wrong)
        return values.astype(np.int8)

    def words(self, name: str, known: Sequence[str]) -> Any:
        """Index among the known words."""
        column = self.columns.get(name)
        if column is not None and pa.types.is_dictionary(column.type) and not column.null_count:
            words = self._text(name, column.dictionary).to_pylist()
            if set(words) <= set(known):
                codes = np.array([known.index(word) for word in words], np.int8)
                return codes[column.indices.to_numpy()]
        texts = self.texts(name)
        self.without_nulls(name, texts)
        indices = pc.index_in(texts, pa.array(known))
        if indices.null_count:
            unknown = np.flatnonzero(indices.is_null().to_numpy(zero_copy_only=False))
            word = texts[int(unknown[0])].as_py()
            raise self.wrong(1001, f"unknown {name} {word!r}", f"write {' or '.join(known)}", unknown)
        return indices.to_numpy(zero_copy_only=False).astype(np.int8)

    def floats(self, name: str) -> Any:
        """float64, null where there is none."""
        column = self.columns.get(name)
        if column is None or pa.types.is_null(column.type):
            return pa.nulls(self.rows, pa.float64())
        self.typed(name, pa.types.is_float64, "float64")
        return column

    def whole(self, name: str) -> Any:
        """int64 of any integers that fit int32."""
        column = self.columns.get(name)
        if column is None or pa.types.is_null(column.type):
            return pa.nulls(self.rows, pa.int64())
        self.typed(name, pa.types.is_integer, "whole numbers")
        try:
            return column.cast(pa.int32()).cast(pa.int64())
        except pa.ArrowInvalid:
            raise self.wrong(1003, f"a value of {name} is outside int32", "give at most 2147483647") from None

    def times(self, name: str) -> Any:
        """µs UTC of timestamps in UTC."""
        column = self.columns.get(name)
        if column is None or pa.types.is_null(column.type):
            return pa.nulls(self.rows, pa.int64())
        kind = column.type
        if not pa.types.is_timestamp(kind) or kind.tz not in ("UTC", "+00:00", "Etc/UTC"):
            raise self.wrong(
                1005, f"{name} is {kind}, not timestamps in UTC", "give timestamps with the zone UTC"
            )
        try:
            return column.cast(_UTC).cast(pa.int64())
        except pa.ArrowInvalid:
            raise self.wrong(1005, f"a value of {name} is no whole µs", "round it to µs") from None

    def texts(self, name: str) -> Any:
        """utf8 of texts of any width, or dictionaries of them."""
        column = self.columns.get(name)
        if column is None or pa.types.is_null(column.type):
            return pa.nulls(self.rows, pa.string())
        return self._text(name, column)

    def _text(self, name: str, column: Any) -> Any:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
            raise self.wrong(1005, f"{name} is {column.type}, not text", "give texts")
        return column if pa.types.is_string(column.type) else column.cast(pa.string())

    def typed(self, name: str, passes: Any, wanted: str) -> None:
        """Refuses a column of another type."""
        kind = self.columns[name].type
        if not passes(kind):
            raise self.wrong(
                1005, f"{name} is {kind}, not {wanted}", f"convert it to {wanted} without a loss"
            )

    def without_nulls(self, name: str, column: Any) -> None:
        """Refuses nulls."""
        if column.null_count:
            rows = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
            raise self.wrong(1005, f"{name} is null", "drop these rows, or give a value", rows)


def _columns(what: str, table: Any) -> dict[str, Any]:
    """Columns by name, each one Arrow array."""
    if isinstance(table, Mapping):
        return {str(name): _array(what, str(name), values) for name, values in table.items()}
    if hasattr(table, "__arrow_c_stream__"):
        whole = read_all(table)
    elif hasattr(table, "__arrow_c_array__"):
        whole = pa.Table.from_batches([pa.record_batch(table)])
    else:
        remedy = "return a table that speaks Arrow, or a mapping of arrays; without signals an empty mapping"
        raise error(1004, f"{type(table).__name__} is no table", where=what, remedy=remedy)
    if len(set(whole.column_names)) < len(whole.column_names):
        raise error(1005, "a column is there twice", where=what, remedy="name columns once")
    return {name: _in_one(whole[name]) for name in whole.column_names}


def _in_one(column: Any) -> Any:
    """A column as one array, not copied where it is in one chunk."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _array(what: str, name: str, values: Any) -> Any:
    """A column of a mapping; numeric NaN means null."""
    try:
        return pa.array(values, from_pandas=True)
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        TypeError,
        ValueError,
    ) as problem:
        said = str(problem).splitlines()[0]
        where = f"{what}, column {name}"
        raise error(1005, f"no array of one type: {said}", where=where, remedy="give a flat array") from None


def _words(codes: Any, words: Sequence[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.asarray(codes, dtype=np.int32)), pa.array(words)).cast(
        pa.string()
    )
