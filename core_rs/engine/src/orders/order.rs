//! An accepted signal that waits for its fill.

use super::direction::Direction;
use super::position::ExitReason;
use super::signal::{OrderType, Signal};
use crate::extremes::Levels;

/// A market order that waits for the next open, or a pending limit or stop order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// From 1, in order of acceptance; the position keeps it.
    pub id: u64,
    /// Number of its symbol among those of the backtest.
    pub symbol: usize,
    /// Label of the decision bar, µs.
    pub order_time: i64,
    /// Index of the decision bar among those loaded of its symbol.
    pub order_bar: usize,
    /// What the strategy asked for.
    pub signal: Signal,
}

/// What became of a pending order on one bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on waiting.
    Waits,
    /// Its price was reached.
    Triggers,
    /// Another leg of its group was first.
    Cancelled,
}

impl Order {
    /// Long or short.
    pub fn direction(&self) -> Direction {
        self.signal.direction
    }

    /// The order price; the engine accepts no pending order without.
    #[inline]
    pub fn price(&self) -> f64 {
        self.signal.entry.unwrap_or(f64::NAN)
    }

    /// Whether it may not trigger any more on bar `bar`, named `time`.
    #[inline]
    pub fn expired(&self, bar: usize, time: i64) -> bool {
        self.outlived(bar, time, false)
    }

    /// Whether no later bar can trigger it, at the close of bar `bar` at the moment `close`.
    #[inline]
    pub fn spent(&self, bar: usize, close: i64) -> bool {
        self.outlived(bar, close, true)
    }

    /// The first bar at whose close it is spent, `usize::MAX` if it never is by itself; `first_at` gives the first bar whose
    /// moment of decision is not before a time.
    pub fn spent_from(&self, first_at: impl FnOnce(i64) -> usize) -> usize {
        let by_bars = self.signal.valid_bars.map_or(usize::MAX, |n| {
            self.order_bar.saturating_add(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX))
        });
        by_bars.min(self.signal.good_till.map_or(usize::MAX, first_at))
    }

    fn outlived(&self, bar: usize, time: i64, at_close: bool) -> bool {
        let by_bars = self.signal.valid_bars.is_some_and(|n| {
            let waited = bar.saturating_sub(self.order_bar) as u64 + u64::from(at_close);
            waited > n.unsigned_abs()
        });
        by_bars || self.signal.good_till.is_some_and(|till| time >= till)
    }

    /// Entry-side prices at which it triggers; those of a market order are all.
    #[inline]
    pub fn levels(&self) -> Levels {
        let (price, never) = (self.price(), f64::INFINITY);
        match (self.signal.order_type, self.direction()) {
            (OrderType::Market, _) => Levels { floor: never, ceiling: -never },
            (OrderType::Limit, Direction::Long) | (OrderType::Stop, Direction::Short) => {
                Levels { floor: price, ceiling: never }
            }
            (OrderType::Limit, Direction::Short) | (OrderType::Stop, Direction::Long) => {
                Levels { floor: -never, ceiling: price }
            }
        }
    }

    /// Whether entry-side prices from `low` to `high` reach the order price.
    #[inline]
    pub fn reached(&self, low: f64, high: f64) -> bool {
        self.levels().reached(low, high)
    }

    /// Whether `other` is a leg of the same one-cancels-other group.
    pub fn same_group(&self, other: &Self) -> bool {
        self.signal.in_group() && self.signal.shares_group(&other.signal)
    }
}

/// A pending order that ended without a fill.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedOrder {
    /// The order.
    pub order: Order,
    /// Label of the bar, or time of the tick, of its end, µs.
    pub time: i64,
    /// `limit_expired`, `signal` or `end_of_data`.
    pub reason: ExitReason,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn an_order_is_spent_from_one_bar_on(
        #[values(None, Some(0), Some(1), Some(7))] valid_bars: Option<i64>,
        #[values(None, Some(0), Some(5_700), Some(5_800), Some(6_001))] good_till: Option<i64>,
    ) {
        let plain = Signal::pending(OrderType::Limit, Direction::Long, 1.1, 1.0, None);
        let signal = Signal { valid_bars, good_till, ..plain };
        let order = Order { id: 1, symbol: 0, order_time: 5_000, order_bar: 50, signal };
        // Bar k is named 100 k, and decided on 100 later.
        let bars = 50..70;
        let first_at =
            |time: i64| bars.clone().find(|&bar| 100 * (bar as i64 + 1) >= time).unwrap_or(bars.end);
        let from = order.spent_from(first_at);
        for bar in bars.clone() {
            assert_eq!(order.spent(bar, 100 * (bar as i64 + 1)), bar >= from, "bar {bar}");
        }
    }
}
