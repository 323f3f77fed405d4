//! The valid values of a parameter.

/// A number that can be written in a declaration: `5` or `0.5`.
pub trait Number: Copy {
    /// The number as binary64; integers of declarations are far below 2^53.
    fn as_f64(self) -> f64;
}

impl Number for i64 {
    #[allow(clippy::cast_precision_loss)]
    fn as_f64(self) -> f64 {
        self as f64
    }
}

impl Number for f64 {
    fn as_f64(self) -> f64 {
        self
    }
}

/// Limits of a number, or the choices of a text or set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Domain {
    /// Smallest valid number, if any.
    pub low: Option<f64>,
    /// Largest valid number, if any.
    pub high: Option<f64>,
    /// Whether `low` itself is invalid.
    pub low_open: bool,
    /// Whether `high` itself is invalid.
    pub high_open: bool,
    /// Valid texts, or members of a set in canonical order. Empty for numbers and booleans.
    pub choices: Vec<String>,
    /// Other words for some of the choices, each with the choice that it means.
    pub synonyms: Vec<(String, String)>,
}

impl Domain {
    /// Whether a number lies within the limits.
    pub fn contains(&self, x: f64) -> bool {
        let above = self.low.is_none_or(|low| if self.low_open { x > low } else { x >= low });
        let below = self.high.is_none_or(|high| if self.high_open { x < high } else { x <= high });
        above && below
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.choices.is_empty() {
            return f.write_str(&self.choices.join(", "));
        }
        let bound = |open: bool, strict: &'static str, weak: &'static str| if open { strict } else { weak };
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                let (left, right) =
                    (bound(self.low_open, "above", "from"), bound(self.high_open, "below", "up to"));
                write!(f, "{left} {low}, {right} {high}")
            }
            (Some(low), None) => write!(f, "{} {low}", bound(self.low_open, "above", "at least")),
            (None, Some(high)) => write!(f, "{} {high}", bound(self.high_open, "below", "at most")),
            (None, None) => f.write_str("any"),
        }
    }
}
