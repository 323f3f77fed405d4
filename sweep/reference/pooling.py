"""Several runs as one: the parts of the window that a pruning level runs, each from a flat start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise

from sweep.reference.curve import Sample
from sweep.reference.metrics.calendar import daily_series
from sweep.reference.numeric import divide
from sweep.reference.position import Order, Position
from sweep.reference.simulation import Simulation


@dataclass
class Pooled:
    """Profits, counts and spans of all runs together, records under new numbers, one after the other.

    Equity and days of a later run go on from what was earned before it; returns, and the samples of `curves`, are as
    each run had them.
    """

    cash: float
    total_fees: float
    total_lots: float
    turnover: float
    optimistic_gain: float
    exposed_bars: int = 0
    span: int = 0
    numbers: int = 0
    closed: list[Position] = field(default_factory=list)
    partials: list[Position] = field(default_factory=list)
    open: list[Position] = field(default_factory=list)
    pending: list[Order] = field(default_factory=list)
    ended: list[Order] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    daily: list[tuple[int, float]] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    curves: list[list[Sample]] = field(default_factory=list)


def pooled(simulations: Sequence[Simulation], calendar: str) -> Pooled:
    """The runs, in the order of time, as one."""
    first = simulations[0].book
    pool = Pooled(first.cash, first.total_fees, first.total_lots, first.turnover, first.optimistic_gain)
    for place, simulation in enumerate(simulations):
        _add(pool, simulation, calendar, later=place > 0)
    return pool


def _add(pool: Pooled, simulation: Simulation, calendar: str, *, later: bool) -> None:
    book, samples = simulation.book, simulation.curve.samples
    initial = samples[0].equity
    labels = [sample.timestamp for sample in samples[1:]]
    days = daily_series(labels, [sample.equity for sample in samples[1:]], calendar)
    if later:
        earned = pool.equity[-1] - initial
        pool.cash += book.cash - initial
        pool.total_fees += book.total_fees
        pool.total_lots += book.total_lots
        pool.turnover += book.turnover
        pool.optimistic_gain += book.optimistic_gain
        pool.equity += [earned + sample.equity for sample in samples[1:]]
        pool.daily += [(day, earned + value) for day, value in days]
    else:
        pool.equity += [sample.equity for sample in samples]
        pool.daily += days
    pool.returns += [divide(now, before) - 1 for before, now in pairwise([initial, *(v for _, v in days)])]
    pool.exposed_bars += simulation.exposed_bars
    pool.span += labels[-1] + simulation.traders[0].market.timeframe_us - samples[0].timestamp
    pool.curves.append(samples)
    pool.closed += _positions(book.closed, pool.numbers)
    pool.partials += _positions(book.partials, pool.numbers)
    pool.open += _positions(book.open, pool.numbers)
    pool.ended += _orders(book.ended, pool.numbers)
    waiting = sorted((o for t in simulation.traders for o in t.pending), key=lambda order: order.position_id)
    pool.pending += _orders(waiting, pool.numbers)
    pool.numbers += book.number() - 1


def _positions(records: Iterable[Position], given: int) -> list[Position]:
    """Copies whose numbers go on after `given`."""
    copies = [copy(record) for record in records]
    for record in copies:
        record.position_id += given
        record.parent_id = None if record.parent_id is None else record.parent_id + given
    return copies


def _orders(orders: Iterable[Order], given: int) -> list[Order]:
    """Copies whose numbers go on after `given`."""
    copies = [copy(order) for order in orders]
    for order in copies:
        order.position_id += given
    return copies
