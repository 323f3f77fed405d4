//! From what a user, a file or a sampler gave to the canonical parameter set.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::canonical::Canonical;
use super::constraint::{Constraint, Severity};
use super::declaration::{Context, Declaration};
use super::draft::Draft;
use crate::expr::Expr;
use crate::{Error, Value};

/// The canonical parameter set of `raw`: every active parameter present and in its declared type, defaults filled in,
/// inactive parameters and shorthands absent. Sets that mean the same trial become equal.
///
/// In `raw`, JSON null is "none"; a set is a list or text joined by `+`; a map is a mapping or its JSON text.
///
/// # Errors
/// All problems of the set together: `[1001]` unknown name or choice, `[1003]` outside the domain, `[1004]` wrong
/// type, `[1006]` a constraint.
pub fn canonicalise(
    declaration: &Declaration,
    context: &Context,
    raw: &Map<String, Json>,
) -> Result<Canonical, Vec<Error>> {
    let mut draft = Draft::read(declaration, context, raw);
    if let Some(normalise) = declaration.normalise {
        normalise(&mut draft);
    }
    let mut problems = std::mem::take(&mut draft.problems);
    let mut warnings = std::mem::take(&mut draft.warnings);
    let set = Set::of(declaration, &draft);
    for (constraint, expr) in declaration.constraints.iter().zip(&declaration.plan.constraints) {
        if set.applies(expr) && !expr.holds(&|name| set.value(name).cloned()) {
            match constraint.severity {
                Severity::Error => problems.push(set.violation(constraint, expr)),
                Severity::Warning => warnings.push(constraint.message.clone()),
            }
        }
    }
    if problems.is_empty() { Ok(set.into_canonical(warnings)) } else { Err(problems) }
}

/// A parameter set whose derived names and active parameters are known.
struct Set<'a> {
    declaration: &'a Declaration,
    draft: &'a Draft<'a>,
    derived: BTreeMap<String, Value>,
    active: Vec<bool>,
}

impl<'a> Set<'a> {
    fn of(declaration: &'a Declaration, draft: &'a Draft<'a>) -> Self {
        let valid =
            declaration.derived.iter().filter(|name| name.reads.iter().all(|read| draft.is_valid(read)));
        let derived = valid.map(|name| (name.name.clone(), (name.compute)(draft))).collect();
        let active = vec![false; declaration.parameters.len()];
        let mut set = Self { declaration, draft, derived, active };
        for &position in &declaration.plan.order {
            let when = declaration.plan.when[position].as_ref();
            set.active[position] = when.is_none_or(|when| when.holds(&|name| set.value(name).cloned()));
        }
        let inactive = |read: &String| !set.active[declaration.plan.index[read]];
        let without = declaration.derived.iter().filter(|derived| derived.reads.iter().any(inactive));
        let without: Vec<&String> = without.map(|derived| &derived.name).collect();
        without.into_iter().for_each(|name| drop(set.derived.remove(name)));
        set
    }

    /// The value of a parameter or derived name; nothing if it is inactive, none or invalid.
    fn value(&self, name: &str) -> Option<&Value> {
        let parameter = || {
            let position = *self.declaration.plan.index.get(name)?;
            self.active[position].then(|| self.draft.value_at(position))
        };
        let value = self.derived.get(name).or_else(parameter);
        value.filter(|value| **value != Value::None)
    }

    /// A constraint that mentions a parameter without a value is not applied.
    fn applies(&self, expr: &Expr) -> bool {
        expr.names().iter().all(|name| self.value(name).is_some())
    }

    fn violation(&self, constraint: &Constraint, expr: &Expr) -> Error {
        let values = expr.names().iter().filter_map(|name| Some(format!("{name} = {}", self.value(name)?)));
        let place =
            format!("constraint `{}` with {}", constraint.expr, values.collect::<Vec<_>>().join(", "));
        Error::config(1006, constraint.message.clone()).at(place).fix("change one of these parameters")
    }

    fn into_canonical(self, warnings: Vec<String>) -> Canonical {
        let known = self.declaration.plan.by_name.iter();
        let active = known.filter(|(_, position)| {
            self.active[*position] && !self.declaration.parameters[*position].shorthand
        });
        let params = active
            .map(|(name, position)| (Arc::clone(name), self.draft.value_at(*position).clone()))
            .collect();
        let defaults = Arc::clone(&self.declaration.plan.defaults);
        Canonical { params, derived: self.derived, warnings, defaults }
    }
}
