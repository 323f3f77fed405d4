//! Quiet bars while one position is held: a look over some bars at a time takes the place of the steps of each.

use super::Desk;
use super::management::{excursion, valid_stop};
use crate::Result;
use crate::execution::exits::levels;
use crate::extremes::{BLOCK, Extremes, Levels, Span};
use crate::orders::{Direction, Position};
use crate::portfolio::{EquityTracker, Sample};
use crate::run::account::Account;
use crate::run::watch::Watch;
use crate::strategy::{Actions, Decide, SideView, View};
use std::hint::black_box;
use std::ops::Range;

/// What the bars of a position are looked over for, the same for all of them.
struct Search<'a> {
    /// Whether the strategy would be asked for entries.
    entries: bool,
    /// Whether the account is ruined already.
    ruined: bool,
    watch: Option<&'a Watch>,
    cash: f64,
}

impl Search<'_> {
    /// Whether the account could be ruined, or the backtest given up, at a close with equity within `span`.
    #[inline]
    fn fateful(&self, high_water: f64, span: Span) -> bool {
        !self.ruined && span.low <= 0.0 || self.watch.is_some_and(|watch| watch.might_stop(high_water, span))
    }
}

/// Blocks that are looked over at once.
const BLOCKS: usize = 4;

/// Bars that are looked over at once: up to the end of a block, so that what follows are whole blocks, whose extremes are
/// known; never beyond a day, whose last equity is kept.
#[inline]
fn piece(from: usize, last: usize, until_day_end: usize) -> Range<usize> {
    from..last.min((from / BLOCK + BLOCKS) * BLOCK).min(from.saturating_add(until_day_end))
}

impl<D: Decide> Desk<'_, D> {
    /// Passes the quiet bars from `i` on, before `last`, and gives the first that is not.
    pub(super) fn pass_held(&mut self, account: &mut Account, i: usize, last: usize) -> Result<usize> {
        let barred = self.barred(account, &self.close_of(i));
        let mut from = i;
        while from < last {
            let (blocked, end) = self.unchanged(barred, from, last);
            let start = from;
            from = self.pass_alike(account, blocked.is_none(), start, end)?;
            account.exposed_bars += from - start;
            self.count_blocked(account, blocked, start..from);
            if from < end {
                break;
            }
        }
        Ok(from)
    }

    /// The same of bars on all of which the strategy is asked for entries, or on none.
    #[inline]
    fn pass_alike(&mut self, account: &mut Account, entries: bool, i: usize, last: usize) -> Result<usize> {
        let ruined = account.out.ruined_at.is_some();
        let Account { book, tracker, watch, .. } = account;
        let position = &mut book.open[0];
        let search = Search { entries, ruined, watch: watch.as_ref(), cash: book.cash };
        let mut from = i;
        while from < last {
            let bars = piece(from, last, tracker.until_day_end());
            let end = bars.end;
            from = self.pass_piece(position, tracker, &search, bars)?;
            if from < end {
                break;
            }
        }
        Ok(from)
    }

    /// The quiet ones among some bars: the position is tracked and equity sampled up to the first that is not.
    #[inline]
    fn pass_piece(
        &mut self,
        position: &mut Position,
        tracker: &mut EquityTracker,
        search: &Search<'_>,
        bars: Range<usize>,
    ) -> Result<usize> {
        let from = bars.start;
        let (mut to, asks) = self.before_exit(position, bars);
        if search.entries {
            to = self.decider.next_signal(from, to, &self.view, &mut self.signals);
        }
        let mut ends = None;
        if self.marked {
            let certain;
            (to, certain) = self.before_fate(position, tracker.high_water(), search, from..to)?;
            ends = Some(certain);
        }
        to = self.move_on(position, from..to, asks);
        self.sample_held(position, tracker, search.cash, ends, from..to)?;
        Ok(to)
    }

    /// The bars before the first on which the strategy, a time, a stop or a target may end a position; and whether the strategy
    /// has to be asked at each of them.
    #[inline]
    pub(super) fn before_exit(&self, position: &Position, bars: Range<usize>) -> (usize, bool) {
        let from = bars.start;
        let end = self.before_timeout(position, bars);
        let action = self.decider.next_action(position, from, end);
        if let Some(at) = action.filter(|&at| at < end) {
            self.expect(at);
        }
        (self.before_touch(position, from..action.unwrap_or(end)), action.is_none())
    }

    /// The first bar that reaches stop or target.
    #[inline]
    fn before_touch(&self, position: &Position, bars: Range<usize>) -> usize {
        let levels = levels(position, self.exit_rules);
        let (side, extremes) = self.exit_side(position);
        let around = extremes.range_around(bars.clone());
        if !levels.reached(around.low, around.high) {
            return bars.end;
        }
        let end = bars.end;
        let at = extremes.first_touch(side, bars, levels);
        if at < end {
            let View { label, bid, ask, .. } = &self.view;
            black_box((side.open[at], bid.close[at], ask.close[at]));
            self.slippage.expect(label[at]);
        }
        at
    }

    /// Step 6 of quiet bars within one day, on which equity lies within `ends`; `None` where it stands still.
    #[inline]
    fn sample_held(
        &self,
        position: &Position,
        tracker: &mut EquityTracker,
        cash: f64,
        ends: Option<Span>,
        bars: Range<usize>,
    ) -> Result<()> {
        if bars.is_empty() {
            return Ok(());
        }
        let sample = |bar: usize, equity: f64| Sample { time: self.view.label[bar], equity, balance: cash };
        let newest = bars.end - 1;
        let Some(ends) = ends else {
            tracker.sample(sample(bars.start, cash));
            tracker.repeat(bars.len() - 1, self.view.label[newest]);
            return Ok(());
        };
        let ends = self.narrowed(position, tracker, cash, ends, bars.clone())?;
        let (side, _) = self.exit_side(position);
        let equity = self.equity_at(position, cash, side.close[newest])?;
        if tracker.take_below(bars.len(), ends, sample(newest, equity)) {
            return Ok(());
        }
        bars.into_iter().try_for_each(|bar| {
            tracker.sample(sample(bar, self.equity_at(position, cash, side.close[bar])?));
            Ok(())
        })
    }

    /// The ends between which equity lies, as near as the tracker has to know them.
    #[inline]
    fn narrowed(
        &self,
        position: &Position,
        tracker: &EquityTracker,
        cash: f64,
        ends: Span,
        bars: Range<usize>,
    ) -> Result<Span> {
        let (side, extremes) = self.exit_side(position);
        // The risk of a ruined account may be negative, and with it what a price is worth.
        if tracker.might_rise(ends.high) || position.risk_per_trade < 0.0 {
            return self.equity_within(position, cash, extremes.closes(side, bars));
        }
        if !tracker.might_fall(ends.low) {
            return Ok(ends);
        }
        let worst = match position.direction() {
            Direction::Long => extremes.lowest_close(side, bars),
            Direction::Short => extremes.highest_close(side, bars),
        };
        Ok(Span { low: self.equity_at(position, cash, worst)?, ..ends })
    }

    /// The bars before the first at whose close the position is held long enough.
    #[inline]
    fn before_timeout(&self, position: &Position, bars: Range<usize>) -> usize {
        let Range { start, end } = bars;
        let mut until = end;
        if self.rules.timeout_bars > 0 {
            let held = position.entry_bar + self.rules.timeout_bars - usize::from(position.filled_at_open);
            until = until.min(held.max(start));
        }
        if self.rules.timeout_minutes > 0 {
            let waits = |label: &i64| !self.minutes_are_over(position, label + self.view.timeframe);
            until = start + self.view.label[start..until].partition_point(waits);
        }
        until
    }

    /// The bars, as many as are certain, at whose closes the account is not ruined and the backtest not given up; and the
    /// ends between which equity lies there.
    #[inline]
    fn before_fate(
        &self,
        position: &Position,
        high_water: f64,
        search: &Search<'_>,
        bars: Range<usize>,
    ) -> Result<(usize, Span)> {
        let Range { start, mut end } = bars;
        let (side, extremes) = self.exit_side(position);
        let mut ends = self.equity_within(position, search.cash, extremes.closes_around(start..end))?;
        while end > start && search.fateful(high_water, ends) {
            end = start + (end - start) / 2;
            ends = self.equity_within(position, search.cash, extremes.closes(side, start..end))?;
        }
        Ok((end, ends))
    }

    /// The prices at which a position is left, and their extremes.
    #[inline]
    pub(super) fn exit_side(&self, position: &Position) -> (&SideView<'_>, &Extremes) {
        self.quotes(position.direction() == Direction::Long)
    }

    /// Bid or ask prices, and their extremes.
    #[inline]
    pub(super) fn quotes(&self, bid: bool) -> (&SideView<'_>, &Extremes) {
        let extremes = &self.instrument.extremes;
        if bid { (&self.view.bid, &extremes.bid) } else { (&self.view.ask, &extremes.ask) }
    }

    /// Equity at a price, with one open position. The rate is steady: one moment is as good as any other.
    #[inline]
    fn equity_at(&self, position: &Position, cash: f64, price: f64) -> Result<f64> {
        let unrealised = self.instrument.money.unrealised(position, price, position.fill_moment)?;
        Ok(cash + (0.0 + unrealised))
    }

    /// The least and the greatest equity at prices: it goes with them.
    #[inline]
    fn equity_within(&self, position: &Position, cash: f64, prices: Span) -> Result<Span> {
        let a = self.equity_at(position, cash, prices.low)?;
        let b = self.equity_at(position, cash, prices.high)?;
        Ok(Span { low: a.min(b), high: a.max(b) })
    }

    /// Reads what will be needed of a bar on which something is going to happen: its numbers lie far from each other, and
    /// are on their way from memory together while the bars before it are passed.
    #[inline]
    pub(super) fn expect(&self, bar: usize) {
        let View { label, bid, ask, .. } = &self.view;
        black_box((label[bar], bid.close[bar], ask.close[bar]));
        if let Some(&time) = label.get(bar + 1).filter(|_| !self.at_close) {
            let prices = |side: &SideView<'_>| (side.open[bar + 1], side.low[bar + 1], side.high[bar + 1]);
            black_box((prices(bid), prices(ask)));
            self.slippage.expect(time);
        }
    }

    /// What bars on which a position is neither left nor changed in size do to it; the first bar that does more.
    #[inline]
    pub(super) fn move_on(&self, position: &mut Position, bars: Range<usize>, asks: bool) -> usize {
        if asks || self.rules.be_r > 0.0 || self.rules.trails {
            return self.follow(position, bars, asks);
        }
        if self.tracks {
            let (side, extremes) = self.exit_side(position);
            let range = extremes.range(side, bars.clone());
            position.track(range.high, range.low);
        }
        bars.end
    }

    /// Tracks the position and moves its stop, up to the first bar that reaches the stop where it is by then. The stop that a
    /// close decides on is there from the next open on: nothing looks at it before.
    ///
    /// `asks`: the strategy is asked at every close. Its stops are moves like others; whatever else it wants ends the stretch.
    fn follow(&self, position: &mut Position, bars: Range<usize>, asks: bool) -> usize {
        let (side, extremes) = self.exit_side(position);
        let mut least = self.least_excursion(position);
        if !asks && farthest(position, extremes.range_around(bars.clone())) < least {
            let range = extremes.range(side, bars.clone());
            position.track(range.high, range.low);
            return bars.end;
        }
        let mut moved: Option<Levels> = None;
        let end = bars.end;
        for bar in bars {
            if moved.is_some_and(|at| at.reached(side.low[bar], side.high[bar])) {
                return bar;
            }
            // Tracking comes before the decisions of a bar, and twice is as good as once.
            if self.tracks {
                position.track(side.high[bar], side.low[bar]);
            }
            let mut actions = Actions::default();
            if asks {
                self.decider.manage(position, bar, &self.view, &mut actions);
            }
            if actions == Actions::default() && excursion(position) < least {
                continue;
            }
            let close = self.close_of(bar);
            let own = actions.stop.filter(|&(price, _)| valid_stop(position, price, &close));
            if actions != (Actions { stop: own, ..Actions::default() }) {
                return bar;
            }
            if let Some((price, kind)) = self.tightest(own, position, &close) {
                (position.stop_loss, position.stop_kind) = (price, kind);
                moved = Some(levels(position, self.exit_rules));
                least = self.least_excursion(position);
            }
        }
        end
    }
}

/// The largest excursion that a position can have reached, with prices within `span`.
#[inline]
fn farthest(position: &Position, span: Span) -> f64 {
    match position.direction() {
        Direction::Long => position.best_price.max(span.high) - position.entry_price,
        Direction::Short => position.entry_price - position.best_price.min(span.low),
    }
}
