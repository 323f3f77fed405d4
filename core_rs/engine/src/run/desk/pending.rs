//! Step 2: pending orders expire or trigger.

use super::Desk;
use super::fills::Fill;
use crate::Result;
use crate::orders::{Direction, ExitReason, Fate, Order, OrderType};
use crate::run::account::Account;
use crate::run::now::Now;
use crate::strategy::Decide;
use std::cmp::Ordering;

impl<D: Decide> Desk<'_, D> {
    /// Expiry, then triggers in id order.
    pub(super) fn work_pending(&mut self, account: &mut Account, now: &Now<'_>) -> Result<()> {
        self.expire(account, now.bar, now.time);
        if !self.decide_fates(now) {
            return Ok(());
        }
        let mut at = 0;
        for k in 0..self.fates.len() {
            match self.fates[k] {
                Fate::Waits => at += 1,
                Fate::Cancelled => {
                    let order = self.pending.remove(at);
                    account.end(order, now.time, ExitReason::Signal);
                }
                Fate::Triggers => {
                    let order = self.pending.remove(at);
                    let (raw, at_open) = self.trigger_price(&order, now);
                    self.fill(account, order, Fill::on(now, raw, at_open))?;
                }
            }
        }
        Ok(())
    }

    /// Orders end that may not trigger any more on bar `bar`, named `time`.
    pub(super) fn expire(&mut self, account: &mut Account, bar: usize, time: i64) {
        let mut at = 0;
        while at < self.pending.len() {
            if self.pending[at].expired(bar, time) {
                let order = self.pending.remove(at);
                account.end(order, time, ExitReason::LimitExpired);
            } else {
                at += 1;
            }
        }
    }

    /// What becomes of each pending order; whether any triggers.
    fn decide_fates(&mut self, now: &Now<'_>) -> bool {
        self.fates.clear();
        for order in &self.pending {
            let side = now.entry_side(order.direction());
            let reached = order.reached(side.low(), side.high());
            self.fates.push(if reached { Fate::Triggers } else { Fate::Waits });
        }
        if !self.fates.contains(&Fate::Triggers) {
            return false;
        }
        for k in 0..self.pending.len() {
            if self.fates[k] == Fate::Triggers && self.pending[k].signal.in_group() {
                self.one_of_its_group(k, now);
            }
        }
        true
    }

    /// Cancels all legs of the group of order `k` but the first to trigger.
    fn one_of_its_group(&mut self, k: usize, now: &Now<'_>) {
        let mut first = k;
        for other in 0..self.pending.len() {
            let triggers = self.fates[other] == Fate::Triggers;
            if triggers && self.pending[other].same_group(&self.pending[k]) {
                let nearer = compare(&self.pending[other], &self.pending[first], now);
                if nearer == Ordering::Less {
                    first = other;
                }
            }
        }
        for other in 0..self.pending.len() {
            if other != first && self.pending[other].same_group(&self.pending[k]) {
                self.fates[other] = Fate::Cancelled;
            }
        }
    }

    /// The price of a triggered order before slippage, and whether the open decides it.
    fn trigger_price(&self, order: &Order, now: &Now<'_>) -> (f64, bool) {
        let open = now.entry_side(order.direction()).open();
        if self.execution.gap_fills && order.reached(open, open) {
            (open, true)
        } else {
            (order.price(), false)
        }
    }
}

/// Which of two triggered legs of a group counts as first: nearer to the open, then long, then the lower number.
fn compare(a: &Order, b: &Order, now: &Now<'_>) -> Ordering {
    let distance = |order: &Order| (order.price() - now.entry_side(order.direction()).open()).abs();
    let short = |order: &Order| order.direction() == Direction::Short;
    debug_assert!(a.signal.order_type != OrderType::Market);
    distance(a).total_cmp(&distance(b)).then_with(|| short(a).cmp(&short(b))).then_with(|| a.id.cmp(&b.id))
}
