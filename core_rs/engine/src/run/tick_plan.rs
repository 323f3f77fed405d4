//! Which ticks of a market are traded, and which tick completes the prices of each bar.

use crate::market::{Market, Ticks};
use std::ops::Range;

/// The order of ticks and bars in tick mode: the same for every trial on a market.
#[derive(Debug, Clone)]
pub struct TickPlan {
    /// The traded ticks.
    pub traded: Range<usize>,
    /// Index of the bar that forms at the first of them; the number of bars if no later tick completes it.
    pub first_bar: usize,
    /// Number of the last tick of each complete bar.
    pub last_tick: Vec<usize>,
    /// Label of the bar that is still forming at the last tick.
    pub forming: i64,
    /// Asks with the spread multiplied, if it is.
    widened: Option<Vec<f64>>,
}

impl TickPlan {
    /// Of a market of ticks; `None` for bars. `spread_multiplier` widens each positive spread.
    pub fn of(market: &Market, spread_multiplier: f64) -> Option<Self> {
        let ticks = market.ticks()?;
        let time = ticks.time();
        let length = market.timeframe().micros();
        let last_tick: Vec<usize> =
            market.label().iter().map(|label| time.partition_point(|&t| t < label + length) - 1).collect();
        let start = time.partition_point(|&t| t < market.trade_from());
        let first_bar = last_tick.partition_point(|&last| last < start);
        #[allow(clippy::float_cmp)]
        let widened = (spread_multiplier != 1.0).then(|| {
            let pairs = ticks.bid().iter().zip(ticks.ask());
            pairs.map(|(&b, &a)| if a > b { b + (a - b) * spread_multiplier } else { a }).collect()
        });
        Some(Self { traded: start..time.len(), first_bar, last_tick, forming: market.forming(), widened })
    }

    /// The asks that are traded.
    #[inline]
    pub fn ask<'a>(&'a self, ticks: &'a Ticks) -> &'a [f64] {
        self.widened.as_deref().unwrap_or_else(|| ticks.ask())
    }
}
