"""How much was done: exposure, fees, lots, turnover, days, rejections."""

from __future__ import annotations

from sweep.reference.metrics.calendar import DAY_US
from sweep.reference.metrics.inputs import Inputs


def exposure_pct(x: Inputs) -> float | None:
    """Traded bars with an open position right after step 2, in percent."""
    return 100 * x.exposed_bars / x.bars if x.bars else None


def total_fees(x: Inputs) -> float:
    """All fees, summed as they were paid."""
    return x.total_fees


def total_lots(x: Inputs) -> float:
    """Lots filled at entries, summed in order of the fills."""
    return x.total_lots


def turnover(x: Inputs) -> float:
    """Notional of all fills, summed in their order."""
    return x.turnover


def trades_per_day(x: Inputs) -> float | None:
    """Trades per daily return."""
    return len(x.trades) / len(x.returns) if x.returns else None


def active_days(x: Inputs) -> float:
    """Distinct UTC dates of the entries and exits of closed positions and of partial exits."""
    days = set()
    for position in (*x.trades, *x.partials):
        assert position.exit_time is not None
        days |= {position.entry_time // DAY_US, position.exit_time // DAY_US}
    return float(len(days))


def rejected_signals(x: Inputs) -> float:
    """Sum of the rejections."""
    return float(x.rejected)
