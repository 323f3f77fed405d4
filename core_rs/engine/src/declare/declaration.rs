//! The declaration of a strategy.

use super::builder::Builder;
use super::constraint::Constraint;
use super::derived::Derived;
use super::draft::Draft;
use super::family::Family;
use super::parameter::Parameter;
use super::plan::Plan;

/// What is fixed before any parameter: the primary timeframe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Name of the primary timeframe, for example `M5`.
    pub timeframe: String,
    /// Its length in minutes.
    pub timeframe_minutes: i64,
}

/// All that a strategy says about itself and its parameters. Made by [`Declaration::builder`], hence always sound:
/// names are known and unique, expressions parse, no `when` depends on itself, defaults are valid.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Name of the strategy.
    pub id: String,
    /// Raised whenever any result can change.
    pub version: String,
    /// A few words.
    pub title: String,
    /// One paragraph.
    pub doc: String,
    /// Order types it uses.
    pub order_types: Vec<String>,
    /// Timeframes it uses: names, or the parameters that hold them; `primary` is the market's own.
    pub timeframes: Vec<String>,
    /// The first bar at which a signal is possible, in words.
    pub warmup: String,
    /// Its parameters, in the order of searches and listings.
    pub parameters: Vec<Parameter>,
    /// Parameters whose names are made of parts.
    pub families: Vec<Family>,
    /// Names computed from the parameters.
    pub derived: Vec<Derived>,
    /// Rules between the parameters.
    pub constraints: Vec<Constraint>,
    /// Pairs of parameters of which only the ratio matters: a search over both is a warning.
    pub ratios: Vec<(String, String)>,
    /// Rewrites what was given, for example a shorthand, before anything is derived from it.
    pub normalise: Option<fn(&mut Draft<'_>)>,
    pub(super) plan: Plan,
}

impl Declaration {
    /// Begins a declaration.
    pub fn builder(id: &str, version: &str, title: &str) -> Builder {
        Builder::new(id, version, title)
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.plan.index.get(name).map(|index| &self.parameters[*index])
    }

    /// The member of a family with that name.
    pub fn member(&self, name: &str) -> Option<Parameter> {
        self.plan.members.get(name).map(|family| self.families[*family].called(name))
    }
}
