//! What a test asks of every declaration, beyond what building it already ensures.

use super::canonicalise::canonicalise;
use super::convert::check;
use super::declaration::{Context, Declaration};
use super::family::Family;
use super::parameter::{Kind, Parameter};
use super::range::Range;
use crate::Value;

const UNITS: [&str; 8] = ["bars", "minutes", "pips", "price", "ATR", "R", "percent", "none"];
const GROUPS: [&str; 5] = ["entry", "filter", "exit", "risk", "management"];

impl Declaration {
    /// Complaints, none for a good declaration: texts missing, unknown units and groups, ranges outside the domain or
    /// contradictory, defaults that do not go together.
    pub fn self_check(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let texts = [
            ("title", &self.title),
            ("doc", &self.doc),
            ("warmup", &self.warmup),
            ("version", &self.version),
        ];
        complaints
            .extend(texts.iter().filter(|(_, text)| text.is_empty()).map(|(name, _)| format!("no {name}")));
        for parameter in &self.parameters {
            let found = about(parameter).into_iter().map(|what| format!("{}: {what}", parameter.name));
            complaints.extend(found);
        }
        for Family { member, .. } in &self.families {
            let bare = Parameter { name: "member".to_owned(), ..member.clone() };
            complaints.extend(about(&bare).into_iter().map(|what| format!("{}: {what}", member.name)));
        }
        complaints
            .extend(self.derived.iter().filter(|d| d.doc.is_empty()).map(|d| format!("{}: no doc", d.name)));
        let context = Context { timeframe: "M5".to_owned(), timeframe_minutes: 5 };
        if let Err(problems) = canonicalise(self, &context, &serde_json::Map::new()) {
            complaints.extend(problems.iter().map(|problem| format!("defaults: {problem}")));
        }
        complaints
    }
}

fn about(parameter: &Parameter) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_snake_case = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !parameter.name.chars().all(is_snake_case) {
        complaints.push("the name is not snake_case".to_owned());
    }
    if parameter.doc.is_empty() || parameter.doc.contains('\n') {
        complaints.push("one line of doc is needed".to_owned());
    }
    if !UNITS.contains(&parameter.unit.as_str()) {
        complaints.push(format!("unknown unit {}", parameter.unit));
    }
    if !GROUPS.contains(&parameter.group.as_str()) {
        complaints.push(format!("unknown group {}", parameter.group));
    }
    let needs_choices = matches!(parameter.kind, Kind::Categorical | Kind::Set);
    if needs_choices == parameter.domain.choices.is_empty() {
        complaints.push("choices belong to categorical parameters and sets".to_owned());
    }
    for (index, range) in parameter.ranges.iter().enumerate() {
        complaints.extend(about_range(parameter, range));
        if range.when.is_none() && index + 1 < parameter.ranges.len() {
            complaints.push("a range follows one without a condition".to_owned());
        }
    }
    complaints
}

fn about_range(parameter: &Parameter, range: &Range) -> Vec<String> {
    let is_numeric = matches!(parameter.kind, Kind::Int | Kind::Float);
    let mut complaints = Vec::new();
    let values: Vec<Value> = match (range.low, range.high, range.choices.is_empty()) {
        (Some(low), Some(high), true) if is_numeric => {
            if low > high || range.log && low <= 0.0 || range.step.is_some_and(|step| step <= 0.0) {
                complaints.push("the range is contradictory".to_owned());
            }
            if range.step.is_some() && (range.log || range.points.is_some()) {
                complaints.push("a step excludes log and points".to_owned());
            }
            if parameter.kind == Kind::Int && range.step.is_some_and(|step| step.fract() != 0.0) {
                complaints.push("the step of an int is whole".to_owned());
            }
            vec![typed(parameter.kind, low), typed(parameter.kind, high)]
        }
        (None, None, false) => range.choices.clone(),
        _ => {
            complaints.push("a range has either low and high or choices".to_owned());
            Vec::new()
        }
    };
    for value in values {
        if let Err(problem) = check(parameter, value) {
            complaints.push(format!("range: {problem}"));
        }
    }
    complaints
}

fn typed(kind: Kind, x: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    if kind == Kind::Int && x.fract() == 0.0 { Value::Int(x as i64) } else { Value::Float(x) }
}
