//! Channel breakout with a pair of stop orders, one cancelling the other.

mod declaration;

use crate::directions::Directions;
use crate::position_rules::PositionRules;
use crate::trend_ema::TrendEma;
use std::sync::Arc;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::orders::{Direction, Labels, OrderType, Position, Signal, StopKind};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Actions, Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::extremes::{HighestHigh, LowestLow};
use sweep_indicators::scope::Series;

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct DonchianBreakout {
    up: Series,
    down: Series,
    /// Highest ask high and lowest bid low of the exit channel, where it is used.
    exit: Option<(Series, Series)>,
    atr: Series,
    trend: TrendEma,
    buffer_atr: f64,
    sl_atr: f64,
    tp_r: f64,
    valid_bars: i64,
    /// Makes a buy and a sell stop cancel each other.
    pair: Option<Arc<Labels>>,
    directions: Directions,
    rounder: Rounder,
    position: PositionRules,
}

impl DonchianBreakout {
    /// The stop order of one direction, if its level lies beyond the market and the trend allows it.
    fn order(&self, i: usize, direction: Direction, view: &View<'_>) -> Option<Signal> {
        if !self.directions.allow(direction) || !self.trend.passes(i, direction, view) {
            return None;
        }
        let s = direction.sign();
        let (channel, price) = match direction {
            Direction::Long => (self.up[i], view.ask.close[i]),
            Direction::Short => (self.down[i], view.bid.close[i]),
        };
        let level = self.rounder.round(channel + s * (self.buffer_atr * self.atr[i]));
        let ahead = match direction {
            Direction::Long => price < level,
            Direction::Short => price > level,
        };
        if !ahead {
            return None;
        }
        let stop = self.rounder.round(level - s * (self.sl_atr * self.atr[i]));
        let risk = s * (level - stop);
        let target = (self.tp_r > 0.0).then(|| self.rounder.round(level + s * (self.tp_r * risk)));
        let order = Signal::pending(OrderType::Stop, direction, level, stop, target);
        Some(Signal { valid_bars: Some(self.valid_bars), ..order })
    }
}

impl Decide for DonchianBreakout {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        let buy = self.order(i, Direction::Long, view);
        let sell = self.order(i, Direction::Short, view);
        match (buy, sell) {
            (Some(buy), Some(sell)) => {
                let leg = |order| Signal { labels: self.pair.clone(), ..order };
                signals.extend([leg(buy), leg(sell)]);
            }
            (one, other) => signals.extend(one.or(other)),
        }
    }

    fn manage(&self, position: &Position, i: usize, view: &View<'_>, actions: &mut Actions) {
        let Some((up, down)) = &self.exit else { return };
        let (level, tighter) = match position.direction() {
            Direction::Long => {
                let level = self.rounder.round(down[i]);
                (level, level > position.stop_loss && level < view.bid.close[i])
            }
            Direction::Short => {
                let level = self.rounder.round(up[i]);
                (level, level < position.stop_loss && level > view.ask.close[i])
            }
        };
        if tighter {
            actions.modify_stop(level, StopKind::Trailing);
        }
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}

impl Strategy for DonchianBreakout {
    fn declaration() -> Declaration {
        declaration::declaration()
    }

    fn warmup(params: &Canonical) -> usize {
        params.count("entry_lookback").max(params.count("atr_period"))
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let (bid, ask) = (indicators.bid(), indicators.ask());
        let channel = |period| (ask.get(&HighestHigh { period }), bid.get(&LowestLow { period }));
        let (up, down) = channel(params.count("entry_lookback"));
        let exit = params.count("exit_lookback");
        let atr = bid.get(&Atr { period: params.count("atr_period") });
        let own = Rules { timeout_bars: params.count("max_holding_bars"), tracks: false, ..Rules::default() };
        let position = PositionRules::of(params, &atr, own);
        Ok(Self {
            up,
            down,
            exit: (exit > 0).then(|| channel(exit)),
            atr,
            trend: TrendEma::of(params, &bid),
            buffer_atr: params.float("buffer_atr"),
            sl_atr: params.float("sl_atr"),
            tp_r: params.float("tp_r"),
            valid_bars: params.int("order_valid_bars"),
            pair: Labels { oco_group: Some("pair".into()), ..Labels::default() }.shared(),
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            position,
        })
    }
}
