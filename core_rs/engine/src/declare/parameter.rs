//! A parameter and the words it is declared with.

use serde_json::Value as Json;

use super::convert::convert;
use super::domain::{Domain, Number};
use super::range::{Limits, Range};
use crate::{Result, Value};

/// The type of a parameter's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole number.
    Int,
    /// Finite binary64.
    Float,
    /// true or false.
    Bool,
    /// One of some texts.
    Categorical,
    /// Some of some texts; as text joined by `+` in the order of the domain.
    Set,
    /// A mapping; as canonical JSON text. Never searched.
    Map,
}

impl Kind {
    /// Its name in listings and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Categorical => "categorical",
            Self::Set => "set",
            Self::Map => "map",
        }
    }
}

/// One parameter of a strategy, declared once.
///
/// ```
/// use sweep_engine::declare::int;
///
/// let fast = int("fast_period", 20).at_least(1).search(5..=60).unit("bars").group("entry").doc("fast average");
/// assert!(fast.domain.contains(1.0));
/// ```
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `snake_case`, unique in the strategy.
    pub name: String,
    /// Type of its values.
    pub kind: Kind,
    /// Whether "none" is a value too.
    pub optional: bool,
    /// The value where none is given.
    pub default: Value,
    /// Valid values.
    pub domain: Domain,
    /// Default search ranges; empty = not searched by default.
    pub ranges: Vec<Range>,
    /// Where this expression is false the parameter is inactive.
    pub when: Option<String>,
    /// bars, minutes, pips, price, ATR, R, percent or none.
    pub unit: String,
    /// One line: what it does, what larger means.
    pub doc: String,
    /// entry, filter, exit, risk or management.
    pub group: String,
    /// Whether it only stands for other parameters: never in the canonical set.
    pub shorthand: bool,
    /// Another word for none.
    pub none_word: Option<&'static str>,
    /// Of a set: whether it may be empty.
    pub may_be_empty: bool,
    /// Of a set: whether its members may be given in lower case.
    pub any_case: bool,
}

/// A whole number.
pub fn int(name: &str, default: i64) -> Parameter {
    Parameter::new(name, Kind::Int, Value::Int(default))
}

/// A whole number or none, by default none.
pub fn optional_int(name: &str) -> Parameter {
    Parameter::new(name, Kind::Int, Value::None).or_none()
}

/// A number.
pub fn float(name: &str, default: f64) -> Parameter {
    Parameter::new(name, Kind::Float, Value::Float(default))
}

/// A number or none, by default none.
pub fn optional_float(name: &str) -> Parameter {
    Parameter::new(name, Kind::Float, Value::None).or_none()
}

/// true or false.
pub fn boolean(name: &str, default: bool) -> Parameter {
    Parameter::new(name, Kind::Bool, Value::Bool(default))
}

/// One of `choices`.
pub fn categorical(name: &str, choices: &[&str], default: &str) -> Parameter {
    Parameter::new(name, Kind::Categorical, Value::Text(default.to_owned())).choices(choices)
}

/// Some of `choices`; the default is the joined text.
pub fn set(name: &str, choices: &[&str], default: &str) -> Parameter {
    Parameter::new(name, Kind::Set, Value::Text(default.to_owned())).choices(choices)
}

/// A mapping, by default an empty one; `normalise` checks what it holds.
pub fn map(name: &str) -> Parameter {
    Parameter::new(name, Kind::Map, Value::Text("{}".to_owned()))
}

impl Parameter {
    fn new(name: &str, kind: Kind, default: Value) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            optional: false,
            default,
            domain: Domain::default(),
            ranges: Vec::new(),
            when: None,
            unit: "none".to_owned(),
            doc: String::new(),
            group: String::new(),
            shorthand: false,
            none_word: None,
            may_be_empty: false,
            any_case: false,
        }
    }

    /// Valid from `low` on.
    #[must_use]
    pub fn at_least(mut self, low: impl Number) -> Self {
        self.domain.low = Some(low.as_f64());
        self
    }

    /// Valid above `low`.
    #[must_use]
    pub fn above(mut self, low: impl Number) -> Self {
        self.domain.low_open = true;
        self.at_least(low)
    }

    /// Valid up to `high`.
    #[must_use]
    pub fn at_most(mut self, high: impl Number) -> Self {
        self.domain.high = Some(high.as_f64());
        self
    }

    /// Valid below `high`.
    #[must_use]
    pub fn below(mut self, high: impl Number) -> Self {
        self.domain.high_open = true;
        self.at_most(high)
    }

    /// Another word for one of the choices; the canonical parameter set has the choice.
    #[must_use]
    pub fn synonym(mut self, word: &str, choice: &str) -> Self {
        self.domain.synonyms.push((word.to_owned(), choice.to_owned()));
        self
    }

    fn choices(mut self, choices: &[&str]) -> Self {
        self.domain.choices = choices.iter().map(ToString::to_string).collect();
        self
    }

    /// "none" is a value too, and `word` another text for it.
    #[must_use]
    pub fn or_word(mut self, word: &'static str) -> Self {
        self.none_word = Some(word);
        self.or_none()
    }

    /// "none" is a value too.
    #[must_use]
    pub fn or_none(mut self) -> Self {
        self.optional = true;
        self
    }

    /// A set that may be empty.
    #[must_use]
    pub fn or_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }

    /// A set of upper-case members that may be given in lower case.
    #[must_use]
    pub fn any_case(mut self) -> Self {
        self.any_case = true;
        self
    }

    /// The typed, valid value that `json` means.
    ///
    /// # Errors
    /// `[1004]` for a wrong type, `[1003]` for a number outside the domain, `[1001]` for an unknown choice.
    pub fn value_of(&self, json: &Json) -> Result<Value> {
        convert(self, json)
    }

    /// It only stands for other parameters, which the strategy's `normalise` sets.
    #[must_use]
    pub fn shorthand(mut self) -> Self {
        self.shorthand = true;
        self
    }

    /// Searched by default over `limits`: integers by 1, numbers continuously unless a `step` follows.
    #[must_use]
    pub fn search(self, limits: impl Limits) -> Self {
        self.search_range(Range::between(limits))
    }

    /// The step of the range before.
    ///
    /// # Panics
    /// If no range was declared.
    #[must_use]
    pub fn step(mut self, step: impl Number) -> Self {
        let Some(range) = self.ranges.last_mut() else { panic!("{}: a step without a range", self.name) };
        range.step = Some(step.as_f64());
        self
    }

    /// Searched by default over `limits` on a logarithmic scale.
    #[must_use]
    pub fn search_log(self, limits: impl Limits) -> Self {
        self.search_range(Range { log: true, ..Range::between(limits) })
    }

    /// Searched by default over 0 (off) and `limits` by `step`: an ordered choice.
    #[must_use]
    pub fn search_off_or(self, limits: impl Limits, step: impl Number) -> Self {
        let numbers = std::iter::once(0.0).chain(Range::numbers(limits, step));
        #[allow(clippy::cast_possible_truncation)]
        let choices = match self.kind {
            Kind::Int => numbers.map(|x| Value::Int(x as i64)).collect(),
            _ => numbers.map(Value::Float).collect(),
        };
        self.search_range(Range { ordered: true, ..Range::of(choices) })
    }

    /// Searched by default over all choices, or both values of a boolean.
    #[must_use]
    pub fn search_all(self) -> Self {
        let choices = match self.kind {
            Kind::Bool => vec![Value::Bool(false), Value::Bool(true)],
            _ => self.domain.choices.iter().cloned().map(Value::Text).collect(),
        };
        self.search_range(Range::of(choices))
    }

    /// Adds a default search range; of several the first whose condition holds is used.
    #[must_use]
    pub fn search_range(mut self, range: Range) -> Self {
        self.ranges.push(range);
        self
    }

    /// Where `expression` is false the parameter is inactive.
    #[must_use]
    pub fn when(mut self, expression: &str) -> Self {
        self.when = Some(expression.to_owned());
        self
    }

    /// bars, minutes, pips, price, ATR, R, percent or none.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// entry, filter, exit, risk or management.
    #[must_use]
    pub fn group(mut self, group: &str) -> Self {
        group.clone_into(&mut self.group);
        self
    }

    /// One line: what it does, what larger means.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        doc.clone_into(&mut self.doc);
        self
    }
}
