//! Canonical digests of what a backtest gave.

use crate::metrics::{CATALOGUE, OUTSIDE_DIGEST};
use crate::orders::Position;
use crate::portfolio::Curve;
use crate::run::outcome::Outcome;
use crate::schema::{Digest, Schema, TableHasher, result_digest, schema};

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
    /// Of an outcome; `dates` are the trading days of its market.
    pub fn of(outcome: &Outcome, symbol: &str, dates: &[i64]) -> Self {
        let trades = trades(&outcome.trades, symbol);
        let daily = daily(dates, &outcome.daily);
        let metrics = metrics(&outcome.metrics);
        Self { result: result_digest(&trades, &daily, &metrics), trades, daily, metrics }
    }
}

fn known(name: &str) -> &'static Schema {
    schema(name).unwrap_or_else(|| unreachable!("schema {name} is in the registry"))
}

/// Digest of the trades table.
fn trades(closed: &[Position], symbol: &str) -> Digest {
    let mut table = TableHasher::new(known("trades"), closed.len());
    table.timestamps(closed.iter().map(|p| p.entry_time));
    table.timestamps(closed.iter().map(|p| p.exit_time));
    table.texts(closed.iter().map(|p| p.direction().name()));
    table.texts(closed.iter().map(|_| symbol));
    table.floats(closed.iter().map(|p| p.entry_price));
    table.floats(closed.iter().map(|p| p.exit_price));
    table.floats(closed.iter().map(|p| p.initial_stop_loss));
    table.floats(closed.iter().map(|p| p.stop_loss));
    table.floats_or_null(closed.iter().map(|p| p.take_profit));
    table.floats(closed.iter().map(|p| p.size));
    table.floats(closed.iter().map(|p| p.result));
    table.floats(closed.iter().map(|p| p.entry_fee));
    table.floats(closed.iter().map(|p| p.exit_fee));
    table.floats(closed.iter().map(|p| p.entry_fee + p.exit_fee));
    table.texts(closed.iter().map(|p| p.reason.map_or("", |r| r.name())));
    table.texts(closed.iter().map(|p| p.signal.order_type.name()));
    table.texts(closed.iter().map(|_| "closed"));
    table.floats(closed.iter().map(|p| p.r_multiple));
    table.texts(closed.iter().map(meta));
    table.unsigned(closed.iter().map(|p| p.id));
    table.timestamps(closed.iter().map(|p| p.order_time));
    table.bools(closed.iter().map(|p| p.same_bar_ambiguous));
    table.finish()
}

/// Canonical JSON of what the signal carried along.
pub fn meta(position: &Position) -> String {
    let signal = &position.signal;
    let parts = [
        ("scenario", signal.scenario),
        ("signal_reason", signal.reason.as_deref()),
        ("tag", signal.tag.as_deref()),
    ];
    let mut text = String::from("{");
    for (key, value) in parts {
        let Some(value) = value else { continue };
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&format!("\"{key}\":{}", serde_json::Value::from(value)));
    }
    text.push('}');
    text
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
