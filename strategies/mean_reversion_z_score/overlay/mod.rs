//! Scenario 6: other timeframes have to be stretched as well.

pub mod declaration;
mod fold;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use sweep_engine::declare::Canonical;
use sweep_engine::error::Result;
use sweep_engine::market::higher::NONE;
use sweep_engine::market::{Higher, Quote};
use sweep_engine::orders::Direction;
use sweep_engine::series::{Indicators, On};
use sweep_indicators::bollinger::bands;
use sweep_indicators::kalman_mean::KalmanMean;
use sweep_indicators::kalman_zscore::KalmanZscore;
use sweep_indicators::rolling_std::RollingStd;
use sweep_indicators::scope::Series;
use sweep_indicators::sma::Sma;

pub use fold::fold;

/// The own timeframe, as a member of `scenario6_timeframes`.
pub const PRIMARY: &str = "PRIMARY";

/// The bid closes of one timeframe against its band and its Kalman mean, with the parameters of one direction. All
/// series have one value per bar of the timeframe.
#[derive(Debug)]
struct Confirmation {
    bars: Arc<Higher>,
    z: Series,
    mid: Series,
    deviation: Series,
    factor: f64,
    threshold: f64,
}

impl Confirmation {
    fn of(indicators: &Indicators<'_>, timeframe: &str, given: &Given<'_>) -> Result<Self> {
        let timeframe = if timeframe == PRIMARY { indicators.primary() } else { timeframe.parse()? };
        let side = indicators.higher(Quote::Bid, timeframe, On::Bars)?;
        let mean = KalmanMean::new(given.float("kalman_r"), given.float("kalman_q"));
        let period = given.count("b_b_length");
        let scope = side.scope();
        Ok(Self {
            z: scope.get(&KalmanZscore { window: given.count("window_length"), mean }),
            mid: scope.get(&Sma { period }),
            deviation: scope.get(&RollingStd { period, ddof: 1 }),
            factor: given.float("std_factor"),
            threshold: given.float("z_score"),
            bars: side.shared_bars(),
        })
    }

    /// Whether the newest visible bar closed at or beyond its band and is stretched enough; undefined values are not.
    fn passes(&self, i: usize, direction: Direction) -> bool {
        let newest = self.bars.newest()[i];
        let Some(bar) = usize::try_from(newest).ok().filter(|_| newest != NONE) else { return false };
        let (close, z) = (self.bars.quotes(Quote::Bid).close[bar], self.z[bar]);
        let band = bands(self.mid[bar], self.deviation[bar], self.factor);
        match direction {
            Direction::Long => close <= band.lower && z <= self.threshold,
            Direction::Short => close >= band.upper && z >= self.threshold,
        }
    }
}

/// The values of one timeframe and direction in the canonical `scenario6_params`.
struct Given<'a>(&'a Map<String, Json>);

impl Given<'_> {
    fn float(&self, key: &str) -> f64 {
        self.0.get(key).and_then(Json::as_f64).unwrap_or(f64::NAN)
    }

    fn count(&self, key: &str) -> usize {
        self.0.get(key).and_then(Json::as_u64).map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX))
    }
}

/// The overlay of one parameter set.
#[derive(Debug)]
pub struct Overlay {
    /// Whether every timeframe has to pass, or one is enough.
    all: bool,
    /// Per timeframe the confirmations of longs and shorts.
    timeframes: Vec<[Confirmation; 2]>,
}

impl Overlay {
    /// Of a parameter set with scenario 6.
    ///
    /// # Errors
    /// [1001] [1006] for a timeframe that the market does not have.
    pub fn new(indicators: &Indicators<'_>, params: &Canonical) -> Result<Self> {
        let empty = Map::new();
        let confirmations = |(timeframe, block): (&String, &Json)| {
            let of = |direction: &str| {
                let given = Given(block[direction].as_object().unwrap_or(&empty));
                Confirmation::of(indicators, timeframe, &given)
            };
            Ok([of("long")?, of("short")?])
        };
        let blocks = params.map("scenario6_params");
        Ok(Self {
            all: params.text("scenario6_mode") == "all",
            timeframes: blocks.iter().map(confirmations).collect::<Result<_>>()?,
        })
    }

    /// Whether the timeframes confirm `direction` at bar `i`; none do if there are no timeframes.
    pub fn passes(&self, i: usize, direction: Direction) -> bool {
        let side = usize::from(direction == Direction::Short);
        let mut passing = self.timeframes.iter().map(|both| both[side].passes(i, direction));
        if self.all { !self.timeframes.is_empty() && passing.all(|ok| ok) } else { passing.any(|ok| ok) }
    }
}
