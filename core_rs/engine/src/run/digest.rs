//! Canonical digests of what a backtest gave.

use crate::metrics::{CATALOGUE, OUTSIDE_DIGEST};
use crate::orders::{Position, Signal};
use crate::portfolio::Curve;
use crate::run::outcome::Outcome;
use crate::run::session::Session;
use crate::schema::{Digest, Schema, TableHasher, result_digest, schema};
use serde_json::Value as Json;
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

/// Digest of the trades table.
fn trades(outcome: &Outcome, session: &Session) -> Digest {
    let closed = outcome.records();
    let mut table = TableHasher::new(known("trades"), closed.len());
    table.timestamps(closed.clone().map(|p| p.entry_time));
    table.timestamps(closed.clone().map(|p| p.exit_time));
    table.texts(closed.clone().map(|p| p.direction().name()));
    table.texts(closed.clone().map(|p| session.symbol(p.symbol)));
    table.floats(closed.clone().map(|p| p.entry_price));
    table.floats(closed.clone().map(|p| p.exit_price));
    table.floats(closed.clone().map(|p| p.initial_stop_loss));
    table.floats(closed.clone().map(|p| p.stop_loss));
    table.floats_or_null(closed.clone().map(|p| p.take_profit));
    table.floats(closed.clone().map(|p| p.size));
    table.floats(closed.clone().map(|p| p.result));
    table.floats(closed.clone().map(|p| p.entry_fee));
    table.floats(closed.clone().map(|p| p.exit_fee));
    table.floats(closed.clone().map(|p| p.entry_fee + p.exit_fee));
    table.texts(closed.clone().map(|p| p.reason.map_or("", |r| r.name())));
    table.texts(closed.clone().map(|p| p.signal.order_type.name()));
    table.texts(closed.clone().map(|_| "closed"));
    table.floats(closed.clone().map(|p| p.r_multiple));
    table.texts(closed.clone().map(meta));
    table.unsigned(closed.clone().map(|p| p.id));
    table.timestamps(closed.clone().map(|p| p.order_time));
    table.bools(closed.clone().map(|p| p.same_bar_ambiguous));
    table.finish()
}

/// Canonical JSON of what the signal carried along: its own notes, and what the engine adds under its own names.
pub fn meta(position: &Position) -> String {
    notes(&position.signal, position.parent_id)
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
