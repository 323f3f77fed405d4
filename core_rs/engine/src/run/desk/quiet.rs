//! Stretches of bars on which no position begins, changes its size or ends. They are found ahead and passed at once.
//!
//! The plain steps of a bar stay the definition: a stretch ends before the first bar on which one of them could do more than
//! count, take a sample, move a stop or, without a position, end pending orders unfilled and accept others.

use super::Desk;
use crate::Result;
use crate::orders::{Direction, Order, Queued};
use crate::portfolio::Sample;
use crate::run::account::Account;
use crate::run::outcome::Blocked;
use crate::strategy::{Decide, View};
use std::ops::Range;

/// Bars that are looked at ahead while orders wait: when a further order comes, they are looked at again.
const LOOK: usize = 128;
/// Fewer bars are not worth the look where the strategy is asked for entries too.
const LEAST: usize = 16;
/// Pending orders that are looked at ahead.
const MOST_WAITING: usize = 16;

impl<D: Decide> Desk<'_, D> {
    /// Passes the quiet bars from `i` on, before `last`, and gives the first bar that has to be looked at.
    ///
    /// # Errors
    /// None while rates are steady.
    #[inline]
    pub fn pass_quiet(&mut self, account: &mut Account, i: usize, last: usize) -> Result<usize> {
        let eventful = self.changes || !self.queued.is_empty();
        let about_to_ruin = account.out.ruined_at.is_none() && account.book.cash <= 0.0;
        debug_assert!(self.steady, "equity is not sampled at every bar");
        if eventful || about_to_ruin || i >= last {
            return Ok(i);
        }
        match &account.book.open[..] {
            [] if self.pending.is_empty() => Ok(self.pass_flat(account, i, last)),
            [] => self.pass_waiting(account, i, last),
            [position] if self.pending.is_empty() => {
                debug_assert!(position.queued == Queued::default(), "what is queued is a change");
                debug_assert!(
                    position.exits_from <= i && position.tracked_from <= i,
                    "the fill's bar is over"
                );
                self.pass_held(account, i, last)
            }
            _ => Ok(i),
        }
    }

    /// Without a position equity stands still: the next signal is all that there is to look for, however far it is.
    fn pass_flat(&mut self, account: &mut Account, i: usize, last: usize) -> usize {
        let barred = self.barred(account, &self.close_of(i));
        let mut from = i;
        while from < last {
            let (blocked, end) = self.unchanged(barred, from, last);
            let until = if blocked.is_some() { end } else { self.before_signal(from..end) };
            if until < end {
                self.expect(until);
            }
            self.count_blocked(account, blocked, from..until);
            from = until;
            if until < end {
                break;
            }
        }
        self.stand_still(account, i..from);
        from
    }

    /// The bars before the first at whose close the strategy says something; before its warm-up is over it is not asked.
    #[inline]
    pub(super) fn before_signal(&mut self, bars: Range<usize>) -> usize {
        let asked = self.warmup.clamp(bars.start, bars.end);
        self.decider.next_signal(asked, bars.end, &self.view, &mut self.signals)
    }

    /// Step 6 of bars without a position.
    fn stand_still(&self, account: &mut Account, bars: Range<usize>) {
        let Account { book, tracker, .. } = account;
        if !bars.is_empty() {
            let time = self.view.label[bars.start];
            tracker.sample(Sample { time, equity: book.cash, balance: book.cash });
            tracker.repeat(bars.len() - 1, self.view.label[bars.end - 1]);
        }
    }

    /// Without a position, while pending orders wait: as long as none of them triggers. Those that end unfilled, and those
    /// that take their place, leave equity where it is.
    fn pass_waiting(&mut self, account: &mut Account, i: usize, last: usize) -> Result<usize> {
        let mut from = i;
        while from < last && !self.pending.is_empty() && self.pending.len() <= MOST_WAITING {
            self.expire(account, from, self.view.label[from]);
            let until = self.pass_unchanged(account, from, last);
            let triggered = until < last && self.pending.iter().any(|order| self.triggers(order, until));
            from = until;
            if triggered || until == last || self.at_close {
                break;
            }
            let close = self.close_of(until);
            self.manage_orders(account, &close);
            self.enter(account, &close)?;
            from += 1;
            if !self.queued.is_empty() {
                break;
            }
        }
        self.stand_still(account, i..from);
        Ok(from)
    }

    /// The bars from `i` on on which no pending order ends and nothing is entered.
    fn pass_unchanged(&mut self, account: &mut Account, i: usize, last: usize) -> usize {
        let end = self.before_spent(i, last.min(i.saturating_add(LOOK)));
        if end == i {
            return i;
        }
        let (blocked, mut end) = self.unchanged(self.barred(account, &self.close_of(i)), i, end);
        if blocked.is_none() {
            if end < i.saturating_add(LEAST) {
                return i;
            }
            end = self.before_signal(i..end);
        }
        let until = self.before_end_of_orders(i, end);
        self.count_blocked(account, blocked, i..until);
        until
    }

    /// Whether a pending order triggers on a bar.
    fn triggers(&self, order: &Order, bar: usize) -> bool {
        let (side, _) = self.quotes(order.direction() == Direction::Short);
        order.reached(side.low[bar], side.high[bar])
    }

    /// The first of some bars at whose close a pending order is spent: it then holds no slot, and expires on the next one.
    fn before_spent(&self, i: usize, last: usize) -> usize {
        self.pending.iter().fold(last, |end, order| {
            let first_at = |time| i + self.first_at(time, i..end);
            end.min(order.spent_from(first_at).max(i))
        })
    }

    /// The place among some bars of the first whose moment of decision is not before a time; their number if there is none.
    fn first_at(&self, time: i64, bars: Range<usize>) -> usize {
        self.view.label[bars].partition_point(|label| label + self.view.timeframe < time)
    }

    /// The first of some bars on which a pending order triggers or is cancelled.
    fn before_end_of_orders(&self, i: usize, last: usize) -> usize {
        self.pending.iter().fold(last, |end, order| {
            let (side, extremes) = self.quotes(order.direction() == Direction::Short);
            let end = extremes.first_touch(side, i..end, order.levels());
            (i..end).find(|&bar| self.decider.cancel(order, bar, &self.view)).unwrap_or(end)
        })
    }

    /// Why the strategy is not asked on the bars from `i` on, if it is not, and the first bar, `last` at most, on which that
    /// may be another reason, while nothing is entered or left. On bars before its warm-up is over that is the reason,
    /// whatever is said here.
    ///
    /// `barred` is what [`Self::barred`] says.
    #[inline]
    pub(super) fn unchanged(
        &self,
        barred: Option<Blocked>,
        i: usize,
        last: usize,
    ) -> (Option<Blocked>, usize) {
        let (gates, pause) = (self.instrument.gates.as_ref(), self.cooldown.as_ref());
        if barred.is_some() || (gates.is_none() && pause.is_none()) {
            return (barred, last);
        }
        let View { label, timeframe, .. } = self.view;
        let from = self.warmup.clamp(i, last);
        let mut end = gates.and_then(|gates| gates.next_change(from)).map_or(last, |change| change.min(last));
        if let Some(pause) = pause {
            let first_at = |time| self.first_at(time, 0..label.len());
            let free = pause.free_from(self.last_exit, self.last_order, first_at);
            if from < free {
                end = end.min(free);
            }
        }
        (self.closed_gate(from, label[from] + timeframe), end)
    }

    /// Counts quiet bars by why the strategy was not asked on them, if it was not; before its first bar that is why.
    pub(super) fn count_blocked(&self, account: &mut Account, cause: Option<Blocked>, bars: Range<usize>) {
        let early = self.warmup.clamp(bars.start, bars.end) - bars.start;
        account.out.blocked.add_many(Blocked::Warmup, early);
        if let Some(cause) = cause {
            account.out.blocked.add_many(cause, bars.len() - early);
        }
    }
}
