//! A table of signals in place of a strategy's rules.

use crate::error::{Error, Result};
use crate::orders::{Direction, Position, Signal};
use crate::strategy::{Action, Decide, Rules, View};

/// Signals by bar, and closes by bar and direction.
#[derive(Debug, Clone, Default)]
pub struct Script {
    signals: Vec<(usize, Signal)>,
    exits: Vec<(usize, Direction)>,
    rules: Rules,
}

impl Script {
    /// From rows (bar, signal) and (bar, direction to close), each sorted by bar.
    ///
    /// # Errors
    /// [1006] for unsorted rows.
    pub fn new(signals: Vec<(usize, Signal)>, exits: Vec<(usize, Direction)>, rules: Rules) -> Result<Self> {
        let unsorted = !signals.is_sorted_by_key(|r| r.0) || !exits.is_sorted_by_key(|r| r.0);
        if unsorted {
            return Err(Error::config(1006, "rows are not sorted by bar")
                .at("signal table")
                .fix("sort them"));
        }
        Ok(Self { signals, exits, rules })
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
    pub fn outside(&self, traded: &std::ops::Range<usize>) -> u64 {
        let signals = self.signals.iter().filter(|r| !traded.contains(&r.0)).count();
        let exits = self.exits.iter().filter(|r| !traded.contains(&r.0)).count();
        (signals + exits) as u64
    }

    fn rows_of<T>(rows: &[(usize, T)], i: usize) -> &[(usize, T)] {
        let from = rows.partition_point(|r| r.0 < i);
        let to = rows.partition_point(|r| r.0 <= i);
        &rows[from..to]
    }
}

impl Decide for Script {
    fn rules(&self) -> Rules {
        self.rules
    }

    fn evaluate(&self, i: usize, _view: &View<'_>, signals: &mut Vec<Signal>) {
        signals.extend(Self::rows_of(&self.signals, i).iter().map(|(_, s)| s.clone()));
    }

    fn manage(&self, position: &Position, i: usize, _view: &View<'_>) -> Action {
        let close = Self::rows_of(&self.exits, i).iter().any(|(_, d)| *d == position.direction());
        if close { Action::Close } else { Action::Hold }
    }
}
