//! Tables of signals and exits in place of rules: read from the columns where a user's function left them.

use crate::directions::Directions;
use crate::position_rules::PositionRules;
use std::ops::Range;
use std::sync::Arc;
use sweep_engine::column::Column;
use sweep_engine::error::{Error, Result};
use sweep_engine::orders::{Direction, Labels, Order, OrderType, Position, Signal};
use sweep_engine::run::script::{Cursor, rows_outside};
use sweep_engine::strategy::{Actions, Decide, Rules, View};

const PLACE: &str = "table of signals";

/// A column in which values may be missing.
#[derive(Debug)]
pub struct Nullable<T: 'static> {
    /// A value per row; of a missing one anything.
    pub values: Column<T>,
    /// Whether each row has its value; `None` if all have.
    pub valid: Option<Vec<bool>>,
}

/// Values of some rows, and whether each has its value.
type Given<'a, T> = (&'a [T], Option<&'a [bool]>);

impl<T: Copy> Nullable<T> {
    fn len(&self) -> usize {
        self.values.len()
    }

    /// The rows of a range.
    fn rows(&self, rows: &Range<usize>) -> Given<'_, T> {
        (&self.values[rows.clone()], self.valid.as_ref().map(|valid| &valid[rows.clone()]))
    }
}

/// Entry signals, a row each; columns that are absent hold nothing.
#[derive(Debug)]
pub struct Entries {
    /// Bar at whose close the decision is made, sorted.
    pub bar: Column<i64>,
    /// 1 long, -1 short.
    pub direction: Column<i8>,
    /// 0 market, 1 limit, 2 stop.
    pub order_type: Option<Column<i8>>,
    /// Order price.
    pub entry: Option<Nullable<f64>>,
    /// Stop.
    pub stop_loss: Column<f64>,
    /// Target.
    pub take_profit: Option<Nullable<f64>>,
    /// Lots.
    pub size: Option<Nullable<f64>>,
    /// Bars on which a pending order may trigger.
    pub valid_bars: Option<Nullable<i64>>,
    /// Moment at which it ends, µs.
    pub good_till: Option<Nullable<i64>>,
    /// Words that a signal carries along.
    pub labels: Option<Vec<Option<Arc<Labels>>>>,
}

/// Exits, a row each.
#[derive(Debug)]
pub struct Exits {
    /// Bar at whose close the decision is made, sorted.
    pub bar: Column<i64>,
    /// 1 long, -1 short.
    pub direction: Column<i8>,
    /// 1 cancels pending orders, 0 closes open positions.
    pub cancel: Column<i8>,
}

impl Entries {
    /// The signals of some rows. A column is looked up once, not for each row.
    pub fn signals(&self, rows: &Range<usize>) -> impl Iterator<Item = Signal> + '_ {
        fn some<'a, T: Copy>(column: &'a Option<Nullable<T>>, rows: &Range<usize>) -> Option<Given<'a, T>> {
            column.as_ref().map(|column| column.rows(rows))
        }
        fn value<T: Copy>(column: Option<Given<'_, T>>, k: usize) -> Option<T> {
            column.and_then(|(values, valid)| valid.is_none_or(|valid| valid[k]).then(|| values[k]))
        }
        let order_types = self.order_type.as_ref().map(|types| &types[rows.clone()]);
        let (entry, size) = (some(&self.entry, rows), some(&self.size, rows));
        let take_profit = some(&self.take_profit, rows);
        let (valid_bars, good_till) = (some(&self.valid_bars, rows), some(&self.good_till, rows));
        let labels = self.labels.as_ref().map(|labels| &labels[rows.clone()]);
        let levels = self.direction[rows.clone()].iter().zip(&self.stop_loss[rows.clone()]);
        levels.enumerate().map(move |(k, (&sign, &stop_loss))| Signal {
            direction: side(sign),
            order_type: match order_types.map_or(0, |types| types[k]) {
                1 => OrderType::Limit,
                2 => OrderType::Stop,
                _ => OrderType::Market,
            },
            entry: value(entry, k),
            stop_loss,
            take_profit: value(take_profit, k),
            size: value(size, k),
            valid_bars: value(valid_bars, k),
            good_till: value(good_till, k),
            labels: labels.and_then(|labels| labels[k].clone()),
        })
    }

    /// # Errors
    /// [1001] an unknown direction or order type, [1003] a negative bar, [1006] rows that are not sorted, [1011] columns of
    /// different length.
    pub fn check(&self) -> Result<()> {
        let lengths = [
            Some(self.direction.len()),
            self.order_type.as_ref().map(|c| c.len()),
            Some(self.stop_loss.len()),
        ];
        sound(&self.bar, &self.direction, &lengths)?;
        match self.order_type.as_ref().and_then(|types| types.iter().find(|kind| !(0..=2).contains(*kind))) {
            Some(other) => Err(Error::engine(1001, format!("{other} is no order type")).at(PLACE)),
            None => self.whole(),
        }
    }
}

impl Exits {
    /// # Errors
    /// As [`Entries::check`].
    pub fn check(&self) -> Result<()> {
        sound(&self.bar, &self.direction, &[Some(self.direction.len()), Some(self.cancel.len())])
    }
}

impl Entries {
    /// Whether optional columns have a value for every row.
    fn whole(&self) -> Result<()> {
        let numbers = [&self.entry, &self.take_profit, &self.size];
        let integers = [&self.valid_bars, &self.good_till];
        let lengths = numbers.iter().filter_map(|c| c.as_ref().map(Nullable::len));
        let lengths = lengths.chain(integers.iter().filter_map(|c| c.as_ref().map(Nullable::len)));
        let mut lengths = lengths.chain(self.labels.iter().map(Vec::len));
        if lengths.any(|length| length != self.bar.len()) {
            return Err(Error::engine(1011, "columns of different length").at(PLACE));
        }
        Ok(())
    }
}

fn side(sign: i8) -> Direction {
    if sign > 0 { Direction::Long } else { Direction::Short }
}

fn sound(bars: &[i64], directions: &[i8], lengths: &[Option<usize>]) -> Result<()> {
    if lengths.iter().flatten().any(|&length| length != bars.len()) {
        return Err(Error::engine(1011, "columns of different length").at(PLACE));
    }
    if let Some(other) = directions.iter().find(|sign| !matches!(sign, 1 | -1)) {
        return Err(Error::engine(1001, format!("{other} is no direction")).at(PLACE));
    }
    if !bars.is_sorted() {
        return Err(Error::engine(1006, "rows are not sorted by bar").at(PLACE).fix("sort them"));
    }
    match bars.first() {
        Some(&first) if first < 0 => {
            Err(Error::engine(1003, format!("bar {first} does not exist")).at(PLACE))
        }
        _ => Ok(()),
    }
}

/// Tables as the decisions of a strategy.
#[derive(Debug)]
pub struct Tables {
    entries: Entries,
    exits: Exits,
    entering: Cursor,
    leaving: Cursor,
    directions: Directions,
    position: PositionRules,
}

impl Tables {
    /// Entries in other than the allowed directions do not count.
    ///
    /// # Errors
    /// As [`Entries::check`], of both tables.
    pub fn new(
        entries: Entries,
        exits: Exits,
        directions: Directions,
        position: PositionRules,
    ) -> Result<Self> {
        entries.check()?;
        exits.check()?;
        let (entering, leaving) = (Cursor::default(), Cursor::default());
        Ok(Self { entries, exits, entering, leaving, directions, position })
    }

    /// Rows that can never act because their bar is not traded.
    pub fn outside(&self, traded: &Range<usize>) -> u64 {
        let allowed = |row: &usize| self.directions.allow(side(self.entries.direction[*row]));
        let entries: Vec<i64> =
            (0..self.entries.bar.len()).filter(allowed).map(|row| self.entries.bar[row]).collect();
        rows_outside(&entries, traded) + rows_outside(&self.exits.bar, traded)
    }

    fn says(&self, i: usize, direction: Direction, cancel: bool) -> bool {
        let mut rows = self.leaving.rows(&self.exits.bar, i);
        rows.any(|row| {
            side(self.exits.direction[row]) == direction && (self.exits.cancel[row] != 0) == cancel
        })
    }
}

impl Decide for Tables {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, _view: &View<'_>, signals: &mut Vec<Signal>) {
        let rows = self.entering.rows(&self.entries.bar, i);
        if !rows.is_empty() {
            let said = self.entries.signals(&rows);
            signals.extend(said.filter(|signal| self.directions.allow(signal.direction)));
        }
    }

    fn next_signal(&self, i: usize, end: usize, _view: &View<'_>, _signals: &mut Vec<Signal>) -> usize {
        self.entering.next(&self.entries.bar, i, end)
    }

    fn next_action(&self, _position: &Position, i: usize, end: usize) -> Option<usize> {
        Some(self.leaving.next(&self.exits.bar, i, end))
    }

    fn manage(&self, position: &Position, i: usize, _view: &View<'_>, actions: &mut Actions) {
        if self.says(i, position.direction(), false) {
            actions.close();
        }
    }

    fn cancel(&self, order: &Order, i: usize, _view: &View<'_>) -> bool {
        self.says(i, order.direction(), true)
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}
