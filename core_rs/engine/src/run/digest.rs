//! Canonical digests of what a backtest gave.

use crate::metrics::{CATALOGUE, OUTSIDE_DIGEST};
use crate::orders::{Position, Signal};
use crate::portfolio::Curve;
use crate::run::outcome::Outcome;
use crate::run::session::Session;
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

/// Numbers of a record.
const CELLS: usize = 17;

/// Its columns of numbers, as bits.
#[inline]
fn cells(p: &Position) -> [u64; CELLS] {
    [
        p.entry_time.cast_unsigned(),
        p.exit_time.cast_unsigned(),
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
        p.r_multiple.to_bits(),
        p.id,
        p.order_time.cast_unsigned(),
        p.same_bar_ambiguous.into(),
    ]
}

/// Columns of numbers, one after the other: records are large, and are looked at once instead of once per column.
fn columns<'a>(records: impl ExactSizeIterator<Item = &'a Position>) -> Vec<u64> {
    let rows = records.len();
    let mut all = vec![0; CELLS * rows];
    for (row, record) in records.enumerate() {
        for (column, cell) in cells(record).into_iter().enumerate() {
            all[column * rows + row] = cell;
        }
    }
    all
}

/// Digest of the trades table.
fn trades(outcome: &Outcome, session: &Session) -> Digest {
    let closed = outcome.records();
    let rows = closed.len();
    let all = columns(closed.clone());
    let mut numbers = (0..CELLS).map(|k| all[k * rows..(k + 1) * rows].iter().copied());
    let mut next = || numbers.next().unwrap_or_else(|| unreachable!("a column for every number"));
    let mut table = TableHasher::new(known("trades"), rows);
    table.timestamps(next().map(u64::cast_signed));
    table.timestamps(next().map(u64::cast_signed));
    table.words(closed.clone().map(|p| p.direction().name()));
    table.words(closed.clone().map(|p| session.symbol(p.symbol)));
    for _price in 0..4 {
        table.floats(next().map(f64::from_bits));
    }
    let target = next().zip(next()).map(|(given, price)| (given > 0).then(|| f64::from_bits(price)));
    table.floats_or_null(target);
    for _amount in 0..5 {
        table.floats(next().map(f64::from_bits));
    }
    table.words(closed.clone().map(|p| p.reason.map_or("", |r| r.name())));
    table.words(closed.clone().map(|p| p.signal.order_type.name()));
    table.words(closed.clone().map(|_| "closed"));
    table.floats(next().map(f64::from_bits));
    table.texts(closed.map(meta));
    table.unsigned(next());
    table.timestamps(next().map(u64::cast_signed));
    table.bools(next().map(|ambiguous| ambiguous > 0));
    table.finish()
}

/// Canonical JSON of what the signal carried along: its own notes, and what the engine adds under its own names.
pub fn meta(position: &Position) -> Cow<'static, str> {
    if position.signal.labels.is_none() && position.parent_id.is_none() {
        return "{}".into();
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
