//! Orders and positions come in.

use super::fees::FeeKind;
use super::portfolio::{Pending, Place, Portfolio};
use super::row::{Operation, fee_of, finite, moment, positive, positive_if_given, required, time_of, wrong};
use crate::error::Result;
use crate::orders::{Direction, Labels, Order, OrderType, Position, Signal};
use crate::suggest::suggestion;
use std::sync::Arc;

/// Whether a record is filled when it is registered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Open,
    Pending,
}

/// Where and when an order fills.
struct Fill {
    price: f64,
    size: f64,
    time: i64,
    fee: f64,
}

impl Portfolio {
    /// Takes in a position that is open, or an order that is pending; gives its id. No cash moves but the fee.
    ///
    /// Open: symbol, direction, price, size, stop_loss, time; order_type [market], order_price, order_time [time],
    /// take_profit, risk_per_trade, fee. Pending: status `pending`, order_type `limit` [default] or `stop`, the order's
    /// price and time; size, if given, is that of its fill. Both: position_id [the next], reason, scenario, tag, meta.
    ///
    /// # Errors
    /// [1001] a value that is none, [1003] filled before it was ordered, [1007] a known id, [1008] no stop, time or
    /// rate, [2005] [2008] an amount that is not finite, or not converted.
    pub fn register_entry(&mut self, row: &impl Operation) -> Result<u64> {
        let id = self.new_id(row.position_id())?;
        let symbol = self.instruments.number(row.symbol().unwrap_or(""))?;
        let (status, signal) = signal(row)?;
        let risk = risk(row.risk_per_trade())?;
        let time = moment(row.time())?;
        match status {
            Status::Pending => {
                let order =
                    Order { id, symbol, order_time: time, order_bar: 0, signal: pending(row, signal)? };
                self.pending.insert(id, Pending { order, risk });
                self.filed(id, Place::Pending);
                self.happened(time);
            }
            Status::Open => {
                let (price, size) = (positive(row.price(), "price")?, positive(row.size(), "size")?);
                let entry = match signal.order_type {
                    OrderType::Market => None,
                    _ => positive_if_given(row.order_price(), "order_price")?,
                };
                let order_time = moment(row.order_time().or(Some(time)))?;
                let time = time_of(Some(time), order_time, "its order")?;
                let fill = Fill { price, size, time, fee: fee_of(row.fee())? };
                let signal = Signal { entry, ..signal };
                self.fill(Order { id, symbol, order_time, order_bar: 0, signal }, risk, &fill)?;
            }
        }
        Ok(id)
    }

    /// A pending order becomes an open position. Without a size it takes that of the order.
    ///
    /// # Errors
    /// [1001] price, size or fee, [1003] before its order, [1007] not pending, [1008] no id, time or rate, [2005] [2008].
    pub fn register_fill(&mut self, row: &impl Operation) -> Result<()> {
        let Pending { order, risk } = self.waiting(row.position_id())?.clone();
        let price = positive(row.price(), "price")?;
        let size = positive(row.size().or(order.signal.size), "size")?;
        let time = time_of(row.time(), order.order_time, "its order")?;
        let id = order.id;
        self.fill(order, risk, &Fill { price, size, time, fee: fee_of(row.fee())? })?;
        self.pending.remove(&id);
        Ok(())
    }

    fn fill(&mut self, order: Order, risk: Option<f64>, fill: &Fill) -> Result<()> {
        let &Fill { price, size, time, fee } = fill;
        let worth = self.instruments.valued(order.symbol)?;
        let risk = match risk {
            Some(risk) => risk,
            None => worth.sizing.money_at_risk((price - order.signal.stop_loss).abs(), size, time)?,
        };
        let margin = finite(worth.margin.of(size, price, time)?, "margin")?;
        let turnover = finite(worth.money.turnover(size, price, time)?, "turnover")?;
        finite(risk, "the risk")?;
        finite(self.book.total_lots + size, "total_lots")?;
        self.admit(fee, 0.0, turnover)?;
        let id = order.id;
        let mut position = Box::new(Position::filled(order, time, price));
        (position.size, position.risk_per_trade) = (size, risk);
        (position.margin, position.entry_fee) = (margin, fee);
        self.book.enter(position, turnover);
        self.log_fee(time, FeeKind::Entry, fee, Some(id));
        self.filed(id, Place::Open);
        self.happened(time);
        Ok(())
    }
}

fn signal(row: &impl Operation) -> Result<(Status, Signal)> {
    let direction = Direction::parse(row.direction().unwrap_or(""))?;
    let status = match row.status() {
        None | Some("open") => Status::Open,
        Some("pending") => Status::Pending,
        Some(other) => {
            return Err(wrong(format!("unknown status {other:?}")).fix("open or pending"));
        }
    };
    let order_type = match (row.order_type(), status) {
        (None, Status::Open) => OrderType::Market,
        (None, Status::Pending) => OrderType::Limit,
        (Some(text), _) => parse_type(text)?,
    };
    if status == Status::Pending && order_type == OrderType::Market {
        return Err(wrong("a pending order is no market order").fix("limit or stop"));
    }
    let stop_loss = positive(Some(required(row.stop_loss(), "stop_loss")?), "stop_loss")?;
    let take_profit = positive_if_given(row.take_profit(), "take_profit")?;
    let text = |word: Option<&str>| word.map(Arc::from);
    let labels = Labels {
        oco_group: None,
        reason: text(row.reason()),
        scenario: text(row.scenario()),
        tag: text(row.tag()),
        meta: row.meta()?,
    };
    let signal =
        Signal { order_type, labels: labels.shared(), ..Signal::market(direction, stop_loss, take_profit) };
    Ok((status, signal))
}

fn parse_type(text: &str) -> Result<OrderType> {
    let hint = || suggestion(text, ["market", "limit", "stop"]);
    OrderType::parse(text).ok_or_else(|| wrong(format!("unknown order type {text:?}")).fix(hint()))
}

/// A pending order's own price and size. It costs nothing.
fn pending(row: &impl Operation, signal: Signal) -> Result<Signal> {
    let entry = Some(positive(row.price().or(row.order_price()), "price")?);
    let size = match row.size() {
        None | Some(0.0) => None,
        given => Some(positive(given, "size")?),
    };
    if fee_of(row.fee())? != 0.0 {
        return Err(wrong("a pending order costs nothing").fix("give the fee with its fill"));
    }
    Ok(Signal { entry, size, ..signal })
}

fn risk(given: Option<f64>) -> Result<Option<f64>> {
    match given {
        Some(x) if !(x.is_finite() && x >= 0.0) => {
            Err(wrong(format!("risk_per_trade is {x}")).fix("give a finite number from 0 on, or none"))
        }
        risk => Ok(risk),
    }
}
