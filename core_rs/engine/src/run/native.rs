//! Strategies behind one interface: the type is erased once per run, never per bar.

use crate::declare::{Canonical, Declaration};
use crate::error::{Error, Result};
use crate::orders::Signal;
use crate::run::outcome::Outcome;
use crate::run::session::{Instrument, Session};
use crate::run::simulation::{self, Prepared};
use crate::strategy::Strategy;
use crate::suggest::suggestion;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// A signal, and where it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Number of the symbol.
    pub symbol: usize,
    /// Index among its loaded bars.
    pub bar: usize,
    /// The signal.
    pub signal: Signal,
}

/// A native strategy as an engine sees it.
pub trait NativeStrategy: Send + Sync {
    /// Its declaration.
    fn declaration(&self) -> &Declaration;

    /// One backtest.
    ///
    /// # Errors
    /// As [`Strategy::prepare`] and [`simulation::run`].
    fn run(&self, session: &Session, params: &Canonical, keep: bool) -> Result<Outcome>;

    /// What it would say at every bar from its warm-up on, ignoring gates and slots, in order of labels.
    ///
    /// # Errors
    /// As [`Strategy::prepare`].
    fn signals(&self, session: &Session, params: &Canonical) -> Result<Vec<Said>>;
}

/// A list of strategies, as a native module has one.
pub type Strategies = &'static [&'static dyn NativeStrategy];

/// The strategy of a list with this id.
///
/// # Errors
/// [1001] naming the nearest ids.
pub fn find(strategies: Strategies, id: &str) -> Result<&'static dyn NativeStrategy> {
    if let Some(strategy) = strategies.iter().find(|s| s.declaration().id == id) {
        return Ok(*strategy);
    }
    Err(Error::config(1001, format!("unknown strategy {id:?}"))
        .at("strategy.name")
        .fix(suggestion(id, strategies.iter().map(|s| s.declaration().id.as_str()))))
}

/// The one implementation of [`NativeStrategy`], for every strategy type.
pub struct Native<S> {
    declaration: OnceLock<Declaration>,
    strategy: PhantomData<fn() -> S>,
}

impl<S> Native<S> {
    /// An entry for a list of strategies.
    pub const fn new() -> Self {
        Self { declaration: OnceLock::new(), strategy: PhantomData }
    }
}

impl<S> Default for Native<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Strategy> NativeStrategy for Native<S> {
    fn declaration(&self) -> &Declaration {
        self.declaration.get_or_init(S::declaration)
    }

    fn run(&self, session: &Session, params: &Canonical, keep: bool) -> Result<Outcome> {
        let warmup = S::warmup(params);
        let prepare = |instrument: &Instrument| -> Result<Prepared<S>> {
            let decider = S::prepare(&instrument.view(), &instrument.indicators(), params)?;
            Ok(Prepared { decider, warmup })
        };
        let strategies: Vec<_> = session.instruments.iter().map(prepare).collect::<Result<_>>()?;
        simulation::run(session, &strategies, keep)
    }

    fn signals(&self, session: &Session, params: &Canonical) -> Result<Vec<Said>> {
        let mut rows = Vec::new();
        for (symbol, instrument) in session.instruments.iter().enumerate() {
            let view = instrument.view();
            let prepared = S::prepare(&view, &instrument.indicators(), params)?;
            let mut bar = Vec::new();
            for i in S::warmup(params)..view.label.len() {
                prepared.evaluate(i, &view, &mut bar);
                rows.extend(bar.drain(..).map(|signal| Said { symbol, bar: i, signal }));
            }
        }
        if session.instruments.len() > 1 {
            rows.sort_by_key(|said| session.instruments[said.symbol].market.label()[said.bar]);
        }
        Ok(rows)
    }
}
