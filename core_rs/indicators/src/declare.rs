//! What an indicator is called with: names, types, defaults and limits, declared once beside its formula.

use std::fmt;

/// The value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Whole number.
    Int(i64),
    /// Finite number.
    Float(f64),
    /// true or false.
    Bool(bool),
    /// One of the declared texts.
    Text(&'static str),
    /// Not given, where that means something.
    None,
}

/// Type and limits of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from `low` to `high`.
    Int {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
    },
    /// A finite number of at least `low`, above it if `open`.
    Float {
        /// Smallest.
        low: f64,
        /// Whether `low` itself is refused.
        open: bool,
    },
    /// true or false.
    Bool,
    /// One of these texts.
    Text(&'static [&'static str]),
}

/// Longest period, window or lookback.
pub const LONGEST: i64 = 1_000_000;

/// One parameter of an indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Type and limits.
    pub kind: Kind,
    /// The value where none is given; `None` = it must be given.
    pub default: Option<Value>,
    /// What it does, in one line.
    pub doc: &'static str,
}

impl Parameter {
    /// A number of bars, 1 to 1,000,000, that must be given.
    pub const fn bars(name: &'static str, doc: &'static str) -> Self {
        Self { name, kind: Kind::Int { low: 1, high: LONGEST }, default: None, doc }
    }

    /// A number of bars with a default.
    pub const fn bars_or(name: &'static str, default: i64, doc: &'static str) -> Self {
        Self { default: Some(Value::Int(default)), ..Self::bars(name, doc) }
    }

    /// `window`, whose deviation is a divisor: at least 2 bars.
    pub const fn window(default: i64, doc: &'static str) -> Self {
        Self::int("window", Value::Int(default), 2, LONGEST, doc)
    }

    /// A whole number from `low` on with a default.
    pub const fn int(name: &'static str, default: Value, low: i64, high: i64, doc: &'static str) -> Self {
        Self { name, kind: Kind::Int { low, high }, default: Some(default), doc }
    }

    /// A number of at least 0 with a default.
    pub const fn not_negative(name: &'static str, default: Value, doc: &'static str) -> Self {
        Self { name, kind: Kind::Float { low: 0.0, open: false }, default: Some(default), doc }
    }

    /// A number above 0 with a default.
    pub const fn positive(name: &'static str, default: f64, doc: &'static str) -> Self {
        Self { name, kind: Kind::Float { low: 0.0, open: true }, default: Some(Value::Float(default)), doc }
    }

    /// true or false.
    pub const fn switch(name: &'static str, default: bool, doc: &'static str) -> Self {
        Self { name, kind: Kind::Bool, default: Some(Value::Bool(default)), doc }
    }

    /// One of some texts; without a default it must be given.
    pub const fn choice(
        name: &'static str,
        choices: &'static [&'static str],
        default: Option<&'static str>,
        doc: &'static str,
    ) -> Self {
        let default = match default {
            Some(text) => Some(Value::Text(text)),
            None => None,
        };
        Self { name, kind: Kind::Text(choices), default, doc }
    }
}

/// An indicator as catalogues, validation and documents know it.
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// Its name.
    pub id: &'static str,
    /// Raised whenever a value changes.
    pub version: u32,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Parameters, in order.
    pub parameters: &'static [Parameter],
    /// Names of the outputs, in order.
    pub outputs: &'static [&'static str],
    /// First index that can be defined on dense data, as a formula of the parameters.
    pub first: &'static str,
    /// The formula, in the operators of the documentation.
    pub formula: &'static str,
    /// Paper, book or library.
    pub source: &'static str,
}

/// A mistake in a call; nothing was computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// 1001 unknown name or text, 1003 out of range, 1004 wrong type, 1008 missing.
    pub code: u16,
    /// Which parameter, its value.
    pub what: String,
    /// What is allowed.
    pub remedy: String,
}

impl Mistake {
    /// A value out of its range.
    pub fn range(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: 1003, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}; {}", self.code, self.what, self.remedy)
    }
}

/// A value as it was given, before it is held against the declaration.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// Whole number.
    Int(i64),
    /// Whole number beyond 64 bits: the nearest float, infinite beyond those too.
    Huge(f64),
    /// Number.
    Float(f64),
    /// true or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// Something that no parameter takes, as it is printed.
    Other(String),
    /// Nothing: as if it had not been given.
    None,
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(x) => write!(f, "{x}"),
            Self::Huge(x) | Self::Float(x) => write!(f, "{x:?}"),
            Self::Bool(x) => write!(f, "{x}"),
            Self::Text(x) => write!(f, "{x:?}"),
            Self::Other(x) => f.write_str(x),
            Self::None => f.write_str("none"),
        }
    }
}

/// Complete, valid arguments of one call, in the order of the declaration.
#[derive(Debug, Clone)]
pub struct Args {
    declaration: &'static Declaration,
    values: Vec<Value>,
}

impl Args {
    /// Holds what was given against the declaration and fills in the defaults.
    ///
    /// # Errors
    /// 1001 unknown name or text, 1003 out of range, 1004 wrong type, 1008 a required parameter is absent.
    pub fn read(declaration: &'static Declaration, given: &[(String, Given)]) -> Result<Self, Mistake> {
        let known = |name: &str| declaration.parameters.iter().any(|p| p.name == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
            let names: Vec<&str> = declaration.parameters.iter().map(|p| p.name).collect();
            let what = format!("{} has no parameter {name:?}", declaration.id);
            return Err(Mistake { code: 1001, what, remedy: format!("it has {}", names.join(", ")) });
        }
        let value = |p: &Parameter| match given.iter().find(|(name, _)| name == p.name) {
            Some((_, x)) if *x != Given::None || p.default == Some(Value::None) => one(p, x),
            _ => p.default.ok_or_else(|| Mistake {
                code: 1008,
                what: format!("{} is missing", p.name),
                remedy: format!("{} needs {}", declaration.id, allowed(p)),
            }),
        };
        let values = declaration.parameters.iter().map(value).collect::<Result<_, _>>()?;
        Ok(Self { declaration, values })
    }

    /// The value of a declared parameter.
    ///
    /// # Panics
    /// If the declaration does not have it.
    pub fn value(&self, name: &str) -> Value {
        let at = self.declaration.parameters.iter().position(|p| p.name == name);
        self.values[at.unwrap_or_else(|| panic!("{} declares no {name}", self.declaration.id))]
    }

    /// A number of bars.
    ///
    /// # Panics
    /// If the parameter is not a whole number of at least 0.
    pub fn bars(&self, name: &str) -> usize {
        self.optional_bars(name).unwrap_or_else(|| panic!("{name} is declared otherwise"))
    }

    /// A whole number, or none.
    pub fn optional_bars(&self, name: &str) -> Option<usize> {
        match self.value(name) {
            Value::Int(x) => usize::try_from(x).ok(),
            _ => None,
        }
    }

    /// A number.
    ///
    /// # Panics
    /// If the parameter is no number.
    pub fn float(&self, name: &str) -> f64 {
        self.optional_float(name).unwrap_or_else(|| panic!("{name} is declared otherwise"))
    }

    /// A number, or none.
    pub fn optional_float(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Value::Float(x) => Some(x),
            _ => None,
        }
    }

    /// true or false.
    pub fn switch(&self, name: &str) -> bool {
        self.value(name) == Value::Bool(true)
    }

    /// One of the declared texts.
    pub fn text(&self, name: &str) -> &'static str {
        match self.value(name) {
            Value::Text(x) => x,
            _ => "",
        }
    }
}

fn one(p: &Parameter, given: &Given) -> Result<Value, Mistake> {
    let wrong = |code| Mistake {
        code,
        what: format!("{} = {given}", p.name),
        remedy: format!("{} must be {}", p.name, allowed(p)),
    };
    #[allow(clippy::cast_precision_loss)]
    match (p.kind, given) {
        (_, Given::None) => Ok(Value::None),
        (Kind::Int { low, high }, Given::Int(x)) if (low..=high).contains(x) => Ok(Value::Int(*x)),
        // As good as the largest where there is no largest.
        (Kind::Int { high: i64::MAX, .. }, Given::Huge(x)) if *x > 0.0 => Ok(Value::Int(i64::MAX)),
        (Kind::Int { .. }, Given::Int(_) | Given::Huge(_)) => Err(wrong(1003)),
        (Kind::Float { low, open }, Given::Int(_) | Given::Huge(_) | Given::Float(_)) => {
            let x = match given {
                Given::Int(x) => *x as f64,
                Given::Huge(x) | Given::Float(x) => *x,
                _ => f64::NAN,
            };
            if x.is_finite() && (x > low || (x == low && !open)) {
                Ok(Value::Float(x))
            } else {
                Err(wrong(1003))
            }
        }
        (Kind::Bool, Given::Bool(x)) => Ok(Value::Bool(*x)),
        (Kind::Text(choices), Given::Text(x)) => {
            let plain = x.trim().to_lowercase();
            choices.iter().find(|c| **c == plain).map(|c| Value::Text(c)).ok_or_else(|| wrong(1001))
        }
        _ => Err(wrong(1004)),
    }
}

/// Type and limits in words.
fn allowed(p: &Parameter) -> String {
    let or_none = if p.default == Some(Value::None) { ", or none" } else { "" };
    match p.kind {
        Kind::Int { low, high } if high == i64::MAX => format!("a whole number of at least {low}{or_none}"),
        Kind::Int { low, high } => format!("a whole number from {low} to {high}{or_none}"),
        Kind::Float { low, open: true } => format!("a finite number above {low}{or_none}"),
        Kind::Float { low, open: false } => format!("a finite number of at least {low}{or_none}"),
        Kind::Bool => "true or false".to_owned(),
        Kind::Text(choices) => format!("{}{or_none}", choices.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static DECLARATION: Declaration = Declaration {
        id: "example",
        version: 1,
        title: "",
        parameters: &[
            Parameter::bars("period", ""),
            Parameter::positive("r", 0.01, ""),
            Parameter::not_negative("omega", Value::None, ""),
            Parameter::choice("seed", &["wilder", "first"], Some("wilder"), ""),
        ],
        outputs: &["example"],
        first: "0",
        formula: "",
        source: "",
    };

    fn read(given: &[(&str, Given)]) -> Result<Args, Mistake> {
        let given: Vec<_> = given.iter().map(|(name, x)| ((*name).to_owned(), x.clone())).collect();
        Args::read(&DECLARATION, &given)
    }

    #[test]
    fn defaults_are_filled_in_and_texts_are_matched_loosely() {
        let args = read(&[("period", Given::Int(3)), ("seed", Given::Text(" First ".to_owned()))]).unwrap();
        assert_eq!((args.bars("period"), args.float("r"), args.text("seed")), (3, 0.01, "first"));
        assert_eq!(args.optional_float("omega"), None);
        let args = read(&[("period", Given::Int(3)), ("omega", Given::Int(0)), ("r", Given::None)]).unwrap();
        assert_eq!((args.optional_float("omega"), args.float("r")), (Some(0.0), 0.01));
    }

    #[test]
    fn a_number_beyond_64_bits_is_itself_where_a_float_is_asked_for() {
        let args = read(&[("period", Given::Int(3)), ("r", Given::Huge(1e30))]).unwrap();
        assert_eq!(args.float("r"), 1e30);
    }

    #[test]
    fn every_mistake_has_its_code() {
        let period = ("period", Given::Int(3));
        for (given, code) in [
            (vec![], 1008),
            (vec![("period", Given::Int(0))], 1003),
            (vec![("period", Given::Int(1_000_001))], 1003),
            (vec![("period", Given::Float(3.0))], 1004),
            (vec![("period", Given::Bool(true))], 1004),
            (vec![period.clone(), ("r", Given::Float(0.0))], 1003),
            (vec![period.clone(), ("r", Given::Float(f64::NAN))], 1003),
            (vec![period.clone(), ("omega", Given::Float(-1.0))], 1003),
            (vec![period.clone(), ("seed", Given::Text("last".to_owned()))], 1001),
            (vec![period.clone(), ("seed", Given::Int(1))], 1004),
            (vec![period.clone(), ("seed", Given::Other("['first']".to_owned()))], 1004),
            (vec![("period", Given::Huge(1e30))], 1003),
            (vec![period.clone(), ("r", Given::Huge(f64::INFINITY))], 1003),
            (vec![period, ("length", Given::Int(1))], 1001),
        ] {
            let mistake = read(&given).unwrap_err();
            assert_eq!(mistake.code, code, "{given:?}: {mistake}");
        }
    }
}
