//! Indicator series of a market, fetched through the worker's cache.

use std::sync::Arc;

use crate::cache::{Frame, FrameStore, Layout, SeriesCache};
use crate::error::{Error, Result};
use crate::market::higher::Higher;
use crate::market::quotes::Field;
use crate::market::{Market, Quotes, SymbolSpec, Timeframe};
use sweep_indicators::scope::{Bars, Entry, Key, Outputs, Scope, Series, Store, TickCounts};
use sweep_indicators::tick_grid::TickRatio;

pub use crate::market::Quote;

/// The closes of both sides as whole ticks, counted when an average first needs them.
#[derive(Debug)]
pub struct CloseTicks([TickCounts; 2]);

impl CloseTicks {
    /// On a symbol's grid.
    pub fn new(spec: &SymbolSpec) -> Self {
        Self([tick_counts(spec), tick_counts(spec)])
    }
}

fn tick_counts(spec: &SymbolSpec) -> TickCounts {
    let (m, n) = spec.grid().ratio();
    TickCounts::new(TickRatio { m, n })
}

/// What an indicator of a higher timeframe runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The bars of that timeframe; each value is then repeated until the next.
    Bars,
    /// The newest known bar of every primary bar: a bar counts as often as it is repeated.
    Raster,
}

/// Access to the series of one market.
#[derive(Debug, Clone, Copy)]
pub struct Indicators<'a> {
    market: &'a Market,
    cache: &'a SeriesCache,
    ticks: &'a CloseTicks,
}

fn bars(quotes: &Quotes) -> Bars<'_> {
    Bars { open: &quotes.open, high: &quotes.high, low: &quotes.low, close: &quotes.close }
}

impl<'a> Indicators<'a> {
    /// Over the bars of `market`; `cache` and `ticks` belong to that market alone.
    pub fn new(market: &'a Market, cache: &'a SeriesCache, ticks: &'a CloseTicks) -> Self {
        Self { market, cache, ticks }
    }

    /// The primary bars of one side.
    pub fn on(&self, quote: Quote) -> Side<'a> {
        let quotes = match quote {
            Quote::Bid => self.market.bid(),
            Quote::Ask => self.market.ask(),
        };
        let frame = Frame { side: quote as u8, timeframe: 0, layout: Layout::Bars };
        Side { bars: bars(quotes), ticks: Some(&self.ticks.0[quote as usize]), store: self.cache.on(frame) }
    }

    /// The bid side.
    pub fn bid(&self) -> Side<'a> {
        self.on(Quote::Bid)
    }

    /// The ask side.
    pub fn ask(&self) -> Side<'a> {
        self.on(Quote::Ask)
    }

    /// The timeframe of the primary bars.
    pub fn primary(&self) -> Timeframe {
        self.market.timeframe()
    }

    /// The timeframe of this name; `None` for the primary one.
    ///
    /// # Errors
    /// [1009] if the text is no timeframe, [1001] if it is not one of this market.
    pub fn timeframe(&self, text: &str) -> Result<Option<Timeframe>> {
        let timeframe = self.market.timeframe_named(text)?;
        Ok(Some(timeframe).filter(|timeframe| *timeframe != self.market.timeframe()))
    }

    /// One side of a higher timeframe.
    ///
    /// # Errors
    /// [1001] [1006] as [`Market::higher`].
    pub fn higher(&self, quote: Quote, timeframe: Timeframe, on: On) -> Result<HigherSide<'a>> {
        let bars = self.market.higher(timeframe)?;
        let frame = |layout| Frame { side: quote as u8, timeframe: timeframe.micros(), layout };
        let slots = match on {
            On::Bars => None,
            On::Raster => {
                Some(self.cache.on(frame(Layout::Raster)).series(Key::part("aligned", []), &mut || {
                    [Field::Open, Field::High, Field::Low, Field::Close]
                        .map(|f| Series::from(bars.aligned(quote, f)))
                        .into()
                }))
            }
        };
        let layout = if on == On::Bars { Layout::Bars } else { Layout::Raster };
        Ok(HigherSide {
            quote,
            slots,
            ticks: tick_counts(self.market.spec()),
            store: self.cache.on(frame(layout)),
            expanded: self.cache.on(frame(Layout::Expanded)),
            bars,
        })
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

/// The series of one side of a higher timeframe.
#[derive(Debug)]
pub struct HigherSide<'a> {
    quote: Quote,
    bars: Arc<Higher>,
    /// Open, high, low and close of the newest known bar of every primary bar, if indicators run over them.
    slots: Option<Outputs>,
    ticks: TickCounts,
    store: FrameStore<'a>,
    expanded: FrameStore<'a>,
}

impl HigherSide<'_> {
    /// The bars, and which of them is known when.
    pub fn bars(&self) -> &Higher {
        &self.bars
    }

    /// The bars, to keep.
    pub fn shared_bars(&self) -> Arc<Higher> {
        Arc::clone(&self.bars)
    }

    /// What indicators are computed on: the bars of the timeframe, or one slot per primary bar.
    pub fn scope(&self) -> Scope<'_> {
        let bars = match &self.slots {
            Some(slots) => Bars { open: &slots[0], high: &slots[1], low: &slots[2], close: &slots[3] },
            None => bars(self.bars.quotes(self.quote)),
        };
        Scope::new(bars, Some(&self.ticks), &self.store)
    }

    /// One value per primary bar of values per bar of the scope.
    pub fn expand(&self, values: Series) -> Series {
        if self.slots.is_some() { values } else { self.bars.expand(&values).into() }
    }

    /// All outputs of an indicator, one value per primary bar.
    pub fn outputs<E: Entry>(&self, entry: &E) -> Outputs {
        if self.slots.is_some() {
            return self.scope().outputs(entry);
        }
        self.expanded.series(entry.key(), &mut || {
            self.scope().outputs(entry).iter().map(|values| self.bars.expand(values).into()).collect()
        })
    }

    /// The first output of an indicator, one value per primary bar.
    pub fn get<E: Entry>(&self, entry: &E) -> Series {
        self.outputs(entry)[0].clone()
    }
}

/// What an indicator runs over, by its name: `bars` or `raster`.
///
/// # Errors
/// [1001] for anything else.
pub fn on_named(text: &str) -> Result<On> {
    match text.trim().to_lowercase().as_str() {
        "bars" => Ok(On::Bars),
        "raster" => Ok(On::Raster),
        _ => Err(Error::config(1001, format!("on = {text:?}")).fix("choose bars or raster")),
    }
}
