//! What an indicator reads: the bars of one side and timeframe, and the store that shares what it computes.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::declare::Declaration;
use crate::slots::Slots;
use crate::tick_grid::{TickRatio, Ticks};
use crate::{Hlc, all_finite};

/// A computed series, as long as the bars; copies share its memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Series(Arc<Vec<f64>>);

impl Series {
    /// Whether there are other copies.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// The values; copied only if they are shared.
    pub fn into_vec(self) -> Vec<f64> {
        Arc::unwrap_or_clone(self.0)
    }
}

impl From<Vec<f64>> for Series {
    fn from(values: Vec<f64>) -> Self {
        Self(Arc::new(values))
    }
}

impl Deref for Series {
    type Target = [f64];

    #[inline]
    fn deref(&self) -> &[f64] {
        &self.0
    }
}

/// The series of one entry, in the order of its outputs.
pub type Outputs = Arc<[Series]>;

/// What a value is a function of, beside the bars: exact bits, nothing rounded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Indicator or sub-result.
    pub id: &'static str,
    /// Version that the indicator declares.
    pub version: u32,
    /// Parameters: integers as they are, floats by [`bits`], choices by number.
    pub params: Vec<u64>,
}

impl Key {
    /// Of an indicator, in the version that it declares.
    pub fn of(declaration: &Declaration, params: impl Into<Vec<u64>>) -> Self {
        Self { id: declaration.id, version: declaration.version, params: params.into() }
    }

    /// Of a part of several indicators, which nothing declares: it gets another id when its values change.
    pub fn part(id: &'static str, params: impl Into<Vec<u64>>) -> Self {
        Self { id, version: 1, params: params.into() }
    }
}

/// Bits of a float in a key: −0.0 is +0.0.
pub fn bits(x: f64) -> u64 {
    (if x == 0.0 { 0.0 } else { x }).to_bits()
}

/// Shares computed values. Results never depend on what it retains.
pub trait Store: Sync {
    /// The series of `key`, computed if absent; who asks at the same time waits.
    fn series(&self, key: Key, compute: &mut dyn FnMut() -> Vec<Series>) -> Outputs;

    /// Whether anything is kept for a later request. If not, parts of an indicator need not be series of their own.
    fn retains(&self) -> bool {
        true
    }

    /// One slot per bar, empty at first.
    fn slots(&self, key: Key, bars: usize) -> Arc<Slots>;

    /// A short series that belongs to one bar; dropped before whole series.
    fn window(&self, key: Key, compute: &mut dyn FnMut() -> Vec<f64>) -> Series;
}

/// A store that retains nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStore;

impl Store for NoStore {
    fn series(&self, _: Key, compute: &mut dyn FnMut() -> Vec<Series>) -> Outputs {
        compute().into()
    }

    fn retains(&self) -> bool {
        false
    }

    fn slots(&self, _: Key, bars: usize) -> Arc<Slots> {
        Arc::new(Slots::new(bars))
    }

    fn window(&self, _: Key, compute: &mut dyn FnMut() -> Vec<f64>) -> Series {
        compute().into()
    }
}

/// The bars of one side and timeframe, equally long columns.
///
/// A bar with a value that is not finite must be missing in all of them ([`masked`] makes it so).
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// Opens.
    pub open: &'a [f64],
    /// Highs.
    pub high: &'a [f64],
    /// Lows.
    pub low: &'a [f64],
    /// Closes.
    pub close: &'a [f64],
}

impl<'a> Bars<'a> {
    /// Number of bars.
    pub fn len(&self) -> usize {
        self.close.len()
    }

    /// Whether there are no bars.
    pub fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// High, low and close.
    pub fn hlc(&self) -> Hlc<'a> {
        Hlc { high: self.high, low: self.low, close: self.close }
    }
}

/// Open, high, low and close with every bar missing as a whole in which a value is not finite; None if none is.
pub fn masked(bars: Bars<'_>) -> Option<[Vec<f64>; 4]> {
    let columns = [bars.open, bars.high, bars.low, bars.close];
    if columns.iter().all(|column| std::ptr::eq(*column, bars.close)) {
        // What is not finite is not finite in all of them.
        return None;
    }
    if columns.into_iter().all(all_finite) {
        return None;
    }
    let present: Vec<bool> = (0..bars.len()).map(|i| columns.iter().all(|c| c[i].is_finite())).collect();
    let mask = |c: &[f64]| c.iter().zip(&present).map(|(&x, &p)| if p { x } else { f64::NAN }).collect();
    Some(columns.map(mask))
}

/// The closes as whole ticks, counted when first needed.
#[derive(Debug)]
pub struct TickCounts {
    tick: TickRatio,
    counts: OnceLock<Ticks>,
}

impl TickCounts {
    /// On the grid of a symbol.
    pub fn new(tick: TickRatio) -> Self {
        Self { tick, counts: OnceLock::new() }
    }
}

/// What an indicator is computed on.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The bars.
    pub bars: Bars<'a>,
    ticks: Option<&'a TickCounts>,
    store: &'a dyn Store,
}

impl<'a> Scope<'a> {
    /// Bars with a store that belongs to them alone; `ticks` where the prices have a grid.
    pub fn new(bars: Bars<'a>, ticks: Option<&'a TickCounts>, store: &'a dyn Store) -> Self {
        Self { bars, ticks, store }
    }

    /// All outputs of an entry.
    pub fn outputs<E: Entry + ?Sized>(&self, entry: &E) -> Outputs {
        self.store.series(entry.key(), &mut || entry.compute(self))
    }

    /// The first output of an entry.
    pub fn get<E: Entry + ?Sized>(&self, entry: &E) -> Series {
        self.outputs(entry)[0].clone()
    }

    /// Whether the parts of an indicator are kept for others.
    pub fn retains(&self) -> bool {
        self.store.retains()
    }

    /// The store, for slots and windows.
    pub fn store(&self) -> &'a dyn Store {
        self.store
    }

    /// Grid and ticks of the closes, if the prices have a grid.
    pub fn grid(&self) -> Option<(TickRatio, &'a Ticks)> {
        let ticks = self.ticks?;
        let counts = ticks.counts.get_or_init(|| Ticks::of(self.bars.close, ticks.tick));
        Some((ticks.tick, counts))
    }
}

/// Series that are computed together, kept together and shared: an indicator, or a part of several.
pub trait Entry {
    /// What the series are a function of.
    fn key(&self) -> Key;

    /// The series, each as long as the bars; at least one.
    fn compute(&self, scope: &Scope<'_>) -> Vec<Series>;
}
