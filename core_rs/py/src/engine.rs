//! `Engine` and `Batch`: two calls per batch, whatever its size.

use crate::arrow::{ArrowTable, read_stream};
use crate::backtest::Backtest;
use crate::catalogue::named;
use crate::guard::{attached, detached, to_py};
use crate::indicators::outputs;
use crate::market::{Market, json};
use crate::params::rows;
use crate::scripts;
use crate::tables::{batch_table, signals_table};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value as Json, json as object};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use sweep_engine::declare::{Canonical, Declaration, canonicalise};
use sweep_engine::execution::resolve::resolve;
use sweep_engine::market;
use sweep_engine::run::batch::{self, Timed};
use sweep_engine::run::digest::Digests;
use sweep_engine::run::identity::IdentityTemplate;
use sweep_engine::run::{Instrument, NativeStrategy, Outcome, Session, Trial, TrialResult, simulation};
use sweep_engine::{Error, Result};
use sweep_strategies::user::UserStrategy;

/// 512 MiB of series.
const CACHE_BYTES: usize = 512 << 20;

/// One market, one strategy, one set of options; many parameter sets.
#[pyclass(frozen, module = "sweep._core")]
pub struct Engine {
    pub(crate) session: Arc<Session>,
    strategy: Source,
    pub(crate) identity: IdentityTemplate,
    /// Pruning levels.
    levels: BTreeMap<u32, Stage>,
    pool: OnceLock<(usize, rayon::ThreadPool)>,
}

/// What a pruning level runs, and how its trials are identified.
struct Stage {
    session: Arc<Session>,
    identity: IdentityTemplate,
}

/// Where decisions come from.
enum Source {
    /// Rules in Rust.
    Native(&'static dyn NativeStrategy),
    /// Tables, made by a user's function.
    User(Box<UserStrategy>),
}

impl Source {
    /// Of the options: `strategy`, a name, or `declaration`, that of a user's strategy.
    fn of(options: &mut Map<String, Json>) -> Result<Self> {
        if let Some(declaration) = options.remove("declaration") {
            return UserStrategy::of(&declaration.to_string()).map(Box::new).map(Self::User);
        }
        let name = options.remove("strategy");
        let name = name.as_ref().and_then(Json::as_str).ok_or_else(|| {
            Error::config(1008, "a strategy is needed").at("strategy.name").fix("see `sweep strategies list`")
        })?;
        named(name).map(Self::Native)
    }

    fn declaration(&self) -> &Declaration {
        match self {
            Self::Native(strategy) => strategy.declaration(),
            Self::User(strategy) => strategy.declaration(),
        }
    }

    fn native(&self) -> Result<&'static dyn NativeStrategy> {
        match self {
            Self::Native(strategy) => Ok(*strategy),
            Self::User(_) => Err(Error::engine(4004, "a user's strategy has no native rules")),
        }
    }
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

/// One market, or several.
#[derive(FromPyObject)]
pub enum Markets<'py> {
    /// One.
    One(PyRef<'py, Market>),
    /// Several symbols on one portfolio.
    Several(Vec<PyRef<'py, Market>>),
}

impl Markets<'_> {
    /// The markets behind them, which share their memory.
    fn shared(self) -> Vec<market::Market> {
        match self {
            Self::One(market) => vec![market.0.clone()],
            Self::Several(markets) => markets.iter().map(|market| market.0.clone()).collect(),
        }
    }
}

/// The session for markets, JSON options and rate series; `strategy` and `cache_bytes` are taken out of the options.
fn session(
    markets: &[market::Market],
    options: &mut Map<String, Json>,
    rates: &BTreeMap<String, market::Market>,
) -> Result<Session> {
    let cache = options.remove("cache_bytes").map_or(Ok(CACHE_BYTES), |bytes| cache_bound(&bytes))?;
    let options = Json::Object(std::mem::take(options));
    let resolved =
        markets.iter().map(|market| resolve(&options, &market.spec().symbol)).collect::<Result<_>>()?;
    Session::new(markets, resolved, rates, cache)
}

/// A pruning level as Python gives it: its number, and its parts, [from, until) in µs.
type Bounds = (u32, Vec<(i64, i64)>);

/// The pruning levels of the option.
fn levels(given: Option<Json>, session: &Session, strategy: &Source) -> Result<BTreeMap<u32, Stage>> {
    let bounds: Vec<Bounds> = serde_json::from_value(given.unwrap_or_else(|| object!([])))
        .map_err(|e| Error::config(1004, format!("not pruning levels: {e}")).at("levels"))?;
    let stage = |(number, parts): Bounds| {
        let session = session.level(number, &parts)?;
        let identity = session.identity(strategy.declaration())?;
        Ok((number, Stage { session: Arc::new(session), identity }))
    };
    bounds.into_iter().map(stage).collect()
}

/// A bound of the cache in bytes.
fn cache_bound(bytes: &Json) -> Result<usize> {
    let wrong = |code, what| Error::config(code, what).at("cache_bytes").fix("give bytes, 0 for no cache");
    match bytes.as_u64().map(usize::try_from) {
        Some(Ok(bound)) => Ok(bound),
        _ if bytes.is_number() => Err(wrong(1003, format!("{bytes} is no number of bytes"))),
        _ => Err(wrong(1004, format!("a whole number is needed, not {bytes}"))),
    }
}

#[pymethods]
impl Engine {
    /// Options are JSON: strategy (or the declaration of a user's), execution, costs, account, rates, gates, metrics, early_stop, levels, cache_bytes; partial ones take
    /// defaults. `rates` maps pairs to the markets of their rate series.
    #[new]
    #[pyo3(signature = (market, options, rates = None))]
    fn new(py: Python<'_>, market: Markets<'_>, options: &str, rates: RateMarkets<'_>) -> PyResult<Self> {
        let (markets, rates) = (market.shared(), shared(rates));
        detached(py, || {
            let mut options = parse(options, "options")?;
            let strategy = Source::of(&mut options)?;
            let given = options.remove("levels");
            let session = session(&markets, &mut options, &rates)?;
            let identity = session.identity(strategy.declaration())?;
            let levels = levels(given, &session, &strategy)?;
            Ok(Self { session: Arc::new(session), strategy, identity, levels, pool: OnceLock::new() })
        })
    }

    /// Runs every row of a table of parameters; the lock is released, `threads` > 1 runs several at a time. `level` is a
    /// pruning level, in the place of the whole window.
    #[pyo3(signature = (params, threads, level = None))]
    fn run_batch(
        &self,
        py: Python<'_>,
        params: &Bound<'_, PyAny>,
        threads: usize,
        level: Option<u32>,
    ) -> PyResult<Batch> {
        let table = read_stream(params)?;
        detached(py, || {
            let rows = rows(&table)?;
            let start = Instant::now();
            let clock = || start.elapsed().as_secs_f64();
            let pool = if threads > 1 { Some(self.pool(threads)?) } else { None };
            Ok(Batch { rows: batch::run(&self.trial(level)?, &rows, pool, &clock) })
        })
    }

    /// One backtest of JSON parameters, with the equity of every bar.
    #[pyo3(signature = (params, level = None))]
    fn run(&self, py: Python<'_>, params: &str, level: Option<u32>) -> PyResult<Backtest> {
        detached(py, || {
            let raw = parse(params, "params")?;
            match self.trial(level)?.run(&raw, true) {
                TrialResult::Complete { params, identity, digests, outcome } => {
                    self.backtest(&params, identity, digests, *outcome, level)
                }
                TrialResult::InvalidParams { .. } => Err(self.first_problem(&raw)),
                TrialResult::EngineError { error, .. } => Err(error),
            }
        })
    }

    /// What the strategy would say at every bar from warm-up on, ignoring open positions.
    fn signals(&self, py: Python<'_>, params: &str) -> PyResult<ArrowTable> {
        detached(py, || {
            let canonical = self.canonical(params)?;
            let rows = self.strategy.native()?.signals(&self.session, &canonical)?;
            Ok(ArrowTable(signals_table(&rows, &self.session)?))
        })
    }

    /// The identity document of JSON parameters: canonical JSON of everything that determines the trial.
    #[pyo3(signature = (params, level = None))]
    fn identity(&self, py: Python<'_>, params: &str, level: Option<u32>) -> PyResult<String> {
        attached(py, || {
            let canonical = self.canonical(params)?;
            Ok(self.template(level)?.document(&canonical.to_json()))
        })
    }

    /// JSON list: of every row of a table of parameters [canonical JSON, null], or [null, why it is refused].
    fn canonical_rows(&self, py: Python<'_>, params: &Bound<'_, PyAny>) -> PyResult<String> {
        let table = read_stream(params)?;
        detached(py, || {
            let (declaration, context) = (self.strategy.declaration(), self.session.context());
            let one = |raw: &Map<String, Json>| match canonicalise(declaration, &context, raw) {
                Ok(canonical) => object!([canonical.to_json(), null]),
                Err(problems) => {
                    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    object!([null, lines.join("\n")])
                }
            };
            Ok(Json::from(rows(&table)?.iter().map(one).collect::<Vec<_>>()).to_string())
        })
    }

    /// The market of a symbol as it is traded: after the spread multiplier.
    fn market(&self, py: Python<'_>, symbol: usize) -> PyResult<Market> {
        attached(py, || Ok(Market::of(self.instrument(symbol)?.market.clone())))
    }

    /// An indicator on a symbol's market as it is traded, from the engine's series cache; as the function `indicator`.
    #[pyo3(signature = (symbol, id, side, timeframe, on, params))]
    #[allow(clippy::too_many_arguments)]
    fn indicator(
        &self,
        py: Python<'_>,
        symbol: usize,
        id: &str,
        side: &str,
        timeframe: Option<&str>,
        on: Option<&str>,
        params: &Bound<'_, PyDict>,
    ) -> PyResult<Vec<(&'static str, Py<PyAny>)>> {
        let instrument = self.instrument(symbol).map_err(|e| to_py(py, &e))?;
        outputs(py, &instrument.indicators(), id, side, timeframe, on, params)
    }

    /// JSON: counters of the series cache.
    fn cache_stats(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || json(&self.session.cache_stats()))
    }

    /// JSON: resolved options, dataset, trading days (µs), traded bars, counters of the series cache.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        attached(py, || {
            let info = object!({
                "options": self.session.options,
                "dataset": self.session.dataset,
                "dates": self.session.calendar.dates,
                "calendar": self.session.calendar.kind,
                "bars": self.session.samples(),
                "cache": self.session.cache_stats(),
            });
            Ok(info.to_string())
        })
    }
}

impl Engine {
    fn trial(&self, level: Option<u32>) -> Result<Trial<'_>> {
        let strategy = self.strategy.native()?;
        Ok(Trial { session: self.session_of(level)?, strategy, identity: self.template(level)? })
    }

    fn stage(&self, level: u32) -> Result<&Stage> {
        let missing = || Error::config(1001, format!("there is no pruning level {level}")).at("level");
        self.levels.get(&level).ok_or_else(missing)
    }

    /// The session of a pruning level, or of the whole window.
    pub(crate) fn session_of(&self, level: Option<u32>) -> Result<&Arc<Session>> {
        level.map_or(Ok(&self.session), |level| self.stage(level).map(|stage| &stage.session))
    }

    /// The identity documents of a pruning level, or of the whole window.
    pub(crate) fn template(&self, level: Option<u32>) -> Result<&IdentityTemplate> {
        level.map_or(Ok(&self.identity), |level| self.stage(level).map(|stage| &stage.identity))
    }

    /// The canonical set of JSON parameters.
    fn canonical(&self, params: &str) -> Result<Canonical> {
        let raw = parse(params, "params")?;
        canonicalise(self.strategy.declaration(), &self.session.context(), &raw).map_err(|p| together(&p))
    }

    /// The user's strategy, and the canonical set of JSON parameters.
    pub(crate) fn user(&self, params: &str) -> Result<(&UserStrategy, Canonical)> {
        match &self.strategy {
            Source::User(strategy) => Ok((strategy, self.canonical(params)?)),
            Source::Native(_) => Err(Error::engine(4004, "a native strategy takes no tables")),
        }
    }

    /// A backtest in full, of the canonical JSON of its parameters.
    pub(crate) fn backtest(
        &self,
        params: &str,
        identity: String,
        digests: Digests,
        outcome: Outcome,
        level: Option<u32>,
    ) -> Result<Backtest> {
        let identity = Some((self.template(level)?.document(params), identity));
        Ok(Backtest { session: Arc::clone(self.session_of(level)?), identity, digests, outcome })
    }

    fn instrument(&self, symbol: usize) -> Result<&Instrument> {
        let instruments = &self.session.instruments;
        instruments.get(symbol).ok_or_else(|| Error::engine(1003, format!("there is no symbol {symbol}")))
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
            let mut all = first.clone();
            all.what = format!("{} (and {})", first.what, others.join("; "));
            all.with("problems", problems.iter().map(problem).collect())
        }
    }
}

/// A problem for machines.
fn problem(error: &Error) -> Json {
    object!({"code": error.code, "what": error.what, "where": error.place, "remedy": error.remedy})
}

/// The results of a batch, in the order of its parameters.
#[pyclass(frozen, module = "sweep._core")]
pub struct Batch {
    pub(crate) rows: Vec<Timed>,
}

#[pymethods]
impl Batch {
    /// One row per parameter set: status, kind, reason, params, identity, digests, seconds, metrics, and the daily returns.
    fn to_table(&self, py: Python<'_>, returns: bool) -> PyResult<ArrowTable> {
        detached(py, || Ok(ArrowTable(batch_table(&self.rows, returns)?)))
    }
}

/// Runs a table of signals (and of exits) in place of a strategy: JSON rows by label.
///
/// signals: [{time, symbol?, direction, order_type?, entry?, stop_loss, take_profit?, size?, valid_bars?, good_till?,
/// oco_group?, reason?, scenario?, tag?, meta?}]; exits: [{time, symbol?, direction, action, price?, kind?, lots?,
/// fraction?}]; rules: {timeout_minutes?, timeout_bars?, same_bar_reentry?, be_r?, be_buffer_pips?, trail_start_r?,
/// trail_distance?, cooldown_bars?}. Times in µs UTC. `rates` maps pairs to markets.
#[pyfunction]
#[pyo3(signature = (market, options, signals, exits, rules, rates = None))]
pub fn run_signals(
    py: Python<'_>,
    market: Markets<'_>,
    options: &str,
    signals: &str,
    exits: &str,
    rules: &str,
    rates: RateMarkets<'_>,
) -> PyResult<Backtest> {
    let (markets, rates) = (market.shared(), shared(rates));
    detached(py, || {
        let session = session(&markets, &mut parse(options, "options")?, &rates)?;
        let scripts = scripts::read(&session, signals, exits, &parse(rules, "rules")?)?;
        let mut outcome = simulation::run(&session, &scripts, true)?;
        let outside = scripts.iter().zip(&session.instruments);
        outcome.outside_window = outside.map(|(s, x)| s.decider.outside(&x.traded())).sum();
        let digests = Digests::of(&outcome, &session);
        Ok(Backtest { session: Arc::new(session), identity: None, digests, outcome })
    })
}
