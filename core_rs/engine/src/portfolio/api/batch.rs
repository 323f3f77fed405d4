//! Many operations in order. A row that is refused is noted and skipped; the rest is applied.

use super::portfolio::Portfolio;
use super::row::{Operation, Row, wrong};
use crate::error::{Error, Result};
use crate::suggest::suggestion;

/// What a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Entry,
    Fill,
    Exit,
    PartialExit,
    Modify,
    BreakEven,
    Expire,
    Fee,
    Update,
}

/// The names of the operations; each has a short one too.
const NAMES: [&str; 9] = [
    "register_entry",
    "register_fill",
    "register_exit",
    "partial_exit",
    "modify_position",
    "set_break_even",
    "limit_expired",
    "register_fee",
    "update",
];

impl Op {
    fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "register_entry" | "entry" => Self::Entry,
            "register_fill" | "fill" => Self::Fill,
            "register_exit" | "exit" => Self::Exit,
            "partial_exit" | "partial" => Self::PartialExit,
            "modify_position" | "modify" => Self::Modify,
            "set_break_even" | "break_even" => Self::BreakEven,
            "limit_expired" | "expire" => Self::Expire,
            "register_fee" | "fee" => Self::Fee,
            "update" | "sample" => Self::Update,
            _ => return Err(unknown(text)),
        })
    }
}

#[cold]
fn unknown(text: &str) -> Error {
    wrong(format!("unknown operation {text:?}")).at("op").fix(suggestion(text, NAMES))
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct RowError {
    /// Its number, from 0.
    pub row: usize,
    /// Why.
    pub error: Error,
}

/// What a batch did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Rows applied.
    pub operations_processed: usize,
    /// Positions and orders taken in.
    pub entries: usize,
    /// Pending orders filled.
    pub fills: usize,
    /// Positions closed.
    pub exits: usize,
    /// Parts of positions closed.
    pub partial_exits: usize,
    /// Levels changed.
    pub modifies: usize,
    /// Pending orders ended without a fill.
    pub expired: usize,
    /// Equity samples taken.
    pub updates: usize,
    /// Fees paid, those of fills and exits included.
    pub fees: usize,
    /// All fees of the portfolio.
    pub total_fees: f64,
    /// Cash after the last row.
    pub final_cash: f64,
    /// Equity after the last row; `None` if a rate for it is missing then.
    pub final_equity: Option<f64>,
    /// Rows refused.
    pub errors: Vec<RowError>,
    /// Ids of new records, in order.
    pub ids: Vec<u64>,
}

impl Portfolio {
    /// Applies one row; gives the id of the record that it made, if it made one.
    ///
    /// # Errors
    /// [1001] for an unknown operation; those of the operation.
    pub fn apply(&mut self, row: &impl Operation) -> Result<Option<u64>> {
        let named = |error: Error| {
            let error = error.with("op", row.op().into());
            match row.position_id() {
                Some(id) => error.with("position_id", id.into()),
                None => error,
            }
        };
        Op::parse(row.op().unwrap_or("")).and_then(|op| self.perform(op, row)).map_err(named)
    }

    fn perform(&mut self, op: Op, row: &impl Operation) -> Result<Option<u64>> {
        match op {
            Op::Entry => return self.register_entry(row).map(Some),
            Op::PartialExit => return self.partial_exit(row).map(Some),
            Op::Fill => self.register_fill(row),
            Op::Exit => self.register_exit(row),
            Op::Modify => self.modify_position(row),
            Op::BreakEven => self.set_break_even(row),
            Op::Expire => self.limit_expired(row),
            Op::Fee => self.register_fee(row),
            Op::Update => self.update(row),
        }?;
        Ok(None)
    }

    /// Applies rows in order. A row that is an error already, or is refused, is noted and skipped.
    pub fn batch<'a>(&mut self, rows: impl IntoIterator<Item = Result<Row<'a>>>) -> Report {
        let mut batch = self.begin();
        rows.into_iter().for_each(|row| batch.take(row.as_ref().map_err(Clone::clone)));
        batch.end()
    }

    /// A batch that takes its rows one by one.
    pub fn begin(&mut self) -> Batch<'_> {
        let fees = self.fees.len();
        Batch { portfolio: self, report: Report::default(), rows: 0, fees }
    }
}

/// A batch under way.
#[derive(Debug)]
pub struct Batch<'p> {
    portfolio: &'p mut Portfolio,
    report: Report,
    rows: usize,
    fees: usize,
}

impl Batch<'_> {
    /// Applies the next row. One that is an error already, or is refused, is noted and skipped.
    pub fn take(&mut self, row: Result<&impl Operation>) {
        let number = self.rows;
        self.rows += 1;
        let done = row.and_then(|row| {
            let op = Op::parse(row.op().unwrap_or(""))?;
            Ok((op, self.portfolio.perform(op, row)?))
        });
        match done {
            Ok((op, id)) => self.report.count(op, id),
            Err(error) => self.report.errors.push(RowError { row: number, error }),
        }
    }

    /// Makes room for what a number of rows can close, so that closed positions are not moved about.
    pub fn expect(&mut self, rows: usize) {
        let book = &mut self.portfolio.book;
        // Each exit is of a position that is open, or of one that another row opens.
        book.closed.reserve(rows.min(usize::midpoint(rows, book.open.len())));
    }

    /// What it did.
    pub fn end(self) -> Report {
        let Self { portfolio, mut report, fees, .. } = self;
        report.fees = portfolio.fees.len() - fees;
        report.total_fees = portfolio.book.total_fees;
        report.final_cash = portfolio.book.cash;
        report.final_equity = portfolio.equity().ok();
        report
    }
}

impl Report {
    fn count(&mut self, op: Op, id: Option<u64>) {
        self.operations_processed += 1;
        self.ids.extend(id);
        *match op {
            Op::Entry => &mut self.entries,
            Op::Fill => &mut self.fills,
            Op::Exit => &mut self.exits,
            Op::PartialExit => &mut self.partial_exits,
            Op::Modify | Op::BreakEven => &mut self.modifies,
            Op::Expire => &mut self.expired,
            Op::Update => &mut self.updates,
            Op::Fee => return,
        } += 1;
    }
}
