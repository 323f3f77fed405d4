//! Stop and target of an open position on one bar: whether, where and why it ends.

use super::options::TpConfirmation;
use crate::extremes::Levels;
use crate::orders::{Direction, ExitReason, OrderType, Position};

/// Exit-side prices of a bar or tick.
#[derive(Debug, Clone, Copy)]
pub struct ExitBar {
    /// Open.
    pub open: f64,
    /// High.
    pub high: f64,
    /// Low.
    pub low: f64,
    /// Close.
    pub close: f64,
}

/// How exits trigger and fill.
#[derive(Debug, Clone, Copy)]
pub struct ExitRules {
    /// Trigger buffer, price units.
    pub buffer: f64,
    /// Whether a gap through a level fills at the open.
    pub gap_fills: bool,
    /// Which pending orders' targets need the close's confirmation on the entry bar.
    pub confirmation: TpConfirmation,
}

/// An exit before slippage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exit {
    /// Level or gap price.
    pub price: f64,
    /// Why.
    pub reason: ExitReason,
    /// Decided by the open.
    pub at_open: bool,
    /// Whether slippage applies; never to a target.
    pub slips: bool,
    /// Stop and target were both hit and the path is unknown.
    pub ambiguous: bool,
}

/// Exit-side prices at which stop or target of `position` are reached.
#[inline]
pub fn levels(position: &Position, rules: ExitRules) -> Levels {
    let (stop, target, buffer) = (position.stop_loss, position.take_profit, rules.buffer);
    match position.direction() {
        Direction::Long => {
            Levels { floor: stop + buffer, ceiling: target.map_or(f64::INFINITY, |t| t - buffer) }
        }
        Direction::Short => {
            Levels { floor: target.map_or(f64::NEG_INFINITY, |t| t + buffer), ceiling: stop - buffer }
        }
    }
}

/// The exit of `position` on bar or tick number `event`, if any.
///
/// A stop beats a target on the same bar, except where the target was already passed at the open of a position held
/// from an earlier bar.
#[inline]
pub fn exit_on_bar(position: &Position, event: usize, q: ExitBar, rules: ExitRules) -> Option<Exit> {
    let ExitRules { buffer, gap_fills, .. } = rules;
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
    let held = position.entry_event < event;
    let at_open = held || position.filled_at_open;
    let stop_open =
        gap_fills && at_open && if long { q.open <= stop + buffer } else { q.open >= stop - buffer };
    let open_target = target.filter(|&t| {
        gap_fills && held && !stop_open && if long { q.open >= t - buffer } else { q.open <= t + buffer }
    });
    let target_exit = |price, at_open| Exit {
        price,
        reason: ExitReason::TakeProfit,
        at_open,
        slips: false,
        ambiguous: false,
    };
    if let Some(t) = open_target {
        return Some(target_exit(if long { t.max(q.open) } else { t.min(q.open) }, true));
    }
    if stop_hit {
        // Passed at the open, or within the spread of an entry inside this bar: the best quote there was.
        let quoted = match (stop_open, gap_fills && !held, long) {
            (true, _, _) => q.open,
            (false, true, true) => q.high,
            (false, true, false) => q.low,
            (false, false, _) => stop,
        };
        let price = if long { stop.min(quoted) } else { stop.max(quoted) };
        let reason = position.stop_kind.exit_reason();
        return Some(Exit {
            price,
            reason,
            at_open: stop_open,
            slips: true,
            ambiguous: target_hit && !stop_open,
        });
    }
    target
        .filter(|&t| held || !needs_confirmation(position, rules.confirmation) || confirmed(long, q.close, t))
        .map(|t| target_exit(t, false))
}

/// Whether a target on the entry bar counts only with the close beyond it.
fn needs_confirmation(position: &Position, confirmation: TpConfirmation) -> bool {
    match position.signal.order_type {
        OrderType::Market => false,
        OrderType::Limit => true,
        OrderType::Stop => confirmation == TpConfirmation::LimitAndStop,
    }
}

fn confirmed(long: bool, close: f64, target: f64) -> bool {
    if long { close > target } else { close < target }
}
