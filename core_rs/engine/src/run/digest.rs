//! Canonical digests of what a backtest gave.

use crate::metrics::{CATALOGUE, OUTSIDE_DIGEST};
use crate::orders::{Direction, ExitReason, OrderType, Position, Signal};
use crate::portfolio::Curve;
use crate::run::outcome::Outcome;
use crate::run::session::Session;
use crate::run::spare;
use crate::schema::{Digest, Schema, TableHasher, result_digest, schema};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Digests of one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Trades table.
    pub trades: Digest,
    /// Daily equity.
    pub daily: Digest,
    /// Metrics without those that need `pow`.
    pub metrics: Digest,
    /// Over the three.
    pub result: Digest,
}

impl Digests {
    /// Of an outcome of a session.
    pub fn of(outcome: &Outcome, session: &Session) -> Self {
        let trades = trades(outcome, session);
        let daily = daily(&session.calendar.dates, &outcome.daily);
        let metrics = metrics(&outcome.metrics);
        Self { result: result_digest(&trades, &daily, &metrics), trades, daily, metrics }
    }
}

fn known(name: &str) -> &'static Schema {
    schema(name).unwrap_or_else(|| unreachable!("schema {name} is in the registry"))
}

/// Columns of a record, but for its notes, and whether it has any.
const CELLS: usize = 22;

/// They, as bits and as numbers of words.
#[inline]
fn cells(p: &Position) -> [u64; CELLS] {
    [
        p.entry_time.cast_unsigned(),
        p.exit_time.cast_unsigned(),
        p.direction() as u64,
        p.symbol as u64,
        p.entry_price.to_bits(),
        p.exit_price.to_bits(),
        p.initial_stop_loss.to_bits(),
        p.stop_loss.to_bits(),
        p.take_profit.is_some().into(),
        p.take_profit.unwrap_or(0.0).to_bits(),
        p.size.to_bits(),
        p.result.to_bits(),
        p.entry_fee.to_bits(),
        p.exit_fee.to_bits(),
        (p.entry_fee + p.exit_fee).to_bits(),
        p.reason.map_or(0, |reason| 1 + reason as u64),
        p.signal.order_type as u64,
        p.r_multiple.to_bits(),
        (!bare(p)).into(),
        p.id,
        p.order_time.cast_unsigned(),
        p.same_bar_ambiguous.into(),
    ]
}

/// Those of all records, column after column: records are large, and are looked at once instead of once per column.
fn columns<'a>(records: impl ExactSizeIterator<Item = &'a Position>, all: &mut [u64]) {
    let rows = records.len();
    for (row, record) in records.enumerate() {
        for (column, cell) in cells(record).into_iter().enumerate() {
            all[column * rows + row] = cell;
        }
    }
}

/// Digest of the trades table.
fn trades(outcome: &Outcome, session: &Session) -> Digest {
    spare::with_cells(CELLS * outcome.records().len(), |cells| {
        columns(outcome.records(), cells);
        of_columns(outcome, session, cells)
    })
}

#[allow(clippy::cast_possible_truncation)]
fn of_columns(outcome: &Outcome, session: &Session, all: &[u64]) -> Digest {
    let closed = outcome.records();
    let rows = closed.len();
    let mut columns = (0..CELLS).map(|k| all[k * rows..(k + 1) * rows].iter().copied());
    let mut next = || columns.next().unwrap_or_else(|| unreachable!("a column for every cell"));
    let code = |word: u64| word as usize;
    let symbols: Vec<&str> = (0..session.instruments.len()).map(|symbol| session.symbol(symbol)).collect();
    let reasons: Vec<&str> = [""].into_iter().chain(ExitReason::ALL.map(ExitReason::name)).collect();
    let mut table = TableHasher::new(known("trades"), rows);
    table.timestamps(next().map(u64::cast_signed));
    table.timestamps(next().map(u64::cast_signed));
    table.words(&Direction::ALL.map(Direction::name), next().map(code));
    table.words(&symbols, next().map(code));
    for _price in 0..4 {
        table.floats(next().map(f64::from_bits));
    }
    let target = next().zip(next()).map(|(given, price)| (given > 0).then(|| f64::from_bits(price)));
    table.floats_or_null(target);
    for _amount in 0..5 {
        table.floats(next().map(f64::from_bits));
    }
    table.words(&reasons, next().map(code));
    table.words(&OrderType::ALL.map(OrderType::name), next().map(code));
    table.words(&["closed"], std::iter::repeat_n(0, rows));
    table.floats(next().map(f64::from_bits));
    if next().any(|notes| notes > 0) {
        table.texts(closed.map(meta));
    } else {
        table.words(&[NO_NOTES], std::iter::repeat_n(0, rows));
    }
    table.unsigned(next());
    table.timestamps(next().map(u64::cast_signed));
    table.bools(next().map(|ambiguous| ambiguous > 0));
    table.finish()
}

/// Notes of a record that has none.
const NO_NOTES: &str = "{}";

/// Whether it has none.
#[inline]
fn bare(position: &Position) -> bool {
    position.signal.labels.is_none() && position.parent_id.is_none()
}

/// Canonical JSON of what the signal carried along: its own notes, and what the engine adds under its own names.
pub fn meta(position: &Position) -> Cow<'static, str> {
    if bare(position) {
        return NO_NOTES.into();
    }
    notes(&position.signal, position.parent_id).into()
}

/// As [`meta`], of a signal whose record may not be filled.
pub fn notes(signal: &Signal, parent_id: Option<u64>) -> String {
    let labels = signal.labels();
    let text = |text: &Option<Arc<str>>| text.as_deref().map(|text| Json::from(text).to_string());
    // In bytewise order, as all keys of canonical JSON.
    let own = [
        ("parent_id", parent_id.map(|id| id.to_string())),
        ("scenario", text(&labels.scenario)),
        ("signal_reason", text(&labels.reason)),
        ("tag", text(&labels.tag)),
    ];
    let own = own.into_iter().filter_map(|(key, value)| Some((key, value?)));
    match &labels.meta {
        None => object(own),
        Some(notes) => {
            let mut all: BTreeMap<&str, String> =
                notes.iter().map(|(key, note)| (key.as_str(), note.to_json())).collect();
            all.extend(own);
            object(all)
        }
    }
}

/// A JSON object of sorted keys and values that are JSON already.
fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut json = String::from("{");
    for (key, value) in members {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&Json::from(key).to_string());
        json.push(':');
        json.push_str(&value);
    }
    json.push('}');
    json
}

fn daily(dates: &[i64], equity: &[f64]) -> Digest {
    let mut table = TableHasher::new(known("daily"), equity.len());
    table.timestamps(dates.iter().take(equity.len()).copied());
    table.floats(equity.iter().copied());
    table.finish()
}

fn metrics(values: &[Option<f64>]) -> Digest {
    let rows: Vec<_> =
        CATALOGUE.iter().zip(values).filter(|(m, _)| !OUTSIDE_DIGEST.contains(&m.name)).collect();
    let mut table = TableHasher::new(known("metrics"), rows.len());
    table.texts(rows.iter().map(|(m, _)| m.name));
    table.floats_or_null(rows.iter().map(|(_, v)| **v));
    table.texts(rows.iter().map(|(m, _)| m.unit));
    table.finish()
}

/// Digest of the per-bar equity table.
pub fn equity(curve: &Curve) -> Digest {
    let mut table = TableHasher::new(known("equity"), curve.time.len());
    table.timestamps(curve.time.iter().copied());
    for column in [&curve.equity, &curve.balance, &curve.drawdown, &curve.high_water] {
        table.floats(column.iter().copied());
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbered_in_the_order_of_their_lists() {
        assert!(Direction::ALL.iter().enumerate().all(|(k, direction)| *direction as usize == k));
        assert!(OrderType::ALL.iter().enumerate().all(|(k, order_type)| *order_type as usize == k));
        assert!(ExitReason::ALL.iter().enumerate().all(|(k, reason)| *reason as usize == k));
    }
}
