"""What can still be read of a table that is refused, so that one defect does not hide the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sweep.config.market import ROLES, TICK_ROLES
from sweep.errors import SweepError
from sweep.market.contract import Reading, column_of, find_roles, opened, timeframe_us

_OPTIONAL = ("volume", "bid_size", "ask_size")


@dataclass(frozen=True)
class Rest:
    """Rows without a null, of the columns that can be read."""

    table: pa.Table
    """As of `to_bars` or `to_ticks`."""
    rows: npt.NDArray[np.int64]
    """Their numbers in the raw table."""
    timed: bool
    """Whether the times are those of the table; else they are there for the order only."""


def readable(raw: pa.Table, name: str, reading: Reading) -> Rest | None:
    """The rest of a raw table whose reading has failed; None if not all prices are in it."""
    wanted = ROLES if reading.kind == "bars" else TICK_ROLES
    try:
        roles = find_roles(raw.column_names, name, reading.columns, wanted)
    except SweepError:
        return None
    rows = _whole_rows(raw, [index for found in roles.values() for index in found])
    if not rows.size:
        return None
    whole = raw if rows.size == raw.num_rows else raw.take(pa.array(rows))
    widened = replace(reading, cast=True)
    columns: dict[str, pa.ChunkedArray] = {}
    timed = True
    for role in (role for role in wanted if role in roles):
        try:
            columns[role] = column_of(whole, role, roles[role], name, widened)
        except SweepError:
            if role == "timestamp":
                columns[role], timed = _ordinal(rows.size, reading), False
            elif role not in _OPTIONAL:
                return None
    table = pa.table(columns)
    if timed and reading.kind == "bars":
        table = opened(table, reading)
    return Rest(table.combine_chunks(), rows, timed)


def _whole_rows(raw: pa.Table, used: Sequence[int]) -> npt.NDArray[np.int64]:
    whole = np.ones(raw.num_rows, bool)
    for index in used:
        whole &= pc.is_valid(raw.column(index)).to_numpy()
    return np.flatnonzero(whole)


def _ordinal(count: int, reading: Reading) -> pa.ChunkedArray:
    step = timeframe_us(reading.timeframe) if reading.kind == "bars" else 1
    return pa.chunked_array([pa.array(np.arange(count) * step).cast(pa.timestamp("us", tz="UTC"))])
