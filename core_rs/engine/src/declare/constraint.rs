//! A rule between parameters.

/// What a broken constraint means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The parameter set is invalid.
    Error,
    /// The parameter set is valid, and the user is told.
    Warning,
}

impl Severity {
    /// Its name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A rule that a parameter set has to satisfy, unless it mentions a parameter without a value.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Expression over parameters and derived names; anything but true is a violation.
    pub expr: String,
    /// What a violation means.
    pub severity: Severity,
    /// What is wrong then, and what to do.
    pub message: String,
}

impl Constraint {
    /// A rule whose violation makes the set invalid.
    pub fn error(expr: &str, message: &str) -> Self {
        Self { expr: expr.to_owned(), severity: Severity::Error, message: message.to_owned() }
    }

    /// A rule whose violation is reported only.
    pub fn warning(expr: &str, message: &str) -> Self {
        Self { expr: expr.to_owned(), severity: Severity::Warning, message: message.to_owned() }
    }
}
