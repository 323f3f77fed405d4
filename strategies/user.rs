//! A strategy that its user writes in Python, as the engine sees it: a declaration read from JSON, and tables of signals
//! and exits in place of rules.

use crate::directions::Directions;
use crate::played::{Entries, Exits, Tables};
use crate::position_rules::{
    PositionRules, cooldown_bars, direction_filter, max_holding_bars, round_digits, stop_moves,
};
use serde::Deserialize;
use serde_json::Value as Json;
use sweep_engine::declare::{
    Canonical, Constraint, Declaration, Parameter, Range, boolean, categorical, float, int, set,
};
use sweep_engine::error::{Error, Result};
use sweep_engine::run::{Instrument, Prepared};
use sweep_engine::strategy::Rules;
use sweep_indicators::atr::Atr;

const PLACE: &str = "declaration";

/// The JSON of a declaration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    id: String,
    version: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    doc: String,
    parameters: Vec<ToldParameter>,
    #[serde(default)]
    constraints: Vec<ToldConstraint>,
    #[serde(default = "yes")]
    same_bar_reentry: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldParameter {
    name: String,
    r#type: String,
    default: Json,
    #[serde(default)]
    optional: bool,
    /// Ends of the default search range.
    low: Option<f64>,
    high: Option<f64>,
    step: Option<f64>,
    #[serde(default)]
    log: bool,
    /// Smallest and largest valid value.
    least: Option<f64>,
    most: Option<f64>,
    #[serde(default)]
    choices: Vec<String>,
    when: Option<String>,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    doc: String,
    #[serde(default)]
    group: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldConstraint {
    expr: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    warning: bool,
}

/// A strategy whose decisions come as tables.
#[derive(Debug)]
pub struct UserStrategy {
    declaration: Declaration,
    same_bar_reentry: bool,
}

impl UserStrategy {
    /// From the JSON of a declaration: the user's parameters, followed by the position rules that all strategies share.
    ///
    /// # Errors
    /// [1001] a name that is repeated or belongs to a position rule, an unknown type, an expression that cannot be
    /// read; [1004] another form; the code of an invalid default.
    pub fn of(text: &str) -> Result<Self> {
        let told: Told = serde_json::from_str(text)
            .map_err(|e| Error::config(1004, format!("this is no declaration: {e}")).at(PLACE))?;
        let shared = position_rules();
        if let Some(taken) = told.parameters.iter().find(|p| shared.iter().any(|s| s.name == p.name)) {
            return Err(Error::config(1001, format!("every strategy has a parameter {}", taken.name))
                .at(PLACE)
                .fix("leave it out, and pin it in strategy.params"));
        }
        let own = told.parameters.into_iter().map(parameter).collect::<Result<Vec<_>>>()?;
        let declaration = Declaration::builder(&told.id, &told.version, &told.title)
            .doc(&told.doc)
            .order_types(&["market", "limit", "stop"])
            .warmup("the rows of the table say")
            .parameters(own)
            .parameters(shared)
            .constraints(told.constraints.iter().map(constraint))
            .build()
            .map_err(|problem| problem.at(PLACE))?;
        Ok(Self { declaration, same_bar_reentry: told.same_bar_reentry })
    }

    /// What it says about itself and its parameters.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// The tables of one symbol as the rules of a backtest.
    ///
    /// # Errors
    /// As [`Tables::new`].
    pub fn prepare(
        &self,
        params: &Canonical,
        instrument: &Instrument,
        entries: Entries,
        exits: Exits,
    ) -> Result<Prepared<Tables>> {
        let own = Rules {
            timeout_bars: params.count("max_holding_bars"),
            same_bar_reentry: self.same_bar_reentry,
            tracks: false,
            ..Rules::default()
        };
        let atr = if params.float("trail_atr") > 0.0 {
            instrument.indicators().bid().get(&Atr { period: params.count("trail_atr_period") })
        } else {
            Vec::new().into()
        };
        let position = PositionRules::of(params, &atr, own);
        let decider = Tables::new(entries, exits, Directions::of(params), position)?;
        Ok(Prepared { decider, warmup: 0 })
    }
}

/// The parameters that every strategy has.
fn position_rules() -> Vec<Parameter> {
    let period = int("trail_atr_period", 14)
        .at_least(1)
        .when("trail_atr > 0")
        .unit("bars")
        .group("management")
        .doc("period of the ATR of the trailing stop; larger reacts more slowly to volatility");
    let mut rules = vec![max_holding_bars(0), direction_filter(), cooldown_bars(), round_digits()];
    rules.extend(stop_moves());
    rules.push(period);
    rules
}

fn parameter(told: ToldParameter) -> Result<Parameter> {
    let wrong = |what: &str| {
        Error::config(1004, format!("the default of {} is no {what}", told.name))
            .at(PLACE)
            .fix(format!("give a {what}"))
    };
    let none = told.optional && told.default.is_null();
    let choices: Vec<&str> = told.choices.iter().map(String::as_str).collect();
    let text = || told.default.as_str().ok_or_else(|| wrong("text"));
    let mut made = match told.r#type.as_str() {
        "int" if none => int(&told.name, 0),
        "int" => int(&told.name, told.default.as_i64().ok_or_else(|| wrong("whole number"))?),
        "float" if none => float(&told.name, 0.0),
        "float" => float(&told.name, told.default.as_f64().ok_or_else(|| wrong("number"))?),
        "bool" => boolean(&told.name, told.default.as_bool().ok_or_else(|| wrong("bool"))?),
        "categorical" => categorical(&told.name, &choices, if none { "" } else { text()? }),
        "set" => set(&told.name, &choices, text()?),
        other => {
            return Err(Error::config(1001, format!("{} has the unknown type {other:?}", told.name))
                .at(PLACE)
                .fix("int, float, bool, categorical or set"));
        }
    };
    if told.optional {
        made = made.or_none();
        if none {
            made.default = sweep_engine::Value::None;
        }
    }
    made = told.least.into_iter().fold(made, Parameter::at_least);
    made = told.most.into_iter().fold(made, Parameter::at_most);
    made = told.when.iter().fold(made, |made, when| made.when(when));
    made = match (told.low, told.high) {
        (Some(low), Some(high)) => {
            made.search_range(Range { step: told.step, log: told.log, ..Range::between(low..=high) })
        }
        _ if matches!(told.r#type.as_str(), "bool" | "categorical") => made.search_all(),
        _ => made,
    };
    let group = if told.group.is_empty() { "entry" } else { &told.group };
    let unit = if told.unit.is_empty() { "none" } else { &told.unit };
    Ok(made.unit(unit).group(group).doc(&told.doc))
}

fn constraint(told: &ToldConstraint) -> Constraint {
    let message = if told.message.is_empty() { "the strategy does not allow it" } else { &told.message };
    if told.warning {
        Constraint::warning(&told.expr, message)
    } else {
        Constraint::error(&told.expr, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(parameters: Json, constraints: Json) -> Result<UserStrategy> {
        let told = json!({
            "id": "signals:f", "version": "1", "title": "A test", "doc": "A strategy of a test.",
            "parameters": parameters, "constraints": constraints,
        });
        UserStrategy::of(&told.to_string())
    }

    #[test]
    fn its_parameters_come_first_and_the_position_rules_follow() {
        let fast = json!({
            "name": "fast", "type": "int", "default": 20, "low": 5.0, "high": 60.0, "unit": "bars", "doc": "a period",
        });
        let kind = json!({
            "name": "kind", "type": "categorical", "default": "a", "choices": ["a", "b"], "doc": "a kind",
        });
        let made = of(json!([fast, kind]), json!([{"expr": "fast > 1"}])).unwrap();
        let names: Vec<&str> = made.declaration().parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names[..3], ["fast", "kind", "max_holding_bars"]);
        assert!(names.contains(&"trail_atr_period"));
        assert_eq!(made.declaration().self_check(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_declaration_is_refused() {
        let named = |name: &str| json!([{"name": name, "type": "int", "default": 1}]);
        for (code, parameters, constraints) in [
            (1001, named("be_r"), json!([])),
            (1001, json!([{"name": "x", "type": "complex", "default": 1}]), json!([])),
            (1004, json!([{"name": "x", "type": "int", "default": "y"}]), json!([])),
            (1004, json!([{"name": "x", "type": "int", "default": 1, "color": "red"}]), json!([])),
            (1001, named("x"), json!([{"expr": "y > 1"}])),
        ] {
            assert_eq!(of(parameters.clone(), constraints).err().map(|e| e.code), Some(code), "{parameters}");
        }
    }
}
