//! Stop and target of an open position on one bar: whether, where and why it ends.

use crate::orders::{Direction, ExitReason, Position};

/// Exit-side prices of a bar.
#[derive(Debug, Clone, Copy)]
pub struct ExitBar {
    /// Open.
    pub open: f64,
    /// High.
    pub high: f64,
    /// Low.
    pub low: f64,
}

/// An exit before slippage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exit {
    /// Level or gap price.
    pub price: f64,
    /// Why.
    pub reason: ExitReason,
    /// Whether slippage applies; never to a target.
    pub slips: bool,
    /// Stop and target were both hit and the path is unknown.
    pub ambiguous: bool,
}

/// The exit of `position` on bar `i`, if any.
///
/// A stop beats a target on the same bar, except where the target was already passed at the open of a position held
/// from an earlier bar. `buffer` is the trigger buffer in price units.
#[inline]
pub fn exit_on_bar(position: &Position, i: usize, q: ExitBar, buffer: f64, gap_fills: bool) -> Option<Exit> {
    let stop = position.stop_loss;
    let target = position.take_profit;
    let long = position.direction() == Direction::Long;
    let (stop_hit, target_hit) = if long {
        (q.low <= stop + buffer, target.is_some_and(|t| q.high >= t - buffer))
    } else {
        (q.high >= stop - buffer, target.is_some_and(|t| q.low <= t + buffer))
    };
    if !stop_hit && !target_hit {
        return None;
    }
    let held = position.entry_bar < i;
    let at_open = held || position.filled_at_open;
    let stop_open =
        gap_fills && at_open && if long { q.open <= stop + buffer } else { q.open >= stop - buffer };
    let open_target = target.filter(|&t| {
        gap_fills && held && !stop_open && if long { q.open >= t - buffer } else { q.open <= t + buffer }
    });
    if let Some(t) = open_target {
        let price = if long { t.max(q.open) } else { t.min(q.open) };
        return Some(Exit { price, reason: ExitReason::TakeProfit, slips: false, ambiguous: false });
    }
    if stop_hit {
        let gap = if long { stop.min(q.open) } else { stop.max(q.open) };
        let price = if stop_open { gap } else { stop };
        let reason = position.stop_kind.exit_reason();
        return Some(Exit { price, reason, slips: true, ambiguous: target_hit && !stop_open });
    }
    target.map(|price| Exit { price, reason: ExitReason::TakeProfit, slips: false, ambiguous: false })
}
