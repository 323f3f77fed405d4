"""The native module: conversion between Python, Arrow and the engine. Options and descriptions cross as JSON text,
tables as Arrow C streams. Everything raised is a `sweep.errors.SweepError`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

__all__ = [
    "ArrowTable",
    "Backtest",
    "Batch",
    "Engine",
    "Market",
    "Played",
    "Portfolio",
    "SignalRows",
    "backtest_of",
    "build_info",
    "canonical_rows",
    "canonicalise",
    "check_bars",
    "check_higher",
    "check_ticks",
    "column_table",
    "declare",
    "gather",
    "indicator",
    "indicator_on",
    "indicators",
    "json_object",
    "metrics",
    "mixture_sums",
    "parameter_table",
    "permuted",
    "play",
    "resolve",
    "result_digest",
    "result_rows",
    "rows_digest",
    "run_signals",
    "said",
    "schemas",
    "spacing",
    "strategies",
    "symbol_spec",
    "table_digest",
    "units",
    "unplayed",
]

@final
class ArrowTable:
    """A table that speaks the Arrow C stream protocol: `pyarrow.table(x)` reads it without a copy."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class Market:
    """Bid and ask bars of one symbol that keep the data contract, with the ticks if they were built of such.
    Immutable; never write to a table given to it.
    """

    @staticmethod
    def from_bars(bid: Any, ask: Any | None, options: str) -> Market:
        """Checks and pairs bars: columns timestamp (us, UTC), open, high, low, close and optionally volume.

        Options: spec, timeframe, spread_pips, crossed, max_alignment_loss, duplicates, filter ("none" or
        "fx_week"), day {zone, start_hour}, stale_after, higher_stamp ("open" or "close": the bars are to be a given
        higher timeframe, stamped with boundaries of its buckets), name_bid, name_ask. An error of the data contract
        has the list of `check_bars` in `context["defects"]`.
        """

    @staticmethod
    def from_ticks(ticks: Any, options: str) -> Market:
        """Checks ticks and builds bars of them: columns timestamp (us, UTC), bid, ask, optionally bid_size, ask_size;
        a size that is null in every row is absent.

        Options: spec, timeframe (minutes, hours, D1 or W1), crossed, filter, day, stale_after, name. The bar that
        is still forming at the last tick is not one of the market's, its ticks are; there may be no bar at all.
        Errors as `from_bars`.
        """

    @staticmethod
    def synthetic(options: str) -> Market:
        """The synthetic market of the documented generator."""

    @staticmethod
    def from_table(table: Any, meta: str) -> Market:
        """The market whose `to_table` and `meta` these are; values are not checked again."""

    @staticmethod
    def from_ticks_table(table: Any, meta: str) -> Market:
        """The market whose `ticks_table` and `meta` these are; values are not checked again, bars are built anew."""

    def with_higher(self, markets: list[Market], trusted: bool = False) -> Market:
        """The same bars with these higher timeframes, each a market of its own of the same symbol. With `trusted` they
        have been checked beside these bars before.
        """

    def given_higher(self) -> list[Market]:
        """The given higher timeframes, shortest first."""

    def higher(self, timeframe: str) -> ArrowTable:
        """Bars of the primary or a higher timeframe: timestamp, end, bid_open ... ask_volume."""

    def aligned(self, timeframe: str) -> ArrowTable:
        """What is seen of a timeframe at each primary bar: bar (int32, null = none), bid_open ... ask_volume."""

    def window(self, start: int | None, end: int | None, warmup_bars: int) -> Market:
        """The bars of [start - warm-up, end); times in us UTC, None = open. Of ticks those from the first bar's label
        up to `end`, and the bars that they complete.
        """

    def to_table(self) -> ArrowTable:
        """timestamp, bid_open ... bid_volume, ask_open ... ask_volume in one chunk."""

    def ticks_table(self) -> ArrowTable | None:
        """timestamp, bid, ask, and bid_size and ask_size if known, in one chunk; None for a market of bars."""

    def columns(self) -> list[tuple[str, str]]:
        """Every column of `to_table`, and which is to be stored for it: itself, or that of the bid with the same bits."""

    def write_columns(self, path: Path, places: list[tuple[str, int]]) -> None:
        """Writes columns of `to_table` into a file that is there, each from its offset in bytes on; the digest is
        computed meanwhile.
        """

    def notes(self) -> str:
        """JSON: what happened when the data were read; `report` has it as `import`."""

    def meta(self) -> str:
        """JSON: spec, timeframe, trade_from, trade_until, history_from; kind of ticks; day, stale_after if set."""

    def report(self) -> str:
        """JSON: gaps, crossed quotes, jumps and what else is odd and legal."""

    @property
    def rows(self) -> int:
        """Number of bars, warm-up included."""

    @property
    def digest(self) -> str:
        """Market digest of the rows it holds."""

    @property
    def dataset(self) -> str:
        """Digest of all data: the market digest, and those of given higher timeframes."""

@final
class Portfolio:
    """An account that operations drive. What is refused raises and changes nothing."""

    def __new__(
        cls, options: str, specs: str, rates: Mapping[str, Market], start_time: int | None
    ) -> Portfolio:
        """Options: JSON of account, execution and rates. `specs`: JSON of complete specifications by symbol. `rates`
        maps pairs to the markets of their rate series. `start_time` in us.
        """

    def apply(self, row: Mapping[str, Any]) -> int | None:
        """One operation, `op` and its fields (also within `position`); gives the id of the record that it made."""

    def batch_rows(self, rows: list[Any]) -> dict[str, Any]:
        """Such mappings, in order. What is refused is noted in the report."""

    def batch_table(self, table: Any) -> dict[str, Any]:
        """A table with a row per operation and a column per field. Raises [1001] [1005] for its columns."""

    def calculate_margin(self, symbol: str, size: float, price: float, time: int | None) -> float:
        """Margin of lots at a price, by the rates of a time (us) or of the last operation."""

    @property
    def cash(self) -> float:
        """Cash."""

    @property
    def equity(self) -> float:
        """Equity as of the last operation."""

    def state(self) -> ArrowTable:
        """One row of the schema portfolio_state."""

    def positions(self, open: bool) -> ArrowTable:
        """Records in the schema execution_position: the open ones, or all."""

    def trades(self) -> ArrowTable:
        """Closed positions, then closed parts, in the schema trades."""

    def curve(self, per_trade: bool) -> ArrowTable:
        """The samples, or the balance after every trade, in the schema equity."""

    def fees(self) -> ArrowTable:
        """Fees that were paid: timestamp, kind, amount, position_id."""

    def summary(self, figures: Mapping[str, float] | None) -> str:
        """JSON list of [name, value]; with a mapping, also the figures of robustness."""

    def metrics(self) -> str:
        """JSON list of [name, value] in catalogue order."""

@final
class Engine:
    """One market, or several symbols on one portfolio; one strategy, one set of options; many parameter sets."""

    def __new__(
        cls, market: Market | Sequence[Market], options: str, rates: Mapping[str, Market] | None = None
    ) -> Engine:
        """Options: strategy, execution, costs, account, rates, metrics, early_stop, levels (a list of [number, [[from,
        until], …]], us), cache_bytes; partial ones take defaults.

        `rates` maps pairs to the markets of their rate series.
        """

    def run_batch(self, params: Any, threads: int, level: int | None = None) -> Batch:
        """Runs every row of a table of parameters; the interpreter lock is released. `level`: a pruning level."""

    def run(self, params: str, level: int | None = None) -> Backtest:
        """One backtest, with the equity of every bar."""

    def signals(self, params: str) -> ArrowTable:
        """What the strategy would say at every bar from warm-up on, ignoring open positions."""

    def identity(self, params: str, level: int | None = None) -> str:
        """The identity document: canonical JSON of everything that determines the trial."""

    def canonical_rows(self, params: Any) -> str:
        """JSON list: of every row of a table of parameters [canonical JSON, null], or [null, why it is refused]."""

    def market(self, symbol: int) -> Market:
        """The market of a symbol as it is traded: after the spread multiplier."""

    def indicator(
        self,
        symbol: int,
        id: str,
        side: str,
        timeframe: str | None,
        on: str | None,
        params: dict[str, Any],
    ) -> list[tuple[str, ArrowTable | float | int]]:
        """An indicator on a symbol's market as it is traded, from the engine's series cache."""

    def cache_stats(self) -> str: ...
    def info(self) -> str:
        """JSON: resolved options, dataset, trading days (us), traded bars, counters of the series cache."""

@final
class Batch:
    """The results of a batch, in the order of its parameters."""

    def to_table(self, returns: bool) -> ArrowTable:
        """One row per parameter set; with `returns` also its daily returns."""

@final
class SignalRows:
    """One table of a user's function, as the engine takes it, in memory of its own.

    Entries: bar (int64), direction (int8, 1 or -1), stop_loss (float64), and, if given, order_type (int8: 0 market,
    1 limit, 2 stop), entry, take_profit, size (float64), valid_bars, good_till (int64, µs), oco_group, reason, scenario,
    tag (utf8). Exits: bar, direction, cancel (int8: 1 cancels, 0 closes).
    """

    def __new__(cls, table: Any) -> SignalRows:
        """Of a table in at most one chunk, with these columns."""
    @staticmethod
    def of_arrays(entries: Any, exits: Any, bars: int) -> tuple[SignalRows | None, SignalRows | None]:
        """What common mappings of arrays say, entries and exits: numbers of the usual types, and words of one array.
        None for all others, and for rows that are not in order.
        """
    def to_table(self) -> ArrowTable:
        """The columns."""

@final
class Played:
    """What became of one parameter set of a user's strategy, on its way into a batch."""

    @property
    def signals_digest(self) -> str | None:
        """Digest of the tables that were played."""

@final
class Backtest:
    """One backtest in full."""

    def trades(self) -> ArrowTable:
        """Closed trades."""

    def equity(self) -> ArrowTable:
        """Equity of every traded bar."""

    def daily(self) -> ArrowTable:
        """Equity at the end of each trading day."""

    def summary(self) -> str:
        """JSON: everything that is no table."""

def build_info() -> str:
    """JSON: version, semantics, synthetic_version, zone_data, profile, target."""

def strategies() -> str:
    """JSON list of the declarations of all native strategies."""

def declare(declaration: str) -> str:
    """The declaration of a user's strategy in full, position rules included, as those of `strategies`."""

def canonical_rows(strategy: str, timeframe: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Of each parameter set, a dict: (canonical parameters, key, derived names, problems, warnings), the first two None
    where there are problems. `strategy` as in `canonicalise`.

    Raises:
        SweepError: [1001] an unknown strategy, [1004] a value that JSON does not have.
    """

def canonicalise(strategy: str, timeframe: str, params: str) -> str:
    """JSON list of parameter sets in; a JSON list of their canonical forms, or problems, out. `strategy` is a name, or
    the JSON of a user's declaration.
    """

def check_bars(table: Any, options: str) -> str:
    """JSON list of all that bars have against the data contract, by class: defect, code, what, count, rows (the
    first five: row, label in us, detail), remedy. Empty if they are sound.

    Options: timeframe, duplicates, name. Columns as `Market.from_bars`.
    """

def check_higher(timeframe: str, primary: str) -> None:
    """Raises [1001] for a timeframe that is neither `primary` nor one of the higher ones above it."""

def check_ticks(table: Any, options: str) -> str:
    """As `check_bars`, of ticks. Options: crossed ("reject" makes crossed ticks a defect), name; those of
    `check_bars` are accepted and change nothing. Columns as `Market.from_ticks`.
    """

def indicators() -> str:
    """JSON list of the catalogue: id, parameters, outputs, first valid index, formula, source."""

def indicator(
    market: Market, id: str, side: str, timeframe: str | None, on: str | None, params: dict[str, Any]
) -> list[tuple[str, ArrowTable | float | int]]:
    """Outputs by name: a table with the column `value`, a number, or the number of a bar."""

def indicator_on(
    bars: Any,
    id: str,
    side: str,
    timeframe: str | None,
    on: str | None,
    params: dict[str, Any],
    tick: tuple[float, float] | None = None,
) -> list[tuple[str, ArrowTable | float | int]]:
    """The same on a table of open, high, low, close; NaN = missing. `tick` = (M, N): exact averages on that grid."""

def metrics() -> str:
    """JSON list of the metric catalogue: name, unit, definition, null_when."""

def schemas() -> str:
    """JSON of the schema registry."""

def spacing(table: Any) -> str:
    """JSON: the most_common step (us, null without a step) of the column timestamp, its share, the number of
    distinct steps, and the five most common steps [us, count]. Steps that do not lead forward do not count.
    """

def symbol_spec(symbol: str, overrides: str) -> str:
    """JSON specification of a symbol: the built-in table under the overrides."""

def resolve(options: str, symbol: str = "") -> str:
    """JSON: complete options from partial ones; `symbol` picks its own commission."""

def table_digest(schema: str, table: Any) -> str:
    """Canonical digest of a table of a schema of the registry.

    Raises [5004] naming the first field that differs, [1001] for an unknown schema.
    """

def result_digest(trades: str, daily: str, metrics: str) -> str:
    """Result digest of the digests of trades, daily equity and metrics."""

def column_table(columns: dict[str, list[Any]]) -> ArrowTable | None:
    """Lists of one length as the columns of a table, in their order: bool, int64, float64 or utf8, None = null. None where
    no such column holds the values of one, and for no columns.
    """

def parameter_table(rows: Sequence[dict[str, Any]]) -> ArrowTable | None:
    """Mappings as a table with a column for every name that one of them has, in order of name: bool, int64, float64 or
    utf8, null where a mapping has no value; None where no such column holds the values, and for mappings without names.
    """

def permuted(prefix: str, size: int, width: int, start: int, count: int) -> list[int]:
    """Where the keyed permutation of 0 ... size - 1 puts positions start ... start + count - 1: a Feistel network over two
    halves of `width` bits, at most 31, whose round j adds seed(`prefix|j|half`).

    Raises [5004] for a size that does not fit twice `width` bits, or positions beyond it.
    """

def mixture_sums(
    features: Any,
    factors: Any,
    tables: Sequence[tuple[Any, Any]],
    stops: Sequence[int],
    negligible: float,
) -> bytes:
    """Of every mixture and point the sum over its kernels of exp(features x factors + table entries), as float64
    (mixtures x points), with the same bits on every processor.

    Kernels whose exponent is more than `negligible` below that of the mixture's last one are left out.

    Args:
        features: points x terms.
        factors: terms x kernels.
        tables: (entries (rows x kernels), row of every point (intp)).
        stops: where the kernels of each mixture end.

    Raises [5004] for shapes that do not fit.
    """

def result_rows(
    table: Any,
) -> list[
    tuple[
        str,
        str | None,
        str | None,
        str | None,
        tuple[str, str, str, str, str | None] | None,
        float | None,
        dict[str, float | None],
        tuple[int, int] | None,
    ]
]:
    """Of each row of a batch's results: status, kind, reason, identity, digests (trades, daily, metrics, result,
    signals), seconds, metrics, which are finite or None, and where its returns begin and end among the values of their
    chunk; a column that is absent holds None.

    Raises [1005] for a broken table or a row without status, [5004] for a column of another type.
    """

def json_object(values: dict[str, Any]) -> str | None:
    """JSON of texts, finite numbers, truth values and None in their order, floats as such; None for other values."""

def rows_digest(names: Sequence[str], rows: Sequence[tuple[str | int | float | None, ...]]) -> str:
    """SHA-256 of rows as RFC 8785 objects over `names`, one per line, each line ended by a line feed.

    What a row has beyond `names` is left out. Raises [5004] for a row that is too short, [1004] for a value that is no
    text, no None and no number that JSON keeps exactly, [1006] for NaN and inf.
    """

def run_signals(
    market: Market | Sequence[Market],
    options: str,
    signals: str,
    exits: str,
    rules: str,
    rates: Mapping[str, Market] | None = None,
) -> Backtest:
    """Runs a table of signals (and of closes) in place of a strategy: JSON rows by label. `rates` as of `Engine`."""

def play(
    engine: Engine,
    params: str,
    tables: list[tuple[SignalRows, SignalRows]],
    keep: bool,
    level: int | None = None,
) -> Played:
    """One backtest of tables in place of rules: for each symbol the entries and the exits. `keep` keeps the equity of
    every bar.
    """

def units(prefix: str, start: int, count: int, names: list[str]) -> list[bytes]:
    """Of every name the first 8 bytes of SHA-256 of `prefix|q|name`, over 2⁶⁴, for q = start …, as little-endian doubles."""

def unplayed(engine: Engine, params: str | None, code: int, reason: str, level: int | None = None) -> Played:
    """A parameter set that was refused (without `params`), or failed in the user's code."""

def gather(played: list[Played], seconds: list[float]) -> Batch:
    """The results of a batch, in the order given; `seconds` are added to those of the engine."""

def backtest_of(engine: Engine, played: Played, level: int | None = None) -> Backtest:
    """One of them as a backtest in full. Raises what failed."""

def said(engine: Engine, params: str, tables: list[tuple[SignalRows, SignalRows]]) -> ArrowTable:
    """Entries of tables in the schema trade_signal, in order of labels."""
