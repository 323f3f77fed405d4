//! Fades statistically stretched closes: several scenarios share the stop and differ in the measure of stretch, the
//! confirmation and the target.

mod declaration;

use crate::directions::Directions;
use sweep_engine::declare::{Canonical, Declaration};
use sweep_engine::error::Result;
use sweep_engine::orders::{Direction, Signal};
use sweep_engine::series::Indicators;
use sweep_engine::strategy::{Decide, Rounder, Rules, Strategy, View};
use sweep_indicators::atr::Atr;
use sweep_indicators::bollinger::bands;
use sweep_indicators::ema::Ema;
use sweep_indicators::kalman_mean::KalmanMean;
use sweep_indicators::kalman_zscore::KalmanZscore;
use sweep_indicators::rolling_std::RollingStd;
use sweep_indicators::scope::Series;
use sweep_indicators::sma::Sma;
use sweep_indicators::zscore::{Mode, Zscore};

/// Scenario 1: z-score against the EMA; the target is the EMA.
#[derive(Debug)]
struct EmaScore {
    z: Series,
    ema: Series,
    atr_ask: Series,
}

/// Scenarios 2 and 3: z-score against the Kalman level, confirmed by a Bollinger band.
#[derive(Debug)]
struct KalmanScore {
    z: Series,
    mid: Series,
    deviation: Series,
    std_factor: f64,
    /// Scenario 2: the target is the middle band.
    to_mid: bool,
    /// Scenario 3: the target is the EMA, at least this far beyond the entry.
    to_ema: Option<(Series, f64)>,
}

/// The strategy, prepared for one parameter set.
#[derive(Debug)]
pub struct MeanReversionZScore {
    ema_score: Option<EmaScore>,
    kalman_score: Option<KalmanScore>,
    atr_bid: Series,
    z_long: f64,
    z_short: f64,
    atr_mult: f64,
    directions: Directions,
    rounder: Rounder,
    rules: Rules,
}

/// Order in which the directions of a scenario are tried.
const SHORT_FIRST: [Direction; 2] = [Direction::Short, Direction::Long];

impl MeanReversionZScore {
    fn stretched(&self, z: f64, direction: Direction) -> bool {
        match direction {
            Direction::Long => z <= self.z_long,
            Direction::Short => z >= self.z_short,
        }
    }

    /// A signal of `scenario` if stop and target are defined. Both stops lie beyond the bid extreme of the bar.
    fn signal(
        &self,
        i: usize,
        view: &View<'_>,
        direction: Direction,
        scenario: &'static str,
        (target, atr): (f64, f64),
    ) -> Option<Signal> {
        if !target.is_finite() || !atr.is_finite() {
            return None;
        }
        let stop = match direction {
            Direction::Long => view.bid.low[i] - self.atr_mult * atr,
            Direction::Short => view.bid.high[i] + self.atr_mult * atr,
        };
        let mut signal =
            Signal::market(direction, self.rounder.round(stop), Some(self.rounder.round(target)));
        signal.tag = Some(tag(direction, scenario).into());
        Some(signal)
    }

    fn scenario_1(&self, i: usize, view: &View<'_>, direction: Direction) -> Option<Signal> {
        let score = self.ema_score.as_ref()?;
        if !self.stretched(score.z[i], direction) {
            return None;
        }
        let atr = match direction {
            Direction::Long => self.atr_bid[i],
            Direction::Short => score.atr_ask[i],
        };
        self.signal(i, view, direction, "1", (score.ema[i], atr))
    }

    /// What scenarios 2 and 3 share: stretched, and the close beyond its band.
    fn beyond_band(&self, score: &KalmanScore, i: usize, view: &View<'_>, direction: Direction) -> bool {
        if !self.stretched(score.z[i], direction) {
            return false;
        }
        let band = bands(score.mid[i], score.deviation[i], score.std_factor);
        match direction {
            Direction::Long => view.bid.close[i] <= band.lower,
            Direction::Short => view.bid.close[i] >= band.upper,
        }
    }

    fn scenario_2(&self, i: usize, view: &View<'_>, direction: Direction) -> Option<Signal> {
        let score = self.kalman_score.as_ref().filter(|s| s.to_mid)?;
        if !self.beyond_band(score, i, view, direction) {
            return None;
        }
        self.signal(i, view, direction, "2", (score.mid[i], self.atr_bid[i]))
    }

    fn scenario_3(&self, i: usize, view: &View<'_>, direction: Direction) -> Option<Signal> {
        let score = self.kalman_score.as_ref()?;
        let (ema, distance) = score.to_ema.as_ref()?;
        let far = match direction {
            Direction::Long => ema[i] > view.ask.close[i] + distance,
            Direction::Short => ema[i] < view.bid.close[i] - distance,
        };
        if !far || !self.beyond_band(score, i, view, direction) {
            return None;
        }
        self.signal(i, view, direction, "3", (ema[i], self.atr_bid[i]))
    }
}

/// `long_k` or `short_k`.
fn tag(direction: Direction, scenario: &str) -> &'static str {
    match (direction, scenario) {
        (Direction::Long, "1") => "long_1",
        (Direction::Long, "2") => "long_2",
        (Direction::Long, _) => "long_3",
        (Direction::Short, "1") => "short_1",
        (Direction::Short, "2") => "short_2",
        (Direction::Short, _) => "short_3",
    }
}

impl Decide for MeanReversionZScore {
    fn rules(&self) -> Rules {
        self.rules
    }

    fn evaluate(&self, i: usize, view: &View<'_>, signals: &mut Vec<Signal>) {
        for scenario in [Self::scenario_1, Self::scenario_2, Self::scenario_3] {
            for direction in SHORT_FIRST {
                if !self.directions.allow(direction) {
                    continue;
                }
                if let Some(signal) = scenario(self, i, view, direction) {
                    signals.push(signal);
                    return;
                }
            }
        }
    }
}

impl Strategy for MeanReversionZScore {
    fn declaration() -> Declaration {
        declaration::declaration()
    }

    fn warmup(params: &Canonical) -> usize {
        let common = params.count("window_length").max(params.count("atr_length"));
        let longest =
            if scenario_enabled(params, "1") { common } else { common.max(params.count("b_b_length")) };
        longest.saturating_sub(1)
    }

    fn prepare(view: &View<'_>, indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let (bid, ask) = (indicators.bid(), indicators.ask());
        let window = params.count("window_length");
        let atr = Atr { period: params.count("atr_length") };
        let ema = Ema { period: params.count("ema_length") };
        let [s1, s2, s3] = ["1", "2", "3"].map(|k| scenario_enabled(params, k));
        let ema_score = s1.then(|| EmaScore {
            z: bid.get(&Zscore { window, mode: Mode::EmaResidual(ema.period) }),
            ema: bid.get(&ema),
            atr_ask: ask.get(&atr),
        });
        let kalman_score = (s2 || s3).then(|| {
            let period = params.count("b_b_length");
            let mean = KalmanMean::new(params.float("kalman_r"), params.float("kalman_q"));
            KalmanScore {
                z: bid.get(&KalmanZscore { window, mean }),
                mid: bid.get(&Sma { period }),
                deviation: bid.get(&RollingStd { period, ddof: 1 }),
                std_factor: params.float("std_factor"),
                to_mid: s2,
                to_ema: s3.then(|| (bid.get(&ema), params.float("tp_min_distance") * view.spec.pip_size)),
            }
        });
        let timed = params.boolean("use_position_manager");
        Ok(Self {
            ema_score,
            kalman_score,
            atr_bid: bid.get(&atr),
            z_long: params.float("z_score_long"),
            z_short: params.float("z_score_short"),
            atr_mult: params.float("atr_mult"),
            directions: Directions::of(params),
            rounder: Rounder::new(view.spec, params.optional_int("round_digits")),
            rules: Rules {
                timeout_minutes: if timed { params.int("max_holding_minutes") } else { 0 },
                ..Rules::default()
            },
        })
    }
}

/// Whether scenario `k` is a member of the set `enabled_scenarios`.
fn scenario_enabled(params: &Canonical, k: &str) -> bool {
    params.text("enabled_scenarios").split('+').any(|member| member == k)
}
