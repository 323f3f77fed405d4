//! Indicator series of a market, fetched through the worker's cache.

use crate::cache::{Frame, FrameStore, Layout, SeriesCache};
use crate::strategy::View;
use sweep_indicators::scope::{Bars, Entry, Outputs, Scope, Series, TickCounts};
use sweep_indicators::tick_grid::TickRatio;

pub use crate::market::Quote;

/// The closes of both sides as whole ticks, counted when an average first needs them.
#[derive(Debug)]
pub struct Ticks([TickCounts; 2]);

impl Ticks {
    /// On a symbol's grid.
    pub fn new(spec: &crate::market::SymbolSpec) -> Self {
        let (m, n) = spec.grid().ratio();
        Self([TickCounts::new(TickRatio { m, n }), TickCounts::new(TickRatio { m, n })])
    }
}

/// Access to the series of one market.
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

    /// The primary bars of one side.
    pub fn on(&self, quote: Quote) -> Side<'a> {
        let side = match quote {
            Quote::Bid => self.view.bid,
            Quote::Ask => self.view.ask,
        };
        let frame = Frame { side: quote as u8, timeframe: 0, layout: Layout::Bars };
        Side {
            bars: Bars { open: side.open, high: side.high, low: side.low, close: side.close },
            ticks: Some(&self.ticks.0[quote as usize]),
            store: self.cache.on(frame),
        }
    }

    /// The bid side.
    pub fn bid(&self) -> Side<'a> {
        self.on(Quote::Bid)
    }

    /// The ask side.
    pub fn ask(&self) -> Side<'a> {
        self.on(Quote::Ask)
    }
}

/// The series of one side.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    bars: Bars<'a>,
    ticks: Option<&'a TickCounts>,
    store: FrameStore<'a>,
}

impl<'a> Side<'a> {
    /// Bars of their own, with a cache of their own.
    pub fn of(bars: Bars<'a>, ticks: Option<&'a TickCounts>, cache: &'a SeriesCache) -> Self {
        Self { bars, ticks, store: cache.on(Frame { side: 0, timeframe: 0, layout: Layout::Bars }) }
    }

    /// What indicators are computed on.
    pub fn scope(&self) -> Scope<'_> {
        Scope::new(self.bars, self.ticks, &self.store)
    }

    /// The first output of an indicator.
    pub fn get<E: Entry>(&self, entry: &E) -> Series {
        self.scope().get(entry)
    }

    /// All outputs of an indicator, in the order of its declaration.
    pub fn outputs<E: Entry>(&self, entry: &E) -> Outputs {
        self.scope().outputs(entry)
    }
}
