//! Moving-average crossover with an ATR stop, entered at the market.

mod declaration;

use crate::adx_filter::AdxFilter;
use crate::directions::Directions;
use crate::position_rules::PositionRules;

use std::hint::black_box;
use std::ops::Range;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::marks::Marks;
use sweep_engine::orders::{Direction, Position, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Actions, Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::ema::Ema;
use sweep_indicators::scope::Series;
use sweep_indicators::sma::Sma;

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct MaCross {
    fast: Series,
    slow: Series,
    /// Bars on which the difference of the averages changes.
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
    /// Whether the averages crossed in favour of `direction`, confirmed up to bar `i`.
    ///
    /// The difference has the direction's sign on all of the last `confirm_bars` + 1 bars and had not on the one before.
    fn trigger(&self, i: usize, direction: Direction) -> bool {
        let Some(before) = (i).checked_sub(self.confirm_bars + 1) else { return false };
        let (fast, slow) = (&self.fast, &self.slow);
        match direction {
            Direction::Long => {
                fast[before] - slow[before] <= 0.0 && (before + 1..=i).all(|m| fast[m] - slow[m] > 0.0)
            }
            Direction::Short => {
                fast[before] - slow[before] >= 0.0 && (before + 1..=i).all(|m| fast[m] - slow[m] < 0.0)
            }
        }
    }

    /// Whether the difference changes from the bar before to bar `i`.
    fn crossed(&self, i: usize) -> bool {
        let Some(before) = i.checked_sub(1) else { return false };
        let (before, now) = (self.fast[before] - self.slow[before], self.fast[i] - self.slow[i]);
        rises(before, now) | falls(before, now)
    }

    /// The first bar from `i` on, before `end`, that follows a change of the difference from one bar to the next.
    ///
    /// Such a change is needed for a trigger without confirming bars; with them, the trigger comes that many bars later.
    fn next_change(&self, i: usize, end: usize, sure: impl Fn(f64, f64) -> bool) -> usize {
        let late = self.confirm_bars;
        let from = i.saturating_sub(late);
        let (fast, slow) = (&self.fast[..], &self.slow[..]);
        let judge = |bars: Range<usize>, marks: &mut [bool]| mark_changes(fast, slow, bars, marks);
        let sure = |at: usize| sure(fast[at - 1] - slow[at - 1], fast[at] - slow[at]);
        let bar = (self.changes.first(from, end, judge, sure) + late).min(end);
        if bar < end {
            // It takes long to come from memory, and is needed if this bar is an entry.
            black_box(self.atr[bar]);
        }
        bar
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

/// Marks the bars on which the difference fast - slow changes; the first of all has none before it.
fn mark_changes(fast: &[f64], slow: &[f64], bars: Range<usize>, marks: &mut [bool]) {
    let skipped = usize::from(bars.start == 0);
    marks[..skipped].fill(false);
    let (before, now) = (bars.start + skipped - 1..bars.end - 1, bars.start + skipped..bars.end);
    let before = fast[before.clone()].iter().zip(&slow[before]);
    let now = fast[now.clone()].iter().zip(&slow[now]);
    for ((mark, (f0, s0)), (f1, s1)) in marks[skipped..].iter_mut().zip(before).zip(now) {
        let (before, now) = (f0 - s0, f1 - s1);
        *mark = rises(before, now) | falls(before, now);
    }
}

impl Decide for MaCross {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        // On most bars of a market the averages have just not crossed.
        if self.confirm_bars == 0 && !self.crossed(i) {
            return;
        }
        for direction in [Direction::Long, Direction::Short] {
            let fires = self.directions.allow(direction)
                && self.trigger(i, direction)
                && self.atr[i].is_finite()
                && self.adx.passes(i);
            if fires {
                signals.push(self.signal(i, direction, view));
            }
        }
    }

    fn next_signal(&self, i: usize, end: usize, _view: &View<'_>, _signals: &mut Vec<Signal>) -> usize {
        if i >= end {
            return end;
        }
        self.next_change(i, end, |_, _| true)
    }

    fn next_action(&self, position: &Position, i: usize, end: usize) -> Option<usize> {
        if !self.exit_on_cross || i >= end {
            return Some(end);
        }
        Some(match position.direction() {
            Direction::Long => self.next_change(i, end, falls),
            Direction::Short => self.next_change(i, end, rises),
        })
    }

    fn manage(&self, position: &Position, i: usize, _view: &View<'_>, actions: &mut Actions) {
        let opposite = match position.direction() {
            Direction::Long => Direction::Short,
            Direction::Short => Direction::Long,
        };
        if self.exit_on_cross && self.trigger(i, opposite) {
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
        let average = |period| match params.text("ma_type") {
            "sma" => bid.get(&Sma { period }),
            _ => bid.get(&Ema { period }),
        };
        let atr = bid.get(&Atr { period: params.count("atr_period") });
        let own = Rules {
            timeout_bars: params.count("max_holding_bars"),
            same_bar_reentry: params.boolean("reverse"),
            tracks: false,
            ..Rules::default()
        };
        let position = PositionRules::of(params, &atr, own);
        Ok(Self {
            fast: average(params.count("fast_period")),
            slow: average(params.count("slow_period")),
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
