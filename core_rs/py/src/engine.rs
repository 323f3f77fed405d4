//! `Engine`, `Batch` and `Backtest`: two calls per batch, whatever its size.

use crate::arrow::{ArrowTable, read_stream};
use crate::guard::{attached, detached, to_py};
use crate::market::{Market, json};
use crate::params::rows;
use crate::tables::{batch_table, daily_table, equity_table, signals_table, trades_table};
use pyo3::prelude::*;
use serde_json::{Map, Value as Json, json as object};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use sweep_engine::declare::canonicalise;
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market;
use sweep_engine::orders::{Direction, Signal};
use sweep_engine::portfolio::SummaryValue;
use sweep_engine::run::batch::{self, Timed};
use sweep_engine::run::digest::{self, Digests};
use sweep_engine::run::identity::IdentityTemplate;
use sweep_engine::run::outcome::Blocked;
use sweep_engine::run::script::Script;
use sweep_engine::run::{NativeStrategy, Outcome, Session, Trial, TrialResult, bar_loop};
use sweep_engine::strategy::Rules;
use sweep_engine::{Error, Result};

/// 512 MiB of series.
const CACHE_BYTES: usize = 512 << 20;

/// One market, one strategy, one set of options; many parameter sets.
#[pyclass(frozen, module = "sweep._core")]
pub struct Engine {
    session: Arc<Session>,
    strategy: &'static dyn NativeStrategy,
    identity: IdentityTemplate,
    pool: OnceLock<(usize, rayon::ThreadPool)>,
}

fn parse(text: &str, place: &str) -> Result<Map<String, Json>> {
    match serde_json::from_str(text) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err(Error::config(1004, "a mapping is needed").at(place)),
        Err(e) => Err(Error::config(3004, format!("not JSON: {e}")).at(place)),
    }
}

/// Rate series as Python gives them: markets by pair.
type RateMarkets<'py> = Option<HashMap<String, PyRef<'py, Market>>>;

/// The markets behind them, which share their memory.
fn shared(rates: RateMarkets<'_>) -> BTreeMap<String, market::Market> {
    rates.into_iter().flatten().map(|(pair, market)| (pair, market.0.clone())).collect()
}

/// The session for a market, JSON options and rate series; `strategy` and `cache_bytes` are taken out of the options.
fn session(
    market: &Market,
    options: &mut Map<String, Json>,
    rates: &BTreeMap<String, market::Market>,
) -> Result<Session> {
    let cache = options.remove("cache_bytes").and_then(|v| v.as_u64());
    let cache = cache.and_then(|n| usize::try_from(n).ok()).unwrap_or(CACHE_BYTES);
    let symbol = market.0.spec().symbol.clone();
    Session::new(&market.0, resolve(&Json::Object(std::mem::take(options)), &symbol)?, rates, cache)
}

#[pymethods]
impl Engine {
    /// Options are JSON: strategy, execution, costs, account, rates, metrics, cache_bytes; partial ones take defaults.
    /// `rates` maps pairs to the markets of their rate series.
    #[new]
    #[pyo3(signature = (market, options, rates = None))]
    fn new(py: Python<'_>, market: &Market, options: &str, rates: RateMarkets<'_>) -> PyResult<Self> {
        let rates = shared(rates);
        detached(py, || {
            let mut options = parse(options, "options")?;
            let name = options.remove("strategy");
            let name = name.as_ref().and_then(Json::as_str).ok_or_else(|| {
                Error::config(1008, "a strategy is needed")
                    .at("strategy.name")
                    .fix("see `sweep strategies list`")
            })?;
            let strategy = sweep_strategies::find(name)?;
            let session = session(market, &mut options, &rates)?;
            let identity = session.identity(strategy.declaration())?;
            Ok(Self { session: Arc::new(session), strategy, identity, pool: OnceLock::new() })
        })
    }

    /// Runs every row of a table of parameters; the lock is released, `threads` > 1 runs several at a time.
    fn run_batch(&self, py: Python<'_>, params: &Bound<'_, PyAny>, threads: usize) -> PyResult<Batch> {
        let table = read_stream(params)?;
        detached(py, || {
            let rows = rows(&table)?;
            let start = Instant::now();
            let clock = || start.elapsed().as_secs_f64();
            let pool = if threads > 1 { Some(self.pool(threads)?) } else { None };
            Ok(Batch { rows: batch::run(&self.trial(), &rows, pool, &clock) })
        })
    }

    /// One backtest of JSON parameters, with the equity of every bar.
    fn run(&self, py: Python<'_>, params: &str) -> PyResult<Backtest> {
        detached(py, || {
            let raw = parse(params, "params")?;
            match self.trial().run(&raw, true) {
                TrialResult::Complete { params, identity, digests, outcome } => Ok(Backtest {
                    session: Arc::clone(&self.session),
                    identity: Some((self.identity.document(&params), identity)),
                    digests,
                    outcome: *outcome,
                }),
                TrialResult::InvalidParams { .. } => Err(self.first_problem(&raw)),
                TrialResult::EngineError { error, .. } => Err(error),
            }
        })
    }

    /// What the strategy would say at every bar from warm-up on, ignoring open positions.
    fn signals(&self, py: Python<'_>, params: &str) -> PyResult<ArrowTable> {
        detached(py, || {
            let raw = parse(params, "params")?;
            let canonical = canonicalise(self.strategy.declaration(), &self.session.context(), &raw)
                .map_err(|p| together(&p))?;
            let rows = self.strategy.signals(&self.session, &canonical)?;
            Ok(ArrowTable(signals_table(&rows, &self.session.market)?))
        })
    }

    /// The identity document of JSON parameters: canonical JSON of everything that determines the trial.
    fn identity(&self, py: Python<'_>, params: &str) -> PyResult<String> {
        attached(py, || {
            let raw = parse(params, "params")?;
            let canonical = canonicalise(self.strategy.declaration(), &self.session.context(), &raw)
                .map_err(|p| together(&p))?;
            Ok(self.identity.document(&canonical.to_json()))
        })
    }

    /// JSON: resolved options, dataset, trading days (µs), traded bars, counters of the series cache.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || {
            let info = object!({
                "options": self.session.options,
                "dataset": self.session.dataset,
                "dates": self.session.calendar.dates,
                "calendar": self.session.calendar.kind,
                "bars": self.session.market.len() - self.session.market.first_traded(),
                "cache": self.session.cache_stats(),
            });
            Ok(info.to_string())
        })
    }
}

impl Engine {
    fn trial(&self) -> Trial<'_> {
        Trial { session: &self.session, strategy: self.strategy, identity: &self.identity }
    }

    fn first_problem(&self, raw: &Map<String, Json>) -> Error {
        match canonicalise(self.strategy.declaration(), &self.session.context(), raw) {
            Err(problems) => together(&problems),
            Ok(_) => Error::engine(4004, "parameters were refused and then accepted"),
        }
    }

    /// The pool of this engine; made by the first call that asks for several threads.
    fn pool(&self, threads: usize) -> Result<&rayon::ThreadPool> {
        if self.pool.get().is_none() {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .map_err(|e| Error::engine(6002, format!("no thread pool: {e}")))?;
            // Another thread may have been faster; its pool serves as well.
            let _ = self.pool.set((threads, pool));
        }
        self.pool.get().map(|(_, pool)| pool).ok_or_else(|| Error::engine(4004, "the pool was just made"))
    }
}

/// All problems of a parameter set as one error, with the code of the first.
fn together(problems: &[Error]) -> Error {
    match problems {
        [] => Error::engine(4004, "refused without a reason"),
        [only] => only.clone(),
        [first, rest @ ..] => {
            let others: Vec<String> = rest.iter().map(ToString::to_string).collect();
            let what = format!("{} (and {})", first.what, others.join("; "));
            Error { what, ..first.clone() }
        }
    }
}

/// The results of a batch, in the order of its parameters.
#[pyclass(frozen, module = "sweep._core")]
pub struct Batch {
    rows: Vec<Timed>,
}

#[pymethods]
impl Batch {
    /// One row per parameter set: status, kind, reason, params, identity, digests, seconds, metrics, and the daily returns.
    fn to_table(&self, py: Python<'_>, returns: bool) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(batch_table(&self.rows, returns)?)))
    }
}

/// One backtest in full.
#[pyclass(frozen, module = "sweep._core")]
pub struct Backtest {
    session: Arc<Session>,
    /// Identity document and identity; a scripted run has none.
    identity: Option<(String, String)>,
    digests: Digests,
    outcome: Outcome,
}

#[pymethods]
impl Backtest {
    /// Closed trades.
    fn trades(&self, py: Python<'_>) -> PyResult<ArrowTable> {
        let symbol = &self.session.market.spec().symbol;
        attached(py, || Ok(ArrowTable(trades_table(&self.outcome.trades, symbol)?)))
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
        let summary: Vec<Json> = out.summary.iter().map(|(k, v)| object!([k, value(*v)])).collect();
        let rejected: Map<String, Json> =
            out.rejections.by_reason().map(|(r, n)| (r.name().to_owned(), n.into())).collect();
        let blocked: Map<String, Json> =
            Blocked::ALL.iter().zip(out.blocked).map(|(b, n)| (b.name().to_owned(), n.into())).collect();
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
            "open_positions": out.open.iter().map(open_position).collect::<Vec<_>>(),
            "invalid_modify": 0,
            "outside_window": out.outside_window,
            "sizes_raised": out.sizes_raised,
            "sizes_capped": out.sizes_capped,
            "ruined_at": out.ruined_at,
            "warnings": self.session.warnings,
        })
    }
}

fn value(v: SummaryValue) -> Json {
    v.into()
}

fn open_position(p: &sweep_engine::orders::Position) -> Json {
    object!({
        "position_id": p.id, "direction": p.direction().name(), "entry_time": p.entry_time, "entry_price": p.entry_price,
        "stop_loss": p.stop_loss, "take_profit": p.take_profit, "size": p.size, "entry_fee": p.entry_fee,
        "order_time": p.order_time,
    })
}

/// Runs a table of signals (and of closes) in place of a strategy: JSON rows by label.
///
/// signals: [{time, direction, stop_loss, take_profit?, size?, tag?, reason?}]; exits: [{time, direction}];
/// rules: {timeout_minutes?, timeout_bars?, same_bar_reentry?}. Times in µs UTC. `rates` maps pairs to markets.
#[pyfunction]
#[pyo3(signature = (market, options, signals, exits, rules, rates = None))]
pub fn run_signals(
    py: Python<'_>,
    market: &Market,
    options: &str,
    signals: &str,
    exits: &str,
    rules: &str,
    rates: RateMarkets<'_>,
) -> PyResult<Backtest> {
    let rates = shared(rates);
    detached(py, || {
        let session = session(market, &mut parse(options, "options")?, &rates)?;
        let script = script(&session, signals, exits, rules)?;
        let mut outcome = bar_loop::run(&session, &script, 0, true)?;
        outcome.outside_window = script.outside(&(session.market.first_traded()..session.market.len()));
        let digests = Digests::of(&outcome, &session.market.spec().symbol, &session.calendar.dates);
        Ok(Backtest { session: Arc::new(session), identity: None, digests, outcome })
    })
}

fn script(session: &Session, signals: &str, exits: &str, rules: &str) -> Result<Script> {
    let view = session.view();
    let rows = |text: &str| -> Result<Vec<Map<String, Json>>> {
        serde_json::from_str(text)
            .map_err(|e| Error::config(3004, format!("not a JSON list: {e}")).at("signal table"))
    };
    let bar = |row: &Map<String, Json>| -> Result<usize> {
        let time = row.get("time").and_then(Json::as_i64);
        Script::bar_of(&view, time.ok_or_else(|| Error::config(1008, "time is missing").at("signal table"))?)
    };
    let direction =
        |row: &Map<String, Json>| Direction::parse(row.get("direction").and_then(Json::as_str).unwrap_or(""));
    // JSON has no NaN and no infinity; they come as text.
    let number = |row: &Map<String, Json>, key: &str| {
        row.get(key).and_then(|v| v.as_f64().or_else(|| v.as_str().and_then(|text| text.parse().ok())))
    };
    let text = |row: &Map<String, Json>, key: &str| row.get(key).and_then(Json::as_str).map(str::to_owned);
    let mut entries = Vec::new();
    for row in rows(signals)? {
        let stop = number(&row, "stop_loss").unwrap_or(f64::NAN);
        let mut signal = Signal::market(direction(&row)?, stop, number(&row, "take_profit"));
        signal.size = number(&row, "size");
        signal.tag = text(&row, "tag").map(Into::into);
        signal.reason = text(&row, "reason");
        entries.push((bar(&row)?, signal));
    }
    let exits =
        rows(exits)?.iter().map(|row| Ok((bar(row)?, direction(row)?))).collect::<Result<Vec<_>>>()?;
    let rules = parse(rules, "rules")?;
    let whole = |key: &str| rules.get(key).and_then(Json::as_u64).unwrap_or(0);
    let rules = Rules {
        timeout_minutes: i64::try_from(whole("timeout_minutes")).unwrap_or(i64::MAX),
        timeout_bars: usize::try_from(whole("timeout_bars")).unwrap_or(usize::MAX),
        same_bar_reentry: rules.get("same_bar_reentry").and_then(Json::as_bool).unwrap_or(true),
    };
    Script::new(entries, exits, rules)
}
