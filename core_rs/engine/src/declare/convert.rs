//! One raw value to its declared type, and the check against its domain.

use serde_json::Value as Json;

use super::parameter::{Kind, Parameter};
use crate::json::{MAX_INTEGER, canonical};
use crate::suggest::suggestion;
use crate::{Error, Result, Value};

/// The typed, valid value that `json` means for `parameter`.
///
/// # Errors
/// `[1004]` for a wrong type, `[1003]` for a number outside the domain, `[1001]` for an unknown choice.
pub(super) fn convert(parameter: &Parameter, json: &Json) -> Result<Value> {
    let is_none = json.is_null()
        || json.as_str().is_some_and(|s| {
            s.eq_ignore_ascii_case("none")
                || parameter.none_word.is_some_and(|word| s.eq_ignore_ascii_case(word))
        });
    if parameter.optional && is_none {
        return Ok(Value::None);
    }
    let value = match parameter.kind {
        Kind::Int => whole(json).map(Value::Int),
        Kind::Float => json.as_f64().map(|x| Value::Float(x + 0.0)),
        Kind::Bool => json.as_bool().map(Value::Bool),
        Kind::Categorical => json.as_str().map(|s| Value::Text(s.to_owned())),
        Kind::Set => joined(json).map(Value::Text),
        Kind::Map => return mapping(parameter, json),
    };
    check(parameter, value.ok_or_else(|| wrong_type(parameter, json))?)
}

/// The value in canonical form, if it lies in the domain.
pub(super) fn check(parameter: &Parameter, value: Value) -> Result<Value> {
    match (parameter.kind, value) {
        (_, Value::None) if parameter.optional => Ok(Value::None),
        (Kind::Int, Value::Int(i)) => within(parameter, Value::Int(i)),
        (Kind::Float, Value::Float(x)) => within(parameter, Value::Float(x)),
        (Kind::Bool, Value::Bool(b)) => Ok(Value::Bool(b)),
        (Kind::Categorical, Value::Text(s)) => choice(parameter, &s).map(|s| Value::Text(s.to_owned())),
        (Kind::Set, Value::Text(s)) => members(parameter, &s).map(Value::Text),
        (Kind::Map, Value::Text(s)) => mapping(parameter, &Json::String(s)),
        (_, value) => Err(wrong_type(parameter, &value.to_json())),
    }
}

/// A whole number; tables and JSON writers may give 3 as 3.0.
fn whole(json: &Json) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation)]
    json.as_i64().or_else(|| json.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 9e18).map(|x| x as i64))
}

/// A set as joined text: from text, a whole number, or a list of both.
fn joined(json: &Json) -> Option<String> {
    match json {
        Json::String(s) => Some(s.clone()),
        Json::Number(_) => whole(json).map(|i| i.to_string()),
        Json::Array(items) => {
            let parts: Option<Vec<String>> =
                items.iter().map(|item| if item.is_array() { None } else { joined(item) }).collect();
            parts.map(|parts| parts.join("+"))
        }
        _ => None,
    }
}

/// A mapping as canonical JSON, from a mapping or its text.
fn mapping(parameter: &Parameter, json: &Json) -> Result<Value> {
    let read: Option<Json> = match json {
        Json::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    };
    match read.filter(Json::is_object) {
        Some(map) => canonical(&map).map(Value::Text).map_err(|error| error.at(place(parameter))),
        None => Err(wrong_type(parameter, json)),
    }
}

fn within(parameter: &Parameter, value: Value) -> Result<Value> {
    let domain = &parameter.domain;
    let exact = !matches!(value, Value::Int(i) if i.unsigned_abs() > MAX_INTEGER.unsigned_abs());
    match value.number() {
        Some(x) if exact && x.is_finite() && domain.contains(x) => Ok(value),
        _ => Err(Error::config(1003, format!("{} = {value} is outside its domain", parameter.name))
            .at(place(parameter))
            .fix(format!("valid: {domain}"))),
    }
}

fn choice<'a>(parameter: &'a Parameter, text: &str) -> Result<&'a str> {
    let domain = &parameter.domain;
    let meant = domain.synonyms.iter().find(|(word, _)| word == text).map_or(text, |(_, meant)| meant);
    if let Some(known) = domain.choices.iter().find(|known| *known == meant) {
        return Ok(known);
    }
    Err(Error::config(1001, format!("{} has no value `{text}`", parameter.name))
        .at(place(parameter))
        .fix(suggestion(text, domain.choices.iter().map(String::as_str))))
}

/// The members in the order of the domain, each once.
fn members(parameter: &Parameter, text: &str) -> Result<String> {
    let upper = if parameter.any_case { text.to_ascii_uppercase() } else { text.to_owned() };
    let parts: Vec<&str> = upper.split('+').map(str::trim).collect();
    if text.trim().is_empty() && parameter.may_be_empty {
        return Ok(String::new());
    }
    if text.trim().is_empty() {
        return Err(Error::config(1001, format!("{} is empty", parameter.name))
            .at(place(parameter))
            .fix(format!("give at least one of {}", parameter.domain)));
    }
    for part in &parts {
        choice(parameter, part)?;
    }
    let chosen = parameter.domain.choices.iter().filter(|known| parts.contains(&known.as_str()));
    Ok(chosen.map(String::as_str).collect::<Vec<_>>().join("+"))
}

fn place(parameter: &Parameter) -> String {
    format!("parameter {}", parameter.name)
}

fn wrong_type(parameter: &Parameter, json: &Json) -> Error {
    let or_none = if parameter.optional { " or none" } else { "" };
    let mut shown: String = json.to_string().chars().take(60).collect();
    if shown.is_empty() {
        shown.push('?');
    }
    Error::config(1004, format!("{} = {shown} is no {}{or_none}", parameter.name, parameter.kind.name()))
        .at(place(parameter))
        .fix(format!("give {}", expected(parameter)))
}

fn expected(parameter: &Parameter) -> String {
    match parameter.kind {
        Kind::Int => format!("a whole number, {}", parameter.domain),
        Kind::Float => format!("a number, {}", parameter.domain),
        Kind::Bool => "true or false".to_owned(),
        Kind::Categorical => format!("one of {}", parameter.domain),
        Kind::Set => format!("a list, or text joined by +, of {}", parameter.domain),
        Kind::Map => "a mapping".to_owned(),
    }
}
