//! One operation as a user states it, and the checks that several operations share.

use crate::error::{Error, Result};
use crate::orders::Meta;
use std::borrow::Cow;
use std::sync::Arc;

/// Largest distance of a time from 1970-01-01, µs.
const LATEST: u64 = 1 << 62;

/// A text of a row.
pub type Word<'a> = Option<Cow<'a, str>>;

/// Bid and ask of a symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote<'a> {
    /// Its name.
    pub symbol: Cow<'a, str>,
    /// Bid.
    pub bid: f64,
    /// Ask.
    pub ask: f64,
}

/// One operation in full; each kind reads the fields that it needs, `None` = not given. Times are µs since 1970-01-01 UTC.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row<'a> {
    /// What is to be done; see [`super::batch`].
    pub op: Word<'a>,
    /// The position or order.
    pub position_id: Option<u64>,
    /// Symbol of an entry.
    pub symbol: Word<'a>,
    /// `long` or `short`.
    pub direction: Word<'a>,
    /// `market`, `limit` or `stop`.
    pub order_type: Word<'a>,
    /// `open` or `pending`.
    pub status: Word<'a>,
    /// Price of a fill or exit; of a pending order its order price.
    pub price: Option<f64>,
    /// Order price of a limit or stop order that is filled already.
    pub order_price: Option<f64>,
    /// Lots.
    pub size: Option<f64>,
    /// Stop.
    pub stop_loss: Option<f64>,
    /// Target.
    pub take_profit: Option<f64>,
    /// A change of levels removes the target.
    pub clear_take_profit: bool,
    /// Why the stop is where it is.
    pub stop_kind: Word<'a>,
    /// Amount at risk, account currency; `None` = what the stop costs with these lots.
    pub risk_per_trade: Option<f64>,
    /// Time of the operation.
    pub time: Option<i64>,
    /// Time of the order; `None` = that of its fill.
    pub order_time: Option<i64>,
    /// Fee of a fill or exit.
    pub fee: Option<f64>,
    /// Amount of a fee of its own.
    pub amount: Option<f64>,
    /// Kind of that fee.
    pub kind: Word<'a>,
    /// Why a position or an order ends; of an entry the signal's own reason text.
    pub reason: Word<'a>,
    /// Distance of a break-even stop from the entry, pips in favour.
    pub buffer_pips: Option<f64>,
    /// Scenario of the strategy.
    pub scenario: Word<'a>,
    /// Tag carried to the trade.
    pub tag: Word<'a>,
    /// Notes carried to the trade.
    pub meta: Option<Arc<Meta>>,
    /// Quotes that an update marks positions with.
    pub quotes: Vec<Quote<'a>>,
}

/// One operation, whose fields are read when they are needed: `None` = not given. Times are µs since 1970-01-01 UTC.
pub trait Operation {
    /// What is to be done; see [`super::batch`].
    fn op(&self) -> Option<&str>;
    /// Symbol of an entry.
    fn symbol(&self) -> Option<&str>;
    /// `long` or `short`.
    fn direction(&self) -> Option<&str>;
    /// `market`, `limit` or `stop`.
    fn order_type(&self) -> Option<&str>;
    /// `open` or `pending`.
    fn status(&self) -> Option<&str>;
    /// Why the stop is where it is.
    fn stop_kind(&self) -> Option<&str>;
    /// Kind of a fee of its own.
    fn kind(&self) -> Option<&str>;
    /// Why a position or an order ends; of an entry the signal's own reason text.
    fn reason(&self) -> Option<&str>;
    /// Scenario of the strategy.
    fn scenario(&self) -> Option<&str>;
    /// Tag carried to the trade.
    fn tag(&self) -> Option<&str>;
    /// The position or order.
    fn position_id(&self) -> Option<u64>;
    /// Price of a fill or exit; of a pending order its order price.
    fn price(&self) -> Option<f64>;
    /// Order price of a limit or stop order that is filled already.
    fn order_price(&self) -> Option<f64>;
    /// Lots.
    fn size(&self) -> Option<f64>;
    /// Stop.
    fn stop_loss(&self) -> Option<f64>;
    /// Target.
    fn take_profit(&self) -> Option<f64>;
    /// Amount at risk, account currency.
    fn risk_per_trade(&self) -> Option<f64>;
    /// Fee of a fill or exit.
    fn fee(&self) -> Option<f64>;
    /// Amount of a fee of its own.
    fn amount(&self) -> Option<f64>;
    /// Distance of a break-even stop from the entry, pips in favour.
    fn buffer_pips(&self) -> Option<f64>;
    /// Time of the operation.
    fn time(&self) -> Option<i64>;
    /// Time of the order.
    fn order_time(&self) -> Option<i64>;
    /// Whether a change of levels removes the target.
    fn clear_take_profit(&self) -> bool;
    /// Notes carried to the trade.
    ///
    /// # Errors
    /// If they are none.
    fn meta(&self) -> Result<Option<Arc<Meta>>>;
    /// Gives `take` symbol, bid and ask of every quote that an update marks positions with.
    ///
    /// # Errors
    /// If they are none; the first of `take`.
    fn quotes(&self, take: impl FnMut(&str, f64, f64) -> Result<()>) -> Result<()>;
}

macro_rules! texts {
    ($($name:ident)*) => { $(fn $name(&self) -> Option<&str> { self.$name.as_deref() })* };
}

macro_rules! values {
    ($kind:ty: $($name:ident)*) => { $(fn $name(&self) -> Option<$kind> { self.$name })* };
}

impl Operation for Row<'_> {
    texts! { op symbol direction order_type status stop_kind kind reason scenario tag }
    values! { u64: position_id }
    values! { f64: price order_price size stop_loss take_profit risk_per_trade fee amount buffer_pips }
    values! { i64: time order_time }

    fn clear_take_profit(&self) -> bool {
        self.clear_take_profit
    }

    fn meta(&self) -> Result<Option<Arc<Meta>>> {
        Ok(self.meta.clone())
    }

    fn quotes(&self, mut take: impl FnMut(&str, f64, f64) -> Result<()>) -> Result<()> {
        self.quotes.iter().try_for_each(|quote| take(&quote.symbol, quote.bid, quote.ask))
    }
}

/// A price, size or level: finite and above 0.
#[inline]
pub(super) fn positive(x: Option<f64>, name: &str) -> Result<f64> {
    match x {
        Some(x) if x.is_finite() && x > 0.0 => Ok(x),
        _ => Err(not_positive(x, name)),
    }
}

#[cold]
fn not_positive(x: Option<f64>, name: &str) -> Error {
    let what = x.map_or_else(|| format!("{name} is missing"), |x| format!("{name} is {x}"));
    wrong(what).fix("give a finite number above 0")
}

/// As [`positive`], where it may be left out.
pub(super) fn positive_if_given(x: Option<f64>, name: &str) -> Result<Option<f64>> {
    x.map(|x| positive(Some(x), name)).transpose()
}

/// A fee; none is 0.
pub(super) fn fee_of(fee: Option<f64>) -> Result<f64> {
    match fee {
        None => Ok(0.0),
        Some(x) if x.is_finite() => Ok(x),
        Some(x) => Err(wrong(format!("the fee is {x}")).fix("give a finite number, or none")),
    }
}

/// The time of an operation, not earlier than what it follows.
pub(super) fn time_of(time: Option<i64>, earliest: i64, what: &str) -> Result<i64> {
    let time = moment(time)?;
    if time < earliest {
        return Err(Error::config(1003, format!("time {time} is before {what}"))
            .fix(format!("give {earliest} or later")));
    }
    Ok(time)
}

/// A time; between any two of them there is a difference.
pub(super) fn moment(time: Option<i64>) -> Result<i64> {
    let time = required(time, "time")?;
    if time.unsigned_abs() > LATEST {
        return Err(
            Error::config(1003, format!("time {time} is out of range")).fix("give µs since 1970-01-01 UTC")
        );
    }
    Ok(time)
}

pub(super) fn required<T>(x: Option<T>, name: &str) -> Result<T> {
    x.ok_or_else(|| Error::config(1008, format!("{name} is missing")).fix(format!("give {name}")))
}

/// Refuses an amount beyond what a number can hold.
#[inline]
pub(super) fn finite(x: f64, what: &str) -> Result<f64> {
    if x.is_finite() { Ok(x) } else { Err(beyond(x, what)) }
}

#[cold]
fn beyond(x: f64, what: &str) -> Error {
    Error::engine(2005, format!("{what} is {x}")).fix("check prices, sizes and fees")
}

pub(super) fn wrong(what: impl Into<String>) -> Error {
    Error::config(1001, what)
}
