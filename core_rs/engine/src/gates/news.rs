//! Gate `news`: entries are blocked around the events of a calendar.

use super::clock::MINUTE;
use super::intervals::Intervals;
use crate::execution::resolve::{Section, items};
use crate::market::SymbolSpec;
use crate::schema::Digest;
use crate::{Error, Result, json as canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const PLACE: &str = "gates.news";

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

const IMPACTS: [&str; 3] = ["low", "medium", "high"];

/// What a symbol may have for a currency: that of money, or what a lot consists of, such as XAU and DE40.
///
/// # Errors
/// [1001] if it is written otherwise.
fn check_currency(name: &str, place: &str) -> Result<()> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Ok(());
    }
    Err(Error::config(1001, format!("{name:?} is no currency"))
        .at(place)
        .fix("use capital letters, for example USD"))
}

/// A scheduled event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Event {
    /// µs UTC.
    time: i64,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<Impact>,
}

impl Event {
    fn read(json: &Json, place: &str) -> Result<Self> {
        let mut s = Section::new(place, Some(json))?;
        let time =
            s.given("time").ok_or_else(|| Error::config(1008, "time is missing").at(s.place("time")))?;
        let time = time.as_i64().ok_or_else(|| {
            Error::config(1004, format!("µs UTC are needed, not {time}")).at(s.place("time"))
        })?;
        // Zone data and text forms end long before; the bound keeps sums of times and offsets exact.
        if time.abs_diff(0) > canonical::MAX_INTEGER.abs_diff(0) {
            return Err(Error::config(1003, format!("{time} is out of range")).at(s.place("time")));
        }
        let currency = s.required_text("currency")?;
        check_currency(&currency, &s.place("currency"))?;
        let impact = s.choice("impact", None, &IMPACTS)?;
        s.finish()?;
        Ok(Self { time, currency, impact })
    }
}

/// Which symbols the events of a currency block, besides those that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Blocks {
    /// All: "*".
    All(char),
    /// Those with one of these currencies.
    Currencies(Vec<String>),
}

impl Blocks {
    fn read(json: &Json, place: &str) -> Result<Self> {
        if json.as_str() == Some("*") {
            return Ok(Self::All('*'));
        }
        let mut currencies = Vec::new();
        for (k, item) in items(json, place)?.iter().enumerate() {
            let place = format!("{place}.{k}");
            let code = item.as_str().ok_or_else(|| {
                Error::config(1004, format!("a currency is needed, not {item}")).at(place.as_str())
            })?;
            check_currency(code, &place)?;
            currencies.push(code.to_owned());
        }
        currencies.sort();
        currencies.dedup();
        Ok(Self::Currencies(currencies))
    }

    fn covers(&self, spec: &SymbolSpec) -> bool {
        match self {
            Self::All(_) => true,
            Self::Currencies(list) => {
                list.iter().any(|c| *c == spec.base_currency || *c == spec.quote_currency)
            }
        }
    }
}

/// Events, and how long before and after them entries are blocked.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// Sorted, each once.
    events: Vec<Event>,
    before_minutes: i64,
    after_minutes: i64,
    min_impact: Option<Impact>,
    blocks: BTreeMap<String, Blocks>,
}

impl News {
    /// # Errors
    /// [1001] unknown key, currency or impact; [1003] out of range; [1004] wrong type; [1008] without events.
    pub(super) fn read(json: &Json) -> Result<Self> {
        let mut s = Section::new(PLACE, Some(json))?;
        let place = s.place("events");
        let events = s.given("events").ok_or_else(|| {
            Error::config(1008, "events are missing").at(place.as_str()).fix("give a list, or a CSV file")
        })?;
        let mut events: Vec<Event> = items(events, &place)?
            .iter()
            .enumerate()
            .map(|(k, event)| Event::read(event, &format!("{place}.{k}")))
            .collect::<Result<_>>()?;
        events.sort();
        events.dedup();
        let before_minutes = i64::from(s.whole::<u32>("before_minutes", 60)?);
        let after_minutes = i64::from(s.whole::<u32>("after_minutes", 30)?);
        let min_impact = s.choice("min_impact", None, &IMPACTS)?;
        let map = Section::new(format!("{PLACE}.blocks"), s.given("blocks"))?;
        s.finish()?;
        let mut blocks = BTreeMap::new();
        for (currency, list) in map.mapping().into_iter().flatten() {
            let place = format!("{PLACE}.blocks.{currency}");
            check_currency(currency, &place)?;
            blocks.insert(currency.clone(), Blocks::read(list, &place)?);
        }
        Ok(Self { events, before_minutes, after_minutes, min_impact, blocks })
    }

    /// A complete mapping.
    pub(super) fn to_json(&self) -> Json {
        self.with_events(serde_json::to_value(&self.events).unwrap_or_default())
    }

    /// A complete mapping with the SHA-256 of the canonical events in their place.
    ///
    /// # Errors
    /// [1003] for a time that JSON cannot hold.
    pub(super) fn identity(&self) -> Result<Json> {
        let events = serde_json::to_value(&self.events).unwrap_or_default();
        let text = canonical::canonical(&events)?;
        Ok(self.with_events(Digest(Sha256::digest(text).into()).to_string().into()))
    }

    fn with_events(&self, events: Json) -> Json {
        let mut map = Map::new();
        map.insert("events".into(), events);
        map.insert("before_minutes".into(), self.before_minutes.into());
        map.insert("after_minutes".into(), self.after_minutes.into());
        if let Some(impact) = self.min_impact {
            map.insert("min_impact".into(), json!(impact));
        }
        if !self.blocks.is_empty() {
            map.insert("blocks".into(), json!(self.blocks));
        }
        Json::Object(map)
    }

    /// Whether an event of that currency concerns the symbol.
    fn concerns(&self, currency: &str, spec: &SymbolSpec) -> bool {
        currency == spec.base_currency
            || currency == spec.quote_currency
            || self.blocks.get(currency).is_some_and(|blocks| blocks.covers(spec))
    }

    /// When the gate is closed for a symbol, µs. An event without an impact counts whatever the least impact is.
    pub fn closed(&self, spec: &SymbolSpec) -> Intervals {
        let matters = |event: &&Event| {
            let small =
                event.impact.is_some_and(|impact| self.min_impact.is_some_and(|least| impact < least));
            !small && self.concerns(&event.currency, spec)
        };
        let (before, after) = (self.before_minutes * MINUTE, self.after_minutes * MINUTE);
        let around = |event: &Event| (event.time - before, event.time + after);
        Intervals::union(self.events.iter().filter(matters).map(around).collect())
    }
}

#[cfg(test)]
mod tests;
