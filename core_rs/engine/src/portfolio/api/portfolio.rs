//! The state of a portfolio.

use super::fees::Fee;
use super::instruments::Instruments;
use super::row::{finite, moment, required, wrong};
use crate::error::{Error, Result};
use crate::execution::options::EquityKind;
use crate::execution::rates::Rates;
use crate::execution::resolve::resolve;
use crate::market::{Market, SymbolSpec};
use crate::orders::{Order, Position};
use crate::portfolio::{Book, EquityTracker};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What a portfolio is made of.
#[derive(Debug, Default)]
pub struct Setup {
    /// Partial options {account: {initial_balance, currency, leverage}, execution: {pnl, equity}, rates}.
    pub options: Json,
    /// Specifications of symbols; other symbols are the built-in ones.
    pub specs: BTreeMap<String, SymbolSpec>,
    /// Rate series by pair.
    pub rates: BTreeMap<String, Market>,
    /// Time of the first row of the equity curve, µs; `None` = the first operation's.
    pub start_time: Option<i64>,
}

/// Where the record of a position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the pending orders.
    Pending,
    /// Among the open positions.
    Open,
    /// Among the closed positions, at this index.
    Closed(usize),
    /// Among the closed parts, at this index.
    Part(usize),
    /// Among the orders that ended without a fill.
    Ended,
}

/// A pending order, and the amount that is to be at risk.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub order: Order,
    pub risk: Option<f64>,
}

/// An account without a market: positions are entered, changed and left by operations.
#[derive(Debug)]
pub struct Portfolio {
    pub(super) book: Book<BTreeMap<u64, Box<Position>>>,
    pub(super) pending: BTreeMap<u64, Pending>,
    pub(super) places: BTreeMap<u64, Place>,
    pub(super) instruments: Instruments,
    pub(super) tracker: EquityTracker,
    pub(super) mark_to_market: bool,
    /// Σ results, in the order of the exits.
    pub(super) realised: f64,
    pub(super) fees: Vec<Fee>,
    /// Time of the first row of the curve.
    pub(super) start: Option<i64>,
    /// Time of the last operation.
    pub(super) clock: Option<i64>,
    next_id: u64,
}

/// The largest position_id that may be given: an i64 can hold it.
const LARGEST_ID: u64 = i64::MAX as u64;

impl Portfolio {
    /// An account with nothing but its balance.
    ///
    /// # Errors
    /// [1001] [1003] [1004] for options and rates that are none.
    pub fn new(setup: Setup) -> Result<Self> {
        let options = resolve(&setup.options, "")?;
        let rates = Rates::new(&options.rates, &setup.rates)?;
        setup.start_time.map(|time| moment(Some(time))).transpose()?;
        let initial = options.account.initial_balance;
        Ok(Self {
            book: Book::new(initial, true),
            pending: BTreeMap::new(),
            places: BTreeMap::new(),
            tracker: tracker(initial, setup.start_time.unwrap_or(0)),
            mark_to_market: options.execution.equity == EquityKind::MarkToMarket,
            instruments: Instruments::new(options, rates, setup.specs),
            realised: 0.0,
            fees: Vec::new(),
            start: setup.start_time,
            clock: None,
            next_id: 1,
        })
    }

    /// Name of a symbol by the number that records have.
    pub fn symbol(&self, number: usize) -> &str {
        &self.instruments.get(number).spec.symbol
    }

    /// Cash.
    pub fn cash(&self) -> f64 {
        self.book.cash
    }

    /// All fees so far.
    pub fn total_fees(&self) -> f64 {
        self.book.total_fees
    }

    /// Fees that were paid, in order; those of 0 are not among them.
    pub fn fees(&self) -> &[Fee] {
        &self.fees
    }

    /// Equity as of the last operation: cash, or cash and what open positions would give at the last marks.
    ///
    /// # Errors
    /// As [`Self::unrealised`].
    pub fn equity(&self) -> Result<f64> {
        if self.mark_to_market {
            finite(self.book.cash + self.unrealised()?, "equity")
        } else {
            Ok(self.book.cash)
        }
    }

    /// The moment of what is asked now: that of the last operation.
    pub(super) fn now(&self) -> i64 {
        self.clock.or(self.start).unwrap_or(0)
    }

    /// Notes that an operation happened at `time`; the first one dates the first row of the curve.
    pub(super) fn happened(&mut self, time: i64) {
        if self.start.is_none() {
            self.start = Some(time);
            self.tracker = tracker(self.book.initial_balance, time);
        }
        self.clock = Some(time);
    }

    /// The id of a new record: the given one, or the next.
    ///
    /// # Errors
    /// [1001] for a number that is no id, [1007] for one that is known.
    pub(super) fn new_id(&self, given: Option<u64>) -> Result<u64> {
        let Some(id) = given else { return Ok(self.next_id) };
        if id == 0 || id > LARGEST_ID {
            return Err(wrong(format!("position_id is {id}")).fix(format!("give 1 to {LARGEST_ID}, or none")));
        }
        if self.places.contains_key(&id) {
            let next = format!("give another, or none: the next is {}", self.next_id);
            return Err(state(id, format!("position {id} is known")).fix(next));
        }
        Ok(id)
    }

    /// Notes where a new record is.
    pub(super) fn filed(&mut self, id: u64, place: Place) {
        self.places.insert(id, place);
        self.next_id = self.next_id.max(id + 1);
    }

    /// The open position of an id.
    ///
    /// # Errors
    /// [1007] if there is none.
    pub(super) fn open(&self, id: Option<u64>) -> Result<&Position> {
        let id = required(id, "position_id")?;
        self.book.open.get(&id).map(AsRef::as_ref).ok_or_else(|| self.not(id, "open"))
    }

    /// The pending order of an id.
    ///
    /// # Errors
    /// [1007] if there is none.
    pub(super) fn waiting(&self, id: Option<u64>) -> Result<&Pending> {
        let id = required(id, "position_id")?;
        self.pending.get(&id).ok_or_else(|| self.not(id, "pending"))
    }

    #[cold]
    pub(super) fn not(&self, id: u64, wanted: &str) -> Error {
        let what = match self.places.get(&id) {
            None => format!("position {id} is unknown"),
            Some(Place::Pending) => format!("position {id} is pending, not {wanted}"),
            Some(Place::Open) => format!("position {id} is open, not {wanted}"),
            Some(Place::Closed(_) | Place::Part(_)) => format!("position {id} is closed, not {wanted}"),
            Some(Place::Ended) => format!("order {id} has ended, it is not {wanted}"),
        };
        state(id, what).fix(format!("name one that is {wanted}"))
    }

    /// Refuses a booking after which an amount would not be finite.
    pub(super) fn admit(&self, fee: f64, result: f64, turnover: f64) -> Result<()> {
        finite(self.book.cash - fee + result, "cash")?;
        finite(self.book.total_fees + fee, "total_fees")?;
        finite(self.realised + result, "the realised profit")?;
        finite(self.book.turnover + turnover, "turnover").map(|_| ())
    }
}

fn tracker(initial: f64, start: i64) -> EquityTracker {
    EquityTracker::new(initial, start, [].into(), true)
}

/// An operation that the state of a position does not allow.
fn state(id: u64, what: String) -> Error {
    Error::config(1007, what).with("position_id", id.into())
}
