//! A parameter set while it is being made canonical: what `normalise` and derived names see.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::convert::convert;
use super::declaration::{Context, Declaration};
use super::parameter::Parameter;
use crate::suggest::suggestion;
use crate::{Error, Value};

/// What is known about one parameter.
#[derive(Debug, Clone)]
enum Given {
    Nothing,
    Valid(Value),
    Invalid,
}

/// The typed values that were given, and the problems found so far.
#[derive(Debug)]
pub struct Draft<'a> {
    declaration: &'a Declaration,
    context: &'a Context,
    given: Vec<Given>,
    members: BTreeMap<String, Value>,
    pub(super) problems: Vec<Error>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Draft<'a> {
    /// Types and checks every given value by itself; all problems are kept.
    pub(super) fn read(declaration: &'a Declaration, context: &'a Context, raw: &Map<String, Json>) -> Self {
        let mut problems = Vec::new();
        let mut members = BTreeMap::new();
        let mut given = vec![Given::Nothing; declaration.parameters.len()];
        let mut invalid = Vec::new();
        for (name, json) in raw {
            if let Some(&position) = declaration.plan.index.get(name) {
                given[position] = match convert(&declaration.parameters[position], json) {
                    Ok(value) => Given::Valid(value),
                    Err(problem) => {
                        invalid.push((position, problem));
                        Given::Invalid
                    }
                };
                continue;
            }
            match declaration.member(name).map(|member| convert(&member, json)) {
                None => problems.push(unknown_name(declaration, name)),
                Some(Ok(value)) => drop(members.insert(name.clone(), value)),
                Some(Err(problem)) => problems.push(problem),
            }
        }
        invalid.sort_by_key(|(position, _)| *position);
        problems.extend(invalid.into_iter().map(|(_, problem)| problem));
        Self { declaration, context, given, members, problems, warnings: Vec::new() }
    }

    /// The primary timeframe.
    pub fn context(&self) -> &Context {
        self.context
    }

    /// The value that was given for `name`, if one was and it is valid.
    ///
    /// # Panics
    /// If no parameter has that name.
    pub fn given(&self, name: &str) -> Option<&Value> {
        match &self.given[self.position(name)] {
            Given::Valid(value) => Some(value),
            Given::Nothing | Given::Invalid => None,
        }
    }

    /// The value of `name`: as given, else its default; none where the given value is invalid.
    ///
    /// # Panics
    /// If no parameter has that name.
    pub fn value(&self, name: &str) -> &Value {
        self.value_at(self.position(name))
    }

    /// The value that was given for a member of a family, if one was and it is valid.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The declaration of `name`.
    ///
    /// # Panics
    /// If no parameter has that name.
    pub fn parameter(&self, name: &str) -> &'a Parameter {
        &self.declaration.parameters[self.position(name)]
    }

    /// Whether the set `name` contains `member`.
    ///
    /// # Panics
    /// If no parameter has that name.
    pub fn contains(&self, name: &str, member: &str) -> bool {
        matches!(self.value(name), Value::Text(text) if text.split('+').any(|part| part == member))
    }

    /// Sets `name`, as if it had been given so.
    ///
    /// # Panics
    /// If no parameter has that name.
    pub fn set(&mut self, name: &str, value: Value) {
        let position = self.position(name);
        self.given[position] = Given::Valid(value);
    }

    /// Adds a problem of the parameter set.
    pub fn refuse(&mut self, problem: Error) {
        self.problems.push(problem);
    }

    /// Tells the user something about the parameter set, which stays valid.
    pub fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    pub(super) fn value_at(&self, position: usize) -> &Value {
        match &self.given[position] {
            Given::Valid(value) => value,
            Given::Nothing => &self.declaration.parameters[position].default,
            Given::Invalid => &Value::None,
        }
    }

    pub(super) fn is_valid(&self, name: &str) -> bool {
        !matches!(self.given[self.position(name)], Given::Invalid)
    }

    fn position(&self, name: &str) -> usize {
        match self.declaration.plan.index.get(name) {
            Some(position) => *position,
            None => panic!("strategy {} has no parameter {name}", self.declaration.id),
        }
    }
}

fn unknown_name(declaration: &Declaration, name: &str) -> Error {
    let place = format!("strategy {}", declaration.id);
    let begins_alike = |member: &&str| member.split('_').next() == name.split('_').next();
    let members = declaration.plan.members.keys().map(String::as_str).filter(begins_alike);
    let known = declaration.parameters.iter().map(|parameter| parameter.name.as_str()).chain(members);
    let what = if declaration.derived.iter().any(|derived| derived.name == name) {
        format!("{name} is derived from other parameters and cannot be set")
    } else {
        format!("unknown parameter {name}")
    };
    Error::config(1001, what).at(place).fix(suggestion(name, known))
}
