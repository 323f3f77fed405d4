//! Trend of a higher timeframe, pullback entry on the primary one, trailing exit.

mod declaration;

use crate::adx_filter::AdxFilter;
use crate::directions::Directions;
use crate::position_rules::PositionRules;
use std::ops::Range;
use std::sync::Arc;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::market::higher::NONE;
use sweep_engine::market::{Higher, Quote};
use sweep_engine::marks::Marks;
use sweep_engine::orders::{Direction, Position, Signal};
use sweep_engine::series::{Indicators, On};
use sweep_engine::strategy::{Actions, Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::ema::Ema;
use sweep_indicators::extremes::{HighestHigh, LowestLow};
use sweep_indicators::scope::Series;

/// The trend of the higher timeframe.
#[derive(Debug)]
struct Trend {
    bars: Arc<Higher>,
    ema: Series,
    ema_period: usize,
    slope_bars: usize,
}

impl Trend {
    /// The newest bar that is visible at primary bar `i`.
    fn newest(&self, i: usize) -> Option<usize> {
        let bar = self.bars.newest()[i];
        if bar == NONE { None } else { usize::try_from(bar).ok() }
    }

    fn close(&self, bar: usize) -> f64 {
        self.bars.quotes(Quote::Bid).close[bar]
    }

    /// Whether the close is beyond the average, and the average moves that way.
    fn runs(&self, i: usize, direction: Direction) -> bool {
        let Some(bar) = self.newest(i).filter(|bar| bar + 1 >= self.ema_period) else { return false };
        let Some(before) = bar.checked_sub(self.slope_bars) else { return false };
        let (now, then) = (self.ema[bar], self.ema[before]);
        match direction {
            Direction::Long => self.close(bar) > now && now > then,
            Direction::Short => self.close(bar) < now && now < then,
        }
    }

    /// Whether a bar that becomes visible at `i` closed beyond the average, against `direction`.
    fn breaks(&self, i: usize, direction: Direction) -> bool {
        let newest = self.bars.newest();
        let newly = i > 0 && newest[i] != newest[i - 1];
        newly
            && self.newest(i).is_some_and(|bar| match direction {
                Direction::Long => self.close(bar) < self.ema[bar],
                Direction::Short => self.close(bar) > self.ema[bar],
            })
    }
}

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct MtfTrendPullback {
    trend: Trend,
    ema: Series,
    /// Bars on which the close crosses it.
    candidates: Marks,
    lowest: Series,
    highest: Series,
    atr: Series,
    adx: AdxFilter,
    pullback_bars: usize,
    sl_buffer_atr: f64,
    min_sl_atr: f64,
    max_sl_atr: f64,
    tp_r: f64,
    directions: Directions,
    rounder: Rounder,
    position: PositionRules,
}

impl MtfTrendPullback {
    /// Whether the close crosses the average on bar `i`.
    fn crosses(&self, i: usize, direction: Direction, close: &[f64]) -> bool {
        let Some(before) = i.checked_sub(1) else { return false };
        match direction {
            Direction::Long => close[i] > self.ema[i] && close[before] <= self.ema[before],
            Direction::Short => close[i] < self.ema[i] && close[before] >= self.ema[before],
        }
    }

    /// Whether one of the last bars reached the average.
    fn pulled_back(&self, i: usize, direction: Direction, view: &View<'_>) -> bool {
        let Some(first) = (i + 1).checked_sub(self.pullback_bars) else { return false };
        match direction {
            Direction::Long => (first..=i).rev().any(|m| view.bid.low[m] <= self.ema[m]),
            Direction::Short => (first..=i).rev().any(|m| view.bid.high[m] >= self.ema[m]),
        }
    }

    /// Marks the bars on which the close crosses the average, in either direction.
    fn mark(&self, close: &[f64], bars: Range<usize>, marks: &mut [bool]) {
        let skipped = usize::from(bars.start == 0);
        marks[..skipped].fill(false);
        let (before, now) = (bars.start + skipped - 1..bars.end - 1, bars.start + skipped..bars.end);
        let before = close[before.clone()].iter().zip(&self.ema[before]);
        let now = close[now.clone()].iter().zip(&self.ema[now]);
        for ((mark, (close0, ema0)), (close1, ema1)) in marks[skipped..].iter_mut().zip(before).zip(now) {
            *mark = ((close1 > ema1) & (close0 <= ema0)) | ((close1 < ema1) & (close0 >= ema0));
        }
    }

    fn signal(&self, i: usize, direction: Direction, view: &View<'_>) -> Option<Signal> {
        let s = direction.sign();
        let (price, extreme) = match direction {
            Direction::Long => (view.ask.close[i], self.lowest[i]),
            Direction::Short => (view.bid.close[i], self.highest[i]),
        };
        let atr = self.atr[i];
        let beyond = extreme - s * (self.sl_buffer_atr * atr);
        let distance = s * (price - beyond);
        // Undefined values compare as false: no signal.
        let near_enough = distance <= self.max_sl_atr * atr;
        if !near_enough {
            return None;
        }
        let nearest = price - s * (self.min_sl_atr * atr);
        let level = if distance < self.min_sl_atr * atr { nearest } else { beyond };
        let stop = self.rounder.round(level);
        let risk = s * (price - stop);
        let target = (self.tp_r > 0.0).then(|| self.rounder.round(price + s * (self.tp_r * risk)));
        Some(Signal::market(direction, stop, target))
    }
}

impl Decide for MtfTrendPullback {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        for direction in [Direction::Long, Direction::Short] {
            let fires = self.directions.allow(direction)
                && self.crosses(i, direction, view.bid.close)
                && self.trend.runs(i, direction)
                && self.adx.passes(i)
                && self.pulled_back(i, direction, view);
            if fires {
                signals.extend(self.signal(i, direction, view));
            }
        }
    }

    fn next_signal(&self, i: usize, end: usize, view: &View<'_>, signals: &mut Vec<Signal>) -> usize {
        let judge = |bars: Range<usize>, marks: &mut [bool]| self.mark(view.bid.close, bars, marks);
        self.candidates.first(i, end, judge, |bar| self.says(bar, view, signals))
    }

    fn next_action(&self, position: &Position, i: usize, end: usize) -> Option<usize> {
        Some((i..end).find(|&bar| self.trend.breaks(bar, position.direction())).unwrap_or(end))
    }

    fn manage(&self, position: &Position, i: usize, _view: &View<'_>, actions: &mut Actions) {
        if self.trend.breaks(i, position.direction()) {
            actions.close();
        }
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}

impl Strategy for MtfTrendPullback {
    fn declaration() -> Declaration {
        declaration::declaration()
    }

    fn warmup(params: &Canonical) -> usize {
        let longest =
            ["ltf_ema", "atr_period", "pullback_bars"].map(|name| params.count(name)).into_iter().max();
        longest.unwrap_or(0).max(AdxFilter::warmup(params)) + 1
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let bid = indicators.bid();
        let timeframe = params.text("htf").parse()?;
        let higher = indicators.higher(Quote::Bid, timeframe, On::Bars)?;
        let ema_period = params.count("htf_ema");
        let period = params.count("pullback_bars");
        let atr = bid.get(&Atr { period: params.count("atr_period") });
        let own = Rules { timeout_bars: params.count("max_holding_bars"), tracks: false, ..Rules::default() };
        let position = PositionRules::of(params, &atr, own);
        Ok(Self {
            trend: Trend {
                ema: higher.scope().get(&Ema { period: ema_period }),
                bars: higher.shared_bars(),
                ema_period,
                slope_bars: params.count("htf_slope_bars"),
            },
            ema: bid.get(&Ema { period: params.count("ltf_ema") }),
            candidates: Marks::new(view.label.len()),
            lowest: bid.get(&LowestLow { period }),
            highest: bid.get(&HighestHigh { period }),
            atr,
            adx: AdxFilter::of(params, &bid),
            pullback_bars: period,
            sl_buffer_atr: params.float("sl_buffer_atr"),
            min_sl_atr: params.float("min_sl_atr"),
            max_sl_atr: params.float("max_sl_atr"),
            tp_r: params.float("tp_r"),
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            position,
        })
    }
}
