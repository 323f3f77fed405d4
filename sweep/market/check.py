"""Whether files may be used, and what is remarkable about them: every defect of every side, not the first one only.

`check` needs no more than a file: a symbol, a timeframe or a spread that is not named is stood in for, and the result
says so. Nothing that it stands in for ever reaches a study.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sweep.errors import SweepError
from sweep.market.contract import Reading, by_side, has_sides, to_bars, to_ticks
from sweep.market.describe import iso, labels
from sweep.market.findings import Entry, duration, of_market
from sweep.market.findings import named as timeframe_named
from sweep.market.load import from_tables, load
from sweep.market.rest import readable
from sweep.market.source import data_error, read
from sweep.market.specs import symbol_spec

if TYPE_CHECKING:
    from sweep.config.market import MarketConfig
    from sweep.market.contract import Bars, Ticks
    from sweep.market.market import Market

Open = Literal["symbol", "timeframe", "spread_pips"]

STAND_IN: Final[Mapping[str, Any]] = {"symbol": "UNNAMED", "timeframe": "M1", "spread_pips": 0.0}
"""What a config holds for a key that was left open, so that it can be checked as a section."""

_PRICE_UNITS: Final[Mapping[str, Any]] = {
    "contract_size": 1.0,
    "pip_size": 1.0,
    "tick_size": 1.0,
    "volume_min": 1.0,
    "volume_step": 1.0,
    "volume_max": 1.0,
    "base_currency": "XXX",
    "quote_currency": "XXX",
}
_UNREADABLE: Final = frozenset({3000, 3001, 3002})


@dataclass(frozen=True)
class Defect:
    """One class of defects: a reason why the data are refused."""

    side: str
    """`bid`, `ask`, `file`, `ticks`, or `market` for what concerns several files."""
    code: int
    what: str
    count: int | None
    """Rows, where rows can be named."""
    rows: tuple[Mapping[str, Any], ...]
    """The first of them: row (from 0), time, detail."""
    remedy: str
    where: str = ""
    """File and column, where it is not the rows that say it."""


@dataclass(frozen=True)
class Side:
    """What one file holds."""

    side: str
    path: str
    rows: int | None = None
    first: str | None = None
    """Earliest label, ISO 8601."""
    last: str | None = None
    columns: tuple[str, ...] = ()
    """Names of the columns that are used."""
    ignored: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    """Roles whose type `cast` widened."""


@dataclass(frozen=True)
class Spacing:
    """Steps between consecutive labels: the most common one, and its share."""

    timeframe: str | None
    """The timeframe of that length, if there is one."""
    step: int
    """In us."""
    share: float
    steps: tuple[tuple[int, int], ...]
    """The most frequent steps (us) and how often they occur."""


@dataclass(frozen=True)
class Check:
    """What was found. `market` is there if and only if nothing is wrong."""

    sides: tuple[Side, ...]
    defects: tuple[Defect, ...]
    symbol: str | None
    timeframe: str | None
    """As named, else as detected."""
    spacing: Spacing | None
    """Of the first side, where the timeframe was not named."""
    notes: tuple[str, ...]
    market: Market | None
    left_open: Set[str] = frozenset()
    """Keys that the data need and that were not named."""
    findings: tuple[Entry, ...] = ()
    """What is remarkable about the market, and what contradicts what was said of it."""

    @property
    def accepted(self) -> bool:
        """Whether the data may be used."""
        return not self.defects

    def to_dict(self) -> dict[str, Any]:
        """For machines; `report` is null if the data are refused."""
        return {
            "accepted": self.accepted,
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "detected": None if self.spacing is None else vars(self.spacing),
            "bars": None if self.market is None else self.market.bars,
            "sides": self.sides,
            "defects": self.defects,
            "notes": self.notes,
            "findings": self.findings,
            "report": None if self.market is None else self.market.report,
        }

    def refusal(self) -> SweepError:
        """The error of data that are refused; only if they are."""
        first = self.defects[0]
        files = {side.side: side.path for side in self.sides}
        others = len(self.defects) - 1
        more = f" (and {others} other defect{'s' if others > 1 else ''})" if others else ""
        problem = data_error(
            first.code,
            f"refused: {first.what}{more}",
            first.where or files.get(first.side, first.side),
            first.remedy,
        )
        problem.context["defects"] = [vars(defect) for defect in self.defects]
        return problem


@dataclass(frozen=True)
class _Raw:
    """A file that was read."""

    side: str
    path: str
    table: pa.Table


def check(
    config: MarketConfig, symbol_specs: Mapping[str, Any] | None = None, *, left_open: Set[str] = frozenset()
) -> Check:
    """Reads the files of a config and checks all of them; the window is not applied.

    Args:
        config: the market; keys in `left_open` hold their stand-in, but for `spread_pips`, which two sides in one
            file do not need.
        symbol_specs: fields over the built-in table.
        left_open: keys that were not named. `symbol`: prices count as pips; `timeframe`: that of the most common step is taken; `spread_pips`.

    Raises:
        SweepError: [3000] [3001] [3002] a file cannot be read; stage config for the symbol or the generator's keys.
            What is wrong with the data is in the result.
    """
    specs = {STAND_IN["symbol"]: _PRICE_UNITS} if "symbol" in left_open else symbol_specs
    symbol_spec(config.symbol or "", specs)  # before the files are read, which may take long
    config = config.model_copy(update={"window": (None, None)})
    if config.synthetic is not None:
        return _result(config, left_open, market=load(config, specs))
    raws, sides, defects = _read(config)
    if "spread_pips" in left_open:
        one_sided = any(raw.side == "file" for raw in raws)
        config = config.model_copy(update={"spread_pips": STAND_IN["spread_pips"] if one_sided else None})
        left_open = left_open if one_sided else left_open - {"spread_pips"}
    spacing = None
    if "timeframe" in left_open and config.ticks is None:
        spacing = _spacing(raws, config)
        if spacing is not None and spacing.timeframe is None:
            sides += [Side(raw.side, raw.path, raw.table.num_rows) for raw in raws]
            return _result(config, left_open, sides, [*defects, _no_timeframe(spacing)], spacing)
        if spacing is not None:
            config = config.model_copy(update={"timeframe": spacing.timeframe})
    for raw in raws:
        side, found = _examine(raw, config)
        sides.append(side)
        defects.extend(found)
    market = None
    if not defects:
        try:
            market = _market(config, raws, specs)
        except SweepError as problem:
            defects = _of_error("market", problem)
    return _result(config, left_open, sides, defects, spacing, market)


def _read(config: MarketConfig) -> tuple[list[_Raw], list[Side], list[Defect]]:
    """The files that could be read, and those that are damaged with their defects."""
    reading = Reading.of(config)
    raws: list[_Raw] = []
    damaged: list[Side] = []
    defects: list[Defect] = []
    for side in ("bid", "ask", "file", "ticks"):
        name = getattr(config, side)
        if name is None:
            continue
        path = Path(name).expanduser()
        try:
            raws.extend(_raws(side, str(path), read(path, reading), reading))
        except SweepError as problem:
            if problem.code in _UNREADABLE:
                raise
            damaged.append(Side(side, str(path)))
            defects.extend(_of_error(side, problem))
    return raws, damaged, defects


def _raws(side: str, path: str, table: pa.Table, reading: Reading) -> list[_Raw]:
    """A table as it is, or the two sides that are in it."""
    if side == "file" and has_sides(table.column_names, reading):
        return [_Raw(part, path, rows) for part, rows in by_side(table, path, reading).items()]
    return [_Raw(side, path, table)]


def _spacing(raws: Sequence[_Raw], config: MarketConfig) -> Spacing | None:
    """Of the first side whose times can be read; None if there is none, or one bar only."""
    from sweep import _core

    # The stamp of a bar cannot be moved by a length that is not known yet; steps do not need it.
    reading = Reading.of(config.model_copy(update={"stamp": "open"}))
    for raw in raws:
        table = _rows(raw, reading)
        if table is None:
            continue  # the examination of this side reports it
        found = json.loads(_core.spacing(_sorted(table.select(["timestamp"]))))
        if found["steps"]:
            step = found["most_common"]
            steps = tuple((us, count) for us, count in found["steps"])
            return Spacing(timeframe_named(step), step, found["share"], steps)
    return None


def _rows(raw: _Raw, reading: Reading) -> pa.Table | None:
    """Bars, or what can be read of them with their times."""
    try:
        return to_bars(raw.table, raw.path, reading).table
    except SweepError:
        rest = readable(raw.table, raw.path, reading)
        return rest.table if rest is not None and rest.timed else None


def _sorted(times: pa.Table) -> pa.Table:
    """Rows out of order are a defect of their own; they say nothing of the length of a bar."""
    label = labels(times)
    return times if bool(np.all(label[1:] > label[:-1])) else times.sort_by("timestamp")


def _no_timeframe(spacing: Spacing) -> Defect:
    what = f"no timeframe: the most common step, {duration(spacing.step)}, is none"
    remedy = "name it: timeframe=M5; if these are ticks: --ticks"
    return Defect("market", 1009, what, None, (), remedy)


def _examine(raw: _Raw, config: MarketConfig) -> tuple[Side, list[Defect]]:
    reading = Reading.of(config)
    try:
        convert = to_ticks if raw.side == "ticks" else to_bars
        rows: Bars | Ticks = convert(raw.table, raw.path, reading)
    except SweepError as problem:
        if raw.side != "ticks" and problem.code == 1008 and _looks_like_ticks(raw.table):
            problem.remedy = f"these look like ticks: --ticks; {problem.remedy}"
        found = [*_of_error(raw.side, problem), *_of_the_rest(raw, reading, config)]
        return Side(raw.side, raw.path, raw.table.num_rows), found
    return _side(raw, rows), _defects(raw.side, _value_defects(raw, rows.table, config))


def _value_defects(raw: _Raw, table: pa.Table, config: MarketConfig) -> list[dict[str, Any]]:
    from sweep import _core

    options = json.dumps({"timeframe": config.timeframe, "duplicates": config.duplicates, "name": raw.path})
    of_values = _core.check_ticks if raw.side == "ticks" else _core.check_bars
    return list(json.loads(of_values(table, options)))


def _of_the_rest(raw: _Raw, reading: Reading, config: MarketConfig) -> list[Defect]:
    """Defects of the values in the rows and columns that are readable, beside what is not."""
    rest = readable(raw.table, raw.path, reading)
    if rest is None:
        return []
    found = _value_defects(raw, rest.table, config)
    for row in (row for item in found for row in item["rows"]):
        row["row"] = int(rest.rows[row["row"]])
        row["label"] = row["label"] if rest.timed else None
    return _defects(raw.side, found)


def _looks_like_ticks(table: pa.Table) -> bool:
    return {"bid", "ask"} <= {name.strip().lower() for name in table.column_names}


def _side(raw: _Raw, read_as: Bars | Ticks) -> Side:
    times = pc.min_max(read_as.table["timestamp"].cast(pa.int64())).as_py()
    ignored = tuple(read_as.notes["extra_columns"])
    return Side(
        raw.side,
        raw.path,
        raw.table.num_rows,
        iso(times["min"]),
        iso(times["max"]),
        tuple(name for name in raw.table.column_names if name not in ignored),
        ignored,
        tuple(read_as.notes["widened"]),
    )


def _market(config: MarketConfig, raws: Sequence[_Raw], symbol_specs: Mapping[str, Any] | None) -> Market:
    if any(config.higher.values()):
        # Files of higher timeframes are read, and compared with the primary bars, on the way.
        return load(config, symbol_specs)
    return from_tables(config, {raw.side: raw.table for raw in raws}, symbol_specs)


def _defects(side: str, found: Sequence[Mapping[str, Any]]) -> list[Defect]:
    return [
        Defect(
            side,
            item["code"],
            item["what"],
            item["count"],
            tuple(
                {
                    "row": row["row"],
                    "time": None if row["label"] is None else iso(row["label"]),
                    "detail": row["detail"],
                }
                for row in item["rows"]
            ),
            item["remedy"],
        )
        for item in found
    ]


def _of_error(side: str, problem: SweepError) -> list[Defect]:
    """The defects that an error of stage data stands for; other errors go on."""
    if problem.stage != "data":
        raise problem
    found = problem.context.get("defects")
    if found:
        return _defects(side, found)
    own = {
        "code": problem.code,
        "what": problem.what,
        "remedy": problem.remedy,
        "where": problem.where,
        **problem.context,
    }
    return [_structural(side, item) for item in problem.context.get("problems", [own])]


def _structural(side: str, item: Mapping[str, Any]) -> Defect:
    rows = tuple({"row": row, "time": None, "detail": ""} for row in item.get("rows", ()))
    return Defect(side, item["code"], item["what"], item.get("count"), rows, item["remedy"], item["where"])


def _result(
    config: MarketConfig,
    left_open: Set[str],
    sides: Sequence[Side] = (),
    defects: Sequence[Defect] = (),
    spacing: Spacing | None = None,
    market: Market | None = None,
) -> Check:
    notes = []
    timeframe = config.timeframe
    if spacing is not None and spacing.timeframe is not None:
        notes.append(f"timeframe {timeframe} (detected: {100 * spacing.share:.3g} % of steps)")
    elif "timeframe" in left_open:
        timeframe = None
    if "symbol" in left_open:
        notes.append("no symbol named: lengths are in units of price, not in pips")
    if "spread_pips" in left_open:
        notes.append("one side only: a study needs spread_pips, 0 included")
    symbol = None if "symbol" in left_open else config.symbol
    unit = "in price" if "symbol" in left_open else "pips"
    found = () if market is None else tuple(of_market(market, unit))
    return Check(
        tuple(sides), tuple(defects), symbol, timeframe, spacing, tuple(notes), market, left_open, found
    )
