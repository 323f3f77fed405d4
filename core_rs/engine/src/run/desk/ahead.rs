//! One symbol among several: how long it does nothing, and the bars until then.
//!
//! Equity is the sum of all symbols and is sampled at every label: a stretch spares the steps of each bar alone.

use super::Desk;
use crate::error::Result;
use crate::run::account::Account;
use crate::run::outcome::Blocked;
use crate::strategy::Decide;
use std::ops::Range;

/// Fewest and most bars that are looked at ahead: twice as many as were quiet the last time. Of no use are those after an event
/// of the symbol itself.
const LEAST: usize = 16;
const MOST: usize = 128;

/// What is known of the next bars of a symbol.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ahead {
    /// The first bar that needs the steps of a bar.
    pub until: usize,
    /// See [`Desk::barred`].
    barred: Option<Blocked>,
    /// Whether the strategy is asked at the closes what to do with its position.
    asks: bool,
}

impl<D: Decide> Desk<'_, D> {
    /// Looks at the bars from `i` on. The answer holds as long as no step of a bar runs, the account is not ruined, and no
    /// slot of the whole portfolio is taken or given back.
    pub fn look_ahead(&mut self, account: &mut Account, i: usize) -> Ahead {
        let last = (self.instrument.traded.end - 1).min(i.saturating_add(self.look.clamp(LEAST, MOST)));
        let mut ahead = Ahead { until: i, ..Ahead::default() };
        let waits = self.changes || self.waits() || self.open > 1;
        if waits || i >= last {
            return ahead;
        }
        ahead.barred = self.barred(account, &self.close_of(i));
        let mut position = account.book.open.iter_mut().find(|position| position.symbol == self.symbol);
        debug_assert!(position.as_ref().is_none_or(|p| p.exits_from <= i && p.tracked_from <= i));
        // Nothing has happened yet on the bars that are looked at: what they do to the position is taken back.
        let before = position.as_ref().map(|p| (p.stop_loss, p.stop_kind, p.best_price, p.worst_price));
        while ahead.until < last {
            let from = ahead.until;
            let (blocked, end) = self.unchanged(ahead.barred, from, last);
            let mut to = end;
            if blocked.is_none() {
                to = self.before_signal(from..to);
            }
            if let Some(position) = position.as_mut().filter(|_| to > from) {
                let asks;
                (to, asks) = self.before_exit(position, from..to);
                to = self.move_on(position, from..to, asks);
                // Asked where it need not be, a strategy has nothing to say.
                ahead.asks |= asks;
            }
            ahead.until = to;
            if to < end {
                break;
            }
        }
        self.look = 2 * (ahead.until - i);
        if let (Some(position), Some(before)) = (position, before) {
            (position.stop_loss, position.stop_kind, position.best_price, position.worst_price) = before;
        }
        ahead
    }

    /// Passes bars before the end of what `ahead` says. What the last of them decides waits for the next open, as it does
    /// everywhere.
    ///
    /// # Errors
    /// As [`Self::manage`].
    pub fn pass(&mut self, account: &mut Account, ahead: &Ahead, bars: Range<usize>) -> Result<()> {
        let Some(newest) = bars.clone().next_back() else { return Ok(()) };
        let mut from = bars.start;
        while from < bars.end {
            let (blocked, end) = self.unchanged(ahead.barred, from, bars.end);
            self.count_blocked(account, blocked, from..end);
            from = end;
        }
        let position = account.book.open.iter_mut().find(|position| position.symbol == self.symbol);
        let Some(position) = position else { return Ok(()) };
        let to = self.move_on(position, bars.start..newest, ahead.asks);
        debug_assert!(to == newest, "what was looked at is passed");
        if self.tracks {
            let (side, _) = self.exit_side(position);
            position.track(side.high[newest], side.low[newest]);
        }
        self.manage(account, &self.close_of(newest))
    }

    /// Whether orders wait.
    pub fn waits(&self) -> bool {
        !self.queued.is_empty() || !self.pending.is_empty()
    }
}
