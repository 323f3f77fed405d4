//! Moving-average crossover with an ATR stop, entered at the market.

mod declaration;
mod difference;

use crate::adx_filter::AdxFilter;
use crate::directions::Directions;
use crate::position_rules::PositionRules;
use difference::Difference;

use std::hint::black_box;
use std::ops::Range;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::marks::Marks;
use sweep_engine::orders::{Direction, Position, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Actions, Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::scope::Series;

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct MaCross {
    difference: Difference,
    /// Bars on which the difference of the averages may change.
    changes: Marks,
    atr: Series,
    adx: AdxFilter,
    confirm_bars: usize,
    sl_atr: f64,
    tp_r: f64,
    exit_on_cross: bool,
    directions: Directions,
    rounder: Rounder,
    position: PositionRules,
}

impl MaCross {
    /// The direction in whose favour the averages crossed, confirmed up to bar `i`.
    ///
    /// The difference has the direction's sign on all of the last `confirm_bars` + 1 bars and had not on the one before.
    fn trigger(&self, i: usize) -> Option<Direction> {
        let before = i.checked_sub(self.confirm_bars + 1)?;
        let (from, to) = (self.difference.at(before), self.difference.at(before + 1));
        let mut later = before + 2..=i;
        if rises(from, to) {
            later.all(|m| self.difference.at(m) > 0.0).then_some(Direction::Long)
        } else if falls(from, to) {
            later.all(|m| self.difference.at(m) < 0.0).then_some(Direction::Short)
        } else {
            None
        }
    }

    /// The first bar from `i` on, before `end`, with a trigger that counts: `counts` says of which direction and bar.
    #[inline]
    fn next_trigger(&self, i: usize, end: usize, counts: impl Fn(usize, Direction) -> bool) -> usize {
        // A trigger comes so many bars after the change of the difference that it is about.
        let late = self.confirm_bars;
        let (from, until) = (i.saturating_sub(late), end.saturating_sub(late));
        let difference = &self.difference;
        let judge = |bars: Range<usize>, marks: &mut [bool]| difference.mark_changes(bars, marks);
        let sure = |at: usize| self.trigger(at + late).is_some_and(|direction| counts(at + late, direction));
        let at = self.changes.first(from, until, judge, sure);
        if at < until { at + late } else { end }
    }

    /// Whether an entry is asked for when a trigger says so.
    #[inline]
    fn enters(&self, i: usize, direction: Direction) -> bool {
        self.directions.allow(direction) && self.atr[i].is_finite() && self.adx.passes(i)
    }

    /// Reads what an entry at `bar` needs, if that is a bar before `end`: it takes long to come from memory.
    #[inline]
    fn expect(&self, bar: usize, end: usize) {
        if bar < end {
            black_box(self.atr[bar]);
        }
    }

    fn signal(&self, i: usize, direction: Direction, view: &View<'_>) -> Signal {
        let s = direction.sign();
        let price = match direction {
            Direction::Long => view.ask.close[i],
            Direction::Short => view.bid.close[i],
        };
        let stop = self.rounder.round(price - s * (self.sl_atr * self.atr[i]));
        let risk = s * (price - stop);
        let target = (self.tp_r > 0.0).then(|| self.rounder.round(price + s * (self.tp_r * risk)));
        Signal::market(direction, stop, target)
    }
}

/// Whether the difference has just become positive.
fn rises(before: f64, now: f64) -> bool {
    (now > 0.0) & (before <= 0.0)
}

/// Whether it has just become negative.
fn falls(before: f64, now: f64) -> bool {
    (now < 0.0) & (before >= 0.0)
}

impl Decide for MaCross {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        if let Some(direction) = self.trigger(i).filter(|&direction| self.enters(i, direction)) {
            signals.push(self.signal(i, direction, view));
        }
    }

    fn next_signal(&self, i: usize, end: usize, _view: &View<'_>, _signals: &mut Vec<Signal>) -> usize {
        self.next_trigger(i, end, |bar, direction| self.enters(bar, direction))
    }

    fn next_action(&self, position: &Position, i: usize, end: usize) -> Option<usize> {
        if !self.exit_on_cross || i >= end {
            return Some(end);
        }
        let against = position.direction().opposite();
        let bar = self.next_trigger(i, end, |_, direction| direction == against);
        if self.position.rules.same_bar_reentry && self.directions.allow(against) {
            self.expect(bar, end);
        }
        Some(bar)
    }

    fn manage(&self, position: &Position, i: usize, _view: &View<'_>, actions: &mut Actions) {
        if self.exit_on_cross && self.trigger(i) == Some(position.direction().opposite()) {
            actions.close();
        }
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}

impl Strategy for MaCross {
    fn declaration() -> Declaration {
        declaration::declaration()
    }

    fn warmup(params: &Canonical) -> usize {
        let longest =
            params.count("slow_period").max(params.count("atr_period")).max(AdxFilter::warmup(params));
        longest + params.count("confirm_bars")
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let bid = indicators.bid();
        let atr = bid.get(&Atr { period: params.count("atr_period") });
        let own = Rules {
            timeout_bars: params.count("max_holding_bars"),
            same_bar_reentry: params.boolean("reverse"),
            tracks: false,
            ..Rules::default()
        };
        let position = PositionRules::of(params, &atr, own);
        Ok(Self {
            difference: Difference::of(&bid, params),
            changes: Marks::new(view.label.len()),
            atr,
            adx: AdxFilter::of(params, &bid),
            confirm_bars: params.count("confirm_bars"),
            sl_atr: params.float("sl_atr"),
            tp_r: params.float("tp_r"),
            exit_on_cross: params.boolean("exit_on_cross"),
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            position,
        })
    }
}
