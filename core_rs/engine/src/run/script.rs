//! A table of signals in place of a strategy's rules.

use crate::error::{Error, Result};
use crate::orders::{Direction, Order, Position, Signal, StopKind};
use crate::strategy::{Actions, Decide, Part, Rules, View};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a row of exits answers in place of [`Decide::manage`], for the positions or orders of one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reply {
    /// Closes open positions.
    Close,
    /// Cancels pending orders.
    Cancel,
    /// Moves stops.
    ModifyStop(f64, StopKind),
    /// Moves targets, or removes them.
    ModifyTarget(Option<f64>),
    /// Closes parts.
    PartialClose(Part),
}

/// How far stops follow the best price.
#[derive(Debug, Clone, PartialEq)]
pub enum Trail {
    /// The same distance on every bar.
    Fixed(f64),
    /// A distance for every loaded bar.
    ByBar(Vec<f64>),
}

impl Trail {
    /// The distance at bar `i`.
    #[inline]
    pub fn at(&self, i: usize) -> f64 {
        match self {
            Self::Fixed(distance) => *distance,
            Self::ByBar(distances) => distances[i],
        }
    }
}

/// Finds the rows of a bar among rows that are sorted by bar.
#[derive(Debug, Default)]
pub struct Cursor {
    /// Where the last answer began. It makes the next one fast and never decides it.
    hint: AtomicUsize,
}

impl Cursor {
    /// The rows of bar `i`; `bars` has the bar of each row, always the same ones. Bars mostly advance, by one or a few
    /// rows.
    #[inline]
    pub fn rows(&self, bars: &[i64], i: usize) -> Range<usize> {
        #[allow(clippy::cast_possible_wrap)]
        let wanted = i as i64;
        let hint = self.hint.load(Ordering::Relaxed);
        let mut from = hint;
        if from > 0 && bars[from - 1] >= wanted {
            from = bars.partition_point(|&bar| bar < wanted);
        } else {
            while bars.get(from).is_some_and(|&bar| bar < wanted) {
                from += 1;
            }
        }
        if from != hint {
            self.hint.store(from, Ordering::Relaxed);
        }
        from..from + bars[from..].iter().take_while(|&&bar| bar == wanted).count()
    }
}

impl Cursor {
    /// The first bar from `i` on, before `end`, that has a row; `end` if none has.
    #[inline]
    pub fn next(&self, bars: &[i64], i: usize, end: usize) -> usize {
        let rows = self.rows(bars, i);
        if !rows.is_empty() {
            return i.min(end);
        }
        bars.get(rows.start).and_then(|&bar| usize::try_from(bar).ok()).map_or(end, |bar| bar.min(end))
    }
}

/// Rows whose bar is not among the traded ones, and so never act.
pub fn rows_outside(bars: &[i64], traded: &Range<usize>) -> u64 {
    let inside = |bar: &&i64| usize::try_from(**bar).is_ok_and(|bar| traded.contains(&bar));
    (bars.len() - bars.iter().filter(inside).count()) as u64
}

/// Rows sorted by bar.
#[derive(Debug)]
struct ByBar<T> {
    /// Bar of each row; apart from the rows, since most bars have none.
    bars: Vec<i64>,
    rows: Vec<T>,
    cursor: Cursor,
}

impl<T> ByBar<T> {
    #[allow(clippy::cast_possible_wrap)]
    fn new(rows: Vec<(usize, T)>) -> Self {
        let (bars, rows) = rows.into_iter().map(|(bar, row)| (bar as i64, row)).unzip();
        Self { bars, rows, cursor: Cursor::default() }
    }

    #[inline]
    fn of(&self, i: usize) -> &[T] {
        &self.rows[self.cursor.rows(&self.bars, i)]
    }

    fn next(&self, i: usize, end: usize) -> usize {
        self.cursor.next(&self.bars, i, end)
    }

    fn outside(&self, traded: &Range<usize>) -> u64 {
        rows_outside(&self.bars, traded)
    }
}

/// Signals by bar, and replies by bar and direction.
#[derive(Debug)]
pub struct Script {
    signals: ByBar<Signal>,
    exits: ByBar<(Direction, Reply)>,
    rules: Rules,
    trail: Option<Trail>,
}

impl Script {
    /// From rows (bar, signal) and (bar, (direction, reply)), each sorted by bar.
    ///
    /// # Errors
    /// [1006] for unsorted rows.
    pub fn new(
        signals: Vec<(usize, Signal)>,
        exits: Vec<(usize, (Direction, Reply))>,
        rules: Rules,
        trail: Option<Trail>,
    ) -> Result<Self> {
        let unsorted = !signals.is_sorted_by_key(|r| r.0) || !exits.is_sorted_by_key(|r| r.0);
        if unsorted {
            return Err(Error::config(1006, "rows are not sorted by bar")
                .at("signal table")
                .fix("sort them"));
        }
        let (signals, exits) = (ByBar::new(signals), ByBar::new(exits));
        Ok(Self { signals, exits, rules: Rules { trails: trail.is_some(), ..rules }, trail })
    }

    /// Index of the loaded bar with this label.
    ///
    /// # Errors
    /// [1001] if the market has no such bar.
    pub fn bar_of(view: &View<'_>, label: i64) -> Result<usize> {
        view.label.binary_search(&label).map_err(|_| {
            Error::config(1001, format!("{label} is no label of the market"))
                .at("signal table")
                .fix("use open times of bars")
        })
    }

    /// Rows that can never act because their bar is not traded.
    pub fn outside(&self, traded: &Range<usize>) -> u64 {
        self.signals.outside(traded) + self.exits.outside(traded)
    }

    fn replies(&self, i: usize, direction: Direction) -> impl Iterator<Item = Reply> + '_ {
        let rows = self.exits.of(i).iter().filter(move |(d, _)| *d == direction);
        rows.map(|(_, reply)| *reply)
    }
}

impl Decide for Script {
    fn rules(&self) -> Rules {
        self.rules
    }

    fn evaluate(&self, i: usize, _view: &View<'_>, signals: &mut Vec<Signal>) {
        signals.extend_from_slice(self.signals.of(i));
    }

    fn next_signal(&self, i: usize, end: usize, _view: &View<'_>, _signals: &mut Vec<Signal>) -> usize {
        self.signals.next(i, end)
    }

    fn next_action(&self, _position: &Position, i: usize, end: usize) -> Option<usize> {
        Some(self.exits.next(i, end))
    }

    fn manage(&self, position: &Position, i: usize, _view: &View<'_>, actions: &mut Actions) {
        for reply in self.replies(i, position.direction()) {
            match reply {
                Reply::Close => actions.close(),
                Reply::Cancel => {}
                Reply::ModifyStop(price, kind) => actions.modify_stop(price, kind),
                Reply::ModifyTarget(price) => actions.modify_target(price),
                Reply::PartialClose(part) => actions.partial_close(part),
            }
        }
    }

    fn cancel(&self, order: &Order, i: usize, _view: &View<'_>) -> bool {
        self.replies(i, order.direction()).any(|reply| reply == Reply::Cancel)
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.trail.as_ref().map_or(0.0, |trail| trail.at(i))
    }
}
