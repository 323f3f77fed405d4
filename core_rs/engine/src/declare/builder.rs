//! Puts a declaration together.

use super::constraint::Constraint;
use super::declaration::Declaration;
use super::derived::Derived;
use super::draft::Draft;
use super::family::Family;
use super::parameter::Parameter;
use super::plan::Plan;
use crate::Result;

/// A declaration in the making; [`Builder::checked`] ends it.
#[derive(Debug, Clone)]
pub struct Builder(Declaration);

impl Builder {
    pub(super) fn new(id: &str, version: &str, title: &str) -> Self {
        Self(Declaration {
            id: id.to_owned(),
            version: version.to_owned(),
            title: title.to_owned(),
            doc: String::new(),
            order_types: vec!["market".to_owned()],
            timeframes: vec!["primary".to_owned()],
            warmup: String::new(),
            parameters: Vec::new(),
            families: Vec::new(),
            derived: Vec::new(),
            constraints: Vec::new(),
            ratios: Vec::new(),
            normalise: None,
            plan: Plan::default(),
        })
    }

    /// One paragraph on the strategy.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        doc.clone_into(&mut self.0.doc);
        self
    }

    /// The first bar at which a signal is possible, in words.
    #[must_use]
    pub fn warmup(mut self, warmup: &str) -> Self {
        warmup.clone_into(&mut self.0.warmup);
        self
    }

    /// Order types it uses; market orders only, unless said.
    #[must_use]
    pub fn order_types(mut self, types: &[&str]) -> Self {
        self.0.order_types = types.iter().map(ToString::to_string).collect();
        self
    }

    /// Timeframes it uses, or the parameters that hold them; the primary one only, unless said.
    #[must_use]
    pub fn timeframes(mut self, timeframes: &[&str]) -> Self {
        self.0.timeframes = timeframes.iter().map(ToString::to_string).collect();
        self
    }

    /// Adds parameters.
    #[must_use]
    pub fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.0.parameters.extend(parameters);
        self
    }

    /// Adds families of parameters, which `normalise` has to fold into a map.
    #[must_use]
    pub fn families(mut self, families: impl IntoIterator<Item = Family>) -> Self {
        self.0.families.extend(families);
        self
    }

    /// Adds derived names.
    #[must_use]
    pub fn derived(mut self, derived: impl IntoIterator<Item = Derived>) -> Self {
        self.0.derived.extend(derived);
        self
    }

    /// Adds constraints.
    #[must_use]
    pub fn constraints(mut self, constraints: impl IntoIterator<Item = Constraint>) -> Self {
        self.0.constraints.extend(constraints);
        self
    }

    /// Of two parameters only the ratio matters.
    #[must_use]
    pub fn ratio(mut self, numerator: &str, denominator: &str) -> Self {
        self.0.ratios.push((numerator.to_owned(), denominator.to_owned()));
        self
    }

    /// Rewrites what was given, for example a shorthand, before anything is derived from it.
    #[must_use]
    pub fn normalise(mut self, normalise: fn(&mut Draft<'_>)) -> Self {
        self.0.normalise = Some(normalise);
        self
    }

    /// The declaration, with its expressions parsed.
    ///
    /// # Errors
    /// `[1001]` if a name is repeated or unknown, an expression does not parse, or a `when` depends on itself; the
    /// code of an invalid default.
    pub fn build(self) -> Result<Declaration> {
        let mut declaration = self.0;
        declaration.plan = Plan::of(&declaration)?;
        Ok(declaration)
    }

    /// The declaration of a native strategy.
    ///
    /// # Panics
    /// If [`Builder::build`] fails: a declaration in source code is right, or a bug.
    pub fn checked(self) -> Declaration {
        let id = self.0.id.clone();
        match self.build() {
            Ok(declaration) => declaration,
            Err(error) => panic!("declaration of {id}: {error}"),
        }
    }
}
