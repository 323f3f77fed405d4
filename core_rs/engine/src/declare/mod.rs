//! What a strategy declares once about its parameters, and what follows from it: validation and the canonical
//! parameter set that enters a trial's identity.
//!
//! Reading order: [`Parameter`] and its [`Domain`] and [`Range`]s, [`Family`] → [`Constraint`], [`Derived`] → [`Declaration`] →
//! [`canonicalise`] → [`Canonical`].

mod builder;
mod canonical;
mod canonicalise;
mod constraint;
mod convert;
mod declaration;
mod derived;
mod domain;
mod draft;
mod family;
mod parameter;
mod plan;
mod range;
mod self_check;
mod serialise;
#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use canonical::Canonical;
pub use canonicalise::canonicalise;
pub use constraint::{Constraint, Severity};
pub use declaration::{Context, Declaration};
pub use derived::Derived;
pub use domain::{Domain, Number};
pub use draft::Draft;
pub use family::Family;
pub use parameter::{
    Kind, Parameter, boolean, categorical, float, int, map, optional_float, optional_int, set,
};
pub use range::{Limits, Range};
