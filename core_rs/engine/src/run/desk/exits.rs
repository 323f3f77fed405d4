//! Step 3: stops and targets.

use super::Desk;
use super::fills::Exit;
use crate::Result;
use crate::execution::commission::Fill as Side;
use crate::execution::exits::{ExitBar, exit_on_bar, levels};
use crate::extremes::Levels;
use crate::orders::Position;
use crate::run::account::Account;
use crate::run::now::Now;
use crate::strategy::Decide;

impl<D: Decide> Desk<'_, D> {
    /// Stop and target of every open position, in id order.
    pub(super) fn stops_and_targets(&mut self, account: &mut Account, now: &Now<'_>) -> Result<()> {
        let mut at = 0;
        while at < account.book.open.len() {
            let position = &mut account.book.open[at];
            if position.symbol != self.symbol || position.exits_from > now.event {
                at += 1;
                continue;
            }
            let levels = levels(position, self.exit_rules);
            let q = now.exit_side(position.direction());
            if self.is_far(position, levels, now) || !levels.reached(q.low(), q.high()) {
                at += 1;
                continue;
            }
            let (low, high) = (q.low(), q.high());
            let bar = ExitBar { open: q.open(), high, low, close: q.close() };
            let Some(exit) = exit_on_bar(position, now.event, bar, self.exit_rules) else {
                at += 1;
                continue;
            };
            let target = exit.ambiguous.then_some(position.take_profit).flatten();
            position.same_bar_ambiguous = exit.ambiguous;
            self.close(account, at, Exit::on(now, &exit))?;
            if let Some(target) = target {
                self.count_alternative(account, target, now.time)?;
            }
        }
        Ok(())
    }

    /// Whether the block of a bar stays away from the levels: after a quiet stretch its range is at hand, the bar's own
    /// prices are not. A tick is of a bar that is still forming.
    #[inline]
    fn is_far(&self, position: &Position, levels: Levels, now: &Now<'_>) -> bool {
        if now.tick {
            return false;
        }
        let around = self.exit_side(position).1.range_around(now.bar..now.bar + 1);
        !levels.reached(around.low, around.high)
    }

    /// What the position that was just closed at its stop would have given at its target instead.
    fn count_alternative(&self, account: &mut Account, target: f64, moment: i64) -> Result<()> {
        let Some(booked) = account.book.closed.last() else { return Ok(()) };
        let (result, _) = self.instrument.money.result(booked, target, moment)?;
        let fee = self.instrument.commission.fee(Side::Exit, booked.size, target, moment)?;
        account.optimistic_extra += result - fee - (booked.result - booked.exit_fee);
        Ok(())
    }

    /// Best and worst exit-side price of bars and ticks that were wholly after the fill.
    pub(super) fn track(&self, account: &mut Account, now: &Now<'_>) {
        for position in &mut account.book.open {
            if position.symbol != self.symbol || position.tracked_from > now.event {
                continue;
            }
            let q = now.exit_side(position.direction());
            position.track(q.high(), q.low());
        }
    }
}
