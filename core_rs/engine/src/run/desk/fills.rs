//! What every fill and every exit goes through: slippage, checks, size, margin, fees, booking.

use super::Desk;
use crate::Result;
use crate::execution::commission::Fill as Side;
use crate::execution::sizing::Lots;
use crate::execution::slippage;
use crate::execution::validation;
use crate::orders::{Direction, ExitReason, Order, OrderType, Position, Queued, RejectionReason, Signal};
use crate::run::account::Account;
use crate::run::now::{Close, Now};
use crate::run::session::Instrument;
use crate::strategy::Decide;

/// Where, when and how an order fills.
pub(super) struct Fill {
    raw: f64,
    time: i64,
    /// Moment of currency rates.
    moment: i64,
    /// Moment from which holding times count.
    clock: i64,
    bar: usize,
    event: usize,
    at_open: bool,
    exits_from: usize,
    tracked_from: usize,
}

impl Fill {
    /// On a bar, at its open or later, or on a tick.
    pub fn on(now: &Now<'_>, raw: f64, at_open: bool) -> Self {
        let after = now.event + 1;
        Self {
            raw,
            time: now.time,
            moment: now.time,
            clock: if at_open { now.time } else { now.clock },
            bar: now.bar,
            event: now.event,
            at_open: if now.tick { now.first_of_bar } else { at_open },
            exits_from: if now.tick { after } else { now.event },
            tracked_from: if now.tick || !at_open { after } else { now.event },
        }
    }

    /// At the close of a bar.
    pub fn at_close(close: &Close, raw: f64) -> Self {
        Self {
            raw,
            time: close.time,
            moment: close.moment,
            clock: if close.tick { close.time } else { close.moment },
            bar: close.bar,
            event: close.event,
            at_open: false,
            exits_from: close.event + 1,
            tracked_from: close.event + 1,
        }
    }
}

/// Size of a fill, and what it ties up.
struct Sized {
    lots: Lots,
    margin: f64,
}

/// Where, when and why a position ends.
pub(super) struct Exit {
    raw: f64,
    time: i64,
    /// Moment of currency rates.
    moment: i64,
    /// Moment from which cooldowns count, and the bar.
    clock: (i64, usize),
    reason: ExitReason,
    slips: bool,
}

impl Exit {
    /// At the open of a bar, or on a tick.
    pub fn at_open(now: &Now<'_>, raw: f64, reason: ExitReason) -> Self {
        Self { raw, time: now.time, moment: now.time, clock: (now.time, now.bar), reason, slips: true }
    }

    /// On a bar, at its open or later, or on a tick; a target does not slip.
    pub fn on(now: &Now<'_>, exit: &crate::execution::exits::Exit) -> Self {
        Self {
            raw: exit.price,
            time: now.time,
            moment: now.time,
            clock: (if exit.at_open { now.time } else { now.clock }, now.bar),
            reason: exit.reason,
            slips: exit.slips,
        }
    }

    /// At the close of a bar.
    pub fn at_close(close: &Close, raw: f64, reason: ExitReason) -> Self {
        Self {
            raw,
            time: close.time,
            moment: close.moment,
            clock: (close.moment, close.bar),
            reason,
            slips: true,
        }
    }

    /// Of a part of a position.
    pub fn partial(time: i64, moment: i64, raw: f64) -> Self {
        Self { raw, time, moment, clock: (moment, 0), reason: ExitReason::PartialExit, slips: true }
    }
}

impl<D: Decide> Desk<'_, D> {
    /// A fill, whatever its kind: slippage, checks, size, margin, fee. A rejected one leaves nothing behind.
    pub(super) fn fill(&mut self, account: &mut Account, order: Order, fill: Fill) -> Result<()> {
        let price = self.fill_price(&order, &fill);
        let sized = match self.sized(account, &order.signal, price, &fill)? {
            Ok(sized) => sized,
            Err(reason) => {
                reject(account, fill.time, fill.bar, reason, &order.signal, price);
                return Ok(());
            }
        };
        account.out.sizes_raised += u64::from(sized.lots.raised);
        account.out.sizes_capped += u64::from(sized.lots.capped);
        let lots = sized.lots.lots;
        let turnover = self.instrument.money.turnover(lots, price, fill.moment)?;
        let entry_fee = self.instrument.commission.fee(Side::Entry, lots, price, fill.moment)?;
        let mut position = Position::filled(order, fill.time, price);
        position.symbol = self.symbol;
        position.fill_moment = fill.clock;
        position.entry_bar = fill.bar;
        position.entry_event = fill.event;
        position.filled_at_open = fill.at_open;
        position.exits_from = fill.exits_from;
        position.tracked_from = fill.tracked_from;
        position.size = lots;
        position.risk_per_trade = sized.lots.risk;
        position.margin = sized.margin;
        position.entry_fee = entry_fee;
        account.book.enter(position, turnover);
        self.open += 1;
        Ok(())
    }

    /// The price after slippage; limit orders do not slip.
    fn fill_price(&mut self, order: &Order, fill: &Fill) -> f64 {
        if order.signal.order_type == OrderType::Limit {
            return fill.raw;
        }
        let side = match order.direction() {
            Direction::Long => slippage::Side::Buy,
            Direction::Short => slippage::Side::Sell,
        };
        self.slippage.apply(fill.raw, fill.time, side)
    }

    /// Size and margin of a fill at `price`, or the rule that it breaks.
    fn sized(
        &self,
        account: &Account,
        signal: &Signal,
        price: f64,
        fill: &Fill,
    ) -> Result<std::result::Result<Sized, RejectionReason>> {
        if let Some(reason) = validation::at_fill(signal, price, self.min_stop) {
            return Ok(Err(reason));
        }
        let distance = (price - signal.stop_loss).abs();
        let equity = account.tracker.last().equity;
        let lots = self.instrument.sizing.size(distance, signal.size, equity, fill.moment)?;
        let Some(lots) = lots else { return Ok(Err(RejectionReason::BelowMinVolume)) };
        let margin = self.instrument.margin.of(lots.lots, price, fill.moment)?;
        if self.execution.check_margin && account.book.margin_used() + margin > equity {
            return Ok(Err(RejectionReason::InsufficientMargin));
        }
        Ok(Ok(Sized { lots, margin }))
    }

    /// Books the exit of the open position at `at`.
    pub(super) fn close(&mut self, account: &mut Account, at: usize, exit: Exit) -> Result<()> {
        let position = &mut account.book.open[at];
        let turnover = self.settle(position, &exit)?;
        account.book.leave(at, turnover);
        self.open -= 1;
        self.closed.on_bar += 1;
        self.last_exit = Some(exit.clock);
        Ok(())
    }

    /// Books the exit of `lots` of the open position at `at`, as a record of its own.
    pub(super) fn close_part(
        &mut self,
        account: &mut Account,
        at: usize,
        lots: f64,
        exit: Exit,
    ) -> Result<()> {
        let id = account.number();
        let mut part = account.book.split(at, lots, id);
        let turnover = self.settle(&mut part, &exit)?;
        account.book.leave_part(part, turnover);
        Ok(())
    }

    /// Fills in exit, result and fee; gives the turnover.
    fn settle(&mut self, position: &mut Position, exit: &Exit) -> Result<f64> {
        let side = match position.direction() {
            Direction::Long => slippage::Side::Sell,
            Direction::Short => slippage::Side::Buy,
        };
        let price = if exit.slips { self.slippage.apply(exit.raw, exit.time, side) } else { exit.raw };
        let Instrument { money, commission, .. } = self.instrument;
        let (result, r_multiple) = money.result(position, price, exit.moment)?;
        position.exit_time = exit.time;
        position.exit_price = price;
        position.result = result;
        position.r_multiple = r_multiple;
        position.money_at_risk = money.at_risk(position, exit.moment)?;
        position.exit_fee = commission.fee(Side::Exit, position.size, price, exit.moment)?;
        position.reason = Some(exit.reason);
        position.queued = Queued::default();
        money.turnover(position.size, price, exit.moment)
    }
}

/// Counts a rejected signal.
pub(super) fn reject(
    account: &mut Account,
    time: i64,
    bar: usize,
    reason: RejectionReason,
    signal: &Signal,
    price: f64,
) {
    account.out.rejections.add(time, bar, reason, || describe(signal, price));
}

/// The numbers of a rejected signal.
fn describe(signal: &Signal, price: f64) -> String {
    format!(
        "{} at {price}, stop {}, target {}",
        signal.direction.name(),
        signal.stop_loss,
        signal.take_profit.map_or_else(|| "none".to_owned(), |t| t.to_string()),
    )
}
