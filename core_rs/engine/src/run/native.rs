//! Strategies behind one interface: the type is erased once per run, never per bar.

use crate::declare::{Canonical, Declaration};
use crate::error::Result;
use crate::orders::Signal;
use crate::run::bar_loop;
use crate::run::outcome::Outcome;
use crate::run::session::Session;
use crate::strategy::Strategy;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// A native strategy as an engine sees it.
pub trait NativeStrategy: Send + Sync {
    /// Its declaration.
    fn declaration(&self) -> &Declaration;

    /// One backtest.
    ///
    /// # Errors
    /// As [`Strategy::prepare`] and [`bar_loop::run`].
    fn run(&self, session: &Session, params: &Canonical, keep_curve: bool) -> Result<Outcome>;

    /// What it would say at every bar from its warm-up on, ignoring slots: (loaded bar, signal).
    ///
    /// # Errors
    /// As [`Strategy::prepare`].
    fn signals(&self, session: &Session, params: &Canonical) -> Result<Vec<(usize, Signal)>>;
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

    fn run(&self, session: &Session, params: &Canonical, keep_curve: bool) -> Result<Outcome> {
        let prepared = S::prepare(&session.view(), &session.indicators(), params)?;
        bar_loop::run(session, &prepared, S::warmup(params), keep_curve)
    }

    fn signals(&self, session: &Session, params: &Canonical) -> Result<Vec<(usize, Signal)>> {
        let view = session.view();
        let prepared = S::prepare(&view, &session.indicators(), params)?;
        let (mut rows, mut bar) = (Vec::new(), Vec::new());
        for i in S::warmup(params)..view.label.len() {
            prepared.evaluate(i, &view, &mut bar);
            rows.extend(bar.drain(..).map(|signal| (i, signal)));
        }
        Ok(rows)
    }
}
