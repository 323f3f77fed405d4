//! The identity of a trial: canonical JSON of everything that determines it, and its SHA-256.

use crate::SEMANTICS;
use crate::declare::Declaration;
use crate::error::Result;
use crate::execution::options::{MetricOptions, RateOptions};
use crate::json;
use crate::market::calendar::iso;
use crate::market::{Alignment, Market};
use crate::run::session::{Instrument, Session};
use crate::schema::Digest;
use serde_json::{Map, Value as Json, json as object};
use sha2::{Digest as _, Sha256};

/// The identity documents of all trials of one engine: they differ in `params` alone.
#[derive(Debug, Clone)]
pub struct IdentityTemplate {
    before: String,
    after: String,
}

impl IdentityTemplate {
    /// For a strategy on a session.
    ///
    /// # Errors
    /// [1003] for a number that JSON cannot hold.
    pub fn new(session: &Session, strategy: &Declaration) -> Result<Self> {
        let Session { instruments, options, .. } = session;
        let market = &instruments[0].market;
        let mut execution = serde_json::to_value(&options.execution).unwrap_or_default();
        if let Some(map) = execution.as_object_mut() {
            map.remove("seed");
        }
        let mut before = Map::new();
        before.insert("account".into(), serde_json::to_value(&options.account).unwrap_or_default());
        before.insert("costs".into(), costs(session));
        before.insert("dataset".into(), session.dataset.as_str().into());
        if !options.early_stop.is_unset() {
            before.insert("early_stop".into(), serde_json::to_value(&options.early_stop).unwrap_or_default());
        }
        before.insert("engine".into(), object!({ "semantics": SEMANTICS }));
        before.insert("execution".into(), execution);
        if !options.gates.is_empty() {
            before.insert("gates".into(), options.gates.identity()?);
        }
        if options.metrics != MetricOptions::default() {
            before.insert("metrics".into(), serde_json::to_value(&options.metrics).unwrap_or_default());
        }
        if market.alignment() != Alignment::default() {
            let Alignment { day, stale_after } = market.alignment();
            before.insert("market".into(), object!({ "day": day, "stale_after": stale_after }));
        }
        let mut after = Map::new();
        if let Some(rates) = rates(session) {
            after.insert("rates".into(), rates);
        }
        after.insert("seed".into(), options.execution.seed.to_string().into());
        after.insert("strategy".into(), object!({ "id": strategy.id, "version": strategy.version }));
        after.insert("symbols".into(), symbols(session));
        after.insert("v".into(), 1.into());
        after.insert("window".into(), window(session));
        let before = json::canonical(&Json::Object(before))?;
        let after = json::canonical(&Json::Object(after))?;
        // Every key before "params" sorts before it, every key after it after it.
        Ok(Self {
            before: format!("{},\"params\":", &before[..before.len() - 1]),
            after: format!(",{}", &after[1..]),
        })
    }

    /// The identity document of canonical parameters, given as their canonical JSON.
    pub fn document(&self, params: &str) -> String {
        format!("{}{params}{}", self.before, self.after)
    }

    /// SHA-256 of the document, lower-case hex.
    pub fn identity(&self, params: &str) -> String {
        let mut hash = Sha256::new();
        for part in [self.before.as_str(), params, self.after.as_str()] {
            hash.update(part.as_bytes());
        }
        Digest(hash.finalize().into()).to_string()
    }
}

/// Numbers alone, or with series, by their digests, and how old a rate of theirs may be; `None` without rates.
fn rates(session: &Session) -> Option<Json> {
    let RateOptions { fixed, max_rate_age_hours } = &session.options.rates;
    let series = &session.rate_datasets;
    match (fixed.is_empty(), series.is_empty()) {
        (true, true) => None,
        (false, true) => Some(object!({ "static": fixed })),
        (_, false) => {
            Some(object!({ "static": fixed, "series": series, "max_rate_age_hours": max_rate_age_hours }))
        }
    }
}

/// Of one symbol as they are; of several the commission by symbol.
fn costs(session: &Session) -> Json {
    let mut costs = serde_json::to_value(&session.options.costs).unwrap_or_default();
    if let (Some(map), [_, _, ..]) = (costs.as_object_mut(), &session.instruments[..]) {
        let commission = |x: &Instrument| {
            let terms = serde_json::to_value(&x.costs.commission).unwrap_or_default();
            (x.market.spec().symbol.clone(), terms)
        };
        map.insert("commission".into(), session.instruments.iter().map(commission).collect());
    }
    costs
}

fn symbols(session: &Session) -> Json {
    let spec = |x: &Instrument| {
        let spec = serde_json::to_value(x.market.spec()).unwrap_or_default();
        (x.market.spec().symbol.clone(), without(spec, "symbol"))
    };
    Json::Object(session.instruments.iter().map(spec).collect())
}

fn without(mut json: Json, key: &str) -> Json {
    if let Some(map) = json.as_object_mut() {
        map.remove(key);
        map.retain(|_, v| !v.is_null());
    }
    json
}

/// The window of all symbols, or where they differ that of each; of a pruning level its number and its parts as well.
fn window(session: &Session) -> Json {
    let mut window = whole_window(session);
    if let (Some(map), Some(level)) = (window.as_object_mut(), &session.level) {
        let parts: Vec<_> = level.bounds.iter().map(|&(from, until)| [iso(from), iso(until)]).collect();
        map.insert("level".into(), level.number.into());
        map.insert("parts".into(), object!(parts));
    }
    window
}

fn whole_window(session: &Session) -> Json {
    let of = |market: &Market| {
        object!({
            "history_from": iso(market.history_from()),
            "trade_from": iso(market.trade_from()),
            "trade_until": iso(market.trade_until()),
        })
    };
    let windows: Vec<(String, Json)> =
        session.instruments.iter().map(|x| (x.market.spec().symbol.clone(), of(&x.market))).collect();
    match &windows[..] {
        [(_, first), others @ ..] if others.iter().all(|(_, window)| window == first) => first.clone(),
        _ => Json::Object(windows.into_iter().collect()),
    }
}
