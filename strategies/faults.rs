//! A strategy that fails on demand: how the engine contains failures, shown on real trials. Only for tests.

use sweep_engine::declare::{Canonical, Declaration, categorical, int};
use sweep_engine::error::{Error, Result};
use sweep_engine::orders::{Direction, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Decide, Rounder, Rules, Strategy, View};

/// Buys at every bar, and fails where it is told to.
#[derive(Debug)]
pub struct Faults {
    fault: String,
    bar: usize,
    rounder: Rounder,
}

impl Decide for Faults {
    fn rules(&self) -> Rules {
        Rules::default()
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        assert!(!(self.fault == "evaluate" && i >= self.bar), "injected at bar {i}");
        let stop = self.rounder.round(view.bid.close[i] - 20.0 * view.spec.pip_size);
        signals.push(Signal::market(Direction::Long, stop, None));
    }
}

impl Strategy for Faults {
    fn declaration() -> Declaration {
        Declaration::builder("faults", "1.0.0", "Fails on demand")
            .doc("Buys at every bar; panics or gives an error where it is told to. For tests alone.")
            .warmup("none")
            .parameters(vec![
                categorical("fault", &["none", "evaluate", "prepare", "error"], "none")
                    .group("entry")
                    .doc("where it fails"),
                int("bar", 0).at_least(0).unit("bars").group("entry").doc("first bar at which it fails"),
            ])
            .checked()
    }

    fn warmup(_: &Canonical) -> usize {
        0
    }

    fn prepare(view: &View<'_>, _: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let fault = params.text("fault");
        assert!(fault != "prepare", "injected in prepare");
        if fault == "error" {
            return Err(Error::engine(5004, "injected error"));
        }
        Ok(Self { fault: fault.to_owned(), bar: params.count("bar"), rounder: Rounder::new(view.spec, None) })
    }
}
