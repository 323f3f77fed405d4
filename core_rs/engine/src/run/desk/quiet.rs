//! Stretches of bars on which nothing happens: no order, no exit, no decision. They are found ahead and passed at once.
//!
//! The plain steps of a bar stay the definition: a stretch ends before the first bar on which any of them could act.

use super::Desk;
use crate::Result;
use crate::orders::Queued;
use crate::portfolio::Sample;
use crate::run::account::Account;
use crate::run::outcome::Blocked;
use crate::strategy::Decide;
use std::ops::Range;

impl<D: Decide> Desk<'_, D> {
    /// Passes the quiet bars from `i` on, before `last`, and gives the first bar that has to be looked at.
    ///
    /// # Errors
    /// None while rates are steady.
    #[inline]
    pub fn pass_quiet(&mut self, account: &mut Account, i: usize, last: usize) -> Result<usize> {
        let eventful = self.changes || !self.queued.is_empty() || !self.pending.is_empty();
        let about_to_ruin = account.out.ruined_at.is_none() && account.book.cash <= 0.0;
        if !self.jumps || eventful || about_to_ruin || i >= last {
            return Ok(i);
        }
        let barred = account.out.ruined_at.is_some() && self.execution.stop_on_ruin;
        match &account.book.open[..] {
            [] => Ok(self.pass_flat(account, barred, i, last)),
            [position] => {
                debug_assert!(position.queued == Queued::default(), "what is queued is a change");
                if position.exits_from > i || position.tracked_from > i {
                    return Ok(i);
                }
                self.pass_held(account, barred, i, last)
            }
            _ => Ok(i),
        }
    }

    /// Without a position equity stands still: the next signal is all that there is to look for, however far it is.
    fn pass_flat(&mut self, account: &mut Account, barred: bool, i: usize, last: usize) -> usize {
        let until = if barred {
            last
        } else {
            let from = self.warmup.clamp(i, last);
            self.decider.next_signal(from, last, &self.view, &mut self.signals)
        };
        let Account { book, tracker, .. } = account;
        if until < last {
            self.expect(until);
        }
        if until > i {
            tracker.sample(Sample { time: self.view.label[i], equity: book.cash, balance: book.cash });
            tracker.repeat(until - i - 1, self.view.label[until - 1]);
        }
        self.count_blocked(account, barred.then_some(Blocked::Ruined), i..until);
        until
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
