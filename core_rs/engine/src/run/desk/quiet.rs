//! Stretches of bars on which nothing happens: no order, no exit, no decision. They are found ahead and passed at once.
//!
//! The plain steps of a bar stay the definition: a stretch ends before the first bar on which any of them could act.

use super::Desk;
use crate::Result;
use crate::extremes::{Extremes, Span};
use crate::orders::{Direction, Position, Queued};
use crate::run::account::Account;
use crate::run::outcome::Blocked;
use crate::run::watch::Watch;
use crate::strategy::{Actions, Decide, SideView};
use std::ops::Range;

/// Bars that are looked at ahead, at first; twice as many after every stretch that was quiet to its end.
const LEAST_REACH: usize = 8;

/// Bars without events, from the one that was asked for.
pub struct Stretch {
    /// Its bars.
    pub bars: Range<usize>,
    /// Why entries are blocked on all of them, if they are.
    blocked: Option<Blocked>,
}

/// Where the account stands, by which a low equity is judged.
struct Standing<'a> {
    ruined: bool,
    high_water: f64,
    watch: Option<&'a Watch>,
}

impl<D: Decide> Desk<'_, D> {
    /// The quiet bars from `i` on, before `last`. A position's best and worst prices are brought up to their end.
    ///
    /// # Errors
    /// None while rates are steady.
    pub fn quiet(&mut self, account: &mut Account, i: usize, last: usize) -> Result<Stretch> {
        let none = Stretch { bars: i..i, blocked: None };
        let eventful = self.changes || !self.queued.is_empty() || !self.pending.is_empty();
        let about_to_ruin = account.out.ruined_at.is_none() && account.book.cash <= 0.0;
        if !self.jumps || eventful || about_to_ruin {
            return Ok(none);
        }
        let end = last.min(i.saturating_add(self.reach));
        let barred = account.out.ruined_at.is_some() && self.execution.stop_on_ruin;
        let found = match &mut account.book.open[..] {
            [] if barred => Stretch { bars: i..end, blocked: Some(Blocked::Ruined) },
            [] => self.quiet_while_flat(i, end),
            [_] => self.quiet_while_held(account, barred, i, end)?,
            _ => return Ok(none),
        };
        self.reach = if found.bars.end < end { LEAST_REACH } else { self.reach.saturating_mul(2) };
        Ok(found)
    }

    /// Counts the bars of a stretch.
    pub fn pass(&self, account: &mut Account, stretch: &Stretch) {
        let bars = &stretch.bars;
        if let Some(cause) = stretch.blocked {
            account.out.blocked.add_many(cause, bars.len());
        }
        if self.open > 0 {
            account.exposed_bars += bars.len();
        }
        let early = self.warmup.clamp(bars.start, bars.end) - bars.start;
        account.out.blocked.add_many(Blocked::Warmup, early);
    }

    fn quiet_while_flat(&mut self, i: usize, end: usize) -> Stretch {
        let from = self.warmup.clamp(i, end);
        let until = self.decider.next_signal(from, end, &self.view, &mut self.signals);
        Stretch { bars: i..until, blocked: None }
    }

    fn quiet_while_held(
        &mut self,
        account: &mut Account,
        barred: bool,
        i: usize,
        end: usize,
    ) -> Result<Stretch> {
        let blocked = if barred {
            Some(Blocked::Ruined)
        } else {
            (self.free_slots(account, &self.close_of(i)) == 0).then_some(Blocked::NoSlot)
        };
        let ruined = account.out.ruined_at.is_some();
        let Account { book, tracker, watch, .. } = account;
        let position = &mut book.open[0];
        if position.exits_from > i || position.tracked_from > i || position.queued != Queued::default() {
            return Ok(Stretch { bars: i..i, blocked: None });
        }
        let end = self.before_timeout(position, i, end);
        let mut until = self.before_exit(position, i, end);
        if blocked.is_none() {
            until = self.decider.next_signal(i, until, &self.view, &mut self.signals);
        }
        let standing = Standing { ruined, high_water: tracker.high_water(), watch: watch.as_ref() };
        if until == i || self.fateful(position, book.cash, i..until, standing)? {
            return Ok(Stretch { bars: i..i, blocked: None });
        }
        let until = self.before_action(position, i, until);
        Ok(Stretch { bars: i..until, blocked })
    }

    /// The first bar at whose close the position is held long enough.
    fn before_timeout(&self, position: &Position, i: usize, end: usize) -> usize {
        let mut until = end;
        if self.rules.timeout_bars > 0 {
            let held = position.entry_bar + self.rules.timeout_bars - usize::from(position.filled_at_open);
            until = until.min(held.max(i));
        }
        if self.rules.timeout_minutes > 0 {
            let waits = |label: &i64| !self.minutes_are_over(position, label + self.view.timeframe);
            until = i + self.view.label[i..until].partition_point(waits);
        }
        until
    }

    /// Whether the account could be ruined, or the backtest given up, at the close of one of these bars.
    fn fateful(&self, position: &Position, cash: f64, bars: Range<usize>, at: Standing<'_>) -> Result<bool> {
        if !self.marked || at.ruined && at.watch.is_none() {
            return Ok(false);
        }
        let span = self.equity_between(position, cash, bars)?;
        let stops = |watch: &Watch| watch.might_stop(at.high_water, span);
        Ok(!at.ruined && span.low <= 0.0 || at.watch.is_some_and(stops))
    }

    /// The prices at which a position is left, and their extremes.
    #[inline]
    pub fn exit_side(&self, position: &Position) -> (&SideView<'_>, &Extremes) {
        let extremes = &self.instrument.extremes;
        match position.direction() {
            Direction::Long => (&self.view.bid, &extremes.bid),
            Direction::Short => (&self.view.ask, &extremes.ask),
        }
    }

    /// Equity at a close of the symbol's price, with one open position.
    #[inline]
    pub fn equity_at(&self, position: &Position, cash: f64, bar: usize, price: f64) -> Result<f64> {
        let moment = self.view.label[bar] + self.view.timeframe;
        Ok(cash + (0.0 + self.instrument.money.unrealised(position, price, moment)?))
    }

    /// The least and the greatest equity at the closes of `bars`: with a steady rate it goes with the price.
    #[inline]
    pub fn equity_between(&self, position: &Position, cash: f64, bars: Range<usize>) -> Result<Span> {
        let bar = bars.start;
        let (side, extremes) = self.exit_side(position);
        let closes = extremes.closes(side, bars);
        let [a, b] = [closes.low, closes.high].map(|price| self.equity_at(position, cash, bar, price));
        let (a, b) = (a?, b?);
        Ok(Span { low: a.min(b), high: a.max(b) })
    }

    /// The first bar that reaches stop or target.
    fn before_exit(&self, position: &Position, i: usize, end: usize) -> usize {
        let buffer = self.exit_rules.buffer;
        let (stop, target) = (position.stop_loss, position.take_profit);
        let (side, extremes) = self.exit_side(position);
        let (floor, ceiling) = match position.direction() {
            Direction::Long => (stop + buffer, target.map_or(f64::INFINITY, |t| t - buffer)),
            Direction::Short => (target.map_or(f64::NEG_INFINITY, |t| t + buffer), stop - buffer),
        };
        extremes.first_touch(side, i..end, floor, ceiling)
    }

    /// The first bar at whose close the strategy, break-even or trailing acts; tracks the position on the bars before.
    fn before_action(&self, position: &mut Position, i: usize, end: usize) -> usize {
        let moves = self.rules.be_r > 0.0 || self.rules.trails;
        let (side, extremes) = self.exit_side(position);
        if !moves && let Some(until) = self.decider.next_action(position, i, end) {
            let span = extremes.range(side, i..until);
            position.track(span.high, span.low);
            return until;
        }
        for bar in i..end {
            // Tracking comes before the decisions of a bar, and twice is as good as once.
            position.track(side.high[bar], side.low[bar]);
            let mut actions = Actions::default();
            self.decider.manage(position, bar, &self.view, &mut actions);
            if actions != Actions::default() || self.tightest(None, position, &self.close_of(bar)).is_some() {
                return bar;
            }
        }
        end
    }
}
