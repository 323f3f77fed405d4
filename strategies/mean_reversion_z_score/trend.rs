//! Trend filters by the last complete bar of a higher timeframe.

use std::sync::Arc;
use sweep_engine::error::Result;
use sweep_engine::market::higher::NONE;
use sweep_engine::market::{Higher, Quote};
use sweep_engine::series::{Indicators, On};
use sweep_indicators::ema::Ema;
use sweep_indicators::scope::Series;

/// The close of the newest visible bar against its EMA, the same for longs and shorts.
#[derive(Debug)]
pub struct TrendFilter {
    bars: Arc<Higher>,
    ema: Series,
    above: bool,
}

impl TrendFilter {
    /// A filter; `None` for the mode `both`, which passes always.
    ///
    /// # Errors
    /// [1001] [1006] for a timeframe that the market does not have.
    pub fn new(
        indicators: &Indicators<'_>,
        timeframe: &str,
        period: usize,
        mode: &str,
    ) -> Result<Option<Self>> {
        if mode == "both" {
            return Ok(None);
        }
        let side = indicators.higher(Quote::Bid, timeframe.parse()?, On::Bars)?;
        let ema = side.scope().get(&Ema { period });
        Ok(Some(Self { bars: side.shared_bars(), ema, above: mode == "above" }))
    }

    /// Whether bar `i` passes; an undefined value and equality do not.
    pub fn passes(&self, i: usize) -> bool {
        let bar = self.bars.newest()[i];
        if bar == NONE {
            return false;
        }
        let Ok(bar) = usize::try_from(bar) else { return false };
        let (close, ema) = (self.bars.quotes(Quote::Bid).close[bar], self.ema[bar]);
        if self.above { close > ema } else { close < ema }
    }
}
