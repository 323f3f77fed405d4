//! Several symbols on one account, or one under moving rates: bars in the order of labels, equity sampled at each.

use super::Simulation;
use crate::error::Result;
use crate::run::desk::Ahead;
use crate::run::now::{Close, Now};
use crate::strategy::{Decide, View};

/// Where the symbols stand, each by its number.
struct Symbols {
    /// The next bar.
    next: Vec<usize>,
    /// The first bar before it that has been sampled, but not passed.
    unpassed: Vec<usize>,
    /// What is known of the bars from that one on.
    ahead: Vec<Ahead>,
    /// The first label at which one of them needs the steps of a bar, or an earlier one.
    quiet_until: i64,
    /// Bid and ask of the last close.
    quotes: Vec<(f64, f64)>,
    /// The bar of the label that is under way, if there is one that needs its steps.
    closes: Vec<Option<Close>>,
}

impl<D: Decide> Simulation<'_, D> {
    /// At each label every step for all symbols that have a bar there, in configured order.
    pub(super) fn run_symbols(&mut self) -> Result<()> {
        let first: Vec<usize> = self.desks.iter().map(|d| d.instrument.traded.start).collect();
        let mut symbols = Symbols {
            unpassed: first.clone(),
            next: first,
            ahead: vec![Ahead::default(); self.desks.len()],
            quiet_until: i64::MIN,
            quotes: vec![(f64::NAN, f64::NAN); self.desks.len()],
            closes: vec![None; self.desks.len()],
        };
        let views: Vec<View<'_>> = self.desks.iter().map(|d| d.view).collect();
        while let Some(label) = self.earliest(&symbols.next) {
            if label >= symbols.quiet_until && !self.stepwise {
                symbols.quiet_until = self.look_ahead(&mut symbols, label)?;
            }
            if label < symbols.quiet_until {
                self.pass_label(&mut symbols, label)?;
            } else {
                self.step(&mut symbols, &views, label)?;
            }
            if self.account.out.stopped.is_some() {
                break;
            }
        }
        self.forget(&mut symbols)
    }

    /// The steps of the symbols that need them at one label, all of them where their slots are counted together.
    fn step(&mut self, symbols: &mut Symbols, views: &[View<'_>], label: i64) -> Result<()> {
        if self.account.slots != usize::MAX {
            // What one symbol may enter depends on what the others hold.
            self.forget(symbols)?;
        }
        for (k, view) in views.iter().enumerate() {
            symbols.closes[k] = None;
            let i = symbols.next[k];
            if !self.has_bar(k, i, label) {
                continue;
            }
            if symbols.ahead[k].until <= i {
                symbols.unpassed[k] = i + 1;
                symbols.closes[k] = Some(self.desks[k].close_of(i));
                self.desks[k].trade(&mut self.account, &Now::bar(view, i))?;
            } else {
                self.account.exposed |= !self.account.book.open.is_empty();
            }
            self.quote(symbols, k);
        }
        for (desk, close) in self.desks.iter_mut().zip(&symbols.closes) {
            if let Some(close) = close {
                desk.manage(&mut self.account, close)?;
            }
        }
        let moment = self.moment(label);
        for k in 0..self.desks.len() {
            if let Some(close) = symbols.closes[k] {
                self.account.taken = self.taken_by_others(k, &symbols.next, moment);
                self.desks[k].enter(&mut self.account, &close)?;
            }
        }
        for (desk, close) in self.desks.iter_mut().zip(&symbols.closes) {
            if let Some(close) = close.filter(|c| c.last) {
                desk.end_of_data(&mut self.account, &close)?;
            }
            desk.end_bar();
        }
        self.sample_all(symbols, label)
    }

    /// A label at which no symbol needs the steps of a bar.
    fn pass_label(&mut self, symbols: &mut Symbols, label: i64) -> Result<()> {
        for k in 0..self.desks.len() {
            if self.has_bar(k, symbols.next[k], label) {
                self.quote(symbols, k);
            }
        }
        self.account.exposed = !self.account.book.open.is_empty();
        self.sample_all(symbols, label)
    }

    /// Step 6.
    fn sample_all(&mut self, symbols: &mut Symbols, label: i64) -> Result<()> {
        let ruined = self.account.out.ruined_at;
        let moment = self.moment(label);
        self.sample(label, moment, |symbol| symbols.quotes[symbol])?;
        if self.account.out.ruined_at != ruined {
            // Who is ruined may enter nothing any more.
            self.forget(symbols)?;
        }
        Ok(())
    }

    /// The first label, from one on, at which a symbol needs the steps of a bar.
    fn look_ahead(&mut self, symbols: &mut Symbols, label: i64) -> Result<i64> {
        if self.account.slots != usize::MAX && self.desks.iter().any(|desk| desk.waits()) {
            return Ok(label);
        }
        let mut until = i64::MAX;
        for k in 0..self.desks.len() {
            let i = symbols.next[k];
            if !self.desks[k].instrument.traded.contains(&i) {
                continue;
            }
            if symbols.ahead[k].until <= i {
                self.catch_up(symbols, k)?;
                self.account.taken = self.taken_by_others(k, &symbols.next, self.moment(label));
                symbols.ahead[k] = self.desks[k].look_ahead(&mut self.account, i);
            }
            until = until.min(self.desks[k].view.label[symbols.ahead[k].until]);
        }
        Ok(until)
    }

    /// Takes the close of the next bar of a symbol for its last quote.
    fn quote(&self, symbols: &mut Symbols, k: usize) {
        let (view, i) = (&self.desks[k].view, symbols.next[k]);
        symbols.quotes[k] = (view.bid.close[i], view.ask.close[i]);
        symbols.next[k] = i + 1;
    }

    /// Passes what has been sampled of a symbol.
    fn catch_up(&mut self, symbols: &mut Symbols, k: usize) -> Result<()> {
        let bars = symbols.unpassed[k]..symbols.next[k];
        symbols.unpassed[k] = bars.end;
        self.desks[k].pass(&mut self.account, &symbols.ahead[k], bars)
    }

    /// What was known of the bars ahead does not hold any more.
    fn forget(&mut self, symbols: &mut Symbols) -> Result<()> {
        for k in 0..self.desks.len() {
            self.catch_up(symbols, k)?;
            symbols.ahead[k] = Ahead::default();
        }
        symbols.quiet_until = i64::MIN;
        Ok(())
    }

    /// The next label at which any symbol has a bar.
    fn earliest(&self, next: &[usize]) -> Option<i64> {
        let labels = self.desks.iter().zip(next).filter(|(d, i)| d.instrument.traded.contains(i));
        labels.map(|(d, &i)| d.view.label[i]).min()
    }

    /// When the bars of a label are decided on.
    fn moment(&self, label: i64) -> i64 {
        label + self.desks[0].view.timeframe
    }

    /// Whether bar `i` of a symbol is traded and has this label.
    fn has_bar(&self, symbol: usize, i: usize, label: i64) -> bool {
        let desk = &self.desks[symbol];
        desk.instrument.traded.contains(&i) && desk.view.label[i] == label
    }

    /// Slots that the other symbols hold, for the limit of the whole portfolio.
    fn taken_by_others(&self, symbol: usize, next: &[usize], moment: i64) -> usize {
        if self.account.slots == usize::MAX {
            return 0;
        }
        let others = self
            .desks
            .iter()
            .enumerate()
            .filter(|&(k, desk)| k != symbol && next[k] > desk.instrument.traded.start);
        others
            .map(|(k, desk)| {
                let close = Close { moment, ..desk.close_of(next[k] - 1) };
                desk.used_slots(&self.account, &close)
            })
            .sum()
    }
}
