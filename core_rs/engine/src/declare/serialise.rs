//! The JSON form of a declaration: what listings, docs and the search space are made from.

use serde_json::{Value as Json, json};

use super::declaration::Declaration;
use super::domain::Domain;
use super::family::Family;
use super::parameter::{Kind, Parameter};
use super::range::Range;
use crate::Value;

impl Declaration {
    /// The declaration as JSON.
    pub fn to_json(&self) -> Json {
        let derived = self.derived.iter().map(|name| json!({"name": name.name, "doc": name.doc}));
        let constraints = self.constraints.iter().map(|constraint| {
            json!({
                "expr": constraint.expr,
                "severity": constraint.severity.name(),
                "message": constraint.message,
            })
        });
        json!({
            "id": self.id,
            "version": self.version,
            "title": self.title,
            "doc": self.doc,
            "order_types": self.order_types,
            "timeframes": self.timeframes,
            "warmup": self.warmup,
            "parameters": self.parameters.iter().map(parameter).collect::<Vec<_>>(),
            "families": self.families.iter().map(family).collect::<Vec<_>>(),
            "derived": derived.collect::<Vec<_>>(),
            "constraints": constraints.collect::<Vec<_>>(),
            "ratios": self.ratios,
        })
    }
}

fn family(family: &Family) -> Json {
    let parts = family.parts.iter().map(|(name, texts)| json!({"name": name, "texts": texts}));
    let mut form = parameter(&family.member);
    form["parts"] = parts.collect();
    form["inside"] = json!(family.inside);
    form
}

fn parameter(parameter: &Parameter) -> Json {
    json!({
        "name": parameter.name,
        "type": parameter.kind.name(),
        "optional": parameter.optional,
        "default": parameter.default.to_json(),
        "domain": domain(&parameter.domain, parameter.kind),
        "ranges": parameter.ranges.iter().map(|one| range(one, parameter.kind)).collect::<Vec<_>>(),
        "when": parameter.when,
        "unit": parameter.unit,
        "doc": parameter.doc,
        "group": parameter.group,
        "shorthand": parameter.shorthand,
    })
}

fn domain(domain: &Domain, kind: Kind) -> Json {
    json!({
        "low": number(domain.low, kind),
        "high": number(domain.high, kind),
        "low_open": domain.low_open,
        "high_open": domain.high_open,
        "choices": list(domain.choices.iter().map(|choice| Json::from(choice.as_str()))),
    })
}

fn range(range: &Range, kind: Kind) -> Json {
    json!({
        "when": range.when,
        "low": number(range.low, kind),
        "high": number(range.high, kind),
        "step": number(range.step, kind),
        "log": range.log,
        "points": range.points,
        "choices": list(range.choices.iter().map(Value::to_json)),
        "ordered": range.ordered,
    })
}

/// A number in the type of its parameter.
fn number(x: Option<f64>, kind: Kind) -> Json {
    #[allow(clippy::cast_possible_truncation)]
    match (x, kind) {
        (None, _) => Json::Null,
        (Some(x), Kind::Int) => Json::from(x as i64),
        (Some(x), _) => Json::from(x),
    }
}

/// Absent if empty.
fn list(items: impl Iterator<Item = Json>) -> Json {
    let items: Vec<Json> = items.collect();
    if items.is_empty() { Json::Null } else { Json::Array(items) }
}
