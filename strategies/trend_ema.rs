//! The parameter `trend_ema`: entries only on the side of an average.

use sweep_engine::declare::{Canonical, Parameter, int};
use sweep_engine::orders::Direction;
use sweep_engine::series::Side;
use sweep_engine::strategy::View;
use sweep_indicators::ema::Ema;
use sweep_indicators::scope::Series;

/// The average's period.
pub fn trend_ema() -> Parameter {
    int("trend_ema", 0)
        .at_least(0)
        .search_off_or(100..=300, 50)
        .unit("bars")
        .group("filter")
        .doc("period of the EMA on whose side the bid close must be, 0 = off; larger is slower")
}

/// The average, if one is asked for.
#[derive(Debug)]
pub struct TrendEma(Option<Series>);

impl TrendEma {
    /// Of a parameter set, over the bid closes.
    pub fn of(params: &Canonical, bid: &Side<'_>) -> Self {
        let period = params.count("trend_ema");
        Self((period > 0).then(|| bid.get(&Ema { period })))
    }

    /// Whether the bid close lies strictly on the side of `direction`.
    pub fn passes(&self, i: usize, direction: Direction, view: &View<'_>) -> bool {
        self.0.as_ref().is_none_or(|trend| match direction {
            Direction::Long => view.bid.close[i] > trend[i],
            Direction::Short => view.bid.close[i] < trend[i],
        })
    }
}
