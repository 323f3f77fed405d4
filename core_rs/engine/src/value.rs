//! A parameter value: what crosses from a table or JSON into a strategy.

use serde_json::Value as Json;

/// The value of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// "none", where a parameter allows it.
    None,
    /// true or false.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Finite binary64.
    Float(f64),
    /// Text: a choice, a timeframe, the canonical `a+b` form of a set.
    Text(String),
}

impl Value {
    /// The JSON form.
    pub fn to_json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(b) => Json::from(*b),
            Self::Int(i) => Json::from(*i),
            Self::Float(x) => Json::from(*x),
            Self::Text(s) => Json::from(s.as_str()),
        }
    }

    /// From JSON; arrays become the joined form of a set, objects are refused.
    pub fn from_json(json: &Json) -> Option<Self> {
        Some(match json {
            Json::Null => Self::None,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => match n.as_i64() {
                Some(i) => Self::Int(i),
                None => Self::Float(n.as_f64()?),
            },
            Json::String(s) => Self::Text(s.clone()),
            Json::Array(items) => {
                let parts: Option<Vec<String>> = items
                    .iter()
                    .map(|v| match v {
                        Json::String(s) => Some(s.clone()),
                        Json::Number(n) => Some(n.to_string()),
                        _ => None,
                    })
                    .collect();
                Self::Text(parts?.join("+"))
            }
            Json::Object(_) => return None,
        })
    }

    /// As a number, if it is one (booleans are not).
    pub fn number(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss)]
            Self::Int(i) => Some(*i as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Text(s) => f.write_str(s),
        }
    }
}
