//! Oscillator reversal entered with a limit order.

mod declaration;

use crate::directions::Directions;
use crate::position_rules::PositionRules;
use crate::trend_ema::TrendEma;
use std::ops::Range;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::marks::Marks;
use sweep_engine::orders::{Direction, Order, OrderType, Position, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::rsi::Rsi;
use sweep_indicators::scope::Series;
use sweep_indicators::sma::Sma;

/// Where the target lies.
#[derive(Debug)]
enum Target {
    /// At the moving average.
    Mean(Series),
    /// At a multiple of the risk.
    Risk(f64),
}

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct RsiReversalLimit {
    rsi: Series,
    /// Bars on which it comes back from an extreme.
    returns: Marks,
    atr: Series,
    trend: TrendEma,
    target: Target,
    oversold: f64,
    overbought: f64,
    entry_offset_atr: f64,
    sl_atr: f64,
    min_rr: f64,
    valid_bars: i64,
    directions: Directions,
    rounder: Rounder,
    position: PositionRules,
}

impl RsiReversalLimit {
    /// Whether the RSI comes back from its extreme on bar `i`.
    fn trigger(&self, i: usize, direction: Direction) -> bool {
        let Some(before) = i.checked_sub(1) else { return false };
        let (last, now) = (self.rsi[before], self.rsi[i]);
        match direction {
            Direction::Long => last < self.oversold && self.oversold <= now,
            Direction::Short => last > self.overbought && self.overbought >= now,
        }
    }

    /// Marks the bars with a trigger of either direction.
    fn mark(&self, bars: Range<usize>, marks: &mut [bool]) {
        let skipped = usize::from(bars.start == 0);
        marks[..skipped].fill(false);
        let last = &self.rsi[bars.start + skipped - 1..bars.end - 1];
        for ((mark, last), now) in
            marks[skipped..].iter_mut().zip(last).zip(&self.rsi[bars.start + skipped..bars.end])
        {
            *mark = ((*last < self.oversold) & (self.oversold <= *now))
                | ((*last > self.overbought) & (self.overbought >= *now));
        }
    }

    fn order(&self, i: usize, direction: Direction, view: &View<'_>) -> Option<Signal> {
        let s = direction.sign();
        let price = match direction {
            Direction::Long => view.ask.close[i],
            Direction::Short => view.bid.close[i],
        };
        let atr = self.atr[i];
        let limit = self.rounder.round(price - s * (self.entry_offset_atr * atr));
        let stop = self.rounder.round(limit - s * (self.sl_atr * atr));
        let risk = s * (limit - stop);
        let target = self.rounder.round(match &self.target {
            Target::Mean(mean) => mean[i],
            Target::Risk(r) => limit + s * (r * risk),
        });
        let reward = s * (target - limit);
        // Undefined values compare as false: no order.
        let worthwhile = reward >= self.min_rr * risk;
        if !worthwhile {
            return None;
        }
        let order = Signal::pending(OrderType::Limit, direction, limit, stop, Some(target));
        Some(Signal { valid_bars: Some(self.valid_bars), ..order })
    }
}

impl Decide for RsiReversalLimit {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        for direction in [Direction::Long, Direction::Short] {
            let fires = self.directions.allow(direction)
                && self.trigger(i, direction)
                && self.trend.passes(i, direction, view);
            if fires {
                signals.extend(self.order(i, direction, view));
            }
        }
    }

    fn next_signal(&self, i: usize, end: usize, view: &View<'_>, signals: &mut Vec<Signal>) -> usize {
        let judge = |bars: Range<usize>, marks: &mut [bool]| self.mark(bars, marks);
        self.returns.first(i, end, judge, |bar| self.says(bar, view, signals))
    }

    fn next_action(&self, _position: &Position, _i: usize, end: usize) -> Option<usize> {
        Some(end)
    }

    fn cancel(&self, order: &Order, i: usize, _view: &View<'_>) -> bool {
        match order.direction() {
            Direction::Long => self.trigger(i, Direction::Short) || self.rsi[i] > self.overbought,
            Direction::Short => self.trigger(i, Direction::Long) || self.rsi[i] < self.oversold,
        }
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}

impl Strategy for RsiReversalLimit {
    fn declaration() -> Declaration {
        declaration::declaration()
    }

    fn warmup(params: &Canonical) -> usize {
        // The average's period counts even where the target is a multiple of the risk.
        let longest = params.count("atr_period").max(params.count("mean_period"));
        longest.max(params.count("rsi_period") + 1) + 1
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let bid = indicators.bid();
        let atr = bid.get(&Atr { period: params.count("atr_period") });
        let own = Rules { timeout_bars: params.count("max_holding_bars"), tracks: false, ..Rules::default() };
        let position = PositionRules::of(params, &atr, own);
        Ok(Self {
            returns: Marks::new(view.label.len()),
            rsi: bid.get(&Rsi {
                period: params.count("rsi_period"),
                seed: crate::seeds::named(params.text("rsi_seed")),
            }),
            atr,
            trend: TrendEma::of(params, &bid),
            target: match params.text("tp_mode") {
                "mean" => Target::Mean(bid.get(&Sma { period: params.count("mean_period") })),
                _ => Target::Risk(params.float("tp_r")),
            },
            oversold: params.float("oversold"),
            overbought: params.float("overbought"),
            entry_offset_atr: params.float("entry_offset_atr"),
            sl_atr: params.float("sl_atr"),
            min_rr: params.float("min_rr"),
            valid_bars: params.int("order_valid_bars"),
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            position,
        })
    }
}
