//! One parameter set to one result row. Nothing that a trial does reaches another.

use crate::declare::{Context, canonicalise};
use crate::error::{Error, Result};
use crate::run::digest::Digests;
use crate::run::identity::IdentityTemplate;
use crate::run::native::NativeStrategy;
use crate::run::outcome::Outcome;
use crate::run::session::Session;
use serde_json::{Map, Value as Json};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A strategy on a session.
pub struct Trial<'a> {
    /// What all trials share.
    pub session: &'a Session,
    /// The rules.
    pub strategy: &'a dyn NativeStrategy,
    /// Identity documents.
    pub identity: &'a IdentityTemplate,
}

/// What became of one parameter set.
#[derive(Debug)]
pub enum TrialResult {
    /// The backtest ran.
    Complete {
        /// Canonical JSON of the parameters.
        params: String,
        /// Identity of the trial.
        identity: String,
        /// Digests of the result.
        digests: Digests,
        /// The result.
        outcome: Box<Outcome>,
    },
    /// The parameters were refused; no bar was run.
    InvalidParams {
        /// All problems, one readable line each.
        reason: String,
    },
    /// The engine failed on these parameters.
    EngineError {
        /// Canonical JSON of the parameters, if they got that far.
        params: Option<String>,
        /// Identity, likewise.
        identity: Option<String>,
        /// What went wrong.
        error: Error,
    },
}

impl TrialResult {
    /// Forgets the trades; digests and figures stay.
    pub fn forget_records(&mut self) {
        if let Self::Complete { outcome, .. } = self {
            outcome.forget_records();
        }
    }
}

impl Trial<'_> {
    fn context(&self) -> Context {
        self.session.context()
    }

    /// The result of raw parameters. Never panics: a panic is [5005] of this trial alone.
    pub fn run(&self, raw: &Map<String, Json>, keep_curve: bool) -> TrialResult {
        let canonical = match canonicalise(self.strategy.declaration(), &self.context(), raw) {
            Ok(canonical) => canonical,
            Err(problems) => return TrialResult::InvalidParams { reason: join(&problems) },
        };
        let params = canonical.to_json();
        let identity = self.identity.identity(&params);
        let ran = catch_unwind(AssertUnwindSafe(|| -> Result<(Digests, Box<Outcome>)> {
            let outcome = self.strategy.run(self.session, &canonical, keep_curve)?;
            Ok((Digests::of(&outcome, self.session), Box::new(outcome)))
        }));
        let error = match ran {
            Ok(Ok((digests, outcome))) => {
                return TrialResult::Complete { params, identity, digests, outcome };
            }
            Ok(Err(error)) => error,
            Err(payload) => Error::engine(5005, format!("panic: {}", panic_text(payload.as_ref()))),
        };
        TrialResult::EngineError { params: Some(params), identity: Some(identity), error }
    }
}

fn join(problems: &[Error]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What a caught panic says.
pub fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
