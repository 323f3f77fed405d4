//! The option section `gates`: [name, value] pairs in configured order.

use super::anchored::Anchored;
use super::cooldown::Cooldown;
use super::news::News;
use super::sessions::Sessions;
use crate::execution::resolve::items;
use crate::suggest::suggestion;
use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};

/// The windows of a gate, of which there has to be one.
///
/// # Errors
/// [1001] for none, [1004] for what is no list; those of `read`, which is given each with its place.
pub(super) fn windows<W>(json: &Json, place: &str, read: fn(&Json, &str) -> Result<W>) -> Result<Vec<W>> {
    let list = items(json, place)?;
    if list.is_empty() {
        return Err(Error::config(1001, "without a window no entry is ever allowed")
            .at(place)
            .fix("give a window, or leave the gate out"));
    }
    list.iter().enumerate().map(|(k, window)| read(window, &format!("{place}.{k}"))).collect()
}

/// The gates there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Windows of local time.
    Sessions,
    /// Windows around openings.
    Anchored,
    /// Events of a calendar.
    News,
    /// Pauses.
    Cooldown,
}

impl Name {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::Anchored, Self::News, Self::Cooldown];

    /// Key of the config and text of the reports.
    pub fn text(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Anchored => "anchored",
            Self::News => "news",
            Self::Cooldown => "cooldown",
        }
    }
}

/// A configured gate.
#[derive(Debug, Clone, PartialEq)]
pub enum Gate {
    /// Windows of local time.
    Sessions(Sessions),
    /// Windows around openings.
    Anchored(Anchored),
    /// Events of a calendar.
    News(News),
    /// Pauses.
    Cooldown(Cooldown),
}

impl Gate {
    fn read(name: Name, json: &Json) -> Result<Self> {
        Ok(match name {
            Name::Sessions => Self::Sessions(Sessions::read(json)?),
            Name::Anchored => Self::Anchored(Anchored::read(json)?),
            Name::News => Self::News(News::read(json)?),
            Name::Cooldown => Self::Cooldown(Cooldown::read(json)?),
        })
    }

    /// Its name.
    pub fn name(&self) -> Name {
        match self {
            Self::Sessions(_) => Name::Sessions,
            Self::Anchored(_) => Name::Anchored,
            Self::News(_) => Name::News,
            Self::Cooldown(_) => Name::Cooldown,
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Self::Sessions(sessions) => sessions.to_json(),
            Self::Anchored(anchored) => anchored.to_json(),
            Self::News(news) => news.to_json(),
            Self::Cooldown(cooldown) => json!(cooldown),
        }
    }

    fn identity(&self) -> Result<Json> {
        match self {
            Self::News(news) => news.identity(),
            other => Ok(other.to_json()),
        }
    }
}

/// The configured gates, in configured order. Gates that are null and a cooldown of zeros are not among them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GateOptions(Vec<Gate>);

impl GateOptions {
    /// Of a list of [name, value].
    ///
    /// # Errors
    /// [1001] unknown or repeated name, and as the gates; [1004] no list of pairs.
    pub fn read(json: Option<&Json>) -> Result<Self> {
        let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(Self::default()) };
        let mut gates: Vec<Gate> = Vec::new();
        for pair in items(json, "gates")? {
            let (name, value) = match pair.as_array().map(Vec::as_slice) {
                Some([Json::String(name), value]) => (named(name)?, value),
                _ => return Err(Error::config(1004, format!("a pair is needed, not {pair}")).at("gates")),
            };
            if value.is_null() {
                continue;
            }
            if gates.iter().any(|gate| gate.name() == name) {
                return Err(Error::config(1001, format!("{} is there twice", name.text())).at("gates"));
            }
            let gate = Gate::read(name, value)?;
            if !matches!(&gate, Gate::Cooldown(cooldown) if !cooldown.active()) {
                gates.push(gate);
            }
        }
        Ok(Self(gates))
    }

    /// Them.
    pub fn gates(&self) -> &[Gate] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Complete pairs in configured order, which read as the same gates.
    pub fn to_json(&self) -> Json {
        self.0.iter().map(|gate| json!([gate.name().text(), gate.to_json()])).collect()
    }

    /// What an identity document holds: the same pairs, with the digest of the events of `news` in their place.
    ///
    /// # Errors
    /// [1003] for a time that JSON cannot hold.
    pub fn identity(&self) -> Result<Json> {
        self.0.iter().map(|gate| Ok(json!([gate.name().text(), gate.identity()?]))).collect()
    }
}

fn named(text: &str) -> Result<Name> {
    Name::ALL.into_iter().find(|name| name.text() == text).ok_or_else(|| {
        Error::config(1001, format!("unknown gate {text:?}"))
            .at("gates")
            .fix(suggestion(text, Name::ALL.map(Name::text)))
    })
}

impl Serialize for GateOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GateOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::read(Some(&json)).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
