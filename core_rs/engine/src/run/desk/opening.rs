//! Step 1: what was decided at earlier closes happens at the open.

use super::Desk;
use super::fills::{Exit, Fill};
use crate::Result;
use crate::orders::Queued;
use crate::run::account::Account;
use crate::run::now::Now;
use crate::strategy::Decide;

impl<D: Decide> Desk<'_, D> {
    /// (a) Closes and partial closes at the exit-side open, then (b) moves of stops and targets.
    pub(super) fn execute_queued(&mut self, account: &mut Account, now: &Now<'_>) -> Result<()> {
        self.changes = false;
        let mut at = 0;
        while at < account.book.open.len() {
            let position = &mut account.book.open[at];
            if position.symbol != self.symbol || position.queued == Queued::default() {
                at += 1;
                continue;
            }
            let raw = now.exit_side(position.direction()).open();
            let queued = std::mem::take(&mut position.queued);
            if let Some(reason) = queued.close {
                self.close(account, at, Exit::at_open(now, raw, reason))?;
                continue;
            }
            if let Some(lots) = queued.partial {
                self.close_part(account, at, lots, Exit::partial(now.time, now.time, raw))?;
            }
            let position = &mut account.book.open[at];
            if let Some((price, kind)) = queued.stop {
                position.stop_loss = price;
                position.stop_kind = kind;
            }
            if let Some(target) = queued.target {
                position.take_profit = target;
            }
            at += 1;
        }
        Ok(())
    }

    /// (c) Market orders at the entry-side open.
    pub(super) fn fill_queued(&mut self, account: &mut Account, now: &Now<'_>) -> Result<()> {
        let mut queued = std::mem::take(&mut self.queued);
        for order in queued.drain(..) {
            let raw = now.entry_side(order.direction()).open();
            self.fill(account, order, Fill::on(now, raw, true))?;
        }
        self.queued = queued;
        Ok(())
    }
}
