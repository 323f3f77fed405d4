//! State, records and fees of a portfolio as Arrow tables.

use crate::tables::Columns;
use arrow_array::types::Int32Type;
use arrow_array::{BooleanArray, DictionaryArray, Int32Array, RecordBatch, UInt64Array};
use std::sync::Arc;
use sweep_engine::Result;
use sweep_engine::orders::{ExitReason, OrderType, Position, Signal, StopKind};
use sweep_engine::portfolio::api::{Fee, Portfolio, Record, State};
use sweep_engine::run::digest;

/// The account in one row of the schema portfolio_state.
pub fn state_table(state: &State) -> Result<RecordBatch> {
    let mut t = Columns::default();
    let count = |n: usize| Arc::new(Int32Array::from(vec![i32::try_from(n).unwrap_or(i32::MAX)]));
    t.times("timestamp", [state.timestamp]);
    t.floats("balance", [state.balance]);
    t.floats("equity", [state.equity]);
    t.floats("margin_used", [state.margin_used]);
    t.floats("unrealised_pnl", [state.unrealised_pnl]);
    t.floats("realised_pnl", [state.realised_pnl]);
    t.floats("total_fees", [state.total_fees]);
    t.push("position_count", count(state.position_count), false);
    t.push("pending_count", count(state.pending_count), false);
    t.floats("drawdown", [state.drawdown]);
    t.floats("high_water", [state.high_water]);
    t.build()
}

/// Records in the schema execution_position; what has not happened is null.
pub fn positions_table(records: &[Record<'_>], portfolio: &Portfolio) -> Result<RecordBatch> {
    let rows = || records.iter().copied();
    let filled = |pick: fn(&Position) -> f64| rows().map(move |r| r.position().map(pick));
    let amount = |pick: fn(&Position) -> f64| rows().map(move |r| r.position().map_or(0.0, pick));
    let closed = |pick: fn(&Position) -> f64| rows().map(move |r| r.closed().map(pick));
    let number =
        |r: &Record<'_>| r.position().map_or_else(|| r.order().map_or(0, |o| o.symbol), |p| p.symbol);
    let mut t = Columns::default();
    t.push("position_id", Arc::new(UInt64Array::from_iter_values(rows().map(|r| r.id()))), false);
    let parents: UInt64Array = rows().map(|r| r.position().and_then(|p| p.parent_id)).collect();
    t.push("parent_id", Arc::new(parents), true);
    t.words("symbol", rows().map(|r| portfolio.symbol(number(&r))));
    t.words("direction", rows().map(|r| signal(r).map_or("", |s| s.direction.name())));
    t.words("order_type", rows().map(|r| signal(r).map_or("", |s| s.order_type.name())));
    t.words("status", rows().map(|r| r.status()));
    t.times("order_time", rows().map(order_time));
    t.times_or_null("entry_time", rows().map(|r| r.position().map(|p| p.entry_time)));
    t.times_or_null("exit_time", rows().map(exit_time));
    t.floats_or_null("order_price", rows().map(order_price));
    t.floats_or_null("entry_price", filled(|p| p.entry_price));
    t.floats_or_null("exit_price", closed(|p| p.exit_price));
    t.floats("stop_loss", rows().map(|r| level(r, |p| p.stop_loss, |s| s.stop_loss)));
    t.floats_or_null("take_profit", rows().map(|r| level(r, |p| p.take_profit, |s| s.take_profit)));
    t.floats("initial_stop_loss", rows().map(|r| level(r, |p| p.initial_stop_loss, |s| s.stop_loss)));
    let target = |r| level(r, |p| p.initial_take_profit, |s| s.take_profit);
    t.floats_or_null("initial_take_profit", rows().map(target));
    t.words("stop_kind", rows().map(|r| r.position().map_or(StopKind::Initial, |p| p.stop_kind).name()));
    t.floats("size", amount(|p| p.size));
    t.floats("risk_per_trade", amount(|p| p.risk_per_trade));
    t.floats("entry_fee", amount(|p| p.entry_fee));
    t.floats("exit_fee", amount(|p| p.exit_fee));
    t.floats_or_null("result", closed(|p| p.result));
    t.floats_or_null("r_multiple", closed(|p| p.r_multiple));
    let reasons: DictionaryArray<Int32Type> = rows().map(|r| reason(r).map(ExitReason::name)).collect();
    t.push("reason", Arc::new(reasons), true);
    let ambiguous: BooleanArray =
        rows().map(|r| Some(r.position().is_some_and(|p| p.same_bar_ambiguous))).collect();
    t.push("same_bar_ambiguous", Arc::new(ambiguous), false);
    t.texts_or_null("scenario", rows().map(|r| signal(r).and_then(|s| s.labels().scenario.as_deref())));
    t.texts_or_null("tag", rows().map(|r| signal(r).and_then(|s| s.labels().tag.as_deref())));
    t.texts_or_null("meta", rows().map(|r| signal(r).map(|s| digest::notes(s, parent(r)))));
    t.build()
}

/// Fees that were paid, in order.
pub fn fees_table(fees: &[Fee]) -> Result<RecordBatch> {
    let mut t = Columns::default();
    t.times("timestamp", fees.iter().map(|f| f.time));
    t.words("kind", fees.iter().map(|f| f.kind.name()));
    t.floats("amount", fees.iter().map(|f| f.amount));
    let ids: UInt64Array = fees.iter().map(|f| f.position_id).collect();
    t.push("position_id", Arc::new(ids), true);
    t.build()
}

fn signal<'a>(record: Record<'a>) -> Option<&'a Signal> {
    record.position().map(|p| &p.signal).or_else(|| record.order().map(|o| &o.signal))
}

fn parent(record: Record<'_>) -> Option<u64> {
    record.position().and_then(|p| p.parent_id)
}

fn level<T: Default>(record: Record<'_>, held: fn(&Position) -> T, asked: fn(&Signal) -> T) -> T {
    match record.position() {
        Some(position) => held(position),
        None => signal(record).map(asked).unwrap_or_default(),
    }
}

fn order_time(record: Record<'_>) -> i64 {
    record.position().map_or_else(|| record.order().map_or(0, |o| o.order_time), |p| p.order_time)
}

fn exit_time(record: Record<'_>) -> Option<i64> {
    match record {
        Record::Closed(position) => Some(position.exit_time),
        Record::Ended(ended) => Some(ended.time),
        Record::Pending(_) | Record::Open(_) => None,
    }
}

fn reason(record: Record<'_>) -> Option<ExitReason> {
    match record {
        Record::Closed(position) => position.reason,
        Record::Ended(ended) => Some(ended.reason),
        Record::Pending(_) | Record::Open(_) => None,
    }
}

/// The order price; a market order has none.
fn order_price(record: Record<'_>) -> Option<f64> {
    signal(record).filter(|s| s.order_type != OrderType::Market).and_then(|s| s.entry)
}
