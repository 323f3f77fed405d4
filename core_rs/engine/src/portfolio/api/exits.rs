//! Positions and orders end.

use super::fees::FeeKind;
use super::portfolio::{Place, Portfolio};
use super::row::{Operation, fee_of, finite, positive, time_of, wrong};
use crate::error::{Error, Result};
use crate::execution::rounding::round8;
use crate::orders::{ExitReason, Position};
use crate::portfolio::book::split;
use crate::suggest::suggestion;

/// How orders end that were not filled.
const UNFILLED: [ExitReason; 3] = [ExitReason::LimitExpired, ExitReason::Signal, ExitReason::EndOfData];

/// What an exit at a price and time gives.
struct Outcome {
    price: f64,
    time: i64,
    result: f64,
    r_multiple: f64,
    at_risk: f64,
    turnover: f64,
}

impl Outcome {
    fn fill_in(&self, position: &mut Position, reason: ExitReason) {
        position.exit_time = self.time;
        position.exit_price = self.price;
        position.result = self.result;
        position.r_multiple = self.r_multiple;
        position.money_at_risk = self.at_risk;
        position.reason = Some(reason);
    }
}

impl Portfolio {
    /// Closes an open position at `price` and `time`: first the fee leaves the cash, then the result comes in. Reason
    /// `signal` if none is given.
    ///
    /// # Errors
    /// [1001] price, reason or fee, [1003] before the entry, [1007] not open, [1008] no id or time, [2005] [2008].
    pub fn register_exit(&mut self, row: &impl Operation) -> Result<()> {
        let position = self.open(row.position_id())?;
        let price = positive(row.price(), "price")?;
        let reason = reason(row.reason().unwrap_or("signal"), &ExitReason::ALL)?;
        let time = time_of(row.time(), position.entry_time, "the entry")?;
        let fee = fee_of(row.fee())?;
        let outcome = self.outcome(position, price, time)?;
        let exit_fee = finite(position.exit_fee + fee, "the exit fee")?;
        let id = position.id;
        self.admit(fee, outcome.result, outcome.turnover)?;
        let Some(mut position) = self.book.open.remove(&id) else { return Err(self.not(id, "open")) };
        outcome.fill_in(&mut position, reason);
        position.exit_fee = exit_fee;
        self.realised += outcome.result;
        self.places.insert(id, Place::Closed(self.book.closed.len()));
        self.book.close(*position, fee, outcome.turnover);
        self.log_fee(time, FeeKind::Exit, fee, Some(id));
        self.happened(time);
        Ok(())
    }

    /// Closes `size` lots of an open position as a record of its own; gives its id. The position stays open.
    ///
    /// # Errors
    /// [1003] lots that are not above 0 and below the position's, [1001] price or fee, [1003] before the entry,
    /// [1007] not open, [1008] no id or time, [2005] [2008].
    pub fn partial_exit(&mut self, row: &impl Operation) -> Result<u64> {
        let position = self.open(row.position_id())?;
        let lots = lots(row.size(), position.size)?;
        let price = positive(row.price(), "price")?;
        let time = time_of(row.time(), position.entry_time, "the entry")?;
        let fee = fee_of(row.fee())?;
        let id = self.new_id(None)?;
        let mut parent = position.clone();
        let mut part = split(&mut parent, lots, id);
        let outcome = self.outcome(&part, price, time)?;
        self.admit(fee, outcome.result, outcome.turnover)?;
        outcome.fill_in(&mut part, ExitReason::PartialExit);
        // Exit fees that the parent has paid so far stay its own.
        part.exit_fee = fee;
        self.book.open.insert(parent.id, Box::new(parent));
        self.realised += outcome.result;
        self.filed(id, Place::Part(self.book.partials.len()));
        self.book.leave_part(part, outcome.turnover);
        self.log_fee(time, FeeKind::Exit, fee, Some(id));
        self.happened(time);
        Ok(id)
    }

    /// A pending order ends without a fill: `limit_expired` if no reason is given, `signal` or `end_of_data`. No cash
    /// moves.
    ///
    /// # Errors
    /// [1001] another reason, [1003] before its order, [1007] not pending, [1008] no id or time.
    pub fn limit_expired(&mut self, row: &impl Operation) -> Result<()> {
        let waiting = self.waiting(row.position_id())?;
        let reason = reason(row.reason().unwrap_or("limit_expired"), &UNFILLED)?;
        let time = time_of(row.time(), waiting.order.order_time, "its order")?;
        let id = waiting.order.id;
        let Some(waiting) = self.pending.remove(&id) else { return Err(self.not(id, "pending")) };
        self.book.ended.add(waiting.order, time, reason);
        self.places.insert(id, Place::Ended);
        self.happened(time);
        Ok(())
    }

    fn outcome(&self, position: &Position, price: f64, time: i64) -> Result<Outcome> {
        let money = &self.instruments.get(position.symbol).valuation()?.money;
        let (result, r_multiple) = money.result(position, price, time)?;
        Ok(Outcome {
            price,
            time,
            result: finite(result, "the result")?,
            r_multiple: finite(r_multiple, "the R multiple")?,
            at_risk: finite(money.at_risk(position, time)?, "the money at risk")?,
            turnover: finite(money.turnover(position.size, price, time)?, "turnover")?,
        })
    }
}

/// Lots of a partial exit: some, and some are left.
fn lots(given: Option<f64>, held: f64) -> Result<f64> {
    let lots = given.unwrap_or(f64::NAN);
    let rest = round8(held - lots);
    if !(lots > 0.0 && lots < held && rest > 0.0) {
        return Err(
            Error::config(1003, format!("{lots} lots of {held}")).fix("close more than 0 and less than all")
        );
    }
    finite(rest, "the rest")?;
    Ok(lots)
}

fn reason(text: &str, known: &[ExitReason]) -> Result<ExitReason> {
    let hint = || suggestion(text, known.iter().map(|reason| reason.name()));
    let reason = ExitReason::parse(text).filter(|reason| known.contains(reason));
    reason.ok_or_else(|| wrong(format!("unknown reason {text:?}")).fix(hint()))
}
