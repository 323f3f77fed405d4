"""What workers said of trials: rows of result tables as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweep.arrow import numbers
from sweep.ledger.returns import Returns
from sweep.types import KIND, STATUS, Digests, Kind, Runtime, Status

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = "metrics."
"""How columns of metrics begin."""


class Result(NamedTuple):
    """One row of `Engine.run_batch`, or the environment failure that ended a trial that never came back."""

    status: Status
    kind: Kind | None = None
    reason: str | None = None
    identity: str | None = None
    digests: Digests | None = None
    metrics: Mapping[str, float | None] = {}
    """Finite, or None."""
    returns: Returns | None = None
    """Daily ones."""


class RawResult(NamedTuple):
    """One trial as it came back."""

    number: int
    result: Result
    runtime: Runtime
    level: int | None = None
    """Pruning level that it ran."""


def results_of(table: pa.Table) -> Iterator[tuple[Result, float | None]]:
    """Result and seconds of every row.

    Raises:
        SweepError: [1005] broken, [5004] a column of another type than `Engine.run_batch` gives.
    """
    from sweep import _core

    given = iter(_core.result_rows(table))
    for rows, values in _values(table):
        for status, kind, reason, identity, digests, seconds, metrics, span in islice(given, rows):
            result = Result(
                STATUS[status],
                None if kind is None else KIND[kind],
                reason,
                identity,
                None if digests is None else Digests(*digests),
                metrics,
                None if span is None else values[span[0] : span[1]],
            )
            yield result, seconds


def _values(table: pa.Table) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Rows of each chunk, and the returns of all of them end to end, sharing the memory."""
    if "returns" not in table.column_names:
        yield table.num_rows, _NOTHING
        return
    for chunk in table.column("returns").chunks:
        held = getattr(chunk, "values", None)  # a column of nulls has none
        yield len(chunk), _NOTHING if held is None else numbers(held)


def to_dict(result: Result) -> dict[str, Any]:
    """JSON form, without the returns."""
    digests = result.digests
    return {
        "status": result.status.value,
        "kind": None if result.kind is None else result.kind.value,
        "reason": result.reason,
        "identity": result.identity,
        **({} if digests is None else dict(zip(_DIGESTS, digests, strict=True))),
        **{METRICS + name: value for name, value in result.metrics.items()},
    }


def from_dict(row: Mapping[str, Any], returns: Returns | None) -> Result:
    """From `to_dict`."""
    digests = None
    if row.get("result_digest") is not None:
        digests = Digests(*(row.get(name) for name in _DIGESTS))  # type: ignore[arg-type]
    metrics = {name.removeprefix(METRICS): value for name, value in row.items() if name.startswith(METRICS)}
    kind = row.get("kind")
    return Result(
        STATUS[row["status"]],
        None if kind is None else KIND[kind],
        row.get("reason"),
        row.get("identity"),
        digests,
        metrics,
        returns,
    )


_NOTHING: NDArray[np.float64] = np.empty(0)
_DIGESTS = tuple(f"{name}_digest" for name in Digests._fields)
