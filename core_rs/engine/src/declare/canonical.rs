//! The canonical parameter set of a trial.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::Value;
use crate::json::{push_number, push_text};

/// Valid parameters in their declared types: what a strategy reads, and what enters the identity.
#[derive(Debug, Clone, PartialEq)]
pub struct Canonical {
    /// Every active parameter.
    pub params: BTreeMap<Arc<str>, Value>,
    /// The strategy's derived names.
    pub derived: BTreeMap<String, Value>,
    /// Messages of constraints of severity warning that are violated.
    pub warnings: Vec<String>,
    pub(super) defaults: Arc<BTreeMap<String, Value>>,
}

impl Canonical {
    /// RFC 8785 text of the parameters: the key under which equal sets are recognised.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(32 * self.params.len());
        out.push('{');
        // Names are ASCII, so the order of the map is the order of RFC 8785.
        for (index, (name, value)) in self.params.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_text(&mut out, name);
            out.push(':');
            match value {
                Value::None => out.push_str("null"),
                Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
                Value::Int(i) => out.push_str(&i.to_string()),
                Value::Float(x) => push_number(&mut out, *x),
                Value::Text(s) => push_text(&mut out, s),
            }
        }
        out.push('}');
        out
    }

    /// The value of a parameter (its default where it is inactive) or derived name.
    ///
    /// # Panics
    /// If there is no such name: a bug of the strategy.
    pub fn value(&self, name: &str) -> &Value {
        let found =
            self.params.get(name).or_else(|| self.derived.get(name)).or_else(|| self.defaults.get(name));
        match found {
            Some(value) => value,
            None => panic!("no parameter or derived name {name}"),
        }
    }

    /// A whole number.
    ///
    /// # Panics
    /// If `name` is unknown or no whole number: a bug of the strategy, as with the other getters.
    pub fn int(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Int(i) => *i,
            other => wrong(name, other, "int"),
        }
    }

    /// A whole number that is not negative, as a count of bars.
    ///
    /// # Panics
    /// As [`Canonical::int`], and if it is negative.
    pub fn count(&self, name: &str) -> usize {
        match usize::try_from(self.int(name)) {
            Ok(count) => count,
            Err(_) => wrong(name, self.value(name), "count"),
        }
    }

    /// A whole number or none.
    ///
    /// # Panics
    /// As [`Canonical::int`].
    pub fn optional_int(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Value::None => None,
            _ => Some(self.int(name)),
        }
    }

    /// A number.
    ///
    /// # Panics
    /// As [`Canonical::int`].
    pub fn float(&self, name: &str) -> f64 {
        match self.value(name) {
            Value::Float(x) => *x,
            other => wrong(name, other, "float"),
        }
    }

    /// A number or none.
    ///
    /// # Panics
    /// As [`Canonical::int`].
    pub fn optional_float(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Value::None => None,
            _ => Some(self.float(name)),
        }
    }

    /// A boolean.
    ///
    /// # Panics
    /// As [`Canonical::int`].
    pub fn boolean(&self, name: &str) -> bool {
        match self.value(name) {
            Value::Bool(b) => *b,
            other => wrong(name, other, "bool"),
        }
    }

    /// A choice, or the joined text of a set.
    ///
    /// # Panics
    /// As [`Canonical::int`].
    pub fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Value::Text(s) => s,
            other => wrong(name, other, "text"),
        }
    }

    /// A mapping.
    ///
    /// # Panics
    /// As [`Canonical::int`].
    pub fn map(&self, name: &str) -> Map<String, Json> {
        match serde_json::from_str(self.text(name)) {
            Ok(map) => map,
            Err(_) => wrong(name, self.value(name), "map"),
        }
    }
}

fn wrong(name: &str, value: &Value, wanted: &str) -> ! {
    panic!("{name} = {value} was read as {wanted}")
}
