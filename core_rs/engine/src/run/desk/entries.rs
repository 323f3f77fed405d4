//! Step 5: signals become orders, or are rejected; and the end of the data.

use super::Desk;
use super::fills::{Exit, Fill, reject};
use crate::Result;
use crate::execution::options::EndOfData;
use crate::execution::validation;
use crate::orders::{ExitReason, Order, OrderType, RejectionReason, Signal};
use crate::run::account::Account;
use crate::run::now::Close;
use crate::run::outcome::Blocked;
use crate::strategy::Decide;

impl<D: Decide> Desk<'_, D> {
    /// Asks the strategy, unless the bar is blocked.
    #[inline]
    pub fn enter(&mut self, account: &mut Account, close: &Close) -> Result<()> {
        if let Some(cause) = self.blocked(account, close) {
            account.out.blocked.add(cause);
            return Ok(());
        }
        self.decider.evaluate(close.bar, &self.view, &mut self.signals);
        if self.signals.len() <= 1 {
            // Mostly there is one at most: it need not leave the list for a while with all others.
            return self.signals.pop().map_or(Ok(()), |signal| self.accept(account, signal, close));
        }
        let mut signals = std::mem::take(&mut self.signals);
        for signal in signals.drain(..) {
            self.accept(account, signal, close)?;
        }
        self.signals = signals;
        Ok(())
    }

    /// Why the strategy is not asked for entries, if it is not.
    #[inline]
    fn blocked(&self, account: &Account, close: &Close) -> Option<Blocked> {
        if close.bar < self.warmup {
            return Some(Blocked::Warmup);
        }
        self.barred(account, close).or_else(|| self.closed_gate(close.bar, close.moment))
    }

    /// What comes before all gates, and stays as long as nothing is entered or left: a ruined account, or no free slot.
    #[inline]
    pub(super) fn barred(&self, account: &Account, close: &Close) -> Option<Blocked> {
        if account.out.ruined_at.is_some() && self.execution.stop_on_ruin {
            return Some(Blocked::Ruined);
        }
        (self.free_slots(account, close) == 0).then_some(Blocked::NoSlot)
    }

    /// The first closed gate in configured order, at the close of `bar`.
    #[inline]
    pub(super) fn closed_gate(&self, bar: usize, moment: i64) -> Option<Blocked> {
        let closed = self.instrument.gates.as_ref().and_then(|gates| gates.closed(bar));
        if let Some((gate, true)) = closed {
            return Some(gate.into());
        }
        let pause = self.cooldown.as_ref();
        if pause.is_some_and(|c| c.blocks(moment, bar, self.last_exit, self.last_order)) {
            return Some(Blocked::Cooldown);
        }
        closed.map(|(gate, _)| gate.into())
    }

    /// Slots for new orders.
    #[inline]
    pub(super) fn free_slots(&self, account: &Account, close: &Close) -> usize {
        if self.slots == usize::MAX && account.slots == usize::MAX {
            return usize::MAX;
        }
        let idle = !self.busy() && self.closed.on_bar == 0;
        let used = if idle { 0 } else { self.used_slots(account, close) };
        self.room(account).saturating_sub(used)
    }

    /// Slots that this symbol may use.
    #[inline]
    pub(super) fn room(&self, account: &Account) -> usize {
        self.slots.min(account.slots.saturating_sub(account.taken))
    }

    /// Slots in use: open positions, market orders and pending orders that can still trigger.
    pub fn used_slots(&self, account: &Account, close: &Close) -> usize {
        let held = self.open + self.queued.len() + self.live_pending(close);
        if !self.execution.reentry_on_exit_bar {
            return held + self.closed.on_bar;
        }
        if !self.rules.same_bar_reentry {
            return held + self.closed.by_management;
        }
        if !self.changes {
            return held;
        }
        let leaving = |p: &&crate::orders::Position| p.symbol == self.symbol && p.queued.close.is_some();
        held - account.book.open.iter().filter(leaving).count()
    }

    /// Pending orders that can still trigger; a group counts once.
    fn live_pending(&self, close: &Close) -> usize {
        let live = |order: &Order| !order.spent(close.bar, close.moment);
        let counts = |&k: &usize| {
            let order = &self.pending[k];
            let again = || self.pending[..k].iter().any(|earlier| live(earlier) && earlier.same_group(order));
            live(order) && (!order.signal.in_group() || !again())
        };
        (0..self.pending.len()).filter(counts).count()
    }

    /// Validates one signal and makes it an order.
    #[inline]
    fn accept(&mut self, account: &mut Account, signal: Signal, close: &Close) -> Result<()> {
        if let Some(reason) = self.problem(account, &signal, close) {
            let price = validation::reference_price(&signal, close.bid, close.ask);
            reject(account, close.label, close.bar, reason, &signal, price);
            return Ok(());
        }
        let order = Order {
            id: account.number(),
            symbol: self.symbol,
            order_time: close.label,
            order_bar: close.bar,
            signal,
        };
        self.last_order = Some((close.moment, close.bar));
        match order.signal.order_type {
            OrderType::Market if self.at_close => {
                let raw = close.entry_side(order.direction());
                return self.fill(account, order, Fill::at_close(close, raw));
            }
            OrderType::Market => self.queued.push(order),
            OrderType::Limit | OrderType::Stop => self.pending.push(order),
        }
        Ok(())
    }

    /// The first rule that a signal breaks.
    fn problem(&self, account: &Account, signal: &Signal, close: &Close) -> Option<RejectionReason> {
        if let Some(reason) = validation::at_decision(signal, close.bid, close.ask, self.min_stop) {
            return Some(reason);
        }
        if close.last && (self.execution.end_of_data == EndOfData::Close || !self.at_close) {
            return Some(RejectionReason::EndOfData);
        }
        let further_leg = signal.order_type != OrderType::Market
            && signal.in_group()
            && self
                .pending
                .iter()
                .any(|order| order.signal.shares_group(signal) && !order.spent(close.bar, close.moment));
        (!further_leg && self.free_slots(account, close) == 0).then_some(RejectionReason::MaxPositions)
    }

    /// The last bar of the symbol: under `close` whatever is open or pending ends here.
    pub fn end_of_data(&mut self, account: &mut Account, close: &Close) -> Result<()> {
        if self.execution.end_of_data == EndOfData::LeaveOpen {
            return Ok(());
        }
        let mut at = 0;
        while at < account.book.open.len() {
            let position = &account.book.open[at];
            if position.symbol != self.symbol {
                at += 1;
                continue;
            }
            let raw = close.exit_side(position.direction());
            self.close(account, at, Exit::at_close(close, raw, ExitReason::EndOfData))?;
        }
        for order in self.pending.drain(..) {
            account.end(order, close.time, ExitReason::EndOfData);
        }
        Ok(())
    }
}
