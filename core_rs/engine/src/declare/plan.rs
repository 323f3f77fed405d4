//! What is worked out once per declaration, so that a parameter set costs microseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ahash::AHashMap;

use super::convert::check;
use super::declaration::Declaration;
use super::derived::Derived;
use super::parameter::Kind;
use crate::expr::Expr;
use crate::{Error, Result, Value};

/// Parsed expressions, positions by name, the order in which conditions are evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Position of each parameter.
    pub index: AHashMap<String, usize>,
    /// Names and positions of parameters in the order of the names, in which maps are made without sorting.
    pub by_name: Vec<(Arc<str>, usize)>,
    /// Position of the family of each member.
    pub members: BTreeMap<String, usize>,
    /// Each parameter's condition.
    pub when: Vec<Option<Expr>>,
    /// Positions of parameters, each after those that its condition names.
    pub order: Vec<usize>,
    /// The constraints, in the order of the declaration.
    pub constraints: Vec<Expr>,
    /// The defaults by name.
    pub defaults: Arc<BTreeMap<String, Value>>,
}

impl Plan {
    pub fn of(declaration: &Declaration) -> Result<Self> {
        let mut plan = Self::default();
        for (position, parameter) in declaration.parameters.iter().enumerate() {
            if plan.index.insert(parameter.name.clone(), position).is_some() {
                return Err(repeated(&parameter.name));
            }
            let default = check(parameter, parameter.default.clone()).map_err(|error| {
                let place = format!("default of {}", parameter.name);
                error.at(place)
            })?;
            Arc::make_mut(&mut plan.defaults).insert(parameter.name.clone(), default);
        }
        let names = declaration.parameters.iter().map(|parameter| Arc::from(parameter.name.as_str()));
        plan.by_name = names.zip(0..).collect();
        plan.by_name.sort();
        let mut derived = BTreeSet::new();
        for name in &declaration.derived {
            if plan.index.contains_key(&name.name) || !derived.insert(name.name.as_str()) {
                return Err(repeated(&name.name));
            }
            plan.check_reads(&name.name, &name.reads)?;
        }
        for parameter in &declaration.parameters {
            let when = parameter.when.as_deref();
            plan.when.push(when.map(|text| plan.parsed(text, &derived)).transpose()?);
            for text in parameter.ranges.iter().filter_map(|range| range.when.as_deref()) {
                plan.parsed(text, &derived)?;
            }
        }
        for (numerator, denominator) in &declaration.ratios {
            plan.check_reads("of a ratio", &[numerator.clone(), denominator.clone()])?;
        }
        plan.add_families(declaration, &derived)?;
        for constraint in &declaration.constraints {
            let expr = plan.parsed(&constraint.expr, &derived)?;
            plan.constraints.push(expr);
        }
        plan.check_conditions(declaration)?;
        plan.order = plan.sorted(declaration)?;
        Ok(plan)
    }

    fn add_families(&mut self, declaration: &Declaration, derived: &BTreeSet<&str>) -> Result<()> {
        for (position, family) in declaration.families.iter().enumerate() {
            family.member.when.as_deref().map(|text| self.parsed(text, derived)).transpose()?;
            let map = family.inside.first().map_or("", String::as_str);
            if !self.index.get(map).is_some_and(|at| declaration.parameters[*at].kind == Kind::Map) {
                return Err(unknown(map, &format!("family {}: no map", family.member.name)));
            }
            for name in family.names() {
                let known = self.index.contains_key(&name) || derived.contains(name.as_str());
                if known || self.members.insert(name.clone(), position).is_some() {
                    return Err(repeated(&name));
                }
            }
        }
        Ok(())
    }

    fn check_reads(&self, name: &str, reads: &[String]) -> Result<()> {
        match reads.iter().find(|read| !self.index.contains_key(*read)) {
            Some(read) => Err(unknown(read, &format!("derived name {name}"))),
            None => Ok(()),
        }
    }

    /// Conditions are decided before it is known which parameters are active, so the derived names in them read
    /// unconditional parameters only.
    fn check_conditions(&self, declaration: &Declaration) -> Result<()> {
        let conditional = |read: &String| declaration.parameters[self.index[read]].when.is_some();
        for expr in self.when.iter().flatten() {
            let mentioned = |derived: &&Derived| expr.names().contains(&derived.name);
            for derived in declaration.derived.iter().filter(mentioned) {
                if let Some(read) = derived.reads.iter().find(|read| conditional(read)) {
                    let name = &derived.name;
                    let what =
                        format!("a condition mentions {name}, which reads the conditional parameter {read}");
                    return Err(Error::config(1001, what));
                }
            }
        }
        Ok(())
    }

    /// Parses an expression over parameters and derived names.
    fn parsed(&self, text: &str, derived: &BTreeSet<&str>) -> Result<Expr> {
        let expr = Expr::parse(text)?;
        match expr.names().iter().find(|n| !self.index.contains_key(*n) && !derived.contains(n.as_str())) {
            Some(name) => Err(unknown(name, &format!("`{text}`"))),
            None => Ok(expr),
        }
    }

    /// Topological order of the conditions, otherwise as declared.
    fn sorted(&self, declaration: &Declaration) -> Result<Vec<usize>> {
        let needs: Vec<Vec<usize>> = self
            .when
            .iter()
            .map(|when| {
                when.iter().flat_map(Expr::names).filter_map(|n| self.index.get(n).copied()).collect()
            })
            .collect();
        let mut done = vec![false; needs.len()];
        let mut order = Vec::with_capacity(needs.len());
        while order.len() < needs.len() {
            let ready = (0..needs.len()).find(|&p| !done[p] && needs[p].iter().all(|&need| done[need]));
            let Some(position) = ready else {
                let names = declaration.parameters.iter().zip(&done).filter(|(_, done)| !**done);
                let names: Vec<&str> = names.map(|(parameter, _)| parameter.name.as_str()).collect();
                return Err(Error::config(1001, format!("cyclic `when`: {}", names.join(", "))));
            };
            done[position] = true;
            order.push(position);
        }
        Ok(order)
    }
}

fn repeated(name: &str) -> Error {
    Error::config(1001, format!("the name {name} is declared twice"))
}

fn unknown(name: &str, place: &str) -> Error {
    Error::config(1001, format!("unknown name {name}")).at(place)
}
