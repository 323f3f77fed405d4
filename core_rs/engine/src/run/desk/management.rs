//! Step 4: timeouts, the strategy's actions, break-even and trailing at the close of a bar.

use super::Desk;
use super::fills::Exit;
use crate::Result;
use crate::execution::rounding::round8;
use crate::execution::validation::usable;
use crate::orders::{Direction, ExitReason, Position, StopKind};
use crate::run::account::Account;
use crate::run::now::Close;
use crate::strategy::{Actions, Decide, Part};

/// µs per minute.
const MINUTE: i64 = 60_000_000;

impl<D: Decide> Desk<'_, D> {
    /// Positions, then pending orders, in id order.
    pub fn manage(&mut self, account: &mut Account, close: &Close) -> Result<()> {
        if self.open > 0 {
            self.manage_positions(account, close)?;
        }
        if !self.pending.is_empty() {
            self.manage_orders(account, close);
        }
        Ok(())
    }

    fn manage_positions(&mut self, account: &mut Account, close: &Close) -> Result<()> {
        let mut at = 0;
        while at < account.book.open.len() {
            let position = &account.book.open[at];
            if position.symbol != self.symbol || position.queued.close.is_some() {
                at += 1;
                continue;
            }
            let mut actions = Actions::default();
            let reason = if self.timed_out(position, close) {
                Some(ExitReason::Timeout)
            } else {
                self.decider.manage(position, close.bar, &self.view, &mut actions);
                actions.close.then_some(ExitReason::Signal)
            };
            let Some(reason) = reason else {
                self.adjust(account, at, actions, close)?;
                at += 1;
                continue;
            };
            if self.at_close {
                let raw = close.exit_side(position.direction());
                self.close(account, at, Exit::at_close(close, raw, reason))?;
                self.closed.by_management += 1;
            } else {
                account.book.open[at].queued.close = Some(reason);
                self.changes = true;
                at += 1;
            }
        }
        Ok(())
    }

    fn timed_out(&self, position: &Position, close: &Close) -> bool {
        if self.rules.timeout_minutes > 0 && self.minutes_are_over(position, close.moment) {
            return true;
        }
        let bars = self.rules.timeout_bars;
        bars > 0 && position.bars_since_fill(close.bar) >= bars
    }

    /// Whether the time stop in minutes is reached at a moment.
    #[inline]
    pub(super) fn minutes_are_over(&self, position: &Position, moment: i64) -> bool {
        moment - position.fill_moment >= self.rules.timeout_minutes * MINUTE
    }

    /// Everything but a close: a part, the stop, the target.
    fn adjust(&mut self, account: &mut Account, at: usize, actions: Actions, close: &Close) -> Result<()> {
        let mut invalid = 0;
        let position = &mut account.book.open[at];
        let own = actions.stop.filter(|&(price, _)| valid_stop(position, price, close));
        invalid += u64::from(actions.stop.is_some() && own.is_none());
        if let Some(stop) = self.tightest(own, position, close) {
            position.queued.stop = Some(stop);
            self.changes = true;
        }
        if let Some(target) = actions.target {
            if target.is_none_or(|price| valid_target(position, price, close)) {
                position.queued.target = Some(target);
                self.changes = true;
            } else {
                invalid += 1;
            }
        }
        if let Some(part) = actions.partial {
            match self.lots_of(part, position.size) {
                None => invalid += 1,
                Some(lots) if self.at_close => {
                    let raw = close.exit_side(position.direction());
                    self.close_part(account, at, lots, Exit::partial(close.time, close.moment, raw))?;
                }
                Some(lots) => {
                    position.queued.partial = Some(lots);
                    self.changes = true;
                }
            }
        }
        account.out.invalid_modify += invalid;
        Ok(())
    }

    /// The tightest of the strategy's stop, break-even and trailing; the first of equals.
    pub(super) fn tightest(
        &self,
        own: Option<(f64, StopKind)>,
        position: &Position,
        close: &Close,
    ) -> Option<(f64, StopKind)> {
        if self.rules.be_r <= 0.0 && !self.rules.trails {
            return own;
        }
        let direction = position.direction();
        let tighter = |price: f64, than: f64| tighter(direction, price, than);
        let proposals = [
            self.break_even(position).map(|price| (price, StopKind::BreakEven)),
            self.trail(position, close.bar).map(|price| (price, StopKind::Trailing)),
        ];
        let valid = proposals
            .into_iter()
            .flatten()
            .filter(|&(price, _)| tighter(price, position.stop_loss) && valid_stop(position, price, close));
        valid.fold(own, |best, proposal| match best {
            Some(best) if !tighter(proposal.0, best.0) => Some(best),
            _ => Some(proposal),
        })
    }

    /// The excursion below which no close moves the stop of a position, as that is now.
    #[inline]
    pub(super) fn least_excursion(&self, position: &Position) -> f64 {
        let (price, stop) = (self.break_even_price(position), position.stop_loss);
        let waits = self.rules.be_r > 0.0 && tighter(position.direction(), price, stop);
        let risk = position.initial_risk();
        let even = if waits { self.rules.be_r * risk } else { f64::INFINITY };
        let trail = if self.rules.trails { self.rules.trail_start_r * risk } else { f64::INFINITY };
        even.min(trail)
    }

    fn break_even(&self, position: &Position) -> Option<f64> {
        let far = self.rules.be_r > 0.0 && excursion(position) >= self.rules.be_r * position.initial_risk();
        far.then_some(self.break_even_price(position))
    }

    #[inline]
    fn break_even_price(&self, position: &Position) -> f64 {
        let sign = position.direction().sign();
        position.entry_price + sign * self.rules.be_buffer_pips * self.view.spec.pip_size
    }

    fn trail(&self, position: &Position, bar: usize) -> Option<f64> {
        if !self.rules.trails {
            return None;
        }
        let distance = self.decider.trail_distance(bar);
        let started = excursion(position) >= self.rules.trail_start_r * position.initial_risk();
        (started && distance > 0.0).then(|| match position.direction() {
            Direction::Long => position.best_price - distance,
            Direction::Short => position.best_price + distance,
        })
    }

    /// Lots of a partial close on the volume grid, if both parts are large enough.
    fn lots_of(&self, part: Part, size: f64) -> Option<f64> {
        let spec = self.view.spec;
        let wanted = match part {
            Part::Lots(lots) => lots,
            Part::Fraction(fraction) => fraction * size,
        };
        let lots = round8(((wanted + 1e-12) / spec.volume_step).floor() * spec.volume_step);
        let least = spec.volume_min - 1e-12;
        (lots >= least && size - lots >= least).then_some(lots)
    }

    /// The strategy cancels pending orders.
    pub(super) fn manage_orders(&mut self, account: &mut Account, close: &Close) {
        let mut at = 0;
        while at < self.pending.len() {
            let order = &self.pending[at];
            let shown = !order.spent(close.bar, close.moment);
            if shown && self.decider.cancel(order, close.bar, &self.view) {
                let order = self.pending.remove(at);
                account.end(order, close.time, ExitReason::Signal);
            } else {
                at += 1;
            }
        }
    }
}

/// Price distance of the best price in favour of a position.
#[inline]
pub(super) fn excursion(position: &Position) -> f64 {
    match position.direction() {
        Direction::Long => position.best_price - position.entry_price,
        Direction::Short => position.entry_price - position.best_price,
    }
}

/// Whether a stop is nearer to the market than another.
#[inline]
fn tighter(direction: Direction, price: f64, than: f64) -> bool {
    match direction {
        Direction::Long => price > than,
        Direction::Short => price < than,
    }
}

/// Whether a stop lies on the losing side of the exit-side close.
pub(super) fn valid_stop(position: &Position, price: f64, close: &Close) -> bool {
    let market = close.exit_side(position.direction());
    usable(price)
        && match position.direction() {
            Direction::Long => price < market,
            Direction::Short => price > market,
        }
}

/// Whether a target lies on the winning side of the exit-side close.
fn valid_target(position: &Position, price: f64, close: &Close) -> bool {
    let market = close.exit_side(position.direction());
    usable(price)
        && match position.direction() {
            Direction::Long => price > market,
            Direction::Short => price < market,
        }
}
