//! One backtest: every traded bar or tick, in the written order.

mod several;

use crate::error::{Error, Result};
use crate::market::Ticks;
use crate::orders::{Direction, Order};
use crate::portfolio::{Book, EquityTracker, Sample};
use crate::run::account::Account;
use crate::run::desk::{Desk, limit};
use crate::run::level::Run;
use crate::run::now::{Close, Now, Prices};
use crate::run::outcome::{BlockedBars, Outcome};
use crate::run::session::Session;
use crate::run::spare;
use crate::run::tick_plan::TickPlan;
use crate::run::watch::Watch;
use crate::strategy::Decide;

/// A strategy prepared for one symbol, and the first loaded bar at which it may be asked for an entry.
pub struct Prepared<D> {
    /// The decisions.
    pub decider: D,
    /// The first bar.
    pub warmup: usize,
}

/// Runs one prepared strategy per symbol over the traded bars or ticks of `session`; at a pruning level over each of its
/// parts from a flat start, pooled.
///
/// `keep` keeps what only a look at one backtest needs: the equity of every bar, and the orders that ended unfilled.
///
/// # Errors
/// [2005] where an amount became infinite, [2008] where an amount has to be converted and there is no rate.
pub fn run<D: Decide>(session: &Session, strategies: &[Prepared<D>], keep: bool) -> Result<Outcome> {
    let Some(level) = &session.level else {
        return Ok(Outcome::of(session, one_run(session, strategies, keep)?));
    };
    let mut pooled: Option<Run> = None;
    for part in &level.parts {
        let run = one_run(part, strategies, keep)?;
        let stopped = run.out.stopped.is_some();
        match &mut pooled {
            None => pooled = Some(run),
            Some(earlier) => earlier.pool(run),
        }
        if stopped {
            break;
        }
    }
    let run = pooled.ok_or_else(|| Error::engine(4004, "a level without parts"))?;
    Ok(Outcome::of(session, run))
}

fn one_run<D: Decide>(session: &Session, strategies: &[Prepared<D>], keep: bool) -> Result<Run> {
    let mut simulation = Simulation::new(session, strategies, keep);
    match (&session.instruments[..], &session.instruments[0].ticks) {
        (_, Some(plan)) => simulation.run_ticks(plan)?,
        ([_], None) if simulation.stepwise || simulation.desks[0].steady => simulation.run_bars()?,
        (_, None) => simulation.run_symbols()?,
    }
    simulation.finite()?;
    Ok(simulation.finish())
}

/// Open positions for which there is memory from the beginning.
const MOST_RESERVED: usize = 1024;

struct Simulation<'a, D> {
    session: &'a Session,
    account: Account,
    desks: Vec<Desk<'a, D>>,
    /// Takes every bar by itself: where each equity sample is kept, and to compare with.
    stepwise: bool,
}

impl<'a, D: Decide> Simulation<'a, D> {
    fn new(session: &'a Session, strategies: &'a [Prepared<D>], keep: bool) -> Self {
        let initial = session.options.account.initial_balance;
        let execution = &session.options.execution;
        let days = session.calendar.day_ends.clone();
        let tracker = EquityTracker::new(initial, session.first_label(), days, keep);
        let slots = limit(execution.max_total_positions);
        let desks: Vec<Desk<'a, D>> = strategies
            .iter()
            .enumerate()
            .map(|(symbol, s)| Desk::new(session, symbol, &s.decider, s.warmup))
            .collect();
        let mut account = Account::new(Book::new(initial, keep), tracker, slots);
        // Positions are large: moving them to longer memory, again and again, costs more than all their checks.
        let most = limit(execution.max_positions).saturating_mul(desks.len()).min(slots);
        account.book.open.reserve(most.min(MOST_RESERVED));
        account.book.closed = spare::take();
        // Configured gates are the same for all symbols; a script's rules are too.
        account.watch = Watch::of(session);
        account.out.blocked = BlockedBars::under(desks.first().map_or(Vec::new(), Desk::gates));
        Self { session, account, desks, stepwise: keep }
    }

    /// One symbol, bar by bar.
    fn run_bars(&mut self) -> Result<()> {
        let traded = self.desks[0].instrument.traded.clone();
        let mut next = traded.start;
        let midpoint = self.midpoint_bar();
        let view = self.desks[0].view;
        while next < traded.end && self.account.out.stopped.is_none() {
            if !self.stepwise {
                let last = if next <= midpoint { midpoint.min(traded.end - 1) } else { traded.end - 1 };
                next = self.desks[0].pass_quiet(&mut self.account, next, last)?;
            }
            let i = next;
            next += 1;
            let Self { account, desks, .. } = self;
            let desk = &mut desks[0];
            let close = desk.close_of(i);
            if desk.busy() {
                desk.trade(account, &Now::bar(&view, i))?;
                desk.manage(account, &close)?;
            }
            desk.enter(account, &close)?;
            if close.last {
                desk.end_of_data(account, &close)?;
            }
            desk.end_bar();
            self.sample(close.label, close.moment, |_| (close.bid, close.ask))?;
        }
        Ok(())
    }

    /// The bar on which the trades are counted; the number of bars if they are not.
    fn midpoint_bar(&self) -> usize {
        let labels = self.desks[0].view.label;
        let from = self.account.watch.as_ref().and_then(Watch::midpoint);
        from.map_or(labels.len(), |from| labels.partition_point(|&label| label < from))
    }

    /// One symbol, tick by tick; a bar's decisions come with the first tick after it.
    fn run_ticks(&mut self, plan: &TickPlan) -> Result<()> {
        let instrument = self.desks[0].instrument;
        let Some(ticks) = instrument.market.ticks() else { return Ok(()) };
        let mut bar = plan.first_bar;
        let mut first_of_bar = true;
        for event in plan.traded.clone() {
            if plan.last_tick.get(bar).is_some_and(|&last| event > last) {
                self.complete(bar, plan.last_tick[bar], ticks)?;
                if self.account.out.stopped.is_some() {
                    return Ok(());
                }
                bar += 1;
                first_of_bar = true;
            }
            let time = ticks.time()[event];
            let now = Now {
                event,
                bar,
                time,
                clock: time,
                bid: Prices::Quote(ticks.bid()[event]),
                ask: Prices::Quote(plan.ask(ticks)[event]),
                tick: true,
                first_of_bar,
            };
            first_of_bar = false;
            let Self { account, desks, .. } = self;
            if desks[0].busy() {
                desks[0].trade(account, &now)?;
            }
        }
        self.end_of_ticks(plan, ticks)
    }

    /// Steps 4 to 6 of a completed bar.
    fn complete(&mut self, bar: usize, event: usize, ticks: &Ticks) -> Result<()> {
        if !self.desks[0].instrument.traded.contains(&bar) {
            return Ok(());
        }
        let Self { account, desks, .. } = self;
        let desk = &mut desks[0];
        let close = Close { event, time: ticks.time()[event], last: false, tick: true, ..desk.close_of(bar) };
        desk.manage(account, &close)?;
        desk.enter(account, &close)?;
        desk.end_bar();
        self.sample(close.label, close.moment, |_| (close.bid, close.ask))
    }

    /// The last tick closes what is open; the bar that is still forming gives the last sample.
    fn end_of_ticks(&mut self, plan: &TickPlan, ticks: &Ticks) -> Result<()> {
        let event = plan.traded.end - 1;
        let time = ticks.time()[event];
        let close = Close {
            bar: plan.last_tick.len(),
            event,
            label: plan.forming,
            time,
            moment: time,
            bid: ticks.bid()[event],
            ask: plan.ask(ticks)[event],
            last: true,
            tick: true,
        };
        let Self { account, desks, .. } = self;
        desks[0].end_of_data(account, &close)?;
        self.sample(plan.forming, time, |_| (close.bid, close.ask))
    }

    /// Step 6: equity at the last closes that `quote` gives for each symbol.
    #[inline]
    fn sample(&mut self, label: i64, moment: i64, quote: impl Fn(usize) -> (f64, f64)) -> Result<()> {
        let Account { book, tracker, out, .. } = &mut self.account;
        let mut unrealised = 0.0;
        if self.desks[0].marked {
            for position in &book.open {
                let (bid, ask) = quote(position.symbol);
                let price = match position.direction() {
                    Direction::Long => bid,
                    Direction::Short => ask,
                };
                let money = &self.desks[position.symbol].instrument.money;
                unrealised += money.unrealised(position, price, moment)?;
            }
        }
        let equity = book.cash + unrealised;
        tracker.sample(Sample { time: label, equity, balance: book.cash });
        if equity <= 0.0 && out.ruined_at.is_none() {
            out.ruined_at = Some(label);
        }
        self.account.end_bar();
        self.account.judge();
        Ok(())
    }

    /// An amount that overflowed once stays so: it is found at the end.
    fn finite(&self) -> Result<()> {
        let Account { book, tracker, .. } = &self.account;
        let drawdown = tracker.drawdowns().money;
        let amounts = [
            ("cash", book.cash),
            ("equity", tracker.last().equity),
            ("fees", book.total_fees),
            ("drawdown", drawdown),
        ];
        match amounts.iter().find(|(_, amount)| !amount.is_finite()) {
            Some((name, amount)) => Err(Error::engine(2005, format!("{name} became {amount}"))
                .at("money")
                .fix("use smaller sizes, fees or multipliers")),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Run {
        let mut pending: Vec<Order> = self.desks.iter_mut().flat_map(Desk::take_pending).collect();
        pending.sort_by_key(|order| order.id);
        if self.account.out.stopped.is_some() {
            self.account.tracker.end_day();
        }
        Run::of(self.session, self.account, pending)
    }
}
