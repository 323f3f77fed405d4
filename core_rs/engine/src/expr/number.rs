//! Python's arithmetic on integers and floats, with integers beyond 64 bits and non-finite floats as null.

use std::cmp::Ordering;

use super::MAX_EXPONENT;
use super::syntax::Operator;
use crate::Value;

/// 2^63, the first float beyond an `i64`.
const INT_END: f64 = 9_223_372_036_854_775_808.0;

/// An operand of arithmetic. Booleans are 0 and 1, as in Python.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(b) => Some(Self::Int(i64::from(*b))),
            Value::Int(i) => Some(Self::Int(*i)),
            Value::Float(x) => Some(Self::Float(*x)),
            Value::None | Value::Text(_) => None,
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Self::Int(i) => Value::Int(i),
            Self::Float(x) => Value::Float(x),
        }
    }

    #[allow(clippy::cast_precision_loss)]
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Int(i) => i as f64,
            Self::Float(x) => x,
        }
    }

    /// The integer that `round` makes of it.
    pub(super) fn integral(self, round: fn(f64) -> f64) -> Value {
        match self {
            Self::Int(i) => Value::Int(i),
            Self::Float(x) => whole(round(x)),
        }
    }

    pub(super) fn negated(self) -> Value {
        match self {
            Self::Int(i) => i.checked_neg().map_or(Value::None, Value::Int),
            Self::Float(x) => Value::Float(-x),
        }
    }

    /// Exact comparison: an integer is not rounded to compare it with a float.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => Some(compare_exactly(a, b)),
            (Self::Float(a), Self::Int(b)) => Some(compare_exactly(b, a).reverse()),
        }
    }
}

fn compare_exactly(int: i64, float: f64) -> Ordering {
    if float >= INT_END {
        return Ordering::Less;
    }
    if float < -INT_END {
        return Ordering::Greater;
    }
    #[allow(clippy::cast_possible_truncation)]
    let truncated = float.trunc() as i64;
    int.cmp(&truncated).then(0.0_f64.total_cmp(&(float.fract() + 0.0)))
}

/// A float, or null if it is not finite.
pub(super) fn finite(x: f64) -> Value {
    if x.is_finite() { Value::Float(x) } else { Value::None }
}

/// An integral float as an integer, or null if it is beyond 64 bits.
pub(super) fn whole(x: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    if (-INT_END..INT_END).contains(&x) { Value::Int(x as i64) } else { Value::None }
}

/// `a operator b`.
pub(super) fn arithmetic(operator: Operator, a: Number, b: Number) -> Value {
    if let (Number::Int(a), Number::Int(b), false) = (a, b, operator == Operator::Divide) {
        return on_integers(operator, a, b);
    }
    let (x, y) = (a.as_f64(), b.as_f64());
    match operator {
        Operator::Add => finite(x + y),
        Operator::Subtract => finite(x - y),
        Operator::Multiply => finite(x * y),
        Operator::Power => power(x, y),
        Operator::Divide | Operator::FloorDivide | Operator::Modulo if y == 0.0 => Value::None,
        Operator::Divide => finite(x / y),
        Operator::FloorDivide => finite(floor_division(x, y)),
        Operator::Modulo => finite(modulo(x, y)),
    }
}

fn on_integers(operator: Operator, a: i64, b: i64) -> Value {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        // Rust truncates; Python rounds down, and the remainder has the sign of the divisor.
        Operator::FloorDivide => {
            a.checked_div(b).map(|q| if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q })
        }
        Operator::Modulo => {
            let remainder = if b == -1 { Some(0) } else { a.checked_rem(b) };
            remainder.map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r })
        }
        #[allow(clippy::cast_precision_loss)]
        Operator::Power if b < 0 => return power(a as f64, b as f64),
        Operator::Power if b.unsigned_abs() > MAX_EXPONENT as u64 => None,
        Operator::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        Operator::Divide => None,
    };
    result.map_or(Value::None, Value::Int)
}

/// `x ** y`; null where Python raises or leaves the real numbers.
fn power(x: f64, y: f64) -> Value {
    let undefined = (x == 0.0 && y < 0.0) || (x < 0.0 && y.fract() != 0.0);
    if undefined || y.abs() > MAX_EXPONENT { Value::None } else { finite(libm::pow(x, y)) }
}

/// `x % y` with the sign of `y`, as `CPython` computes it.
fn modulo(x: f64, y: f64) -> f64 {
    let remainder = x % y;
    if remainder == 0.0 {
        0.0_f64.copysign(y)
    } else if (remainder < 0.0) == (y < 0.0) {
        remainder
    } else {
        remainder + y
    }
}

/// `x // y` as `CPython` computes it: by the remainder, so that `x // y` and `x % y` belong together.
fn floor_division(x: f64, y: f64) -> f64 {
    let remainder = x % y;
    let mut quotient = (x - remainder) / y;
    if remainder != 0.0 && (remainder < 0.0) != (y < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return 0.0_f64.copysign(x / y);
    }
    let down = quotient.floor();
    if quotient - down > 0.5 { down + 1.0 } else { down }
}
