//! Default search ranges.

use std::ops::RangeInclusive;

use super::domain::Number;
use crate::Value;

/// The ends of a range: `5..=60` or `1.0..=5.0`.
pub trait Limits {
    /// Low and high as binary64.
    fn ends(self) -> (f64, f64);
}

impl<N: Number> Limits for RangeInclusive<N> {
    fn ends(self) -> (f64, f64) {
        (self.start().as_f64(), self.end().as_f64())
    }
}

/// A default search range: `low` and `high` with `step`, `log` or `points`, or `choices`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Range {
    /// Condition on pinned parameters and derived names; the first range whose condition holds is used.
    pub when: Option<String>,
    /// Smallest value.
    pub low: Option<f64>,
    /// Largest value.
    pub high: Option<f64>,
    /// Distance of neighbouring values; absent for a continuous range (integers: 1).
    pub step: Option<f64>,
    /// Whether the values lie on a logarithmic scale.
    pub log: bool,
    /// Number of values, instead of a step.
    pub points: Option<u32>,
    /// The values themselves; empty if the range has limits.
    pub choices: Vec<Value>,
    /// Whether neighbouring choices are similar.
    pub ordered: bool,
}

impl Range {
    /// A range between two limits.
    pub fn between(limits: impl Limits) -> Self {
        let (low, high) = limits.ends();
        Self { low: Some(low), high: Some(high), ..Self::default() }
    }

    /// An unordered list of choices.
    pub fn of(choices: Vec<Value>) -> Self {
        Self { choices, ..Self::default() }
    }

    /// The numbers `low`, `low + step` … up to `high`, each the double nearest to its decimal.
    pub fn numbers(limits: impl Limits, step: impl Number) -> Vec<f64> {
        let ((low, high), step) = (limits.ends(), step.as_f64());
        (0_u32..)
            .map(|k| decimal(low + f64::from(k) * step))
            .take_while(|x| *x <= high + step * 1e-9)
            .collect()
    }
}

/// Takes away the binary dust of `low + k·step`: 0.3, not 0.30000000000000004.
fn decimal(x: f64) -> f64 {
    format!("{x:.10}").parse().unwrap_or(x)
}
