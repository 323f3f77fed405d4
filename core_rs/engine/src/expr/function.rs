//! The functions that an expression can call.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::number::{Number, finite, whole};
use crate::Value;

/// A function of the whitelist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Min,
    Max,
    Round,
    Floor,
    Ceil,
    Log,
    Exp,
    Sqrt,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "min" => Self::Min,
            "max" => Self::Max,
            "round" => Self::Round,
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            "log" => Self::Log,
            "exp" => Self::Exp,
            "sqrt" => Self::Sqrt,
            _ => return None,
        })
    }

    /// How many arguments it takes.
    pub(super) fn arguments(self) -> RangeInclusive<usize> {
        match self {
            Self::Min | Self::Max => 2..=50,
            Self::Round => 1..=2,
            _ => 1..=1,
        }
    }

    /// Its value; null if an argument is no number, or outside the domain.
    pub(super) fn call(self, values: &[Value]) -> Value {
        let Some(numbers) = values.iter().map(Number::of).collect::<Option<Vec<_>>>() else {
            return Value::None;
        };
        let x = numbers[0];
        match self {
            Self::Min => extreme(values, &numbers, Ordering::Less),
            Self::Max => extreme(values, &numbers, Ordering::Greater),
            Self::Abs => match x {
                Number::Int(i) => i.checked_abs().map_or(Value::None, Value::Int),
                Number::Float(x) => finite(x.abs()),
            },
            Self::Round => match (numbers.get(1), x) {
                (None, Number::Int(_)) => x.value(),
                (None, Number::Float(x)) => whole(x.round_ties_even()),
                (Some(Number::Float(_)), _) => Value::None,
                (Some(Number::Int(digits)), Number::Int(i)) => round_int(i, *digits),
                (Some(Number::Int(digits)), Number::Float(x)) => round_float(x, *digits),
            },
            Self::Floor => x.integral(f64::floor),
            Self::Ceil => x.integral(f64::ceil),
            Self::Log if x.as_f64() > 0.0 => finite(libm::log(x.as_f64())),
            Self::Sqrt if x.as_f64() >= 0.0 => finite(x.as_f64().sqrt()),
            Self::Log | Self::Sqrt => Value::None,
            Self::Exp => finite(libm::exp(x.as_f64())),
        }
    }
}

/// The first of the smallest or largest values, in its own type.
fn extreme(values: &[Value], numbers: &[Number], wanted: Ordering) -> Value {
    let mut best = 0;
    for (index, number) in numbers.iter().enumerate() {
        if number.compare(numbers[best]) == Some(wanted) {
            best = index;
        }
    }
    values[best].clone()
}

/// Python's `round(i, digits)` of an integer: to a multiple of 10^−digits, ties to even.
fn round_int(i: i64, digits: i64) -> Value {
    if digits >= 0 {
        return Value::Int(i);
    }
    if digits < -19 {
        return Value::Int(0);
    }
    let (i, unit) = (i128::from(i), 10_i128.pow(digits.unsigned_abs().try_into().unwrap_or(19)));
    let (below, rest) = (i.div_euclid(unit), i.rem_euclid(unit));
    let up = match (2 * rest).cmp(&unit) {
        Ordering::Less => 0,
        Ordering::Greater => 1,
        Ordering::Equal => below.rem_euclid(2),
    };
    i64::try_from((below + up) * unit).map_or(Value::None, Value::Int)
}

/// Python's `round(x, digits)`: the nearest decimal to the exact binary value, ties to even.
fn round_float(x: f64, digits: i64) -> Value {
    if digits > 323 {
        return Value::Float(x);
    }
    if digits < -308 {
        return Value::Float(0.0 * x);
    }
    let text = match usize::try_from(digits) {
        Ok(places) => format!("{x:.places$}"),
        Err(_) => match rounded_left_of_point(x, digits.unsigned_abs()) {
            Some(text) => text,
            None => return Value::Float(0.0 * x),
        },
    };
    text.parse().map_or(Value::None, finite)
}

/// `x` to a multiple of 10^places, as text; nothing if that is 0.
fn rounded_left_of_point(x: f64, places: u64) -> Option<String> {
    let integer = format!("{:.0}", x.abs().floor());
    let kept = i64::try_from(integer.len()).ok()? - i64::try_from(places).ok()?;
    if kept > 0 {
        return Some(format!("{x:.*e}", usize::try_from(kept - 1).ok()?));
    }
    // Less than one unit: half a unit itself is a tie, and 0 is even.
    let half = format!("5e{}", places - 1).parse::<f64>().ok()?;
    (kept == 0 && x.abs() > half).then(|| format!("{}1e{places}", if x < 0.0 { "-" } else { "" }))
}
