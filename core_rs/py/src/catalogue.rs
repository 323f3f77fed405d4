//! Declarations, catalogues and resolved options as JSON.

use crate::guard::{attached, detached};
use crate::market::json;
use pyo3::prelude::*;
use serde_json::{Map, Value as Json, json as object};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use sweep_engine::declare::canonicalise as canonical;
use sweep_engine::market::{GENERATOR_VERSION, SymbolSpec, Timeframe, ZONE_DATA};
use sweep_engine::metrics::CATALOGUE;
use sweep_engine::run::session::context;
use sweep_engine::run::{NativeStrategy, Strategies, find};
use sweep_engine::{Error, Result, SEMANTICS, Value, schema};
use sweep_strategies::user::UserStrategy;

/// The strategies of the module that was built.
static LISTED: OnceLock<Strategies> = OnceLock::new();

/// Says which strategies the module has; the first call counts.
pub fn list(strategies: Strategies) {
    LISTED.get_or_init(|| strategies);
}

fn listed() -> Strategies {
    LISTED.get().copied().unwrap_or_default()
}

/// The strategy of the module with this id.
///
/// # Errors
/// [1001] naming the nearest ids.
pub fn named(id: &str) -> Result<&'static dyn NativeStrategy> {
    find(listed(), id)
}

fn parse(text: &str, place: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|e| Error::config(3004, format!("not JSON: {e}")).at(place))
}

/// Version, semantics and build of this module, as JSON.
#[pyfunction]
pub fn build_info() -> String {
    object!({
        "version": env!("CARGO_PKG_VERSION"),
        "semantics": SEMANTICS,
        "synthetic_version": GENERATOR_VERSION,
        "zone_data": ZONE_DATA,
        "profile": if cfg!(debug_assertions) { "debug" } else { "optimised" },
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
    })
    .to_string()
}

/// The declarations of the strategies in this module, as a JSON list.
#[pyfunction]
pub fn strategies(py: Python<'_>) -> PyResult<String> {
    attached(py, || {
        Ok(Json::from(listed().iter().map(|s| s.declaration().to_json()).collect::<Vec<_>>()).to_string())
    })
}

/// The declaration of a user's strategy in full, as those of `strategies`.
#[pyfunction]
pub fn declare(py: Python<'_>, declaration: &str) -> PyResult<String> {
    attached(py, || Ok(UserStrategy::of(declaration)?.declaration().to_json().to_string()))
}

/// The canonical form of each parameter set of a JSON list; `strategy` is a name, or the JSON of a user's declaration.
#[pyfunction]
pub fn canonicalise(py: Python<'_>, strategy: &str, timeframe: &str, params: &str) -> PyResult<String> {
    detached(py, || {
        let user = if strategy.starts_with('{') { Some(UserStrategy::of(strategy)?) } else { None };
        let declaration = match &user {
            Some(user) => user.declaration(),
            None => named(strategy)?.declaration(),
        };
        let context = context(timeframe.parse::<Timeframe>()?);
        let list = parse(params, "params")?;
        let sets =
            list.as_array().ok_or_else(|| Error::config(1004, "a JSON list is needed").at("params"))?;
        let one = |set: &Json| -> Json {
            let empty = Map::new();
            match canonical(declaration, &context, set.as_object().unwrap_or(&empty)) {
                Ok(c) => object!({
                    "params": mapping(&c.params), "key": c.to_json(), "derived": mapping(&c.derived),
                    "problems": [], "warnings": c.warnings,
                }),
                Err(problems) => object!({
                    "params": null, "key": null, "derived": {}, "warnings": [],
                    "problems": problems.iter().map(problem).collect::<Vec<_>>(),
                }),
            }
        };
        Ok(Json::from(sets.iter().map(one).collect::<Vec<_>>()).to_string())
    })
}

fn mapping<N: AsRef<str>>(values: &BTreeMap<N, Value>) -> Json {
    values
        .iter()
        .map(|(name, value)| (name.as_ref().to_owned(), value.to_json()))
        .collect::<Map<_, _>>()
        .into()
}

fn problem(e: &Error) -> Json {
    object!({ "code": e.code, "what": e.what, "place": e.place, "remedy": e.remedy })
}

/// The metric catalogue, as a JSON list in canonical order.
#[pyfunction]
pub fn metrics() -> String {
    let rows = CATALOGUE.iter().map(
        |m| object!({ "name": m.name, "unit": m.unit, "definition": m.definition, "null_when": m.null_when }),
    );
    Json::from(rows.collect::<Vec<_>>()).to_string()
}

/// The schema registry, as JSON.
#[pyfunction]
pub fn schemas(py: Python<'_>) -> PyResult<String> {
    attached(py, || Ok(schema::registry::to_json()))
}

/// The specification of a symbol: the built-in table under the overrides.
#[pyfunction]
pub fn symbol_spec(py: Python<'_>, symbol: &str, overrides: &str) -> PyResult<String> {
    attached(py, || {
        let overrides = parse(overrides, "symbol_specs")?;
        json(&SymbolSpec::resolve(symbol, overrides.as_object().unwrap_or(&Map::new()))?)
    })
}

/// Complete options from partial ones; `symbol` picks its own commission.
#[pyfunction]
#[pyo3(signature = (options, symbol = ""))]
pub fn resolve(py: Python<'_>, options: &str, symbol: &str) -> PyResult<String> {
    attached(py, || json(&sweep_engine::execution::resolve::resolve(&parse(options, "options")?, symbol)?))
}
