//! Fades statistically stretched closes: several scenarios share the stop and differ in the measure of stretch, the
//! confirmation and the target.

mod candidates;
mod clusters;
mod declaration;
mod guard;
mod overlay;
mod trend;

use crate::directions::Directions;
use crate::position_rules::PositionRules;
use guard::Guard;
use overlay::Overlay;
use std::ops::Range;
use std::sync::Arc;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::marks::Marks;
use sweep_engine::orders::{Direction, Labels, Position, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Actions, Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::bollinger::{Bands, bands};
use sweep_indicators::ema::Ema;
use sweep_indicators::garch::Garch;
use sweep_indicators::kalman_garch::{KalmanGarch, KalmanGarchLocal, Windows};
use sweep_indicators::kalman_mean::KalmanMean;
use sweep_indicators::kalman_zscore::KalmanZscore;
use sweep_indicators::rolling_std::RollingStd;
use sweep_indicators::scope::Series;
use sweep_indicators::slots::Slots;
use sweep_indicators::sma::Sma;
use sweep_indicators::zscore::{Mode, Zscore};
use trend::TrendFilter;

/// Scenario 1: z-score against the EMA; the target is the EMA.
#[derive(Debug)]
struct EmaScore {
    z: Series,
    atr_ask: Series,
}

/// The Bollinger band that confirms scenarios 2 to 6.
#[derive(Debug)]
struct Band {
    mid: Series,
    deviation: Series,
    factor: f64,
}

impl Band {
    fn at(&self, i: usize) -> Bands {
        bands(self.mid[i], self.deviation[i], self.factor)
    }
}

/// Scenario 4's score: over all bars, or restarted on the window of each bar.
#[derive(Debug)]
enum GarchScore {
    Whole(Series),
    Local(Windows, Arc<Slots>),
}

impl GarchScore {
    fn at(&self, i: usize, view: &View<'_>) -> f64 {
        match self {
            Self::Whole(z) => z[i],
            Self::Local(windows, slots) => windows.at(view.bid.close, i, slots),
        }
    }
}

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct MeanReversionZScore {
    /// Which of the scenarios 1 to 6 are tried.
    enabled: [bool; 6],
    /// Bars on which one of them could fire.
    candidates: Marks,
    ema: Option<Series>,
    ema_score: Option<EmaScore>,
    kalman_z: Option<Series>,
    garch_z: Option<GarchScore>,
    band: Option<Band>,
    guard: Option<Guard>,
    overlay: Option<Overlay>,
    trends: Vec<TrendFilter>,
    atr_bid: Series,
    z_long: f64,
    z_short: f64,
    atr_mult: f64,
    /// Scenario 3: the EMA must be this far beyond the entry, in price.
    least_target: f64,
    /// Closes a position when the score has come back this far.
    z_exit: Option<f64>,
    dynamic_target: bool,
    directions: Directions,
    rounder: Rounder,
    position: PositionRules,
    /// Of the signals of each scenario, long and short.
    tags: [[Tag; 2]; 6],
}

type Tag = Option<Arc<Labels>>;

/// Scenarios in the order of trial, and which direction of each comes first.
const TRIALS: [(u8, [Direction; 2]); 6] = [
    (1, [Direction::Short, Direction::Long]),
    (2, [Direction::Short, Direction::Long]),
    (3, [Direction::Short, Direction::Long]),
    (4, [Direction::Short, Direction::Long]),
    (5, [Direction::Long, Direction::Short]),
    (6, [Direction::Long, Direction::Short]),
];

impl MeanReversionZScore {
    fn stretched(&self, z: f64, direction: Direction) -> bool {
        match direction {
            Direction::Long => z <= self.z_long,
            Direction::Short => z >= self.z_short,
        }
    }

    /// The measure of stretch of a scenario at bar `i`; NaN where it has none.
    fn z(&self, scenario: u8, i: usize, view: &View<'_>) -> f64 {
        let z = match scenario {
            1 => self.ema_score.as_ref().map(|score| score.z[i]),
            4 => self.garch_z.as_ref().map(|score| score.at(i, view)),
            _ => self.kalman_z.as_ref().map(|z| z[i]),
        };
        z.unwrap_or(f64::NAN)
    }

    /// The measure of stretch of a scenario on all bars, where it is a series.
    fn scores(&self, scenario: u8) -> Option<&Series> {
        match scenario {
            1 => self.ema_score.as_ref().map(|score| &score.z),
            4 => match &self.garch_z {
                Some(GarchScore::Whole(z)) => Some(z),
                _ => None,
            },
            _ => self.kalman_z.as_ref(),
        }
    }

    /// The mean that a scenario aims at.
    fn mean(&self, scenario: u8, i: usize) -> f64 {
        let mean = match scenario {
            1 | 3 => self.ema.as_ref().map(|ema| ema[i]),
            _ => self.band.as_ref().map(|band| band.mid[i]),
        };
        mean.unwrap_or(f64::NAN)
    }

    /// Whether the close lies beyond its band.
    fn beyond_band(&self, i: usize, direction: Direction, view: &View<'_>) -> bool {
        self.band.as_ref().is_some_and(|band| match direction {
            Direction::Long => view.bid.close[i] <= band.at(i).lower,
            Direction::Short => view.bid.close[i] >= band.at(i).upper,
        })
    }

    /// Scenario 3: whether the EMA is far enough beyond the entry.
    fn ema_is_far(&self, i: usize, direction: Direction, view: &View<'_>) -> bool {
        self.ema.as_ref().is_some_and(|ema| match direction {
            Direction::Long => ema[i] > view.ask.close[i] + self.least_target,
            Direction::Short => ema[i] < view.bid.close[i] - self.least_target,
        })
    }

    /// Whether all conditions of a scenario hold; the cheap ones first.
    fn fires(&self, scenario: u8, i: usize, direction: Direction, view: &View<'_>) -> bool {
        let confirmed = scenario == 1 || self.beyond_band(i, direction, view);
        confirmed
            && self.stretched(self.z(scenario, i, view), direction)
            && (scenario == 1 || self.trends.iter().all(|trend| trend.passes(i)))
            && (scenario != 3 || self.ema_is_far(i, direction, view))
            && (scenario != 5 || self.guard.as_ref().is_some_and(|guard| guard.open(i, view)))
            && (scenario != 6 || self.overlay.as_ref().is_some_and(|overlay| overlay.passes(i, direction)))
    }

    /// A signal of `scenario` if stop and target are defined. Both stops lie beyond the bid extreme of the bar.
    fn signal(&self, scenario: u8, i: usize, direction: Direction, view: &View<'_>) -> Option<Signal> {
        let target = self.mean(scenario, i);
        let atr = match (scenario, direction, &self.ema_score) {
            (1, Direction::Short, Some(score)) => score.atr_ask[i],
            _ => self.atr_bid[i],
        };
        if !target.is_finite() || !atr.is_finite() {
            return None;
        }
        let stop = match direction {
            Direction::Long => view.bid.low[i] - self.atr_mult * atr,
            Direction::Short => view.bid.high[i] + self.atr_mult * atr,
        };
        let mut signal =
            Signal::market(direction, self.rounder.round(stop), Some(self.rounder.round(target)));
        signal.labels =
            self.tags[usize::from(scenario) - 1][usize::from(direction == Direction::Short)].clone();
        Some(signal)
    }

    /// Moves the target to where the mean is now, or closes if the market is beyond it.
    fn follow(&self, scenario: u8, position: &Position, i: usize, view: &View<'_>, actions: &mut Actions) {
        let level = self.rounder.round(self.mean(scenario, i));
        if level.is_nan() {
            return;
        }
        let ahead = match position.direction() {
            Direction::Long => level > view.bid.close[i],
            Direction::Short => level < view.ask.close[i],
        };
        if ahead {
            actions.modify_target(Some(level));
        } else {
            actions.close();
        }
    }
}

/// `long_k` and `short_k` of the scenario k, for its signals.
fn tags(scenario: usize) -> [Tag; 2] {
    ["long", "short"]
        .map(|side| Labels { tag: Some(format!("{side}_{scenario}").into()), ..Labels::default() }.shared())
}

/// The scenario that a position was entered by.
fn scenario_of(position: &Position) -> u8 {
    let tag = position.signal.labels().tag.as_deref().unwrap_or("");
    tag.as_bytes().last().map_or(0, |digit| digit.wrapping_sub(b'0'))
}

impl Decide for MeanReversionZScore {
    fn rules(&self) -> Rules {
        self.position.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        for (scenario, directions) in TRIALS {
            if !self.enabled[usize::from(scenario) - 1] {
                continue;
            }
            for direction in directions {
                if !self.directions.allow(direction) || !self.fires(scenario, i, direction, view) {
                    continue;
                }
                if let Some(signal) = self.signal(scenario, i, direction, view) {
                    signals.push(signal);
                    return;
                }
            }
        }
    }

    fn manage(&self, position: &Position, i: usize, view: &View<'_>, actions: &mut Actions) {
        let scenario = scenario_of(position);
        if let Some(z_exit) = self.z_exit {
            let z = self.z(scenario, i, view);
            let back = match position.direction() {
                Direction::Long => z >= z_exit,
                Direction::Short => z <= -z_exit,
            };
            if back {
                actions.close();
                return;
            }
        }
        if self.dynamic_target {
            self.follow(scenario, position, i, view, actions);
        }
    }

    fn next_signal(&self, i: usize, end: usize, view: &View<'_>, signals: &mut Vec<Signal>) -> usize {
        let judge = |bars: Range<usize>, marks: &mut [bool]| self.mark(bars, view, marks);
        self.candidates.first(i, end, judge, |bar| self.says(bar, view, signals))
    }

    fn next_action(&self, position: &Position, i: usize, end: usize) -> Option<usize> {
        if self.dynamic_target {
            return None;
        }
        let Some(z_exit) = self.z_exit.filter(|_| i < end) else { return Some(end) };
        let z = self.scores(scenario_of(position))?;
        let back = match position.direction() {
            Direction::Long => z[i..end].iter().position(|&z| z >= z_exit),
            Direction::Short => z[i..end].iter().position(|&z| z <= -z_exit),
        };
        Some(back.map_or(end, |at| i + at))
    }

    fn trail_distance(&self, i: usize) -> f64 {
        self.position.trail_distance(i)
    }
}

impl Strategy for MeanReversionZScore {
    fn declaration() -> Declaration {
        declaration::declaration()
    }

    fn warmup(params: &Canonical) -> usize {
        let count = |name| params.count(name);
        let banded = || count("window_length").max(count("b_b_length")).max(count("atr_length")) - 1;
        let guarded = || match params.text("intraday_vol_feature") {
            "atr_points" => count("atr_length") + count("intraday_vol_min_points") - 2,
            _ => count("garch_min_periods") + count("intraday_vol_min_points"),
        };
        let first = |scenario: &usize| match scenario {
            1 => count("window_length").max(count("atr_length")) - 1,
            4 => (count("garch_min_periods") + 1).max(count("b_b_length") - 1).max(count("atr_length") - 1),
            5 => banded().max(guarded()),
            _ => banded(),
        };
        (1..=6).filter(|k| enabled(params, *k)).map(|k| first(&k)).min().unwrap_or(0)
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let (bid, ask) = (indicators.bid(), indicators.ask());
        let [s1, s2, s3, s4, s5, s6] = [1, 2, 3, 4, 5, 6].map(|k| enabled(params, k));
        let kalman = s2 || s3 || s5 || s6;
        let banded = kalman || s4;
        let window = || params.count("window_length");
        let atr = Atr { period: params.count("atr_length") };
        let atr_bid = bid.get(&atr);
        let mean = || KalmanMean::new(params.float("kalman_r"), params.float("kalman_q"));
        let garch = (s4 || s5).then(|| weights(params));
        let trends = if banded { trend_filters(indicators, params)? } else { Vec::new() };
        let managed = params.boolean("use_position_manager");
        Ok(Self {
            enabled: [s1, s2, s3, s4, s5, s6],
            candidates: Marks::new(view.label.len()),
            ema: (s1 || s3).then(|| bid.get(&Ema { period: params.count("ema_length") })),
            ema_score: s1.then(|| EmaScore {
                z: bid.get(&Zscore { window: window(), mode: Mode::EmaResidual(params.count("ema_length")) }),
                atr_ask: ask.get(&atr),
            }),
            kalman_z: kalman.then(|| bid.get(&KalmanZscore { window: window(), mean: mean() })),
            garch_z: garch.filter(|_| s4).map(|weights| garch_score(&bid.scope(), params, mean(), weights)),
            band: banded.then(|| {
                let period = params.count("b_b_length");
                Band {
                    mid: bid.get(&Sma { period }),
                    deviation: bid.get(&RollingStd { period, ddof: 1 }),
                    factor: params.float("std_factor"),
                }
            }),
            guard: garch.filter(|_| s5).map(|weights| Guard::new(&bid.scope(), params, weights, atr)),
            overlay: if s6 { Some(Overlay::new(indicators, params)?) } else { None },
            trends,
            z_long: params.float("z_score_long"),
            z_short: params.float("z_score_short"),
            atr_mult: params.float("atr_mult"),
            least_target: if s3 { params.float("tp_min_distance") * view.spec.pip_size } else { 0.0 },
            z_exit: if managed { params.optional_float("z_exit") } else { None },
            dynamic_target: managed && params.text("tp_mode") == "dynamic",
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            position: position_rules(params, &atr_bid, managed),
            atr_bid,
            tags: [1, 2, 3, 4, 5, 6].map(tags),
        })
    }
}

/// Without the position manager only stop and target end a position.
fn position_rules(params: &Canonical, atr: &Series, managed: bool) -> PositionRules {
    let untracked = Rules { tracks: false, ..Rules::default() };
    if !managed {
        let cooldown_bars = params.count("cooldown_bars");
        return PositionRules::none(atr, Rules { cooldown_bars, ..untracked });
    }
    let own = Rules { timeout_minutes: params.int("max_holding_minutes"), ..untracked };
    PositionRules::of(params, atr, own)
}

fn weights(params: &Canonical) -> Garch {
    Garch {
        alpha: params.float("garch_alpha"),
        beta: params.float("garch_beta"),
        omega: params.optional_float("garch_omega"),
        use_log_returns: params.boolean("garch_use_log_returns"),
        scale: params.float("garch_scale"),
        min_periods: params.count("garch_min_periods"),
        sigma_floor: params.float("garch_sigma_floor"),
    }
}

fn garch_score(
    scope: &sweep_indicators::scope::Scope<'_>,
    params: &Canonical,
    mean: KalmanMean,
    weights: Garch,
) -> GarchScore {
    let model = KalmanGarch { mean, weights };
    match params.count("local_z_lookback") {
        0 => GarchScore::Whole(scope.get(&model)),
        lookback => {
            let local = KalmanGarchLocal { idx: None, lookback, model };
            let slots = scope.store().slots(local.slot_key(), scope.bars.len());
            GarchScore::Local(Windows::new(local, scope), slots)
        }
    }
}

fn trend_filters(indicators: &Indicators<'_>, params: &Canonical) -> Result<Vec<TrendFilter>> {
    let filter = |prefix: &str| {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        TrendFilter::new(
            indicators,
            params.text(&name("tf")),
            params.count(&name("ema")),
            params.text(&name("filter")),
        )
    };
    Ok([filter("htf")?, filter("extra_htf")?].into_iter().flatten().collect())
}

/// Whether scenario `k` is a member of the set `enabled_scenarios`.
fn enabled(params: &Canonical, k: usize) -> bool {
    params.text("enabled_scenarios").split('+').any(|member| member.parse() == Ok(k))
}
