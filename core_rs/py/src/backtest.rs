//! `Backtest`: one run in full, its tables and everything else as JSON.

use crate::arrow::ArrowTable;
use crate::guard::{attached, to_py};
use crate::market::json;
use crate::tables::{daily_table, equity_table, trades_table};
use pyo3::prelude::*;
use serde_json::{Map, Value as Json, json as object};
use std::sync::Arc;
use sweep_engine::Error;
use sweep_engine::orders::{EndedOrder, Order, Position};
use sweep_engine::run::digest::{self, Digests};
use sweep_engine::run::{Outcome, Session};

/// One backtest in full.
#[pyclass(frozen, module = "sweep._core")]
pub struct Backtest {
    pub(crate) session: Arc<Session>,
    /// Identity document and identity; a scripted run has none.
    pub(crate) identity: Option<(String, String)>,
    pub(crate) digests: Digests,
    pub(crate) outcome: Outcome,
}

#[pymethods]
impl Backtest {
    /// Closed trades.
    fn trades(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        attached(py, || Ok(ArrowTable(trades_table(&self.outcome, &self.session)?)))
    }

    /// Equity of every traded bar.
    fn equity(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let curve = self.outcome.curve.as_ref();
        let curve = curve.ok_or_else(|| to_py(py, &Error::engine(1007, "the curve was not kept")))?;
        attached(py, || Ok(ArrowTable(equity_table(curve)?)))
    }

    /// Equity at the end of each trading day.
    fn daily(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        attached(py, || Ok(ArrowTable(daily_table(&self.session.calendar.dates, &self.outcome.daily)?)))
    }

    /// JSON: everything that is no table.
    fn summary(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || json(&self.describe()))
    }
}

impl Backtest {
    fn describe(&self) -> Json {
        let out = &self.outcome;
        let catalogue = sweep_engine::metrics::CATALOGUE.iter().zip(&out.metrics);
        let metrics: Vec<Json> = catalogue.map(|(m, v)| object!([m.name, v])).collect();
        let summary: Vec<Json> = out.summary.iter().map(|(k, v)| object!([k, Json::from(*v)])).collect();
        let rejected: Map<String, Json> =
            out.rejections.by_reason().map(|(r, n)| (r.name().to_owned(), n.into())).collect();
        let blocked: Vec<Json> = out.blocked.by_cause().map(|(b, n)| object!([b.name(), n])).collect();
        object!({
            "identity_document": self.identity.as_ref().map(|i| &i.0),
            "identity": self.identity.as_ref().map(|i| &i.1),
            "digests": {
                "trades": self.digests.trades.to_string(),
                "daily": self.digests.daily.to_string(),
                "metrics": self.digests.metrics.to_string(),
                "result": self.digests.result.to_string(),
                "equity": out.curve.as_ref().map(|c| digest::equity(c).to_string()),
            },
            "metrics": metrics,
            "summary": summary,
            "rejections": rejected,
            "rejection_details": out.rejections.details().iter().map(|r| object!({
                "bar": r.bar, "timestamp": r.time, "reason": r.reason.name(), "code": r.reason.code(), "message": r.message,
            })).collect::<Vec<_>>(),
            "blocked_bars": blocked,
            "open_positions": out.open.iter().map(|p| self.open_position(p)).collect::<Vec<_>>(),
            "pending_orders": out.pending.iter().map(|o| self.order(o)).collect::<Vec<_>>(),
            "ended_orders": out.ended.kept.iter().flatten().map(|e| self.ended(e)).collect::<Vec<_>>(),
            "invalid_modify": out.invalid_modify,
            "outside_window": out.outside_window,
            "sizes_raised": out.sizes_raised,
            "sizes_capped": out.sizes_capped,
            "ruined_at": out.ruined_at,
            "stopped": out.stopped.map(|s| object!({ "kind": s.kind(), "at": s.at, "reason": s.reason() })),
            "warnings": self.session.warnings,
        })
    }

    fn open_position(&self, p: &Position) -> Json {
        object!({
            "position_id": p.id, "symbol": self.session.symbol(p.symbol), "direction": p.direction().name(),
            "order_type": p.signal.order_type.name(), "order_time": p.order_time, "entry_time": p.entry_time,
            "entry_price": p.entry_price, "initial_stop_loss": p.initial_stop_loss, "stop_loss": p.stop_loss,
            "stop_kind": p.stop_kind.name(), "take_profit": p.take_profit, "size": p.size,
            "risk_per_trade": p.risk_per_trade, "entry_fee": p.entry_fee,
        })
    }

    fn order(&self, o: &Order) -> Json {
        let s = &o.signal;
        object!({
            "position_id": o.id, "symbol": self.session.symbol(o.symbol), "direction": s.direction.name(),
            "order_type": s.order_type.name(), "order_time": o.order_time, "order_price": s.entry,
            "stop_loss": s.stop_loss, "take_profit": s.take_profit, "valid_bars": s.valid_bars,
            "good_till": s.good_till, "oco_group": s.labels().oco_group.as_deref(),
        })
    }

    fn ended(&self, e: &EndedOrder) -> Json {
        let mut order = self.order(&e.order);
        order["ended"] = e.time.into();
        order["reason"] = e.reason.name().into();
        order
    }
}
