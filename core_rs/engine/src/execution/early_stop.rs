//! Limits at which a backtest is given up.

use serde::{Deserialize, Serialize};

/// Limits on a running backtest, judged at the close of every bar; `None` = not judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStop {
    /// Equity at or below this percentage of the initial balance.
    pub ruin_pct: Option<f64>,
    /// Drawdown from the running peak above this percentage of it.
    pub max_drawdown_pct: Option<f64>,
    /// The fraction of `min_trades` that has to be closed by the middle of the window.
    pub min_trades_by_midpoint: Option<f64>,
    /// Trades that a whole run needs; none unless the fraction is set.
    pub min_trades: Option<u32>,
}

impl EarlyStop {
    /// Whether nothing is judged.
    pub fn is_unset(&self) -> bool {
        *self == Self::default()
    }

    /// Closed trades that are needed by the middle: the fraction of `min_trades`, rounded up but for an error of
    /// rounding in the product.
    pub fn trades_by_midpoint(&self) -> Option<f64> {
        let needed = self.min_trades_by_midpoint? * f64::from(self.min_trades?);
        Some((needed - 1e-9).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_the_trades_is_rounded_up() {
        for (fraction, trades, needed) in
            [(0.5, 30, 15.0), (0.5, 31, 16.0), (0.07, 100, 7.0), (0.01, 30, 1.0), (1.0, 0, 0.0)]
        {
            let limits = EarlyStop {
                min_trades_by_midpoint: Some(fraction),
                min_trades: Some(trades),
                ..EarlyStop::default()
            };
            assert_eq!(limits.trades_by_midpoint(), Some(needed), "{fraction} of {trades}");
        }
        assert_eq!(EarlyStop::default().trades_by_midpoint(), None);
    }
}
