//! The gates of one instrument, compiled: the first closed time gate at every close, shared by all trials.

use super::cooldown::Cooldown;
use super::options::{Gate, GateOptions, Name};
use crate::market::SymbolSpec;

/// Gates in configured order, with their answers at every close.
#[derive(Debug, Clone, PartialEq)]
pub struct GateTable {
    names: Vec<Name>,
    /// By bar: 0 = the time gates are open, else the place from 1 on of the first closed one. Empty without any.
    closed: Box<[u8]>,
    /// Bars with another answer than the one before.
    changes: Box<[usize]>,
    /// Place from 1 on of the cooldown, after all others if none is configured.
    cooldown_place: u8,
    cooldown: Cooldown,
}

impl GateTable {
    /// The gates for a symbol at ascending moments of decision, µs; `None` if there are none.
    pub fn new(options: &GateOptions, spec: &SymbolSpec, closes: impl FnOnce() -> Vec<i64>) -> Option<Self> {
        if options.is_empty() {
            return None;
        }
        let closes = closes();
        let mut table = Self {
            names: options.gates().iter().map(Gate::name).collect(),
            closed: Box::default(),
            changes: Box::default(),
            cooldown_place: place(options.gates().len()),
            cooldown: Cooldown::default(),
        };
        let (from, to) = (closes.first().copied().unwrap_or(0), closes.last().map_or(0, |last| last + 1));
        for (k, gate) in options.gates().iter().enumerate() {
            match gate {
                Gate::Sessions(sessions) => {
                    table.close(k, sessions.open(from, to).contain(closes.iter().copied()).map(|open| !open));
                }
                Gate::Anchored(anchored) => {
                    table.close(k, anchored.open(from, to).contain(closes.iter().copied()).map(|open| !open));
                }
                Gate::News(news) => table.close(k, news.closed(spec).contain(closes.iter().copied())),
                Gate::Cooldown(cooldown) => (table.cooldown, table.cooldown_place) = (*cooldown, place(k)),
            }
        }
        let pairs = table.closed.iter().zip(table.closed.iter().skip(1)).enumerate();
        table.changes = pairs.filter(|(_, (before, now))| before != now).map(|(k, _)| k + 1).collect();
        Some(table)
    }

    /// Notes at which bars gate `k` is closed.
    fn close(&mut self, k: usize, closed: impl Iterator<Item = bool>) {
        if self.closed.is_empty() {
            self.closed = closed.map(|closed| if closed { place(k) } else { 0 }).collect();
            return;
        }
        for (first, closed) in self.closed.iter_mut().zip(closed) {
            if closed && *first == 0 {
                *first = place(k);
            }
        }
    }

    /// Names in configured order.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// The cooldown as configured.
    pub fn cooldown(&self) -> Cooldown {
        self.cooldown
    }

    /// The first later bar at whose close the time gates give another answer; `None` if none does.
    pub fn next_change(&self, bar: usize) -> Option<usize> {
        self.changes.get(self.changes.partition_point(|&at| at <= bar)).copied()
    }

    /// The first closed time gate at the close of a bar, and whether it comes before the cooldown.
    #[inline]
    pub fn closed(&self, bar: usize) -> Option<(Name, bool)> {
        match self.closed.get(bar) {
            None | Some(0) => None,
            Some(&place) => Some((self.names[usize::from(place) - 1], place < self.cooldown_place)),
        }
    }
}

/// Place from 1 on of the `k`-th gate; there are four names, each once.
#[allow(clippy::cast_possible_truncation)]
fn place(k: usize) -> u8 {
    k as u8 + 1
}

#[cfg(test)]
mod tests;
