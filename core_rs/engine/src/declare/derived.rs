//! Names computed from parameters.

use super::draft::Draft;
use crate::Value;

/// A number or boolean computed from the parameters and the primary timeframe: usable like a parameter in `when` and
/// constraints, not settable.
#[derive(Debug, Clone)]
pub struct Derived {
    /// `snake_case`, different from every parameter.
    pub name: String,
    /// One line.
    pub doc: String,
    /// The parameters that `compute` reads. It has no value where one of them is inactive, and no condition may mention it
    /// if one of them is conditional.
    pub reads: Vec<String>,
    /// Its value; the parameters read are valid.
    pub compute: fn(&Draft<'_>) -> Value,
}

impl Derived {
    /// A derived name.
    pub fn new(name: &str, doc: &str, reads: &[&str], compute: fn(&Draft<'_>) -> Value) -> Self {
        let reads = reads.iter().map(ToString::to_string).collect();
        Self { name: name.to_owned(), doc: doc.to_owned(), reads, compute }
    }
}
