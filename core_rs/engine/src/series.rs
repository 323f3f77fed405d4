//! Indicator series of a market, fetched through the worker's cache.

use crate::cache::{Series, SeriesCache, SeriesKey, key_bits};
use crate::strategy::{SideView, View};
use std::sync::OnceLock;
use sweep_indicators::dmi::Seed;
use sweep_indicators::tick_grid::{TickRatio, on_grid_ticks};
use sweep_indicators::{Hlc, atr, dmi, ema, kalman_mean, kalman_zscore, sma, true_range, window, zscore};

pub use crate::market::Quote;

/// Tick counts of the closes, computed when an average first needs them.
#[derive(Debug, Default)]
pub struct Ticks([OnceLock<Vec<i64>>; 2]);

/// Access to the series of one market. Series that two indicators share are entries of their own.
#[derive(Debug, Clone, Copy)]
pub struct Indicators<'a> {
    view: View<'a>,
    cache: &'a SeriesCache,
    ticks: &'a Ticks,
}

impl<'a> Indicators<'a> {
    /// Over the bars of `view`; `cache` and `ticks` belong to that market alone.
    pub fn new(view: View<'a>, cache: &'a SeriesCache, ticks: &'a Ticks) -> Self {
        Self { view, cache, ticks }
    }

    fn side(&self, quote: Quote) -> SideView<'a> {
        match quote {
            Quote::Bid => self.view.bid,
            Quote::Ask => self.view.ask,
        }
    }

    fn get(
        &self,
        id: &'static str,
        quote: Quote,
        params: [u64; 3],
        compute: impl FnOnce() -> Vec<f64>,
    ) -> Series {
        self.cache.get(SeriesKey { id, side: quote as u8, params }, compute)
    }

    fn tick(&self) -> TickRatio {
        let (m, n) = self.view.spec.grid().ratio();
        TickRatio { m, n }
    }

    fn ticks(&self, quote: Quote) -> &'a [i64] {
        self.ticks.0[quote as usize].get_or_init(|| on_grid_ticks(self.side(quote).close, self.tick()))
    }

    fn hlc(&self, quote: Quote) -> Hlc<'a> {
        let side = self.side(quote);
        Hlc { high: side.high, low: side.low, close: side.close }
    }

    /// Exponential moving average of the closes.
    pub fn ema(&self, quote: Quote, period: usize) -> Series {
        self.get("ema", quote, [period as u64, 0, 0], || ema::ema(self.side(quote).close, period))
    }

    /// Simple moving average of the closes, exact on the tick grid.
    pub fn sma(&self, quote: Quote, period: usize) -> Series {
        self.get("sma", quote, [period as u64, 0, 0], || {
            sma::sma_on_grid(self.side(quote).close, self.ticks(quote), self.tick(), period)
        })
    }

    /// Rolling deviation of the closes, ddof 1.
    pub fn rolling_std(&self, quote: Quote, period: usize) -> Series {
        self.get("rolling_std", quote, [period as u64, 1, 0], || {
            window::std(self.side(quote).close, period, 1)
        })
    }

    /// Average true range.
    pub fn atr(&self, quote: Quote, period: usize) -> Series {
        self.get("atr", quote, [period as u64, 0, 0], || {
            let range = self.get("true_range", quote, [0; 3], || true_range::true_range(self.hlc(quote)));
            atr::atr(&range, period)
        })
    }

    /// ADX of the directional movement.
    pub fn adx(&self, quote: Quote, period: usize, seed: Seed) -> Series {
        self.get("adx", quote, [period as u64, seed as u64, 0], || {
            dmi::dmi(self.hlc(quote), period, seed).adx
        })
    }

    /// Kalman level of the closes; only q/r matters.
    pub fn kalman_mean(&self, quote: Quote, r: f64, q: f64) -> Series {
        let ratio = q / r;
        self.get("kalman_mean", quote, [key_bits(ratio), 0, 0], || {
            kalman_mean::kalman_mean(self.side(quote).close, ratio)
        })
    }

    /// Z-score of the closes against their Kalman level.
    pub fn kalman_zscore(&self, quote: Quote, window: usize, r: f64, q: f64) -> Series {
        self.get("kalman_zscore", quote, [key_bits(q / r), window as u64, 0], || {
            kalman_zscore::kalman_zscore(self.side(quote).close, &self.kalman_mean(quote, r, q), window)
        })
    }

    /// Z-score of the closes against their exponential average.
    pub fn ema_residual_zscore(&self, quote: Quote, window: usize, ema_period: usize) -> Series {
        self.get("zscore_ema_residual", quote, [window as u64, ema_period as u64, 0], || {
            zscore::ema_residual_zscore(self.side(quote).close, &self.ema(quote, ema_period), window)
        })
    }
}
