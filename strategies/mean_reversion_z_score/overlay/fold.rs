//! Folds `scenario6_params`, the flat names and the strategy's own parameters into one map: per timeframe and direction
//! every value that is read. Parameter sets that mean the same overlay become equal.

use super::declaration::{DIRECTIONS, KEYS, chosen, named, timeframes};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use sweep_engine::declare::{Draft, Parameter};
use sweep_engine::suggest::suggestion;
use sweep_engine::{Error, Result, Value};

/// Typed values by key.
type Values = BTreeMap<String, Value>;

/// What was given for one timeframe.
#[derive(Debug, Default)]
struct Block {
    /// For both directions.
    direct: Values,
    /// For one direction, instead of `direct`.
    directions: BTreeMap<String, Values>,
}

/// Replaces the three parameters by what they mean.
pub fn fold(draft: &mut Draft<'_>) {
    let blocks = read(draft);
    if *draft.value("scenario6_timeframes") == Value::None {
        return; // refused already
    }
    let names = chosen(draft);
    if draft.contains("enabled_scenarios", "6") {
        for name in &names {
            blocks.get(name).into_iter().for_each(|block| warn_of_hidden(draft, name, block));
        }
    }
    let mut folded = Map::new();
    for name in &names {
        let block = blocks.get(name);
        let both = DIRECTIONS.map(|(direction, threshold)| {
            let values = values(draft, name, block, direction, threshold);
            let values: Map<String, Json> =
                values.iter().map(|(key, x)| (key.clone(), x.to_json())).collect();
            (direction.to_owned(), Json::Object(values))
        });
        folded.insert(name.clone(), both.into_iter().collect());
    }
    match sweep_engine::json::canonical(&Json::Object(folded)) {
        Ok(text) => draft.set("scenario6_params", Value::Text(text)),
        Err(problem) => draft.refuse(problem),
    }
    // Of one timeframe all and any are the same.
    if names.len() < 2 {
        draft.set("scenario6_mode", Value::Text("all".to_owned()));
    }
    draft.set("scenario6_timeframes", Value::Text(names.join("+")));
}

/// The values of one timeframe and direction: flat name, else the block's, else the strategy's own.
fn values(
    draft: &mut Draft<'_>,
    timeframe: &str,
    block: Option<&Block>,
    direction: &str,
    threshold: &str,
) -> Values {
    let in_block = |key: &str| {
        let block = block?;
        block.directions.get(direction).unwrap_or(&block.direct).get(key).cloned()
    };
    let mut found = Values::new();
    for key in KEYS {
        let flat = flat(draft, timeframe, direction, &[key]);
        let value = flat.or_else(|| in_block(key)).unwrap_or_else(|| draft.value(key).clone());
        found.insert(key.to_owned(), value);
    }
    let flat = flat(draft, timeframe, direction, &["z_score", threshold]);
    let given = flat.or_else(|| in_block("z_score")).or_else(|| in_block(threshold));
    found.insert("z_score".to_owned(), given.unwrap_or_else(|| draft.value(threshold).clone()));
    found
}

/// The value of a flat name, under each of `keys` and each name of the timeframe; two of them are a contradiction.
fn flat(draft: &mut Draft<'_>, timeframe: &str, direction: &str, keys: &[&str]) -> Option<Value> {
    let same: Vec<&str> = timeframes().into_iter().filter(|other| named(draft, other) == timeframe).collect();
    let names =
        same.iter().flat_map(|name| keys.iter().map(move |k| format!("scenario6_{name}_{direction}_{k}")));
    let given: Vec<(String, Value)> =
        names.filter_map(|name| draft.member(&name).cloned().map(|value| (name, value))).collect();
    if let [(first, _), (second, _), ..] = given.as_slice() {
        draft.refuse(
            Error::config(1006, format!("{first} and {second} are the same and both given"))
                .at(format!("parameters {first}, {second}"))
                .fix("give one of them"),
        );
    }
    given.into_iter().next().map(|(_, value)| value)
}

/// The blocks of `scenario6_params` by timeframe, each value typed and in its domain; what is wrong is refused.
fn read(draft: &mut Draft<'_>) -> BTreeMap<String, Block> {
    let mut blocks = BTreeMap::new();
    let map: Map<String, Json> = match draft.value("scenario6_params") {
        Value::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => Map::new(),
    };
    for (spelled, json) in &map {
        let upper = spelled.to_ascii_uppercase();
        if !timeframes().contains(&upper.as_str()) {
            let what = format!("scenario6_params: `{spelled}` is no timeframe");
            draft.refuse(refusal(1001, what, suggestion(&upper, timeframes())));
            continue;
        }
        let name = named(draft, &upper).to_owned();
        let block = read_block(draft, &format!("scenario6_params.{spelled}"), json);
        if blocks.insert(name.clone(), block).is_some() {
            draft.refuse(refusal(
                1006,
                format!("scenario6_params names {name} twice"),
                "merge the two blocks",
            ));
        }
    }
    blocks
}

fn read_block(draft: &mut Draft<'_>, path: &str, json: &Json) -> Block {
    let mut block = Block::default();
    for (key, value) in entries(draft, path, json) {
        let path = format!("{path}.{key}");
        if DIRECTIONS.iter().any(|(direction, _)| *direction == key) {
            let values = read_direction(draft, &path, &key, &value);
            block.directions.insert(key, values);
        } else if key == "z_score" {
            let remedy = "give z_score_long and z_score_short, or z_score in long and in short";
            draft.refuse(refusal(
                1006,
                format!("{path} would be one signed number for both thresholds"),
                remedy,
            ));
        } else {
            let read = typed(draft, &path, &key, &key, &value);
            keep(draft, &mut block.direct, key, read);
        }
    }
    block
}

fn read_direction(draft: &mut Draft<'_>, path: &str, direction: &str, json: &Json) -> Values {
    let threshold =
        DIRECTIONS.iter().find(|(name, _)| *name == direction).map_or("", |(_, threshold)| threshold);
    let mut values = Values::new();
    for (key, value) in entries(draft, path, json) {
        let of = if key == "z_score" { threshold } else { key.as_str() };
        let read = typed(draft, &format!("{path}.{key}"), &key, of, &value);
        keep(draft, &mut values, key, read);
    }
    if values.contains_key("z_score") && values.contains_key(threshold) {
        let what = format!("{path}: z_score and {threshold} are the same and both given");
        draft.refuse(refusal(1006, what, "give one of them"));
    }
    values
}

fn keep(draft: &mut Draft<'_>, values: &mut Values, key: String, read: Result<Value>) {
    match read {
        Ok(value) => drop(values.insert(key, value)),
        Err(problem) => draft.refuse(problem),
    }
}

/// A value of the overlay, checked as the strategy's own parameter `of`.
fn typed(draft: &Draft<'_>, path: &str, key: &str, of: &str, json: &Json) -> Result<Value> {
    let known: Vec<&str> = KEYS.into_iter().chain(DIRECTIONS.map(|(_, threshold)| threshold)).collect();
    if !known.contains(&of) {
        let what = format!("{path}: the overlay has no key {key}");
        return Err(refusal(1001, what, suggestion(key, known)));
    }
    Parameter { name: path.to_owned(), ..draft.parameter(of).clone() }.value_of(json)
}

/// The entries of a mapping; anything else is refused.
fn entries(draft: &mut Draft<'_>, path: &str, json: &Json) -> Vec<(String, Json)> {
    let Some(map) = json.as_object() else {
        draft.refuse(refusal(1004, format!("{path} is no mapping"), "give key: value pairs"));
        return Vec::new();
    };
    map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn refusal(code: u16, what: String, remedy: impl Into<String>) -> Error {
    Error::config(code, what).at("parameter scenario6_params").fix(remedy)
}

/// Keys that were given and are not read.
fn warn_of_hidden(draft: &mut Draft<'_>, timeframe: &str, block: &Block) {
    for ((direction, _), (_, unread)) in DIRECTIONS.iter().zip(DIRECTIONS.iter().rev()) {
        let Some(values) = block.directions.get(*direction) else { continue };
        let hidden: Vec<&str> = block.direct.keys().map(String::as_str).filter(|key| key != unread).collect();
        if !hidden.is_empty() {
            draft.warn(format!(
                "scenario6_params.{timeframe}: for {direction}s its sub-block alone counts, which hides {}",
                hidden.join(", ")
            ));
        }
        if values.contains_key(*unread) {
            draft.warn(format!("scenario6_params.{timeframe}.{direction}: {unread} is not read there"));
        }
    }
}
