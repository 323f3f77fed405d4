//! Expressions of constraints, conditions and objectives: a whitelisted subset of Python's expression syntax.
//!
//! Semantics are Python's, with one addition: null (`None`) is absorbing. Division by zero, overflow, domain
//! errors and operations on the wrong type give null. The Python evaluator (`sweep.expressions`) shares the
//! table of cases `tests/data/expressions.json`.
//!
//! Reading order: `token` → `cursor` → `syntax` → `parser` → `evaluate` → `number` and `function`.

mod cursor;
mod evaluate;
mod function;
mod number;
mod parser;
mod syntax;
#[cfg(test)]
mod table;
mod token;

use std::collections::BTreeSet;

use crate::{Result, Value};

/// Longest accepted expression, in characters.
pub const MAX_LENGTH: usize = 1000;
/// Deepest accepted tree of operations; a literal or a name alone has depth 1. Parentheses add nothing
/// (64 may be nested).
pub const MAX_DEPTH: usize = 50;
/// Largest accepted |exponent|: a larger literal is refused, a larger computed one gives null.
pub const MAX_EXPONENT: f64 = 64.0;

/// A parsed expression.
///
/// ```
/// use sweep_engine::{Value, expr::Expr};
///
/// let rule = Expr::parse("fast_period < slow_period")?;
/// let values = |name: &str| Some(Value::Int(if name == "fast_period" { 20 } else { 50 }));
/// assert_eq!(rule.evaluate(&values), Value::Bool(true));
/// # Ok::<(), sweep_engine::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Expr {
    text: String,
    root: syntax::Node,
    names: BTreeSet<String>,
}

impl Expr {
    /// Parses `text`.
    ///
    /// # Errors
    /// `[1001]` with the position, for bad syntax, anything outside the whitelist, or a broken limit.
    pub fn parse(text: &str) -> Result<Self> {
        let (root, names) = parser::parse(text)?;
        Ok(Self { text: text.to_owned(), root, names })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names it reads.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Its value, `Value::None` being null. A name for which `env` has nothing is null.
    pub fn evaluate(&self, env: &dyn Fn(&str) -> Option<Value>) -> Value {
        evaluate::evaluate(&self.root, env)
    }

    /// Whether a condition is true; null and text are not.
    pub fn holds(&self, env: &dyn Fn(&str) -> Option<Value>) -> bool {
        evaluate::truth(&self.evaluate(env)) == Some(true)
    }
}
