//! Position rules that all strategies share: declared once, read once.

use sweep_engine::declare::{Canonical, Parameter, categorical, float, int, optional_int};
use sweep_engine::strategy::Rules;
use sweep_indicators::scope::Series;

/// The time stop in bars.
pub fn max_holding_bars(default: i64) -> Parameter {
    int("max_holding_bars", default)
        .at_least(0)
        .search_off_or(12..=288, 12)
        .unit("bars")
        .group("management")
        .doc("time stop, 0 = off; larger holds longer")
}

/// The multiple of the initial risk at which the stop moves to the entry.
pub fn be_r(default: f64) -> Parameter {
    float("be_r", default)
        .at_least(0)
        .unit("R")
        .group("management")
        .doc("profit at which the stop moves to the entry, 0 = off; larger waits longer")
}

/// Pips beyond the entry.
pub fn be_buffer_pips() -> Parameter {
    float("be_buffer_pips", 0.0)
        .at_least(0)
        .when("be_r > 0")
        .unit("pips")
        .group("management")
        .doc("how far beyond the entry the stop then moves; larger locks in more")
}

/// The trailing distance.
pub fn trail_atr(default: f64) -> Parameter {
    float("trail_atr", default)
        .at_least(0)
        .unit("ATR")
        .group("management")
        .doc("distance at which the stop follows the best price, 0 = off; larger gives more room")
}

/// The multiple of the initial risk from which the stop trails.
pub fn trail_start_r(default: f64) -> Parameter {
    float("trail_start_r", default)
        .at_least(0)
        .search(0..=2)
        .step(0.5)
        .when("trail_atr > 0")
        .unit("R")
        .group("management")
        .doc("profit from which the stop trails; larger starts later")
}

/// Directions that are traded.
pub fn direction_filter() -> Parameter {
    categorical("direction_filter", &["both", "long", "short"], "both")
        .group("filter")
        .doc("directions that are traded; entries of the other one are not evaluated")
}

/// Bars without entries after an exit.
pub fn cooldown_bars() -> Parameter {
    int("cooldown_bars", 0)
        .at_least(0)
        .search(0..=24)
        .unit("bars")
        .group("filter")
        .doc("bars after an exit on which nothing is entered, 0 = off; larger trades less often")
}

/// Decimals of computed prices.
pub fn round_digits() -> Parameter {
    optional_int("round_digits")
        .at_least(0)
        .at_most(15)
        .group("risk")
        .doc("decimals of computed prices, for parity with other systems; none rounds to the symbol's tick")
}

/// Break-even and trailing with the defaults and ranges that most strategies have: off.
pub fn stop_moves() -> [Parameter; 4] {
    [
        be_r(0.0).search_off_or(0.5..=2.0, 0.25),
        be_buffer_pips(),
        trail_atr(0.0).search_off_or(1.5..=6.0, 0.5),
        trail_start_r(0.0),
    ]
}

/// The rules of one parameter set, and the distance at which the stop trails.
#[derive(Debug, Clone)]
pub struct PositionRules {
    /// What the engine carries out.
    pub rules: Rules,
    trail_atr: f64,
    atr: Series,
}

impl PositionRules {
    /// The common parameters over `own`, the strategy's time stops and reentry; `atr` is its own ATR on bid.
    pub fn of(params: &Canonical, atr: &Series, own: Rules) -> Self {
        let (be_r, trail_atr) = (params.float("be_r"), params.float("trail_atr"));
        Self {
            rules: Rules {
                be_r,
                be_buffer_pips: if be_r > 0.0 { params.float("be_buffer_pips") } else { 0.0 },
                trail_start_r: if trail_atr > 0.0 { params.float("trail_start_r") } else { 0.0 },
                trails: trail_atr > 0.0,
                cooldown_bars: params.count("cooldown_bars"),
                ..own
            },
            trail_atr,
            atr: atr.clone(),
        }
    }

    /// Nothing but `own`.
    pub fn none(atr: &Series, own: Rules) -> Self {
        Self { rules: own, trail_atr: 0.0, atr: atr.clone() }
    }

    /// Distance of the trailing stop at the close of bar `i`; NaN where the ATR is.
    #[inline]
    pub fn trail_distance(&self, i: usize) -> f64 {
        self.trail_atr * self.atr[i]
    }
}
